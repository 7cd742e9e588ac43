// Whether what is seen agrees with what is configured: the reasons that /readyz lists. Pure logic,
// fed once a second. docs/readiness.md says what each reason means.
//
// Packets that contradict the configuration make it not ready when `packets_min` came within
// `window_ns`. It is ready again when for `hold_ns` there were never so many: so one stray packet
// does nothing, what goes on stays red without flickering, and what is over does not stay red.
#ifndef NPF_DPDK_APP_OBSERVE_READINESS_H_
#define NPF_DPDK_APP_OBSERVE_READINESS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace npf::observe {

// Counters begin at 0 with the process and never go back.
struct PortSample {
  std::string name;
  size_t peer = 0;  // its index among the ports; its own where it has none
  bool link_up = false;
  uint64_t received = 0;    // packets
  bool has_pods = false;    // the configuration says that pods are behind it
  uint64_t from_pods = 0;   // packets that came in with the source address of a pod
  uint64_t from_nodes = 0;  // likewise, of a node
};

struct ReadinessSample {
  uint64_t now_ns = 0;  // CLOCK_MONOTONIC
  bool policy_active = false;
  bool failing_open = false;  // everything passes instead
  std::string refusal;        // why the last update of the policy changed nothing; empty: it did
  uint64_t refused_ns = 0;    // how long ago
  std::vector<PortSample> ports;
  std::vector<uint64_t> heartbeat_ns;  // of each worker, how long ago
  // Packets by reason, whether they were allowed or not.
  uint64_t spoofed = 0;
  uint64_t opaque = 0;
  uint64_t unknown_pod = 0;
  uint64_t service_address = 0;
  uint64_t same_node = 0;  // both ends are pods of one node
};

struct ReadinessOptions {
  uint64_t window_ns = 60'000'000'000;
  uint64_t hold_ns = 60'000'000'000;
  uint64_t packets_min = 3;
  // Of packets from nodes, or by one port only: there, few are nothing strange.
  uint64_t one_sided_min = 100;
  uint64_t heartbeat_max_ns = 1'000'000'000;
};

class Readiness {
 public:
  explicit Readiness(ReadinessOptions options = {}) : options_(options) {}

  // Every reason why it is not ready, a sentence each, with what was seen, how often, since when,
  // and what to do. Samples in the order of their time, about one a second.
  std::vector<std::string> Observe(const ReadinessSample& sample);

 private:
  struct Condition {
    uint64_t since_ns = 0;
    uint64_t last_ns = 0;       // when it last held
    uint64_t count_before = 0;  // packets, at since_ns
  };
  // `base` is what there was when the window began.
  void LookAtPolicy(const ReadinessSample& now);
  void LookAtWorkers(const ReadinessSample& now);
  void LookAtPorts(const ReadinessSample& now, const ReadinessSample& base);
  void LookAtBothWays(const ReadinessSample& now, const ReadinessSample& base, size_t port);
  void LookAtMasquerade(const PortSample& port, const PortSample& before, uint64_t now_ns);
  void LookAtPackets(const ReadinessSample& now, const ReadinessSample& base);
  // A condition that holds or not, without hysteresis. 0 where it does not; else since when, in
  // seconds, at least 1.
  uint64_t SecondsOf(const std::string& id, bool holds, uint64_t now_ns);
  // A condition with hysteresis over a count of packets: nullptr where it is over.
  const Condition* Held(const std::string& id, bool is_over, uint64_t count_before,
                        uint64_t now_ns);
  void Remember(const ReadinessSample& sample);
  void Forget(uint64_t now_ns);

  ReadinessOptions options_;
  std::deque<ReadinessSample> history_;  // the oldest is just outside the window
  uint64_t base_ns_ = 0;                 // when the window began
  std::map<std::string, Condition> conditions_;
  std::vector<std::string> reasons_;
};

}  // namespace npf::observe

#endif  // NPF_DPDK_APP_OBSERVE_READINESS_H_
