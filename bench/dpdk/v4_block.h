// An IPv4 prefix as numbers, for lists of many.
#ifndef NPF_BENCH_DPDK_V4_BLOCK_H_
#define NPF_BENCH_DPDK_V4_BLOCK_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

#include "npf/address.h"

namespace npf::bench {

struct V4Block {
  uint32_t address = 0;  // host order, no bits beyond the length
  uint8_t length = 0;

  uint32_t last() const { return length == 32 ? address : address | ~uint32_t{0} >> length; }
  bool Contains(const V4Block& other) const {
    return length <= other.length && other.address >= address && other.address <= last();
  }
  auto operator<=>(const V4Block&) const = default;
};

// nullopt for a prefix of the other family.
inline std::optional<V4Block> AsV4Block(const IpPrefix& prefix) {
  if (prefix.address.family != Family::kIpv4) return std::nullopt;
  return V4Block{Masked(prefix).address.v4(), prefix.length};
}

inline std::optional<V4Block> ReadV4Block(std::string_view text) {
  return AsV4Block(ParseIpPrefix(text).prefix);
}

}  // namespace npf::bench

#endif  // NPF_BENCH_DPDK_V4_BLOCK_H_
