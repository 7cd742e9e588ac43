// IP addresses and prefixes of both families, and how they are read from text.
#ifndef NPF_ADDRESS_H_
#define NPF_ADDRESS_H_

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace npf {

enum class Family : uint8_t { kIpv4 = 4, kIpv6 = 6 };

// One address. An IPv4 address stands in bytes[0..3], network order; the rest is zero. Ordered by
// family, then by value.
struct IpAddress {
  Family family = Family::kIpv4;
  std::array<uint8_t, 16> bytes{};

  static IpAddress V4(uint32_t host_order);
  int bit_count() const { return family == Family::kIpv4 ? 32 : 128; }
  uint32_t v4() const {  // host order; meaningful for kIpv4 only
    return uint32_t{bytes[0]} << 24 | uint32_t{bytes[1]} << 16 | uint32_t{bytes[2]} << 8 | bytes[3];
  }
  std::array<uint64_t, 2> halves() const;  // as numbers, the upper one first
  auto operator<=>(const IpAddress&) const = default;
};

// `length` leading bits of `address`; the bits after them are zero (see Masked).
struct IpPrefix {
  IpAddress address;
  uint8_t length = 0;

  bool Contains(const IpAddress& other) const;  // false for the other family
  bool Contains(const IpPrefix& other) const;   // equal or narrower, of the same family
  auto operator<=>(const IpPrefix&) const = default;
};

IpPrefix Masked(IpPrefix prefix);
IpAddress FirstAddress(const IpPrefix& prefix);
IpAddress LastAddress(const IpPrefix& prefix);
// The neighbour within the family; the last address has the first one as its next.
IpAddress NextAddress(IpAddress address);
IpAddress PreviousAddress(IpAddress address);

// Dotted quad without leading zeros, or RFC 4291 text. Refused (nullopt): zones, IPv4-mapped IPv6
// (::ffff:0:0/96), anything else.
std::optional<IpAddress> ParseIpAddress(std::string_view text);

enum class PrefixFault : uint8_t { kNone, kSyntax, kLeadingZero, kMapped };
struct ParsedPrefix {
  PrefixFault fault = PrefixFault::kNone;
  bool host_bits_set = false;  // the text had bits beyond the length; `prefix` has them cleared
  IpPrefix prefix;
};
ParsedPrefix ParseIpPrefix(std::string_view text);

std::string ToString(const IpAddress& address);  // RFC 5952
std::string ToString(const IpPrefix& prefix);

}  // namespace npf

#endif  // NPF_ADDRESS_H_
