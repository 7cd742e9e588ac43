// Distinct sets of port classes, each stored once. Tested by resolve_test.cc.
#ifndef NPF_RESOLVE_BITSET_TABLE_H_
#define NPF_RESOLVE_BITSET_TABLE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace npf::resolve {

class BitsetTable {
 public:
  static constexpr uint32_t kAll = 0;  // every class, also the one without ports
  static constexpr uint32_t kNothing = 1;

  explicit BitsetTable(uint32_t bit_count = 1);

  uint32_t Intern(std::vector<uint32_t> words);
  uint32_t Union(uint32_t a, uint32_t b);         // remembered
  uint32_t Intersection(uint32_t a, uint32_t b);  // remembered
  uint32_t Difference(uint32_t a, uint32_t b);    // of a what is not in b; remembered
  std::span<const uint32_t> Get(uint32_t bitset) const {
    return std::span(words_).subspan(size_t{bitset} * word_count_, word_count_);
  }
  uint32_t word_count() const { return word_count_; }
  size_t count() const { return words_.size() / word_count_; }
  std::span<const uint32_t> words() const { return words_; }

 private:
  template <typename Op>
  uint32_t Combine(uint32_t a, uint32_t b, absl::flat_hash_map<uint64_t, uint32_t>& memory, Op op);

  uint32_t word_count_;
  std::vector<uint32_t> words_;
  absl::flat_hash_map<std::vector<uint32_t>, uint32_t> ids_;
  absl::flat_hash_map<uint64_t, uint32_t> unions_;
  absl::flat_hash_map<uint64_t, uint32_t> intersections_;
  absl::flat_hash_map<uint64_t, uint32_t> differences_;
};

}  // namespace npf::resolve

#endif  // NPF_RESOLVE_BITSET_TABLE_H_
