// What the appliance tells by itself, and where it can be asked: the log of denied packets, HTTP
// for Prometheus and probes, the control socket. Threads of their own; none touches a packet.
#ifndef NPF_DPDK_APP_TELLING_H_
#define NPF_DPDK_APP_TELLING_H_

#include <atomic>
#include <memory>
#include <optional>
#include <thread>

#include "absl/status/status.h"
#include "appliance.h"
#include "observe/deny_log.h"
#include "observe/http_server.h"
#include "observe/metrics.h"
#include "options.h"
#include "proto/control_server.h"
#include "proto/socket.h"

namespace npf::appliance {

class Telling {
 public:
  // `appliance` is open and outlives it.
  Telling(const Options& options, Appliance& appliance);
  ~Telling();
  Telling(const Telling&) = delete;
  Telling& operator=(const Telling&) = delete;

  // Takes the place of the control socket, while whoever may use its directory still can.
  absl::Status OpenSocket();
  absl::Status Start();

 private:
  absl::Status StartLog();
  absl::Status StartHttp();
  absl::Status StartControl();
  void RunLog();
  size_t MoveDenials();
  observe::DenialDetails DetailsOf(const observe::DenialEvent& event) const;
  observe::MetricsInput CollectMetrics();

  const Options& options_;
  Appliance& appliance_;
  std::unique_ptr<observe::DenyLog> log_;
  std::unique_ptr<observe::HttpServer> http_;
  std::optional<control::ListeningSocket> socket_;  // until control_ has it
  std::unique_ptr<control::ControlServer> control_;
  observe::MetricsPage page_;
  uint64_t lost_ = 0;
  std::atomic<bool> stop_{false};
  std::thread log_thread_;
};

}  // namespace npf::appliance

#endif  // NPF_DPDK_APP_TELLING_H_
