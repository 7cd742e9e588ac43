// What the checks of lint ask of the objects, worked out once.
#ifndef NPF_TOOLS_LINT_FACTS_H_
#define NPF_TOOLS_LINT_FACTS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lint/finding.h"
#include "npf/snapshot.h"

namespace npf::lint {

// Pods of one namespace that no selector and no named port of the policies tells apart, of one
// workload kind of network.
struct PodGroup {
  const Namespace* ns = nullptr;
  std::vector<const Pod*> pods;  // not empty, in the order of the Snapshot
  bool host_network = false;     // they have no address of their own (R52)
  bool ended = false;            // nor have these (R50)
  bool has_v4 = false;           // of any of them
  bool has_v6 = false;
  const Pod& first() const { return *pods.front(); }
  bool has_addresses() const { return !host_network && !ended; }
};

using Groups = std::vector<uint32_t>;  // indexes of Facts::groups(), ascending

class Facts {
 public:
  explicit Facts(const Snapshot& snapshot);

  const Snapshot& snapshot() const { return snapshot_; }
  // Without any pod, or any Namespace, nothing can be said about what selectors do not match.
  bool knows_pods() const { return !groups_.empty(); }
  bool knows_namespaces() const { return knows_namespaces_; }
  const std::vector<PodGroup>& groups() const { return groups_; }
  bool HasPods(const std::string& ns) const { return by_ns_.contains(ns); }

  const Groups& SubjectsOf(const NetworkPolicy& policy) const;
  const Groups& SubjectsOf(const ClusterPolicy& policy) const;
  // Of a peer with selectors.
  const Groups& PodsOf(const NetworkPolicy& policy, const PolicyPeer& peer) const;
  const Groups& PodsOf(const ClusterPods& pods) const;
  const Groups& PodsIn(const std::string& ns, const LabelSelector& pods) const;
  const Groups& PodsOf(const LabelSelector& namespaces, const LabelSelector& pods) const;
  const std::vector<const Namespace*>& NamespacesOf(const LabelSelector& selector) const;

  // "shop/a, shop/b and 3 more": pods of groups, by workload where one is known.
  std::string NamesOf(const Groups& groups) const;

 private:
  void MakeGroups();

  const Snapshot& snapshot_;
  bool knows_namespaces_ = false;
  std::vector<PodGroup> groups_;  // by namespace
  std::unordered_map<std::string, Groups> by_ns_;
  mutable std::unordered_map<std::string, Groups> found_;  // by the text of the question
  mutable std::unordered_map<std::string, std::vector<const Namespace*>> namespaces_;
};

// Whose findings are being made: puts together what they all have.
class Reporter {
 public:
  explicit Reporter(std::vector<Finding>& findings) : findings_(findings) {}
  // `field` is looked up in the policy; the nearest field around it that is known gives the place.
  Finding& Add(Id id, const NetworkPolicy& policy, std::string field, std::string message);
  Finding& Add(Id id, const ClusterPolicy& policy, std::string field, std::string message);
  Finding& Add(Id id, Position position, std::string object, std::string message);

 private:
  std::vector<Finding>& findings_;
};

std::string NameOf(const NetworkPolicy& policy);  // "NetworkPolicy shop/db"
std::string NameOf(const ClusterPolicy& policy);
std::string NameOf(const Pod& pod);
Position PositionOf(const NetworkPolicy& policy, std::string_view field);
Position PositionOf(const ClusterPolicy& policy, std::string_view field);
Related RelatedTo(const NetworkPolicy& policy, const std::string& field, std::string message);

std::string_view FieldOf(Direction direction);            // "spec.ingress"
std::string RuleField(Direction direction, size_t rule);  // "spec.ingress[0]"
std::string PeerField(Direction direction, size_t rule, size_t peer);
std::string_view Name(Direction direction);  // "ingress"
const std::vector<PolicyRule>& RulesOf(const NetworkPolicy& policy, Direction direction);
const std::vector<ClusterRule>& RulesOf(const ClusterPolicy& policy, Direction direction);
inline constexpr Direction kDirections[] = {Direction::kIngress, Direction::kEgress};

// "a, b and 3 more".
std::string Listed(const std::vector<std::string>& items, size_t shown = 4);

}  // namespace npf::lint

#endif  // NPF_TOOLS_LINT_FACTS_H_
