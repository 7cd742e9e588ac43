// What lint finds: the catalogue of findings, and one finding as it stands in a report.
//
// A finding rests either on *proof* or is *advice*. A proof holds for the objects that were given,
// and bears something that somebody else can check without trusting lint: a part of a policy whose
// removal changes no verdict (`without_effect`), or questions with their answers (`probes`). Tests
// put each of them to the reference evaluator. Advice knows what people usually mean, and says so.
#ifndef NPF_TOOLS_LINT_FINDING_H_
#define NPF_TOOLS_LINT_FINDING_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "npf/address.h"
#include "npf/flow.h"
#include "npf/model.h"

namespace npf::lint {

enum class Level : uint8_t { kNote, kWarning, kError };
std::string_view Name(Level level);  // "note", "warning", "error"
std::optional<Level> ParseLevel(std::string_view text);

enum class Id : uint8_t {
  kSubjectNoMatch,
  kNamespaceNoMatch,
  kPeerNoMatch,
  kPeersOr,
  kHostNetworkSubject,
  kHostNetworkPeer,
  kNamespaceWithoutPods,
  kNamedPortMissing,
  kPortNotDeclared,
  kRuleOtherDirection,
  kRuleCovered,
  kRuleNoEffect,
  kOtherHalfDenied,
  kEgressForgotten,
  kEgressWithoutDns,
  kDnsWithoutTcp,
  kNamespaceOpen,
  kWorkloadOpen,
  kBlockOverPods,
  kBlockOverNodes,
  kBlockOverServices,
  kExceptNoEffect,
  kOneFamily,
  kMetadataReachable,
  kEqualPriority,
  kTierRuleUnreached,
  kPassNoEffect,
  kBaselineUnreached,
  kMeshTunnelCut,
  kMeshInnerPort,
  kSharedAddress,
  kForeignPolicy,
  kInputWarning,
  kSilenceWithoutReason,
  kSilenceUnused,
  kCount,
};

struct Kind {
  Id id;
  std::string_view name;  // "subject-no-match": its anchor in docs/lint.md, too
  Level level;            // unless a finding says otherwise
  bool is_proof;
  std::string_view title;
};
std::span<const Kind> Catalogue();  // by Id
const Kind& KindOf(Id id);

// A part of a policy: the whole of it, or as far down as is given.
struct PolicyPart {
  bool cluster = false;  // index of Snapshot::cluster_policies(), else of policies()
  size_t policy = 0;
  std::optional<Direction> direction;  // with no rule: all rules of that direction
  std::optional<size_t> rule;
  std::optional<size_t> peer;
  std::optional<size_t> except;  // of the peer's block
  std::optional<size_t> port;
};

// A question and the answer that the finding rests on: of one direction, or of both together.
struct Probe {
  IpAddress src;
  IpAddress dst;
  uint8_t protocol = kProtocolTcp;
  uint16_t port = 0;
  std::optional<Direction> direction;
  bool allowed = false;
};

struct Related {
  Position position;
  std::string object;
  std::string field;
  std::string message;
};

struct Finding {
  Id id = Id::kCount;
  Level level = Level::kNote;
  Position position;
  std::string object;      // "NetworkPolicy shop/db"
  std::string field;       // "spec.ingress[0].from[1]"
  std::string message;     // what is the matter
  std::string suggestion;  // what to do; may be empty
  std::vector<Related> related;
  // Of a proof: the part may go, and no verdict changes; the policy isolates as before, and a rule
  // that loses its last peer or port goes with it.
  std::optional<PolicyPart> without_effect;
  std::vector<Probe> probes;
  std::optional<std::string> silenced_by;  // the reason that the object gives
};

// "allowed: TCP 10.0.0.1 to 10.0.0.2:80": for people.
std::string ToString(const Probe& probe);

}  // namespace npf::lint

#endif  // NPF_TOOLS_LINT_FINDING_H_
