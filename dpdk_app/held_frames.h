// Fragments that wait for their datagram, by its ticket, in the order in which they came. Bounded,
// and allocated at once.
#ifndef NPF_DPDK_APP_HELD_FRAMES_H_
#define NPF_DPDK_APP_HELD_FRAMES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

struct rte_mbuf;

namespace npf::appliance {

class HeldFrames {
 public:
  static constexpr size_t kMax = 4096;

  HeldFrames() : places_(kMax), heads_(kMax, kNone), tails_(kMax, kNone) {
    for (uint32_t i = 0; i < kMax; ++i) places_[i].next = i + 1 < kMax ? i + 1 : kNone;
  }

  // False: there is no room.
  bool Add(uint64_t ticket, rte_mbuf* frame) {
    if (free_ == kNone) return false;
    const uint32_t place = free_;
    free_ = places_[place].next;
    places_[place] = {.ticket = ticket, .frame = frame, .next = kNone};
    const size_t chain = ticket % kMax;
    (heads_[chain] == kNone ? heads_[chain] : places_[tails_[chain]].next) = place;
    tails_[chain] = place;
    return true;
  }

  // Takes those of `ticket` out and calls use(frame) for each.
  template <typename Use>
  void Release(uint64_t ticket, Use use) {
    const size_t chain = ticket % kMax;
    uint32_t last = kNone;
    for (uint32_t place = heads_[chain]; place != kNone;) {
      const uint32_t next = places_[place].next;
      if (places_[place].ticket == ticket) {
        (last == kNone ? heads_[chain] : places_[last].next) = next;
        use(places_[place].frame);
        places_[place].next = free_;
        free_ = place;
      } else {
        last = place;
      }
      place = next;
    }
    tails_[chain] = last;
  }

 private:
  static constexpr uint32_t kNone = ~uint32_t{0};
  struct Place {
    uint64_t ticket = 0;
    rte_mbuf* frame = nullptr;
    uint32_t next = kNone;
  };
  std::vector<Place> places_;
  std::vector<uint32_t> heads_;
  std::vector<uint32_t> tails_;
  uint32_t free_ = 0;
};

}  // namespace npf::appliance

#endif  // NPF_DPDK_APP_HELD_FRAMES_H_
