#include "npf/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace npf {
namespace {

bool IsMapped(const IpAddress& address) {
  static constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0,    0,
                                                            0, 0, 0, 0, 0xff, 0xff};
  return address.family == Family::kIpv6 &&
         std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), address.bytes.begin());
}

// inet_pton wants a terminated string; no address is longer than this.
std::optional<IpAddress> ParseAny(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN + 1> buffer{};
  if (text.empty() || text.size() >= buffer.size()) return std::nullopt;
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  std::copy(text.begin(), text.end(), buffer.begin());
  IpAddress address;
  address.family = text.find(':') == std::string_view::npos ? Family::kIpv4 : Family::kIpv6;
  const int family = address.family == Family::kIpv4 ? AF_INET : AF_INET6;
  if (inet_pton(family, buffer.data(), address.bytes.data()) != 1) return std::nullopt;
  return address;
}

bool HasLeadingZeroOctet(std::string_view text) {
  bool at_start = true;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool digit_follows = i + 1 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '9';
    if (at_start && text[i] == '0' && digit_follows) return true;
    at_start = text[i] == '.';
  }
  return false;
}

}  // namespace

std::array<uint64_t, 2> IpAddress::halves() const {
  std::array<uint64_t, 2> halves;
  std::memcpy(halves.data(), bytes.data(), sizeof halves);
  for (uint64_t& half : halves) half = __builtin_bswap64(half);
  return halves;
}

IpAddress IpAddress::V4(uint32_t host_order) {
  IpAddress address;
  for (size_t i = 0; i < 4; ++i)
    address.bytes[i] = static_cast<uint8_t>(host_order >> (24 - 8 * i));
  return address;
}

IpPrefix Masked(IpPrefix prefix) {
  for (size_t i = 0; i < prefix.address.bytes.size(); ++i) {
    const int kept = std::clamp(int{prefix.length} - static_cast<int>(8 * i), 0, 8);
    prefix.address.bytes[i] &= static_cast<uint8_t>(0xff00 >> kept);
  }
  return prefix;
}

IpAddress FirstAddress(const IpPrefix& prefix) { return Masked(prefix).address; }

IpAddress LastAddress(const IpPrefix& prefix) {
  IpAddress last = Masked(prefix).address;
  const int bits = last.bit_count();
  for (int bit = prefix.length; bit < bits; ++bit) {
    last.bytes[static_cast<size_t>(bit / 8)] |= static_cast<uint8_t>(0x80 >> (bit % 8));
  }
  return last;
}

IpAddress NextAddress(IpAddress address) {
  for (size_t i = static_cast<size_t>(address.bit_count() / 8); i-- > 0;) {
    if (++address.bytes[i] != 0) break;
  }
  return address;
}

IpAddress PreviousAddress(IpAddress address) {
  for (size_t i = static_cast<size_t>(address.bit_count() / 8); i-- > 0;) {
    if (address.bytes[i]-- != 0) break;
  }
  return address;
}

bool IpPrefix::Contains(const IpAddress& other) const {
  return other.family == address.family && Masked({other, length}).address == address;
}

bool IpPrefix::Contains(const IpPrefix& other) const {
  return other.length >= length && Contains(other.address);
}

std::optional<IpAddress> ParseIpAddress(std::string_view text) {
  std::optional<IpAddress> address = ParseAny(text);
  if (address && IsMapped(*address)) return std::nullopt;
  return address;
}

ParsedPrefix ParseIpPrefix(std::string_view text) {
  ParsedPrefix result;
  result.fault = PrefixFault::kSyntax;
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return result;
  const std::string_view length_text = text.substr(slash + 1);
  const std::string_view address_text = text.substr(0, slash);
  unsigned length = 0;
  const char* end = length_text.data() + length_text.size();
  const auto [parsed_to, error] = std::from_chars(length_text.data(), end, length);
  if (error != std::errc() || parsed_to != end || length > 128) return result;
  const std::string_view last_part = address_text.substr(address_text.rfind(':') + 1);
  if (HasLeadingZeroOctet(address_text.find(':') == std::string_view::npos ? address_text : "") ||
      (last_part.find('.') != std::string_view::npos && HasLeadingZeroOctet(last_part)) ||
      (length_text.size() > 1 && length_text[0] == '0')) {
    result.fault = PrefixFault::kLeadingZero;
    return result;
  }
  const std::optional<IpAddress> address = ParseAny(address_text);
  if (!address || static_cast<int>(length) > address->bit_count()) return result;
  if (IsMapped(*address)) {
    result.fault = PrefixFault::kMapped;
    return result;
  }
  result.fault = PrefixFault::kNone;
  result.prefix = Masked({*address, static_cast<uint8_t>(length)});
  result.host_bits_set = result.prefix.address != *address;
  return result;
}

std::string ToString(const IpAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  const int family = address.family == Family::kIpv4 ? AF_INET : AF_INET6;
  inet_ntop(family, address.bytes.data(), buffer.data(), buffer.size());
  return buffer.data();
}

std::string ToString(const IpPrefix& prefix) {
  return ToString(prefix.address) + "/" + std::to_string(prefix.length);
}

}  // namespace npf
