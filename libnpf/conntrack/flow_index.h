// From a hash to the flows that may have it.
//
// A bucket is a line of six entries. An entry is kept in the first bucket of its hash, or, where
// that is full, in the second, which follows from the first and the tag alone: so an entry can
// make room for another without a look at its flow. `away` counts the entries that are in their
// second bucket for want of room in this one; while it is 0, no other bucket need be looked at.
//
// Invariants: an entry's slot is unique; `away` of a bucket is the number of entries elsewhere
// whose first bucket it is; at most 12 entries are looked at for a hash.
#ifndef NPF_CONNTRACK_FLOW_INDEX_H_
#define NPF_CONNTRACK_FLOW_INDEX_H_

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "conntrack/prefetch.h"

namespace npf::conntrack {

struct alignas(64) FlowBucket {
  static constexpr uint32_t kPlaces = 6;
  static constexpr uint32_t kSecond = 0x80000000;  // the entry is in its second bucket
  uint32_t slot[kPlaces];                          // of a flow, and kSecond; 0: empty
  uint32_t expires[kPlaces];                       // tick
  uint16_t tag[kPlaces];
  uint16_t away;
  uint16_t reserved;

  uint32_t SlotAt(uint32_t place) const { return slot[place] & ~kSecond; }
};
static_assert(sizeof(FlowBucket) == 64);

class FlowIndex {
 public:
  // Where an entry stands: valid until the next Add.
  struct Place {
    uint32_t bucket : 29 = 0;
    uint32_t at : 3 = 0;
  };

  static Place PlaceAt(uint32_t bucket, uint32_t at) {
    return {.bucket = bucket & 0x1fffffff, .at = at & 7};
  }

  // How many buckets `capacity` entries ask for: a power of two, at most two thirds full.
  static size_t BucketsFor(size_t capacity);

  // Of `buckets`, zeroed, which outlive the index.
  explicit FlowIndex(std::span<FlowBucket> buckets)
      : buckets_(buckets.data()), mask_(static_cast<uint32_t>(buckets.size() - 1)) {}

  void Prefetch(uint64_t hash) const { conntrack::Prefetch(&buckets_[First(hash)]); }

  // Calls `visit(slot, place)` for each entry under the hash's tag until it returns true. The slot
  // may be 0, of an entry that is no more.
  template <typename Visit>
  bool Find(uint64_t hash, Visit visit) const {
    const uint32_t first = First(hash);
    const uint16_t tag = Tag(hash);
    if (FindIn(first, tag, visit)) return true;
    return buckets_[first].away != 0 && FindIn(Other(first, tag), tag, visit);
  }

  // The first entry under the hash's tag in its first bucket, else one of slot 0: where the flow
  // most likely is.
  struct Entry {
    uint32_t slot = 0;
    Place place;
  };
  Entry Guess(uint64_t hash) const {
    const uint32_t first = First(hash);
    const FlowBucket& bucket = buckets_[first];
    const uint32_t places = PlacesOf(bucket, Tag(hash));
    const auto at = static_cast<uint32_t>(std::countr_zero(places | 1u << 5));
    return {.slot = places == 0 ? 0 : bucket.SlotAt(at), .place = PlaceAt(first, at)};
  }

  // How many entries Find() looks at, at most.
  size_t EntriesLookedAt(uint64_t hash) const {
    return buckets_[First(hash)].away != 0 ? 2 * FlowBucket::kPlaces : FlowBucket::kPlaces;
  }

  // Where the slot of an entry under this hash stands; it must be there.
  Place PlaceOf(uint64_t hash, uint32_t slot) const {
    Place found;
    Find(hash, [&](uint32_t candidate, Place place) {
      found = place;
      return candidate == slot;
    });
    return found;
  }

  // False: neither bucket has room, and nothing in them can make any. Else `place` is where it
  // stands.
  bool Add(uint64_t hash, uint32_t slot, uint32_t expires, Place& place);
  void Remove(Place place);

  FlowBucket& bucket(uint32_t number) { return buckets_[number]; }
  const FlowBucket& bucket(uint32_t number) const { return buckets_[number]; }
  uint32_t SlotAt(Place place) const { return buckets_[place.bucket].SlotAt(place.at); }
  uint32_t ExpiresAt(Place place) const { return buckets_[place.bucket].expires[place.at]; }
  uint32_t bucket_count() const { return mask_ + 1; }

 private:
  uint32_t First(uint64_t hash) const { return static_cast<uint32_t>(hash) & mask_; }
  static uint16_t Tag(uint64_t hash) { return static_cast<uint16_t>(hash >> 48); }
  // Both ways; never the same bucket.
  uint32_t Other(uint32_t bucket, uint16_t tag) const {
    return bucket ^ (((uint32_t{tag} + 1) * 0x9e3779b1u | 1) & mask_);
  }

  // As bits. Without a branch for each place: where a tag stands cannot be foreseen, and a wrong
  // guess waits for the bucket.
  static uint32_t PlacesOf(const FlowBucket& bucket, uint16_t tag) {
#ifdef __SSE2__
    static_assert(offsetof(FlowBucket, tag) % 16 == 0);
    const __m128i tags = _mm_load_si128(reinterpret_cast<const __m128i*>(bucket.tag));
    const __m128i same = _mm_cmpeq_epi16(tags, _mm_set1_epi16(static_cast<int16_t>(tag)));
    const int bits = _mm_movemask_epi8(_mm_packs_epi16(same, _mm_setzero_si128()));
    return static_cast<uint32_t>(bits) & ((1u << FlowBucket::kPlaces) - 1);
#else
    uint32_t places = 0;
    for (uint32_t i = 0; i < FlowBucket::kPlaces; ++i) {
      places |= (bucket.tag[i] == tag ? 1u : 0u) << i;
    }
    return places;
#endif
  }

  template <typename Visit>
  bool FindIn(uint32_t number, uint16_t tag, Visit& visit) const {
    const FlowBucket& bucket = buckets_[number];
    for (uint32_t places = PlacesOf(bucket, tag); places != 0; places &= places - 1) {
      const auto at = static_cast<uint32_t>(std::countr_zero(places));
      if (visit(bucket.SlotAt(at), PlaceAt(number, at))) return true;
    }
    return false;
  }

  bool Put(uint32_t bucket, uint16_t tag, uint32_t slot, uint32_t expires, Place& place);
  bool MakeRoom(uint32_t bucket);

  FlowBucket* buckets_;
  uint32_t mask_;
};

}  // namespace npf::conntrack

#endif  // NPF_CONNTRACK_FLOW_INDEX_H_
