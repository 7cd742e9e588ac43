// /metrics, /healthz, /readyz and /livez over HTTP, for Prometheus and for probes. Nothing can be
// changed through it, and nothing is asked of a worker: a flood of requests takes one or two
// threads of their own, and no more memory than the limits allow.
#ifndef NPF_DPDK_APP_OBSERVE_HTTP_SERVER_H_
#define NPF_DPDK_APP_OBSERVE_HTTP_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace npf::observe {

inline constexpr std::string_view kDefaultHttpAddress = "127.0.0.1:9080";

// Called from several threads at once. An empty list of reasons is good.
struct HttpHandlers {
  std::function<std::string()> metrics;
  std::function<std::vector<std::string>()> unhealthy;  // a worker's heartbeat that is old
  std::function<std::vector<std::string>()> not_ready;
};

struct HttpLimits {
  size_t threads = 2;
  size_t waiting = 8;                // connections beyond those; the system holds back the rest
  size_t request_bytes_max = 16384;  // headers and all; each line has 8192 at most
  uint64_t connection_ms = 10'000;   // from its beginning to its end: one request
};

class HttpServer {
 public:
  // "ADDRESS:PORT": an IPv4 address, an IPv6 address in brackets, or nothing for every IPv4 one.
  // Port 0: any. Names are not looked up.
  //
  //   /metrics   Prometheus text
  //   /livez     200 as long as there is somebody to answer
  //   /healthz   200, or 503 and a reason on each line
  //   /readyz    200, or 503 and a reason on each line
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(std::string_view address,
                                                           HttpHandlers handlers,
                                                           HttpLimits limits = {});
  virtual ~HttpServer() = default;  // ends every connection, and waits for its threads
  virtual int port() const = 0;
};

}  // namespace npf::observe

#endif  // NPF_DPDK_APP_OBSERVE_HTTP_SERVER_H_
