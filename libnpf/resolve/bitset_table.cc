#include "resolve/bitset_table.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace npf::resolve {

BitsetTable::BitsetTable(uint32_t bit_count) : word_count_((bit_count + 31) / 32) {
  std::vector<uint32_t> all(word_count_, 0xffffffff);
  if (bit_count % 32 != 0) all.back() = (uint32_t{1} << (bit_count % 32)) - 1;
  Intern(std::move(all));
  Intern(std::vector<uint32_t>(word_count_, 0));
}

uint32_t BitsetTable::Intern(std::vector<uint32_t> words) {
  const auto next = static_cast<uint32_t>(count());
  const auto [found, inserted] = ids_.try_emplace(std::move(words), next);
  if (inserted) words_.insert(words_.end(), found->first.begin(), found->first.end());
  return found->second;
}

template <typename Op>
uint32_t BitsetTable::Combine(uint32_t a, uint32_t b,
                              absl::flat_hash_map<uint64_t, uint32_t>& memory, Op op) {
  const uint64_t key = uint64_t{a} << 32 | b;
  if (const auto known = memory.find(key); known != memory.end()) return known->second;
  std::vector<uint32_t> words(word_count_);
  for (uint32_t i = 0; i < word_count_; ++i) words[i] = op(Get(a)[i], Get(b)[i]);
  return memory[key] = Intern(std::move(words));
}

uint32_t BitsetTable::Union(uint32_t a, uint32_t b) {
  if (a == b || b == kNothing || a == kAll) return a;
  if (a == kNothing || b == kAll) return b;
  return Combine(std::min(a, b), std::max(a, b), unions_, std::bit_or<>());
}

uint32_t BitsetTable::Intersection(uint32_t a, uint32_t b) {
  if (a == b || b == kAll || a == kNothing) return a;
  if (a == kAll || b == kNothing) return b;
  return Combine(std::min(a, b), std::max(a, b), intersections_, std::bit_and<>());
}

uint32_t BitsetTable::Difference(uint32_t a, uint32_t b) {
  if (b == kNothing) return a;
  if (a == b || b == kAll || a == kNothing) return kNothing;
  return Combine(a, b, differences_, [](uint32_t x, uint32_t y) { return x & ~y; });
}

}  // namespace npf::resolve
