// A state for every peer class, most of which are never mentioned: one state for pods, one for all
// others, and those classes that differ, which cost no more than what rules name.
#ifndef NPF_RESOLVE_PEER_STATES_H_
#define NPF_RESOLVE_PEER_STATES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "resolve/resolved_policy.h"

namespace npf::resolve {

// The classes that are in each atom; pod classes are those below pod_class_count.
class AtomClasses {
 public:
  AtomClasses(const std::vector<Atom>& atoms, const std::vector<AddressClass>& classes,
              uint32_t pod_class_count);
  std::span<const uint32_t> Of(uint32_t atom) const {
    return std::span(classes_).subspan(first_[atom], first_[atom + 1] - first_[atom]);
  }
  bool IsEveryPod(uint32_t atom) const { return every_pod_[atom]; }

 private:
  std::vector<uint32_t> first_;  // CSR, by atom
  std::vector<uint32_t> classes_;
  std::vector<bool> every_pod_;
};

// What came out.
template <typename State>
struct PeerMap {
  State pod{};                                      // of pod classes without an entry
  State other{};                                    // of other classes without an entry
  std::vector<std::pair<uint32_t, State>> entries;  // sorted by class
};

// Being worked out; kept between uses, so that a class costs something only where it is touched.
template <typename State>
class PeerStates {
 public:
  void Begin(size_t class_count, uint32_t pod_class_count, const State& initial) {
    states_.resize(class_count);
    stamps_.resize(class_count, 0);
    ++stamp_;
    touched_.clear();
    pod_class_count_ = pod_class_count;
    pod_ = other_ = initial;
  }
  State& At(uint32_t peer_class) {
    if (stamps_[peer_class] != stamp_) {
      stamps_[peer_class] = stamp_;
      states_[peer_class] = peer_class < pod_class_count_ ? pod_ : other_;
      touched_.push_back(peer_class);
    }
    return states_[peer_class];
  }
  template <typename Change>
  void ForPods(Change change) {
    change(pod_);
    for (const uint32_t c : touched_) {
      if (c < pod_class_count_) change(states_[c]);
    }
  }
  template <typename Change>
  void ForOthers(Change change) {
    change(other_);
    for (const uint32_t c : touched_) {
      if (c >= pod_class_count_) change(states_[c]);
    }
  }
  PeerMap<State> Take() {
    std::sort(touched_.begin(), touched_.end());
    PeerMap<State> map{pod_, other_, {}};
    map.entries.reserve(touched_.size());
    for (const uint32_t c : touched_) map.entries.emplace_back(c, states_[c]);
    return map;
  }

 private:
  uint32_t pod_class_count_ = 0;
  State pod_{}, other_{};
  std::vector<State> states_;  // by class, where stamped
  std::vector<uint32_t> stamps_;
  std::vector<uint32_t> touched_;
  uint32_t stamp_ = 0;
};

}  // namespace npf::resolve

#endif  // NPF_RESOLVE_PEER_STATES_H_
