// From rules to rows: what each subject class allows to and from every peer class.
//
//   Admin tier ───────► decided, or goes on ─┐          ordered_rules.h
//   NetworkPolicies ──► allowed ports ───────┼──► one decision for each peer class
//   Baseline tier ────► decided, or goes on ─┘          additive_rules.h
//
// A subject's row depends only on the three maps that its policies come to, so that equal triples
// share a row: a rule that every namespace repeats is worked out once, and so is a cluster policy
// that selects everything.
#ifndef NPF_RESOLVE_ROW_BUILDER_H_
#define NPF_RESOLVE_ROW_BUILDER_H_

#include <array>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "resolve/additive_rules.h"
#include "resolve/ordered_rules.h"
#include "resolve/peer_states.h"
#include "resolve/port_space.h"
#include "resolve/resolve.h"
#include "resolve/resolved_policy.h"

namespace npf::resolve {

class RowBuilder {
 public:
  RowBuilder(PortSpace& ports, const ResolveLimits& limits, ResolvedPolicy& out);

  // Fills decisions, rows and row_of_class. The classes are built.
  absl::Status Build();
  const std::vector<Cost>& costs() const { return costs_; }  // by policy

 private:
  // The maps of a subject in one direction; kNone where a tier has nothing to say.
  struct Maps {
    uint32_t admin = kNone;
    uint32_t policies = kNone;  // kNone: not isolated
    uint32_t baseline = kNone;
    auto operator<=>(const Maps&) const = default;
  };
  // What the policies of a class say about one direction, by tier.
  struct Gathered {
    std::vector<uint32_t> admin, baseline;  // policies, in order
    std::vector<AdditiveRules::Item> items;
    bool isolated = false;
  };

  void CountCosts();
  std::vector<uint32_t> PoliciesOf(const AddressClass& subject) const;  // in order
  void Gather(const AddressClass& subject, std::array<Gathered, 2>& out);
  uint32_t RowFor(size_t direction, const AddressClass& subject, Gathered gathered);
  Row MakeRow(const Maps& maps);
  uint32_t DefaultsOf(const Maps& maps);
  uint32_t InternDefaults(std::vector<uint32_t> by_group);
  void OutvoteDefaults(Row& row);
  void NameOutvoted(const std::vector<uint32_t>& old_defaults);
  // The decision for peers of a group to whom NetworkPolicies allow these ports.
  uint32_t DecideFor(const Maps& maps, uint32_t group, uint32_t allowed);
  // Outcomes of the tiers by number, and the ports that NetworkPolicies allow; remembered.
  uint32_t Decide(uint32_t admin, bool isolated, uint32_t allowed, uint32_t baseline);
  Decision WorkOut(const OrderedRules::Outcome& admin, bool isolated, uint32_t allowed,
                   const OrderedRules::Outcome& baseline);
  uint32_t InternDecision(const Decision& decision);

  PortSpace& ports_;
  const ResolveLimits& limits_;
  ResolvedPolicy& out_;
  AtomClasses classes_;
  AdditiveRules additive_;
  OrderedRules ordered_;
  std::map<Decision, uint32_t> decision_ids_;
  // What was decided lately: most classes of a row ask one of a few questions. Every entry starts
  // as one that nobody asks.
  struct Decided {
    std::array<uint32_t, 3> question = {kNone, kNone, kNone};
    uint32_t decision = 0;
  };
  std::array<Decided, 4096> decided_;
  std::vector<uint32_t> group_sizes_;  // classes of each peer group
  absl::flat_hash_map<std::vector<uint32_t>, uint32_t> defaults_ids_;
  // By maps of the tiers, and what NetworkPolicies allow to pods and others whom they do not name.
  absl::flat_hash_map<std::array<uint32_t, 4>, uint32_t> defaults_of_;
  // Of the row being made.
  struct Vote {
    uint32_t decision = 0;
    int32_t lead = 0;
    uint32_t count = 0;
    bool wins = false;
  };
  std::vector<RowEntry> entries_;
  std::vector<Vote> votes_;  // by peer group
  std::vector<std::vector<uint32_t>> policies_of_atom_;
  std::array<std::map<Maps, uint32_t>, 2> row_ids_;
  std::vector<Cost> costs_;
  size_t entry_count_ = 0;
  bool tier_ingress_has_names_ = false;
};

}  // namespace npf::resolve

#endif  // NPF_RESOLVE_ROW_BUILDER_H_
