#include "conntrack/flow_index.h"

#include <algorithm>
#include <bit>

namespace npf::conntrack {

size_t FlowIndex::BucketsFor(size_t capacity) {
  return std::max<size_t>(std::bit_ceil(capacity / (FlowBucket::kPlaces * 2 / 3) + 1), 2);
}

// `slot` bears kSecond where this is the entry's second bucket.
bool FlowIndex::Put(uint32_t number, uint16_t tag, uint32_t slot, uint32_t expires, Place& place) {
  FlowBucket& bucket = buckets_[number];
  for (uint32_t i = 0; i < FlowBucket::kPlaces; ++i) {
    if (bucket.slot[i] != 0) continue;
    bucket.slot[i] = slot;
    bucket.expires[i] = expires;
    bucket.tag[i] = tag;
    if ((slot & FlowBucket::kSecond) != 0) ++buckets_[Other(number, tag)].away;
    place = PlaceAt(number, i);
    return true;
  }
  return false;
}

// Moves one entry of a full bucket to its other one.
bool FlowIndex::MakeRoom(uint32_t number) {
  FlowBucket& bucket = buckets_[number];
  for (uint32_t i = 0; i < FlowBucket::kPlaces; ++i) {
    const uint16_t tag = bucket.tag[i];
    const uint32_t moved = bucket.slot[i] ^ FlowBucket::kSecond;
    Place elsewhere;
    if (!Put(Other(number, tag), tag, moved, bucket.expires[i], elsewhere)) continue;
    Remove(PlaceAt(number, i));
    return true;
  }
  return false;
}

bool FlowIndex::Add(uint64_t hash, uint32_t slot, uint32_t expires, Place& place) {
  const uint32_t first = First(hash);
  const uint16_t tag = Tag(hash);
  const uint32_t second = Other(first, tag);
  const uint32_t in_second = slot | FlowBucket::kSecond;
  if (Put(first, tag, slot, expires, place)) return true;
  if (Put(second, tag, in_second, expires, place)) return true;
  if (MakeRoom(first)) return Put(first, tag, slot, expires, place);
  return MakeRoom(second) && Put(second, tag, in_second, expires, place);
}

void FlowIndex::Remove(Place place) {
  FlowBucket& bucket = buckets_[place.bucket];
  if ((bucket.slot[place.at] & FlowBucket::kSecond) != 0) {
    --buckets_[Other(place.bucket, bucket.tag[place.at])].away;
  }
  bucket.slot[place.at] = 0;
}

}  // namespace npf::conntrack
