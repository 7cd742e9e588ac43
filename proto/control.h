// What a running appliance can be asked and told, in plain structs. The appliance is a Handler;
// what carries it over a socket (proto/npf/v1/control.proto) stays in this folder.
//
//   npf status|load|wait|watch ... ─► Client ─► unix socket ─► Server ─► Handler (the appliance)
//
// Handlers are called from several threads at once.
#ifndef NPF_PROTO_CONTROL_H_
#define NPF_PROTO_CONTROL_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "npf/flow.h"

namespace npf::control {

struct PortStatus {
  std::string name;
  bool link_up = false;
  uint64_t received = 0;  // packets
  uint64_t received_bytes = 0;
  uint64_t missed = 0;  // never judged: no room in the port or before a worker, no buffer
  uint64_t sent = 0;
  uint64_t sent_bytes = 0;
  uint64_t not_sent = 0;  // allowed, but the port took no more
};

struct ReasonCount {
  std::string reason;  // as docs/reasons.md has it
  bool allowed = false;
  uint64_t packets = 0;
};

// First packets of connections, and packets without one, that a policy decided about.
struct PolicyCount {
  std::string policy;  // "namespace/name", or the name of a cluster-wide policy
  std::string tier;    // "Admin", "NetworkPolicy", "Baseline"
  bool allowed = false;
  uint64_t packets = 0;
};

// A change that is taken back unless it is confirmed in time.
struct Unconfirmed {
  uint32_t generation = 0;
  uint64_t left_ns = 0;
};

struct Status {
  std::string version;
  std::string mode;       // enforce, audit, tap
  std::string placement;  // pod-port, node-wire, fabric
  uint32_t generation = 0;
  std::string policy_hash;  // of the compiled image, hexadecimal
  std::string policy_source;
  uint64_t policy_age_ns = 0;
  std::string last_refusal;  // why the last update changed nothing; empty: it did not
  size_t pods = 0;
  size_t policies = 0;
  size_t program_bytes = 0;
  uint64_t uptime_ns = 0;
  bool ready = false;
  std::vector<std::string> not_ready;  // every reason
  std::optional<Unconfirmed> unconfirmed;
  size_t workers = 0;
  std::vector<double> busy;  // of each worker, the share of its loops that had packets
  size_t flows = 0;
  size_t flows_max = 0;
  size_t openings = 0;
  uint64_t received = 0;  // the sum of the reasons, always
  std::vector<PortStatus> ports;
  std::vector<ReasonCount> reasons;
  uint64_t log_suppressed = 0;  // denials that the log does not tell one by one
};

struct LoadRequest {
  // One of these two. Paths are the appliance's; what `text` holds is YAML or JSON.
  std::vector<std::string> paths;
  std::string text;
  uint64_t confirm_ns = 0;  // 0: at once for good
  std::string who;          // filled in by the server: uid and pid of the peer
};

struct LoadResult {
  uint32_t generation = 0;
  std::string policy_hash;
  size_t pods = 0;
  size_t policies = 0;
  uint64_t compile_ns = 0;
  std::vector<std::string> warnings;
};

struct ExplainResult {
  bool allowed = false;
  uint32_t generation = 0;
  std::string text;  // for people
  std::string json;  // docs/verdict.schema.json's member `why`
};

struct Connection {
  FlowKey key;  // of its first packet
  std::string src_pod;
  std::string dst_pod;
  std::string state;
  uint32_t generation = 0;
};

struct DeniedPacket {
  uint64_t time_ns = 0;  // since the epoch
  FlowKey key;
  std::string reason;
  std::string port;  // where it came in
  std::string src_pod;
  std::string dst_pod;
  std::string why;          // one line
  uint64_t packets = 1;     // that this line stands for
  uint64_t suppressed = 0;  // others before it that no line stands for
};

// Whether policy about a pod is enforced by this appliance.
struct PodVisibility {
  std::string pod;
  std::string enforced;  // "here", "partly", "not visible"
  std::string why;
};

class Handler {
 public:
  virtual ~Handler() = default;

  virtual Status GetStatus() = 0;
  virtual std::vector<PolicyCount> GetPolicyCounts() = 0;
  virtual std::vector<PodVisibility> GetVisibility() = 0;
  // kInvalidArgument: the input is wrong, and nothing has changed; the message has every error.
  virtual absl::StatusOr<LoadResult> Load(const LoadRequest& request) = 0;
  virtual absl::Status Confirm(uint32_t generation) = 0;
  // Until that generation, or a later one, decides in every worker. kDeadlineExceeded.
  virtual absl::Status WaitFor(uint32_t generation, uint64_t timeout_ns) = 0;
  virtual absl::StatusOr<ExplainResult> Explain(const FlowKey& key) = 0;
  // At most `limit`.
  virtual absl::StatusOr<std::vector<Connection>> ListConnections(size_t limit) = 0;
  // Those that would end if this were loaded.
  virtual absl::StatusOr<std::vector<Connection>> WouldCut(const LoadRequest& request,
                                                           size_t limit) = 0;
  // Calls `use` for each denied packet that the log tells of, until it returns false; also called
  // with null about every 200 ms, so that it can.
  virtual void WatchDenied(const std::function<bool(const DeniedPacket*)>& use) = 0;
};

}  // namespace npf::control

#endif  // NPF_PROTO_CONTROL_H_
