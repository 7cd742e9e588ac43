// Where a Service leads: its pods, and which of their ports stand behind its own.
#ifndef NPF_TOOLS_ANALYSIS_SERVICE_PODS_H_
#define NPF_TOOLS_ANALYSIS_SERVICE_PODS_H_

#include <vector>

#include "analysis/ports.h"
#include "npf/model.h"
#include "npf/snapshot.h"

namespace npf::analysis {

// Those that it selects and that have an address, in the Snapshot's order. None where it has no
// selector: then only its EndpointSlices know.
std::vector<const Pod*> PodsBehind(const Snapshot& snapshot, const Service& service);

// None where `target_port` is a name that the pod has no port of.
std::vector<ProtocolRange> TargetPorts(const ServicePort& port, const Pod& pod);

}  // namespace npf::analysis

#endif  // NPF_TOOLS_ANALYSIS_SERVICE_PODS_H_
