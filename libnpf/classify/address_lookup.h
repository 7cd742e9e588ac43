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

// The class of an exact address, or kNone.
inline uint32_t FindV6Exact(const ProgramView& view, const uint8_t* address) {
  const auto buckets = view.Section<layout::V6Bucket>(layout::kV6Buckets);
  uint64_t halves[2];
  std::memcpy(halves, address, sizeof halves);
  const uint64_t hash = layout::Mix(halves[0], halves[1], view.header().v6_hash_seed);
  const auto count = static_cast<uint32_t>(buckets.size());
  const uint32_t choices[2] = {layout::FirstBucket(hash, count), layout::SecondBucket(hash, count)};
  uint32_t found = layout::kNone;
  for (const uint32_t choice : choices) {
    const layout::V6Bucket& bucket = buckets[choice];
    for (size_t slot = 0; slot < layout::V6Bucket::kSlots; ++slot) {
      uint64_t key[2];
      std::memcpy(key, bucket.key[slot], sizeof key);
      const bool equal = ((key[0] ^ halves[0]) | (key[1] ^ halves[1])) == 0;
      found =
          equal && bucket.address_class[slot] != layout::kNone ? bucket.address_class[slot] : found;
    }
  }
  return found;
}

inline uint32_t LookUpV6(const ProgramView& view, const uint8_t* address) {
  const uint32_t* nodes = view.Section<uint32_t>(layout::kV6Nodes).data();
  uint32_t entry = nodes[address[0]];
  for (uint32_t level = 1; level < view.header().v6_levels; ++level) {
    const uint32_t is_node = entry & 1;
    const uint32_t next = nodes[((entry >> 1) + address[level]) & -is_node];
    entry = is_node != 0 ? next : entry;
  }
  const uint32_t exact = FindV6Exact(view, address);
  return exact != layout::kNone ? exact : entry >> 1;
}

// The class that judges an address, one at a time; `family` is 4 or 6.
inline uint32_t ClassOf(const ProgramView& view, uint8_t family, const uint8_t* address) {
  if (family == 6) return LookUpV6(view, address);
  if (view.header().v4_entry_bytes == 8) return V4Trie<uint64_t, uint32_t>(view).ClassOf(address);
  if (view.header().leaf_bytes == 4) return V4Trie<uint32_t, uint32_t>(view).ClassOf(address);
  return V4Trie<uint32_t, uint16_t>(view).ClassOf(address);
}

}  // namespace npf

#endif  // NPF_CLASSIFY_ADDRESS_LOOKUP_H_
