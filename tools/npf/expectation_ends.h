// What the ends of an expectation are among given objects: which addresses, and for destinations
// which ports.
#ifndef NPF_TOOLS_NPF_EXPECTATION_ENDS_H_
#define NPF_TOOLS_NPF_EXPECTATION_ENDS_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "analysis/address_space.h"
#include "npf/diagnostics.h"
#include "npf/expectation.h"
#include "npf/snapshot.h"

namespace npf::tools {

// Destinations by the ports that are meant of them: pods of one Service may have different ones
// behind one name.
using Targets = std::map<std::vector<analysis::ProtocolRange>, analysis::AddressSet>;

struct ResolvedExpectation {
  analysis::AddressSet from;
  Targets to;
};

// Not thread-safe. The objects must outlive it.
class EndResolver {
 public:
  EndResolver(const Snapshot& snapshot, const analysis::AddressSpace& space,
              Diagnostics& diagnostics);

  // Every end that is nothing is an error.
  ResolvedExpectation Resolve(const Expectation& expectation);

 private:
  using Pods = std::vector<const Pod*>;

  void Error(const EndText& end, std::string detail);
  Targets TargetsOf(const EndText& end, const std::vector<PortText>& ports);
  Targets TargetsOfPods(const EndText& end, const Pods& pods, const std::vector<PortText>& ports);
  Targets TargetsOfService(const EndText& end, const Service& service,
                           const std::vector<PortText>& ports);
  Targets TargetsOfName(const EndText& end, const std::vector<PortText>& ports);
  Targets TargetsOfSet(const EndText& end, const analysis::AddressSet& set,
                       const std::vector<PortText>& ports);
  analysis::AddressSet SetOf(const EndText& end);
  Pods PodsOf(const EndText& end) const;
  Pods Selected(const EndText& end) const;
  analysis::AddressSet Word(std::string_view word) const;
  const Service* FindService(const EndText& end) const;
  std::string Suggestion(const EndText& end) const;

  const Snapshot& snapshot_;
  const analysis::AddressSpace& space_;
  Diagnostics* diagnostics_;
  absl::flat_hash_map<std::string, Pods> named_pods_;       // by "namespace/name"
  absl::flat_hash_map<std::string, Pods> named_workloads_;  // by "namespace/name"
  absl::flat_hash_map<std::string, const Service*> named_services_;
};

// The names that a pod's workload goes by: its controller's, and where that is a ReplicaSet or a
// Job, the Deployment's or CronJob's that made it.
std::vector<std::string> WorkloadNames(const Pod& pod);

std::string ToString(const analysis::ProtocolRange& span);  // "TCP 80-443", "TCP", "no ports"

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_EXPECTATION_ENDS_H_
