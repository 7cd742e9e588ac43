// A hash table in which every key has one place, found without a search: keys fall into small
// groups by one half of their hash, and each group has a pilot, a number that was tried out so that
// all its keys come to free places. A look-up reads the pilot, then the one place.
//
// Groups are placed largest first, pilots tried from 0; where one fits no pilot, all begin again
// with the next seed. The order is fixed, so equal keys give equal tables.
#ifndef NPF_COMPILE_PERFECT_HASH_H_
#define NPF_COMPILE_PERFECT_HASH_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"

namespace npf {

struct PerfectHash {
  uint32_t seed = 0;
  uint32_t place_count = 1;
  std::vector<uint32_t> pilots = {0};  // as layout::PlaceOf takes them
  std::vector<uint32_t> places;        // by key
};

// `hash(key index, seed)` gives 64 bits; layout::PilotOf and layout::PlaceOf choose from them.
// kResourceExhausted where no seed does, as for keys whose hashes are equal.
absl::StatusOr<PerfectHash> MakePerfectHash(size_t key_count,
                                            const std::function<uint64_t(size_t, uint32_t)>& hash);

}  // namespace npf

#endif  // NPF_COMPILE_PERFECT_HASH_H_
