// Asks a running appliance, over its control socket.
#ifndef NPF_PROTO_CONTROL_CLIENT_H_
#define NPF_PROTO_CONTROL_CLIENT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/control.h"

namespace npf::control {

inline constexpr char kDefaultSocket[] = "/run/npf/npf.sock";

class ControlClient {
 public:
  // kUnavailable, kPermissionDenied: the message names the path and says why. `patience`: how long
  // an answer that needs no compiling may take; one that does may take a hundred times that.
  static absl::StatusOr<std::unique_ptr<ControlClient>> Connect(
      const std::string& path, std::chrono::milliseconds patience = std::chrono::seconds(10));
  ~ControlClient();
  ControlClient(const ControlClient&) = delete;
  ControlClient& operator=(const ControlClient&) = delete;

  absl::StatusOr<Status> GetStatus();
  absl::StatusOr<std::vector<PolicyCount>> GetPolicyCounts();
  absl::StatusOr<std::vector<PodVisibility>> GetVisibility();
  absl::StatusOr<LoadResult> Load(const LoadRequest& request);  // without `who`
  absl::Status Confirm(uint32_t generation);
  absl::Status WaitFor(uint32_t generation, uint64_t timeout_ns);
  absl::StatusOr<ExplainResult> Explain(const FlowKey& key);
  absl::StatusOr<std::vector<Connection>> ListConnections(size_t limit);
  absl::StatusOr<std::vector<Connection>> WouldCut(const LoadRequest& request, size_t limit);
  // Until `use` returns false (then OK) or the appliance ends it.
  absl::Status WatchDenied(const std::function<bool(const DeniedPacket&)>& use);

 private:
  class Impl;
  explicit ControlClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace npf::control

#endif  // NPF_PROTO_CONTROL_CLIENT_H_
