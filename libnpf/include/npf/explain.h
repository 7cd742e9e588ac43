// Why a verdict is what it is, answered from the compiled Program: what will happen to the packet,
// not what somebody thinks the policies say.
#ifndef NPF_EXPLAIN_H_
#define NPF_EXPLAIN_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "npf/flow.h"
#include "npf/program.h"
#include "npf/verdict.h"

namespace npf {

enum class PolicyKind : uint8_t {
  kNetworkPolicy,
  kClusterNetworkPolicy,
  kAdminNetworkPolicy,
  kBaselineAdminNetworkPolicy,
};
enum class PolicyTier : uint8_t { kAdmin, kNetworkPolicy, kBaseline };  // as they are evaluated
enum class RuleAction : uint8_t { kAllow, kDeny, kPass };

std::string_view Name(PolicyKind kind);  // "ClusterNetworkPolicy", ...
std::string_view Name(PolicyTier tier);  // "Admin", "NetworkPolicy", "Baseline"
// "Accept" of a ClusterNetworkPolicy, "Allow" of its predecessors, "Deny", "Pass".
std::string_view Name(RuleAction action, PolicyKind kind);

// A place in the input. The loader knows its file and line; an image has none.
struct RuleRef {
  PolicyKind kind = PolicyKind::kNetworkPolicy;
  std::string policy;  // "namespace/name", or the name of a cluster-wide policy
  Direction direction = Direction::kIngress;
  uint32_t rule = 0;             // index in the object's `ingress` or `egress`
  std::optional<uint32_t> peer;  // index in its `from` or `to`, where one is meant
  std::optional<uint32_t> item;  // index in that peer's own list
  std::string_view item_list;    // which that is: "networks" or "domainNames"
  std::optional<uint32_t> port;  // index in its ports, where one is meant

  std::string FieldPath() const;  // "spec.ingress[0].from[1]"
};

// The first rule of a cluster-wide tier that matched. Without one, the tier had nothing to say.
struct TierMatch {
  PolicyTier tier = PolicyTier::kAdmin;
  RuleAction action = RuleAction::kDeny;
  RuleRef rule;
  std::string rule_name;  // may be empty

  std::string ToString() const;  // `Admin "guardrails" rule "no-metadata" Pass`
};

enum class MissedField : uint8_t { kPort, kProtocol, kNamedPort, kPeer, kExcept };

// The rule that came closest to allowing, and what it missed on.
struct NearMiss {
  RuleRef rule;
  MissedField field = MissedField::kPeer;
  std::string detail;  // "port 8081, the rule has 8080"
};

struct Party {
  std::string address;
  std::string_view kind;  // "pod", "node", "service", "unknown_pod", "external"
  std::string name;       // "namespace/name" of a pod, name of a node
  std::string node;
  std::string labels;  // those that selectors speak of
};

// Tier by tier (R80): Admin, then NetworkPolicies, then Baseline, until one decides.
struct DirectionExplanation {
  bool judged = false;  // false: not asked for, or the subject is no pod
  bool allowed = true;
  // The tier that decided; none where nothing did, which allows.
  std::optional<PolicyTier> decided_by;
  std::vector<TierMatch> tiers;  // matches in Admin and in Baseline, as far as they were reached

  // Of the NetworkPolicy tier, where it was reached.
  bool isolated = false;    // at least one policy isolates the subject
  bool local_node = false;  // allowed only because it comes from the pod's own node (R37)
  std::vector<std::string> isolating;  // policies, "namespace/name"
  std::vector<RuleRef> allowing;       // every rule that allows it
  std::optional<NearMiss> nearest;     // of a denial; none where no policy has a rule

  // "Admin "guardrails" rule "no-metadata" Pass → NetworkPolicy prod/db allowed": one line, empty
  // where nothing decided and no tier matched.
  std::string Path() const;
};

struct Explanation {
  Verdict verdict{};
  Party src, dst;
  DirectionExplanation ingress, egress;
};

// The verdict of Classify, and its reasons. Cold: allocates. Thread-safe.
Explanation Explain(const Program& program, const ClassifyOptions& options, const FlowKey& key);

// For people: a few lines, ending in a newline.
std::string Format(const Explanation& explanation);

}  // namespace npf

#endif  // NPF_EXPLAIN_H_
