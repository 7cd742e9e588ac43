// How many flows each source has opened, in two rows of counters: a source's count is the smaller
// of its two. Under a keyed hash, another source's flows count as one's own only where both rows
// coincide; so a bound on it is never lower than meant but by chance (A123).
#ifndef NPF_CONNTRACK_SOURCE_COUNTS_H_
#define NPF_CONNTRACK_SOURCE_COUNTS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "conntrack/prefetch.h"

namespace npf::conntrack {

class SourceCounts {
 public:
  SourceCounts() : counts_(2 * kPlaces) {}

  // `hash` is of the source's address, under a secret.
  uint32_t Of(uint64_t hash) const {
    const auto [first, second] = PlacesOf(hash);
    return std::min(counts_[first], counts_[second]);
  }
  void Prefetch(uint64_t hash) const {
    for (const size_t place : PlacesOf(hash)) conntrack::Prefetch(&counts_[place]);
  }
  void Add(uint64_t hash) {
    for (const size_t place : PlacesOf(hash)) ++counts_[place];
  }
  void Remove(uint64_t hash) {
    for (const size_t place : PlacesOf(hash)) --counts_[place];
  }

 private:
  static constexpr size_t kPlaces = 1 << 16;
  static std::array<size_t, 2> PlacesOf(uint64_t hash) {
    return {hash % kPlaces, kPlaces + (hash >> 32) % kPlaces};
  }
  std::vector<uint32_t> counts_;
};

}  // namespace npf::conntrack

#endif  // NPF_CONNTRACK_SOURCE_COUNTS_H_
