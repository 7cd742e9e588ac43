// The index alone, under hashes that are chosen: what becomes of an entry whose buckets are full.
#include "conntrack/flow_index.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace npf::conntrack {
namespace {

constexpr uint32_t kBuckets = 16;

uint64_t Hash(uint32_t bucket, uint16_t tag) { return uint64_t{tag} << 48 | bucket; }

class Index {
 public:
  bool Add(uint64_t hash) {
    const bool added = index_.Add(hash, static_cast<uint32_t>(hashes_.size() + 1), 1, place_);
    if (added) hashes_.push_back(hash);
    return added;
  }
  void AddMany(uint64_t hash, size_t count) {
    for (size_t i = 0; i < count; ++i) ASSERT_TRUE(Add(hash));
  }
  uint32_t bucket() const { return place_.bucket; }  // of the last one

  // Each is where its hash leads, and nothing else is under it.
  void ExpectAll() {
    std::set<uint32_t> found;
    for (uint32_t slot = 1; slot <= hashes_.size(); ++slot) {
      const uint64_t hash = hashes_[slot - 1];
      EXPECT_TRUE(index_.Find(hash, [&](uint32_t at, FlowIndex::Place) { return at == slot; }));
      const FlowIndex::Place place = index_.PlaceOf(hash, slot);
      EXPECT_EQ(index_.bucket(place.bucket).SlotAt(place.at), slot);
      found.insert(place.bucket * 8u + place.at);
    }
    EXPECT_EQ(found.size(), hashes_.size()) << "one place holds one";
  }
  void RemoveAll() {
    for (uint32_t slot = 1; slot <= hashes_.size(); ++slot) {
      index_.Remove(index_.PlaceOf(hashes_[slot - 1], slot));
    }
    for (const FlowBucket& bucket : buckets_) EXPECT_EQ(bucket.away, 0);
  }

 private:
  std::vector<FlowBucket> buckets_{kBuckets};
  FlowIndex index_{buckets_};
  std::vector<uint64_t> hashes_;
  FlowIndex::Place place_;
};

uint32_t SecondOf(uint64_t hash) {
  Index index;
  index.AddMany(hash, FlowBucket::kPlaces + 1);
  return index.bucket();
}

// A hash whose first bucket is `first`, and whose second is none of `others`.
uint64_t HashAway(uint32_t first, const std::set<uint32_t>& others) {
  for (uint16_t tag = 100;; ++tag) {
    if (!others.contains(SecondOf(Hash(first, tag)))) return Hash(first, tag);
  }
}

TEST(FlowIndexTest, TwelveOfOneHashAndNoMore) {
  Index index;
  const uint64_t hash = Hash(3, 7);
  index.AddMany(hash, 2 * FlowBucket::kPlaces);
  EXPECT_FALSE(index.Add(hash));
  index.ExpectAll();
  index.RemoveAll();
  EXPECT_TRUE(index.Add(hash));
}

TEST(FlowIndexTest, AnEntryMakesRoomInTheFirstBucket) {
  Index index;
  const uint64_t hash = Hash(3, 7);
  const uint32_t second = SecondOf(hash);
  index.AddMany(HashAway(3, {second}), FlowBucket::kPlaces);
  index.AddMany(Hash(second, 9), FlowBucket::kPlaces);
  EXPECT_TRUE(index.Add(hash));
  EXPECT_EQ(index.bucket(), 3u);
  index.ExpectAll();
  index.RemoveAll();
}

TEST(FlowIndexTest, AnEntryMakesRoomInTheSecondBucket) {
  Index index;
  const uint64_t stuck = Hash(3, 7);  // both of its buckets are full
  index.AddMany(stuck, 2 * FlowBucket::kPlaces);
  const uint64_t hash = HashAway(3, {SecondOf(stuck)});
  const uint32_t second = SecondOf(hash);
  index.AddMany(HashAway(second, {3, SecondOf(stuck)}), FlowBucket::kPlaces);
  EXPECT_TRUE(index.Add(hash));
  EXPECT_EQ(index.bucket(), second);
  index.ExpectAll();
  index.RemoveAll();
}

}  // namespace
}  // namespace npf::conntrack
