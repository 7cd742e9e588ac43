// What Prometheus reads from an appliance: text format 0.0.4. docs/metrics.md lists every metric.
#ifndef NPF_DPDK_APP_OBSERVE_METRICS_H_
#define NPF_DPDK_APP_OBSERVE_METRICS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "observe/burst_times.h"
#include "proto/control.h"

namespace npf::observe {

inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

struct BuildInfo {
  std::string version;
  std::string revision;
  std::string dpdk;
};

// What was judged of the packets that came in by one port.
struct PortVerdicts {
  std::string port;
  uint64_t allowed = 0;
  uint64_t denied = 0;
};

// How long bursts took, of all workers.
struct Bursts {
  BurstTimes::Counts counts{};
  uint64_t sum_ns = 0;
};

struct MetricsInput {
  BuildInfo build;
  control::Status status;
  std::vector<control::PolicyCount> policies;
  // Where it is empty, npf_packets_total has one port, "all".
  std::vector<PortVerdicts> ports;
  Bursts bursts;
  bool failing_open = false;  // no policy is there, and everything passes
  uint64_t rejects = 0;       // answers to senders of denied packets
};

// Keeps the number of policies that have series of their own within a bound. Those that come when
// it is reached are counted together as "other", and stay there until they are gone, so that no
// counter goes back and no packet is counted twice.
class PolicyCap {
 public:
  explicit PolicyCap(size_t policies_max) : policies_max_(policies_max) {}

  // Each policy, tier and verdict once, in order; what is beyond the bound has the policy
  // "*/other": no namespace is called so.
  std::vector<control::PolicyCount> Apply(std::span<const control::PolicyCount> counts);

 private:
  using Policy = std::pair<std::string, std::string>;         // policy, tier
  using Series = std::tuple<std::string, std::string, bool>;  // policy, tier, allowed
  using OtherSeries = std::pair<std::string, bool>;           // tier, allowed
  bool HasOwnSeries(const Policy& policy);
  void Forget(const std::map<Series, uint64_t>& present);

  size_t policies_max_;
  std::set<Policy> own_;
  std::map<Series, uint64_t> others_;  // as they were last seen
  std::map<OtherSeries, uint64_t> sums_;
};

// Can be asked from several threads; one after the other is answered.
class MetricsPage {
 public:
  static constexpr size_t kPoliciesMax = 2'000;
  explicit MetricsPage(size_t policies_max = kPoliciesMax) : cap_(policies_max) {}

  // `collect` is called once, with no other call of it at the same time: what is counted as "other"
  // must be seen in the order in which it was counted.
  std::string Text(const std::function<MetricsInput()>& collect);

 private:
  std::mutex mutex_;
  PolicyCap cap_;
};

}  // namespace npf::observe

#endif  // NPF_DPDK_APP_OBSERVE_METRICS_H_
