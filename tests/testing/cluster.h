// A cluster as tests make, shrink and print it: the plain objects, before they are frozen into a
// Snapshot.
#ifndef NPF_TESTS_TESTING_CLUSTER_H_
#define NPF_TESTS_TESTING_CLUSTER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "npf/address.h"
#include "npf/diagnostics.h"
#include "npf/model.h"
#include "npf/snapshot.h"
#include "reference/evaluator.h"
#include "testing/random.h"

namespace npf::testing {

struct Cluster {
  std::vector<Namespace> namespaces;
  std::vector<Pod> pods;
  std::vector<Node> nodes;
  std::vector<Service> services;
  std::vector<Ingress> ingresses;
  std::vector<NetworkPolicy> policies;
  std::vector<ClusterPolicy> cluster_policies;
  std::vector<ResolvedName> resolved_names;
  std::vector<IpPrefix> pod_cidrs;      // beside those of nodes
  std::vector<IpPrefix> service_cidrs;  // beside the addresses of services
};

// The Snapshot, or a status that has every error.
absl::StatusOr<Snapshot> Finish(SnapshotBuilder& builder, Diagnostics& diagnostics);

absl::StatusOr<Snapshot> Freeze(const Cluster& cluster);
// As Freeze, with the objects of all kinds added in a random order.
absl::StatusOr<Snapshot> FreezeShuffled(const Cluster& cluster, Random& random);
// The objects of a Snapshot, to be changed and frozen again.
Cluster Thaw(const Snapshot& snapshot);

// Text whose mistakes stop the test that uses it.
IpAddress Address(const std::string& text);
IpPrefix Prefix(const std::string& text);

// Objects that load back, leniently where a peer is of an unknown kind, into an equal Snapshot. The
// CIDRs that are options and the resolved names are no objects: these stand in a comment of ToYaml.
std::string ToYaml(const Cluster& cluster);
std::vector<std::string> YamlDocuments(const Cluster& cluster);
std::string ToJson(const Cluster& cluster);
SnapshotOptions OptionsOf(const Cluster& cluster);
std::string ToString(const reference::Question& question);

}  // namespace npf::testing

#endif  // NPF_TESTS_TESTING_CLUSTER_H_
