#include "base/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace npf {

uint64_t Checksum64(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace npf
