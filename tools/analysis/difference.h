// What a change opens and closes: every connection that one side of a Scene allows and the other
// does not, in as few rows as they take, each with a cause and a witness.
//
// Pairs of groups are compared by numbers of port sets, by direction. Where the two sides differ,
// the difference is split by who makes it: ports that only the destination's ingress kept closed
// (or keeps closed now) are ingress's, and so on. A row gathers the peers of one subject for whom
// the same ports changed by the same policies, and then the subjects that have the same peers.
#ifndef NPF_TOOLS_ANALYSIS_DIFFERENCE_H_
#define NPF_TOOLS_ANALYSIS_DIFFERENCE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "analysis/connections.h"
#include "analysis/scene.h"
#include "npf/explain.h"

namespace npf::analysis {

enum class ChangeKind : uint8_t { kAllowed, kDenied };  // newly

// Who makes the difference.
enum class ChangedBy : uint8_t {
  kEgress,    // policies of the source
  kIngress,   // policies of the destination
  kBoth,      // either alone would keep it closed
  kPresence,  // one of the ends is there on one side only
};

// A policy or rule behind a change.
struct CausePart {
  enum class Role : uint8_t {
    kAllowedBy,           // a rule, now
    kDeniedBy,            // a rule of a cluster tier, now
    kIsolatedBy,          // a policy, now, that did not before
    kNearestMiss,         // a rule, now
    kNoLongerAllowedBy,   // a rule, before
    kNoLongerDeniedBy,    // a rule of a cluster tier, before
    kNoLongerIsolatedBy,  // a policy, before
    kOwnNode,             // no policy: the pod's own node is exempt on one side (R37)
    kNoPolicy,            // nothing isolates any more, or a tier left it to the default
  };
  Role role = Role::kAllowedBy;
  Direction direction = Direction::kIngress;
  std::string policy;           // "namespace/name", or a cluster policy's name
  std::optional<RuleRef> rule;  // absent: the policy as a whole
  std::string detail;           // of a nearest miss
  size_t side() const {         // where the policy stands
    return role >= Role::kNoLongerAllowedBy && role <= Role::kNoLongerIsolatedBy ? 0 : 1;
  }
};
std::string_view Name(CausePart::Role role);  // "allowed by", "no longer isolated by", ...

// One question whose answer changed: `npf explain` can be asked it on either side.
struct ChangeWitness {
  std::array<IpAddress, 2> src, dst;  // by side; equal but for ends whose address changed
  uint8_t protocol = 0;
  uint16_t port = 0;
};

struct ChangeRow {
  ChangeKind kind = ChangeKind::kAllowed;
  ChangedBy by = ChangedBy::kIngress;
  std::vector<uint32_t> from;  // groups of the Scene, sorted
  std::vector<uint32_t> to;
  // 0: not from the nodes that the destinations are on. Else only from those, by when they are on
  // it: bit 0 before, bit 1 after. A pod's own node is always apart (R37).
  uint8_t own_node = 0;
  PortSetId ports = PortSets::kNone;
  uint8_t families = 3;  // as in ListingRow
  std::vector<CausePart> causes;
  std::optional<ChangeWitness> witness;  // absent where no two addresses can be named
};

struct Difference {
  std::vector<ChangeRow> rows;
  std::vector<uint32_t> added;  // workloads that have pods on the new side only
  std::vector<uint32_t> removed;
};

struct DifferenceOptions {
  // Explanations that are asked for to tell causes apart; beyond, peers of a row go by the first.
  size_t explanations_max = 4'000;
  std::function<void(uint64_t done, uint64_t all)> progress;  // groups compared; may be empty
};

Difference Compare(const Scene& scene, Connectivity& before, Connectivity& after, PortSets& ports,
                   const DifferenceOptions& options = {});

}  // namespace npf::analysis

#endif  // NPF_TOOLS_ANALYSIS_DIFFERENCE_H_
