// Which pods' policies are enforced at this place, and why not. An appliance judges what passes by:
// pods of one node talk to each other without crossing a wire, and nobody would know.
#ifndef NPF_DPDK_APP_OBSERVE_VISIBILITY_H_
#define NPF_DPDK_APP_OBSERVE_VISIBILITY_H_

#include <cstddef>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "npf/flow.h"
#include "npf/snapshot.h"
#include "proto/control.h"

namespace npf::observe {

// What the configuration says is behind a port.
struct PortMembers {
  std::string port;
  std::vector<std::string> nodes;  // names; for node-wire
  std::vector<std::string> pods;   // "namespace/name"; for pod-port
};

struct VisibilityInput {
  Placement placement = Placement::kNodeWire;
  std::vector<PortMembers> ports;
  bool overlays_configured = false;
  // Reasons of packets that passed by, as docs/reasons.md has them, and "masquerade".
  std::set<std::string> observed;
};

// Of every pod that has not ended (R50), in the order of the Snapshot.
std::vector<control::PodVisibility> VisibilityOf(const Snapshot& snapshot,
                                                 const VisibilityInput& input);

// A line with the sums, and a table of at most `rows_max` pods: first those that are not visible,
// then those that are partly. How many more there are is said.
std::string VisibilityReport(std::span<const control::PodVisibility> pods, size_t rows_max = 1'000);

}  // namespace npf::observe

#endif  // NPF_DPDK_APP_OBSERVE_VISIBILITY_H_
