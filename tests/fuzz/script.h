// The input of a fuzzer, read as choices. Behind its end every choice is the first one.
#ifndef NPF_TESTS_FUZZ_SCRIPT_H_
#define NPF_TESTS_FUZZ_SCRIPT_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace npf::fuzzing {

class Script {
 public:
  explicit Script(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  bool ended() const { return at_ >= bytes_.size(); }
  uint8_t Byte() { return ended() ? uint8_t{0} : bytes_[at_++]; }
  uint16_t Short() {
    const uint32_t high = Byte();
    return static_cast<uint16_t>(high << 8 | Byte());
  }
  size_t Below(size_t bound) { return Byte() % bound; }
  template <typename T, size_t kCount>
  const T& Pick(const T (&choices)[kCount]) {
    return choices[Below(kCount)];
  }

 private:
  std::span<const uint8_t> bytes_;
  size_t at_ = 0;
};

}  // namespace npf::fuzzing

#endif  // NPF_TESTS_FUZZ_SCRIPT_H_
