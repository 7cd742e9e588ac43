// The reference evaluator: what the Kubernetes API prescribes for one packet, written down rule by
// rule with nothing in between. It is the yardstick that the compiled engine is measured against.
//
// It reads a Snapshot and shares no code with resolve, compile and classify: it has its own label
// matching, its own address blocks, its own ports. It knows no classes, no tables, no bit tricks.
// Where it prepares something (which pod has an address, which pods a selector selects), it does so
// once, in the constructor, by asking the same question of every pod in turn. Being slow is its
// right; being obvious is its duty. Every branch stands under the rule that it implements, quoted
// with its number from docs/semantics.md.
//
// The order in which a question is answered:
//
//     families differ ──────────────────────────────► deny   malformed
//     a pod's address to itself ────────────────────► allow  loopback          R36
//     unknown pod, and those are to be denied ──────► deny   unknown_pod
//     neither side a pod ───────────────────────────► allow  not_a_pod ...     R54
//     egress of the source pod, ingress of the destination pod, judged apart   R80
//         the Admin tier decides ───────────────────► allow or deny            R81, R82
//         NetworkPolicies isolate the pod ──────────► allow or deny            R1-R35
//         the Baseline tier decides ────────────────► allow or deny            R84
//         else ─────────────────────────────────────► allow
//     ingress denied by NetworkPolicies, from the pod's own node ──► allowed   R37
//     allowed = ingress && egress                                              R4
//
// Only tests and `npf verify` link this.
#ifndef NPF_REFERENCE_EVALUATOR_H_
#define NPF_REFERENCE_EVALUATOR_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "npf/address.h"
#include "npf/snapshot.h"
#include "npf/verdict.h"
#include "reference/cidr.h"
#include "reference/labels.h"
#include "reference/mutation.h"
#include "reference/question.h"
#include "reference/tiers.h"

namespace npf::reference {

struct EvaluatorOptions {
  Placement placement = Placement::kOffline;
  bool deny_unknown_pod = false;
  Mutation mutation = Mutation::kNone;  // has an effect only in the test copy
};

struct DirectionAnswer {
  bool allowed = true;                      // also where the direction was not judged
  Tier tier = Tier::kNone;                  // that decided
  std::optional<RuleReference> decided_by;  // the rule, where `tier` is kAdmin or kBaseline
  std::vector<RuleReference> passed;        // Pass rules that left Admin or Baseline, in order
  // Of the NetworkPolicies, also where another tier decided.
  std::vector<size_t> isolating;        // policies that isolate the subject
  std::vector<RuleReference> allowing;  // every rule that allows the packet
};

struct Answer {
  bool allowed = true;
  Reason reason = Reason::kNoPolicy;
  DirectionAnswer ingress;
  DirectionAnswer egress;
};

class Evaluator {
 public:
  explicit Evaluator(const Snapshot& snapshot, EvaluatorOptions options = {});

  // A direction that is not asked for is not judged, and counts as allowed.
  Answer Evaluate(const Question& question, DirectionMask directions = DirectionMask::kBoth) const;

  AddressKind KindOf(const IpAddress& address) const;
  const Snapshot& snapshot() const { return snapshot_; }

 private:
  struct Peer {
    const PolicyPeer* object;
    std::vector<bool> pods;  // by index of Snapshot::pods(): the selectors select it
    std::optional<Cidr> cidr;
    std::vector<Cidr> except;
  };
  struct Rule {
    const PolicyRule* object;
    std::vector<Peer> peers;
  };
  struct Policy {
    const NetworkPolicy* object;
    std::vector<Rule> ingress;
    std::vector<Rule> egress;
  };
  // Policies that isolate a pod, by direction.
  struct Isolation {
    std::vector<size_t> ingress;
    std::vector<size_t> egress;
  };
  bool Is(Mutation mutation) const;

  // Preparation: each asks every object in turn.
  void GatherNamespaces();
  void GatherPods();
  void GatherOtherAddresses();
  void GatherPolicies();
  bool HasPodNetworkAddress(const Pod& pod) const;
  bool WinsAddressOver(const Pod& pod, const Pod& other) const;
  std::vector<Rule> ReadRules(const NetworkPolicy& policy, const std::vector<PolicyRule>& rules);
  bool SelectorsSelect(const NetworkPolicy& policy, const PolicyPeer& peer, const Pod& pod) const;
  bool Isolates(const NetworkPolicy& policy, Direction direction) const;

  Side SideAt(const IpAddress& address) const;
  DirectionAnswer Judge(Direction direction, const Question& question, const Side& src,
                        const Side& dst) const;
  DirectionAnswer JudgeByNetworkPolicies(Direction direction, const Question& question,
                                         const Side& src, const Side& dst) const;
  bool DecidedBy(Tier tier, Direction direction, const Question& question, const Side& src,
                 const Side& dst, DirectionAnswer& answer) const;
  bool RuleMatches(const Rule& rule, Direction direction, const Question& question, const Side& src,
                   const Side& dst) const;
  bool PeersMatch(const Rule& rule, const Side& other) const;
  bool BlockMatches(const Peer& peer, const Side& other) const;
  bool PortsMatch(const Rule& rule, Direction direction, const Question& question, const Side& src,
                  const Side& dst) const;
  bool PortMatches(const PolicyPort& port, const Question& question, const Side& named_on) const;
  bool NamedPortMatches(const std::string& name, const Question& question,
                        const Side& named_on) const;
  bool FromOwnNode(const Side& src, const Side& dst) const;
  Reason ReasonFor(const Answer& answer, const Side& src, const Side& dst, bool exempt) const;

  Snapshot snapshot_;
  EvaluatorOptions options_;
  ObjectLabels labels_;
  std::map<IpAddress, size_t> pod_at_;        // winners only (R51)
  std::map<IpAddress, std::string> node_at_;  // node name (R55, R52)
  std::set<IpAddress> service_addresses_;
  std::vector<Cidr> service_blocks_;
  std::vector<Cidr> pod_blocks_;
  std::vector<Policy> policies_;
  std::vector<Isolation> isolation_;   // by pod index
  std::optional<ClusterTiers> tiers_;  // set by the constructor
};

}  // namespace npf::reference

#endif  // NPF_REFERENCE_EVALUATOR_H_
