// Clusters made from a few numbers and a seed, in the shapes that benchmarks speak of. Equal
// numbers give equal clusters on every machine.
#ifndef NPF_BENCH_WORKLOAD_H_
#define NPF_BENCH_WORKLOAD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "npf/model.h"
#include "npf/snapshot.h"

namespace npf::bench {

// SplitMix64: small, good enough, the same everywhere.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next();
  uint32_t Below(uint32_t bound);  // bound > 0
  bool Percent(uint32_t share) { return Below(100) < share; }

 private:
  uint64_t state_;
};

// Which addresses pods, nodes and ipBlocks have. Of kDual, pods and nodes have both, and every
// other block is IPv6.
enum class IpFamilies : uint8_t { kV4, kV6, kDual };

// A namespace for every 100 pods, a workload for every 20, a node with a /24 for every 100 pods.
// 80 % of policies select a workload, the others a namespace; 60 % ingress only, 30 % both, 10 %
// egress; 1 or 2 rules a direction with 1 to 4 peers (55 % pod selectors, 30 % namespaces, 15 %
// ipBlocks, half of them with excepts) and 1 to 3 ports (5 % ranges, 12 % UDP).
struct ClusterShape {
  uint32_t pods = 10'000;
  uint32_t policies = 1'000;
  uint32_t cidrs = 100;           // distinct ipBlocks to choose from
  uint32_t cluster_policies = 0;  // see AddClusterPolicies
  uint32_t namespaces = 0;        // 0: pods / 100
  uint32_t workloads = 0;         // 0: pods / 20
  uint32_t pods_per_node = 100;   // at most 254
  uint32_t port_numbers = 40;     // distinct ports to choose from
  IpFamilies families = IpFamilies::kV4;
  uint64_t seed = 1;
};

// The objects of a cluster, not yet a Snapshot, so that they can also be written as text.
struct Cluster {
  std::vector<Namespace> namespaces;
  std::vector<Node> nodes;
  std::vector<Pod> pods;
  std::vector<NetworkPolicy> policies;
  std::vector<ClusterPolicy> cluster_policies;
};

Cluster MakeCluster(const ClusterShape& shape);
// ClusterNetworkPolicies in both tiers, half of which select every pod.
void AddClusterPolicies(uint32_t count, uint64_t seed, Cluster& cluster);
// Three policies a namespace: default deny, allow from the same namespace, allow from monitoring.
Cluster MakeManyNamespaces(uint32_t namespaces, uint32_t pods);
// What grows worse than the rest: each stays within the budget or is refused by name.
Cluster MakeHalfOfEverything(uint32_t namespaces);  // selectors that match half of all classes
Cluster MakePortRanges(uint32_t ranges);            // distinct port ranges
Cluster MakeNestedExcepts(uint32_t blocks, uint32_t depth);

Snapshot Freeze(Cluster cluster);  // ends the program where the cluster is not valid

// As `kubectl get ... -o json|yaml -A` prints them, with the fields that nobody asks for.
std::string ToJson(const Cluster& cluster);
std::string ToYaml(const Cluster& cluster);

}  // namespace npf::bench

#endif  // NPF_BENCH_WORKLOAD_H_
