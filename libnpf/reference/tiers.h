// The cluster-wide tiers, Admin and Baseline, as the reference evaluator reads them: each asked for
// one direction of one packet, rule by rule in their order (section J of the semantics).
#ifndef NPF_REFERENCE_TIERS_H_
#define NPF_REFERENCE_TIERS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "npf/snapshot.h"
#include "reference/cidr.h"
#include "reference/labels.h"
#include "reference/mutation.h"
#include "reference/question.h"

namespace npf::reference {

// Who can decide a direction, in the order in which they are asked (R80). kNone: nobody did, and
// what nobody decides is allowed.
enum class Tier : uint8_t { kAdmin, kNetworkPolicy, kBaseline, kNone };

// Indexes Snapshot::policies() or Snapshot::cluster_policies(), and that policy's rules of the
// direction.
struct RuleReference {
  size_t policy = 0;
  size_t rule = 0;
  auto operator<=>(const RuleReference&) const = default;
};

class ClusterTiers {
 public:
  // R82. "Allow" of v1alpha1 is kAccept.
  enum class Action : uint8_t { kAccept, kDeny, kPass };
  struct Decision {
    Action action;
    RuleReference rule;
  };

  ClusterTiers(const Snapshot& snapshot, const ObjectLabels& labels, Mutation mutation);

  // What kAdmin or kBaseline says of that direction, if anything; the subject's side is a pod.
  std::optional<Decision> Decide(Tier tier, Direction direction, const Question& question,
                                 const Side& src, const Side& dst) const;

 private:
  struct Peer {
    const ClusterPeer* object;
    std::vector<bool> pods;  // by index of Snapshot::pods(): `namespaces` or `pods` has it
    std::vector<Cidr> networks;
    std::set<IpAddress> nodes;  // addresses of the Nodes that `nodes` selects
    std::set<IpAddress> names;  // addresses of the names that `domainNames` has
  };
  struct Rule {
    const ClusterRule* object;
    std::vector<Peer> peers;
  };
  struct Policy {
    const ClusterPolicy* object;
    std::vector<bool> subjects;  // by index of Snapshot::pods()
    std::vector<Rule> ingress;
    std::vector<Rule> egress;
  };

  bool Is(Mutation mutation) const;

  // Preparation: each asks every object in turn.
  void GatherNodes();
  void GatherPolicies(const ObjectLabels& labels);
  std::vector<Rule> ReadRules(const std::vector<ClusterRule>& rules,
                              const ObjectLabels& labels) const;
  Peer ReadPeer(const ClusterPeer& object, const ObjectLabels& labels) const;
  std::vector<bool> PodsOf(const std::optional<ClusterPods>& pods,
                           const ObjectLabels& labels) const;
  std::set<IpAddress> AddressesOfNodes(const LabelSelector& selector) const;
  std::set<IpAddress> AddressesOfNames(const std::vector<std::string>& patterns) const;
  bool NameMatches(const std::string& pattern, const std::string& name) const;
  bool ComesBefore(const ClusterPolicy& a, const ClusterPolicy& b) const;

  std::optional<Action> ActionOf(const Rule& rule, Direction direction, const Question& question,
                                 const Side& src, const Side& dst) const;
  std::optional<Action> FailClosed(Action said) const;
  bool RuleMatches(const Rule& rule, Direction direction, const Question& question, const Side& src,
                   const Side& dst) const;
  bool PeersMatch(const Rule& rule, const Side& other) const;
  bool PeerMatches(const Peer& peer, const Side& other) const;
  bool PortsMatch(const ClusterRule& rule, Direction direction, const Question& question,
                  const Side& src, const Side& dst) const;
  bool PortMatches(const ClusterPort& port, const Question& question, const Side& named_on) const;
  bool NamedPortMatches(const std::string& name, const Question& question,
                        const Side& named_on) const;

  Snapshot snapshot_;
  Mutation mutation_;
  std::map<IpAddress, const Node*> node_at_;
  std::vector<Policy> policies_;               // as in Snapshot::cluster_policies()
  std::map<Tier, std::vector<size_t>> order_;  // of evaluation; indexes policies_
};

}  // namespace npf::reference

#endif  // NPF_REFERENCE_TIERS_H_
