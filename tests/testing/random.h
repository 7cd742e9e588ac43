// A small random generator whose sequence is the same on every machine, so that a printed seed
// brings a failure back anywhere (std distributions differ between standard libraries).
#ifndef NPF_TESTS_TESTING_RANDOM_H_
#define NPF_TESTS_TESTING_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace npf::testing {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t Next() {  // SplitMix64
    state_ += 0x9E3779B97F4A7C15u;
    uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
    return mixed ^ (mixed >> 31);
  }
  // 0 <= result < bound; the bias of the multiplication is of no matter here.
  size_t Below(size_t bound) { return static_cast<size_t>((Next() >> 32) * bound >> 32); }
  size_t Between(size_t first, size_t last) { return first + Below(last - first + 1); }
  bool Chance(size_t percent) { return Below(100) < percent; }
  template <typename T>
  const T& Pick(const std::vector<T>& choices) {
    return choices[Below(choices.size())];
  }
  template <typename T>
  void Shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[Below(i)]);
  }

 private:
  uint64_t state_;
};

}  // namespace npf::testing

#endif  // NPF_TESTS_TESTING_RANDOM_H_
