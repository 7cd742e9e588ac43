// The NetworkPolicy tier: rules only add (R3), so that a peer is allowed the union of the ports of
// all rules that name it. What comes out depends on the set of (peer, ports) pairs alone: equal
// sets, in whatever policies, are worked out once.
#ifndef NPF_RESOLVE_ADDITIVE_RULES_H_
#define NPF_RESOLVE_ADDITIVE_RULES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "resolve/peer_states.h"
#include "resolve/port_space.h"
#include "resolve/resolved_policy.h"

namespace npf::resolve {

class AdditiveRules {
 public:
  // Any peer (kNone) or an atom, and ports: for ingress a bitset (the subject is the destination,
  // its named ports are known), for egress a port list.
  struct Item {
    uint32_t atom;
    uint32_t ports;
    auto operator<=>(const Item&) const = default;
  };
  using Map = PeerMap<uint32_t>;  // bitsets of allowed ports

  AdditiveRules(PortSpace& ports, const ResolvedPolicy& policy, const AtomClasses& classes)
      : ports_(ports), policy_(policy), classes_(classes) {}

  // The number of the map of these rules.
  uint32_t Intern(size_t direction, std::vector<Item> items);
  const Map& map(uint32_t number) const { return maps_[number]; }
  size_t entry_count() const { return entry_count_; }

 private:
  Map Work(size_t direction, const std::vector<Item>& items);
  void AddEveryPod(size_t direction, const Item& item);
  void Add(uint32_t& allowed, uint32_t bitset) {
    allowed = ports_.bitsets().Union(allowed, bitset);
  }
  bool CoversPods(const Item& item) const {
    return item.atom == kNone || classes_.IsEveryPod(item.atom);
  }

  PortSpace& ports_;
  const ResolvedPolicy& policy_;
  const AtomClasses& classes_;
  PeerStates<uint32_t> states_;
  std::array<absl::flat_hash_map<std::vector<uint32_t>, uint32_t>, 2> ids_;
  std::deque<Map> maps_;
  size_t entry_count_ = 0;
};

}  // namespace npf::resolve

#endif  // NPF_RESOLVE_ADDITIVE_RULES_H_
