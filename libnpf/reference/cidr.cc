#include "reference/cidr.h"

#include <arpa/inet.h>

#include <cstdlib>
#include <cstring>

namespace npf::reference {

std::optional<IpAddress> ReadAddress(const std::string& text) {
  IpAddress address;
  address.family = Family::kIpv4;
  if (inet_pton(AF_INET, text.c_str(), address.bytes.data()) == 1) return address;
  address.family = Family::kIpv6;
  if (inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) return address;
  return std::nullopt;
}

std::optional<Cidr> ReadCidr(const std::string& text) {
  const size_t slash = text.find('/');
  if (slash == std::string::npos) return std::nullopt;
  const std::optional<IpAddress> base = ReadAddress(text.substr(0, slash));
  if (!base) return std::nullopt;
  const int length = std::atoi(text.c_str() + slash + 1);
  if (length < 0 || length > base->bit_count()) return std::nullopt;
  return Cidr{*base, length};
}

bool Covers(const Cidr& cidr, const IpAddress& address) {
  if (cidr.base.family != address.family) return false;
  const size_t whole_bytes = static_cast<size_t>(cidr.length) / 8;
  if (std::memcmp(cidr.base.bytes.data(), address.bytes.data(), whole_bytes) != 0) return false;
  for (int bit = static_cast<int>(whole_bytes) * 8; bit < cidr.length; ++bit) {
    const size_t byte = static_cast<size_t>(bit) / 8;
    const int mask = 0x80 >> (bit % 8);
    if ((cidr.base.bytes[byte] & mask) != (address.bytes[byte] & mask)) return false;
  }
  return true;
}

}  // namespace npf::reference
