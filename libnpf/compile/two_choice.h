// Placing keys into buckets of a few slots, each key in one of two buckets (cuckoo hashing).
//
// A look-up reads at most two cache lines, whatever the keys, because the table is full-proof when
// it is built: where a key finds both of its buckets full, another key moves to its other bucket.
// Where that does not end, the table is tried with another seed, then larger. Seeds are tried in a
// fixed order, so equal keys give equal tables.
#ifndef NPF_COMPILE_TWO_CHOICE_H_
#define NPF_COMPILE_TWO_CHOICE_H_

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace npf {

struct TwoChoicePlacement {
  uint32_t seed = 0;
  uint32_t bucket_count = 1;
  std::vector<std::pair<uint32_t, uint32_t>> slots;  // by key: bucket, slot
};

// `hash(key index, seed)` gives 64 bits; layout::FirstBucket and SecondBucket choose from them.
absl::StatusOr<TwoChoicePlacement> PlaceTwoChoice(
    size_t key_count, uint32_t slots_per_bucket,
    const std::function<uint64_t(size_t, uint32_t)>& hash);

}  // namespace npf

#endif  // NPF_COMPILE_TWO_CHOICE_H_
