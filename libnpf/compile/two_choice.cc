#include "compile/two_choice.h"

#include "program/layout.h"

namespace npf {
namespace {

constexpr uint32_t kSeedsPerSize = 4;
constexpr size_t kMovesMax = 500;
constexpr uint32_t kFree = layout::kNone;

class Table {
 public:
  Table(size_t key_count, uint32_t slots, uint32_t buckets, uint32_t seed,
        const std::function<uint64_t(size_t, uint32_t)>& hash)
      : slots_(slots),
        buckets_(buckets),
        seed_(seed),
        hash_(hash),
        keys_(size_t{buckets} * slots, kFree),
        key_count_(key_count) {}

  bool Fill() {
    for (size_t key = 0; key < key_count_; ++key) {
      if (!Insert(static_cast<uint32_t>(key))) return false;
    }
    return true;
  }

  TwoChoicePlacement Result() const {
    TwoChoicePlacement result{.seed = seed_, .bucket_count = buckets_, .slots = {}};
    result.slots.resize(key_count_);
    for (size_t i = 0; i < keys_.size(); ++i) {
      if (keys_[i] == kFree) continue;
      result.slots[keys_[i]] = {static_cast<uint32_t>(i / slots_),
                                static_cast<uint32_t>(i % slots_)};
    }
    return result;
  }

 private:
  bool TakeFreeSlot(uint32_t bucket, uint32_t key) {
    for (uint32_t slot = 0; slot < slots_; ++slot) {
      uint32_t& held = keys_[size_t{bucket} * slots_ + slot];
      if (held == kFree) {
        held = key;
        return true;
      }
    }
    return false;
  }

  bool Insert(uint32_t key) {
    uint64_t hash = hash_(key, seed_);
    uint32_t bucket = layout::FirstBucket(hash, buckets_);
    if (TakeFreeSlot(bucket, key)) return true;
    bucket = layout::SecondBucket(hash, buckets_);
    for (size_t move = 0; move < kMovesMax; ++move) {
      if (TakeFreeSlot(bucket, key)) return true;
      std::swap(key, keys_[size_t{bucket} * slots_ + move % slots_]);
      hash = hash_(key, seed_);
      const uint32_t first = layout::FirstBucket(hash, buckets_);
      bucket = bucket == first ? layout::SecondBucket(hash, buckets_) : first;
    }
    return false;
  }

  uint32_t slots_;
  uint32_t buckets_;
  uint32_t seed_;
  const std::function<uint64_t(size_t, uint32_t)>& hash_;
  std::vector<uint32_t> keys_;
  size_t key_count_;
};

}  // namespace

absl::StatusOr<TwoChoicePlacement> PlaceTwoChoice(
    size_t key_count, uint32_t slots_per_bucket,
    const std::function<uint64_t(size_t, uint32_t)>& hash) {
  // 85 % full to begin with; a quarter more room at each further try of all seeds.
  uint64_t buckets = key_count * 20 / (17 * uint64_t{slots_per_bucket}) + 1;
  for (int growth = 0; growth < 16; ++growth) {
    for (uint32_t seed = 0; seed < kSeedsPerSize; ++seed) {
      Table table(key_count, slots_per_bucket, static_cast<uint32_t>(buckets), seed, hash);
      if (table.Fill()) return table.Result();
    }
    buckets += buckets / 4 + 1;
    if (buckets >= layout::kNone) break;
  }
  return absl::ResourceExhaustedError("a hash table could not be filled");
}

}  // namespace npf
