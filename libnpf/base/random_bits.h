// Random numbers of the kernel's, for secrets: getrandom(2) alone, not an instruction of the
// processor, and nothing instead where it fails.
#ifndef NPF_BASE_RANDOM_BITS_H_
#define NPF_BASE_RANDOM_BITS_H_

#include <sys/random.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <system_error>

namespace npf {

// None where the kernel gives none; errno says why.
inline std::optional<uint64_t> TryRandomBits() {
  uint64_t bits = 0;
  ssize_t got = -1;
  do {
    got = getrandom(&bits, sizeof bits, 0);
  } while (got < 0 && errno == EINTR);
  return got == sizeof bits ? std::optional(bits) : std::nullopt;
}

inline uint64_t RandomBits() {
  const std::optional<uint64_t> bits = TryRandomBits();
  if (!bits.has_value()) throw std::system_error(errno, std::generic_category(), "getrandom");
  return *bits;
}

}  // namespace npf

#endif  // NPF_BASE_RANDOM_BITS_H_
