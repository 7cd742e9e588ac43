// From an address to its class: the walks that the kernels and explanations share. Any bytes are a
// valid question to either family's tables.
#ifndef NPF_CLASSIFY_ADDRESS_LOOKUP_H_
#define NPF_CLASSIFY_ADDRESS_LOOKUP_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "program/layout.h"
#include "program/view.h"

namespace npf {

// The trie of IPv4 addresses, strides 16, 8, 8: three loads whatever the address, and no branch.
template <typename Entry, typename Leaf>
struct V4Trie {
  const Entry* top;
  const Entry* mid;
  const Leaf* leaf;

  explicit V4Trie(const ProgramView& view)
      : top(view.Section<Entry>(layout::kV4Top).data()),
        mid(view.Section<Entry>(layout::kV4Mid).data()),
        leaf(view.Section<Leaf>(layout::kV4Leaf).data()) {}

  uint32_t ClassOf(const uint8_t* address) const {
    uint16_t first_two;
    std::memcpy(&first_two, address, sizeof first_two);
    Entry entry = top[first_two];
    entry = mid[(entry >> layout::kV4BaseShift) + (entry & address[2])];
    return leaf[(entry >> layout::kV4BaseShift) + (entry & address[3])];
  }
};

// An IPv6 address by halves, as memory has them.
struct V6Halves {
  uint64_t first, second;

  static V6Halves Of(const uint8_t* address) {
    V6Halves halves;
    std::memcpy(&halves, address, sizeof halves);
    return halves;
  }
};

// The place of the last of sorted numbers that is not above `wanted`, one more step for twice as
// many. `firsts[0]` is 0.
inline size_t LastNotAbove(const uint64_t* firsts, size_t count, uint64_t wanted) {
  size_t place = 0;
  while (count > 1) {
    const size_t half = count / 2;
    place += half & -size_t{firsts[place + half] <= wanted};
    count -= half;
  }
  return place;
}

// The exact IPv6 addresses of pods and nodes, and the intervals of all others.
struct V6Tables {
  const uint32_t* pilots;
  const layout::V6Place* places;
  const uint64_t* highs;
  const uint32_t* intervals;
  const uint32_t* segments;
  const uint64_t* lows;
  const uint32_t* low_classes;
  uint32_t pilot_count;
  uint32_t place_count;
  uint32_t high_count;
  uint32_t seed;

  explicit V6Tables(const ProgramView& view)
      : pilots(view.Section<uint32_t>(layout::kV6Pilots).data()),
        places(view.Section<layout::V6Place>(layout::kV6Places).data()),
        highs(view.Section<uint64_t>(layout::kV6Highs).data()),
        intervals(view.Section<uint32_t>(layout::kV6Intervals).data()),
        segments(view.Section<uint32_t>(layout::kV6Segments).data()),
        lows(view.Section<uint64_t>(layout::kV6Lows).data()),
        low_classes(view.Section<uint32_t>(layout::kV6LowClasses).data()),
        pilot_count(static_cast<uint32_t>(view.Section<uint32_t>(layout::kV6Pilots).size())),
        place_count(static_cast<uint32_t>(view.Section<layout::V6Place>(layout::kV6Places).size())),
        high_count(static_cast<uint32_t>(view.Section<uint64_t>(layout::kV6Highs).size())),
        seed(view.header().v6_hash_seed) {}

  // Where an exact address would stand.
  const layout::V6Place* PlaceFor(V6Halves wanted) const {
    const uint64_t hash = layout::Hash(wanted.first, wanted.second, seed);
    const uint32_t pilot = pilots[layout::PilotOf(hash, pilot_count)];
    return &places[layout::PlaceOf(hash, pilot, place_count)];
  }
  // The class of an exact address, or kNone.
  static uint32_t ClassAt(const layout::V6Place& place, V6Halves wanted) {
    const V6Halves held = V6Halves::Of(place.key);
    const bool differs = ((held.first ^ wanted.first) | (held.second ^ wanted.second)) != 0;
    static_assert(layout::kNone == ~uint32_t{0});
    return place.address_class | -uint32_t{differs};
  }

  // The class of an address that is no exact one, from the interval of its upper half.
  uint32_t ClassWithin(uint32_t interval, V6Halves wanted) const {
    if ((interval & 1) == 0) return interval >> 1;
    const uint32_t first = segments[interval >> 1];
    const uint32_t count = segments[(interval >> 1) + 1] - first;
    return low_classes[first + LastNotAbove(lows + first, count, __builtin_bswap64(wanted.second))];
  }

  uint32_t ClassOf(const uint8_t* address) const {
    const V6Halves wanted = V6Halves::Of(address);
    const uint32_t exact = ClassAt(*PlaceFor(wanted), wanted);
    if (exact != layout::kNone) return exact;
    const size_t place = LastNotAbove(highs, high_count, __builtin_bswap64(wanted.first));
    return ClassWithin(intervals[place], wanted);
  }
};

// The class that judges an address, one at a time; `family` is 4 or 6.
inline uint32_t ClassOf(const ProgramView& view, uint8_t family, const uint8_t* address) {
  if (family == 6) return V6Tables(view).ClassOf(address);
  if (view.header().v4_entry_bytes == 8) return V4Trie<uint64_t, uint32_t>(view).ClassOf(address);
  if (view.header().leaf_bytes == 4) return V4Trie<uint32_t, uint32_t>(view).ClassOf(address);
  return V4Trie<uint32_t, uint16_t>(view).ClassOf(address);
}

}  // namespace npf

#endif  // NPF_CLASSIFY_ADDRESS_LOOKUP_H_
