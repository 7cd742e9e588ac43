// From the objects of the cluster-wide tiers to resolved policies (R80 to R94).
#ifndef NPF_RESOLVE_CLUSTER_READER_H_
#define NPF_RESOLVE_CLUSTER_READER_H_

#include "npf/model.h"
#include "resolve/atoms.h"
#include "resolve/port_space.h"
#include "resolve/resolved_policy.h"

namespace npf::resolve {

Policy ReadClusterPolicy(const ClusterPolicy& policy, AtomTable& atoms, PortSpace& ports);

}  // namespace npf::resolve

#endif  // NPF_RESOLVE_CLUSTER_READER_H_
