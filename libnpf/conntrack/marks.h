// A small set of numbers that may say yes to one that is not in it, and never no to one that is.
#ifndef NPF_CONNTRACK_MARKS_H_
#define NPF_CONNTRACK_MARKS_H_

#include <array>
#include <cstdint>

namespace npf::conntrack {

class Marks {
 public:
  void Clear() { words_ = {}; }
  void Add(uint64_t number) { words_[number / 64 % words_.size()] |= Bit(number); }
  bool MayHave(uint64_t number) const {
    return (words_[number / 64 % words_.size()] & Bit(number)) != 0;
  }

 private:
  static uint64_t Bit(uint64_t number) { return uint64_t{1} << number % 64; }
  std::array<uint64_t, 8> words_{};
};

}  // namespace npf::conntrack

#endif  // NPF_CONNTRACK_MARKS_H_
