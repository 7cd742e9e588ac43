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

// The exact IPv6 addresses of pods and nodes, and the trie of 8-bit strides for all others.
struct V6Tables {
  const uint32_t* pilots;
  const layout::V6Place* places;
  const uint32_t* nodes;
  uint32_t pilot_count;
  uint32_t place_count;
  uint32_t seed;

  explicit V6Tables(const ProgramView& view)
      : pilots(view.Section<uint32_t>(layout::kV6Pilots).data()),
        places(view.Section<layout::V6Place>(layout::kV6Places).data()),
        nodes(view.Section<uint32_t>(layout::kV6Nodes).data()),
        pilot_count(static_cast<uint32_t>(view.Section<uint32_t>(layout::kV6Pilots).size())),
        place_count(static_cast<uint32_t>(view.Section<layout::V6Place>(layout::kV6Places).size())),
        seed(view.header().v6_hash_seed) {}

  // The class of an exact address, or kNone.
  uint32_t FindExact(const uint8_t* address) const {
    uint64_t wanted[2], key[2];
    std::memcpy(wanted, address, sizeof wanted);
    const uint64_t hash = layout::HashAddress(wanted, seed);
    const uint32_t pilot = pilots[layout::PilotOf(hash, pilot_count)];
    const layout::V6Place& place = places[layout::PlaceOf(hash, pilot, place_count)];
    std::memcpy(key, place.key, sizeof key);
    const bool equal = ((key[0] ^ wanted[0]) | (key[1] ^ wanted[1])) == 0;
    return equal ? place.address_class : layout::kNone;
  }

  // The class of an address that is no exact one. A path is as long as the prefixes along it.
  uint32_t FindRange(const uint8_t* address) const {
    uint32_t entry = nodes[address[0]];
    for (uint32_t level = 1; (entry & 1) != 0; ++level)
      entry = nodes[(entry >> 1) + address[level]];
    return entry >> 1;
  }

  uint32_t ClassOf(const uint8_t* address) const {
    const uint32_t exact = FindExact(address);
    return exact != layout::kNone ? exact : FindRange(address);
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
