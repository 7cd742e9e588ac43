// What is open beyond what is known: to addresses outside of the cluster, to every namespace, and
// to pods that are not there yet.
//
// Who could come is a new pod without labels, in each namespace and in a new one: what all of those
// may, any pod may (a rule cannot ask for less). What counts is the workload's own policies: those
// of the other end are not there yet, or may change. It takes a Snapshot that has such pods
// (SnapshotOptions::new_pods).
#ifndef NPF_TOOLS_ANALYSIS_EXPOSURE_H_
#define NPF_TOOLS_ANALYSIS_EXPOSURE_H_

#include <cstdint>
#include <vector>

#include "analysis/connections.h"
#include "analysis/listing.h"
#include "analysis/scene.h"

namespace npf::analysis {

enum class OpenTo : uint8_t { kExternal, kEveryNamespace, kNewPods };

struct ExposureRow {
  std::vector<uint32_t> groups;  // of workloads, sorted
  Direction direction = Direction::kIngress;
  OpenTo open_to = OpenTo::kExternal;
  std::vector<uint32_t> peers;  // groups: external ones, or new pods
  PortSetId ports = PortSets::kNone;
  uint8_t families = kBothFamilies;
};

// Of side 0, of workloads that the Scene's sources (egress) or destinations (ingress) choose. New
// pods in some namespaces are told only with what not every namespace has.
std::vector<ExposureRow> ListExposure(const Scene& scene, Connectivity& side, PortSets& ports);

}  // namespace npf::analysis

#endif  // NPF_TOOLS_ANALYSIS_EXPOSURE_H_
