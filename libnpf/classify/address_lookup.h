// From an address to its class: the walks that the kernel and explanations share.
#ifndef NPF_CLASSIFY_ADDRESS_LOOKUP_H_
#define NPF_CLASSIFY_ADDRESS_LOOKUP_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "program/layout.h"
#include "program/view.h"

namespace npf {

template <typename Leaf>
inline uint32_t LookUpV4(const ProgramView& view, uint32_t address) {
  const uint32_t* top = view.Section<uint32_t>(layout::kV4Top).data();
  const uint32_t* mid = view.Section<uint32_t>(layout::kV4Mid).data();
  const Leaf* leaf = view.Section<Leaf>(layout::kV4Leaf).data();
  uint32_t entry = top[address >> 16];
  entry = mid[(entry >> 1) + ((address >> 8 & 0xff) & -(entry & 1))];
  return leaf[(entry >> 1) + ((address & 0xff) & -(entry & 1))];
}

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

}  // namespace npf

#endif  // NPF_CLASSIFY_ADDRESS_LOOKUP_H_
