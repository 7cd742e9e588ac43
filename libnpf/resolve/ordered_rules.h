// The Admin and Baseline tiers: rules in the order of priority, name and their own index, of which
// the first that matches a peer and a port decides (R81). The order is followed here, once; what
// comes out says for each peer which ports the tier accepts, which it denies, and leaves the rest
// to the next tier: no rule matched them, or a Pass did (R82).
//
//     left  ──rule 1──►  left without its ports  ──rule 2──►  ...     a state for every peer class
//               └ Accept: allowed, decided · Deny: decided · Pass: neither
//
// Few distinct outcomes occur, so that a peer's state is the number of one, and what a rule makes
// of an outcome is worked out once a rule.
//
// Classes that no tier's rule tells apart are one peer group, and rules are followed once a group:
// a few labels of namespaces make far fewer groups than all policies make classes. Rows have their
// defaults by peer group, so that a tier that speaks of everybody costs a row no entry.
//
// A tier depends on the policies that select the subject and, for ingress, on its named ports:
// subjects that agree in these share a map.
#ifndef NPF_RESOLVE_ORDERED_RULES_H_
#define NPF_RESOLVE_ORDERED_RULES_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "resolve/peer_states.h"
#include "resolve/port_space.h"
#include "resolve/resolved_policy.h"

namespace npf::resolve {

class OrderedRules {
 public:
  struct Outcome {  // bitsets of ports
    uint32_t allowed = BitsetTable::kNothing;
    uint32_t decided = BitsetTable::kNothing;  // allowed or denied
    uint32_t left = BitsetTable::kAll;         // that no rule matched yet
    auto operator<=>(const Outcome&) const = default;
  };
  static constexpr uint32_t kSilent = 0;  // the outcome of a tier that has nothing to say
  using Map = std::vector<uint32_t>;      // numbers of outcomes, by peer group

  // Fills the peer groups of `policy`, whose classes are built.
  OrderedRules(PortSpace& ports, ResolvedPolicy& policy);

  // The number of the map of these policies (indexes, in order) for a subject with these named
  // ports; kNone where there is no policy.
  uint32_t Intern(size_t direction, const std::vector<uint32_t>& policies, uint32_t signature);
  const Map& map(uint32_t number) const { return maps_[number]; }
  const Outcome& outcome(uint32_t number) const { return outcomes_[number]; }
  size_t entry_count() const { return maps_.size() * groups_.size(); }
  uint32_t group_count() const { return static_cast<uint32_t>(groups_.size()); }
  uint32_t pod_group_count() const { return pod_group_count_; }

 private:
  // What tells peers apart: atoms that rules of the tiers name, and named ports if they use any.
  void MakeGroups();
  void NumberGroups(const std::vector<bool>& named, bool by_ports);
  Map Expand(const PeerMap<uint32_t>& touched) const;
  void Apply(const Rule& rule, uint32_t signature);
  uint32_t InternOutcome(const Outcome& outcome);
  // What a rule makes of an outcome. `after_` remembers it until the next BeginRule.
  void BeginRule();
  uint32_t After(uint32_t outcome, Action action, uint32_t ports);
  uint32_t WorkOutAfter(uint32_t outcome, Action action, uint32_t ports);
  bool CoversPods(const Rule& rule) const;

  PortSpace& ports_;
  ResolvedPolicy& policy_;
  std::vector<AddressClass> groups_;  // pods first, as classes are
  uint32_t pod_group_count_ = 0;
  AtomClasses members_;  // groups that are in an atom
  PeerStates<uint32_t> states_;
  std::vector<Outcome> outcomes_;
  std::map<Outcome, uint32_t> outcome_ids_;
  std::vector<uint32_t> after_;  // by outcome; kNone: not worked out
  absl::flat_hash_map<std::vector<uint32_t>, uint32_t> ids_;
  std::deque<Map> maps_;
};

}  // namespace npf::resolve

#endif  // NPF_RESOLVE_ORDERED_RULES_H_
