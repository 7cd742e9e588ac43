// The Admin and Baseline tiers: rules in the order of priority, name and their own index, of which
// the first that matches a peer and a port decides (R81). The order is followed here, once; what
// comes out says for each peer which ports the tier accepts, which it denies, and leaves the rest
// to the next tier: no rule matched them, or a Pass did (R82).
//
//     left  ──rule 1──►  left without its ports  ──rule 2──►  ...     a state for every peer class
//               └ Accept: allowed, decided · Deny: decided · Pass: neither
//
// A tier depends on the policies that select the subject and, for ingress, on its named ports:
// subjects that agree in these share a map.
#ifndef NPF_RESOLVE_ORDERED_RULES_H_
#define NPF_RESOLVE_ORDERED_RULES_H_

#include <cstddef>
#include <cstdint>
#include <deque>
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
  };
  using Map = PeerMap<Outcome>;

  OrderedRules(PortSpace& ports, const ResolvedPolicy& policy, const AtomClasses& classes)
      : ports_(ports), policy_(policy), classes_(classes) {}

  // The number of the map of these policies (indexes, in order) for a subject with these named
  // ports; kNone where there is no policy.
  uint32_t Intern(size_t direction, const std::vector<uint32_t>& policies, uint32_t signature);
  const Map& map(uint32_t number) const { return maps_[number]; }
  size_t entry_count() const { return entry_count_; }

 private:
  void Apply(const Rule& rule, uint32_t signature);
  void ApplyTo(Outcome& outcome, Action action, uint32_t ports);
  bool CoversPods(const Rule& rule) const;

  PortSpace& ports_;
  const ResolvedPolicy& policy_;
  const AtomClasses& classes_;
  PeerStates<Outcome> states_;
  absl::flat_hash_map<std::vector<uint32_t>, uint32_t> ids_;
  std::deque<Map> maps_;
  size_t entry_count_ = 0;
};

}  // namespace npf::resolve

#endif  // NPF_RESOLVE_ORDERED_RULES_H_
