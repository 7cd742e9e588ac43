// A 64-bit checksum over bytes (XXH3): finds every accidental change; it is no signature.
#ifndef NPF_BASE_CHECKSUM_H_
#define NPF_BASE_CHECKSUM_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace npf {

uint64_t Checksum64(std::span<const std::byte> bytes);

}  // namespace npf

#endif  // NPF_BASE_CHECKSUM_H_
