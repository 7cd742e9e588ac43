// Random clusters that use every field and operator of the model, with small vocabularies so that
// selectors, ports and blocks meet the pods often, and with the odd things of real clusters:
// finished pods whose address lives on, two pods that claim one address, hostNetwork pods, pods
// without an address, node and Service addresses inside pod CIDRs, missing Namespace objects.
// About half of them have cluster-wide tiers: all three kinds, with equal priorities, Pass chains,
// overlapping subjects, nodes, networks and names, and now and then a peer of an unknown kind.
#ifndef NPF_TESTS_TESTING_CLUSTER_GENERATOR_H_
#define NPF_TESTS_TESTING_CLUSTER_GENERATOR_H_

#include <cstdint>

#include "testing/cluster.h"

namespace npf::testing {

struct ClusterShape {
  size_t namespaces_max = 4;
  size_t pods_max = 14;
  size_t policies_max = 9;
  size_t rules_max = 3;
  size_t cluster_policies_max = 6;
};

// The same seed and shape give the same cluster.
Cluster GenerateCluster(uint64_t seed, const ClusterShape& shape = {});

}  // namespace npf::testing

#endif  // NPF_TESTS_TESTING_CLUSTER_GENERATOR_H_
