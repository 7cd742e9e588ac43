#include "npf/protocol.h"

#include <array>
#include <utility>

#include "npf/flow.h"

namespace npf::tools {
namespace {

constexpr std::array<std::pair<std::string_view, uint8_t>, 5> kNames = {
    {{"TCP", kProtocolTcp},
     {"UDP", kProtocolUdp},
     {"SCTP", kProtocolSctp},
     {"ICMP", kProtocolIcmp},
     {"ICMPv6", kProtocolIcmpv6}}};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool EqualInAnyCase(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (Lower(a[i]) != Lower(b[i])) return false;
  }
  return true;
}

}  // namespace

std::optional<uint32_t> ParseNumber(std::string_view text, uint32_t max) {
  if (text.empty() || text.size() > 10) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  if (value > max) return std::nullopt;
  return static_cast<uint32_t>(value);
}

std::optional<ProtocolText> ParseProtocol(std::string_view text) {
  if (const auto number = ParseNumber(text, 255)) {
    return ProtocolText{.number = static_cast<uint8_t>(*number), .icmp_type = std::nullopt};
  }
  const size_t slash = text.find('/');
  for (const auto& [name, number] : kNames) {
    if (!EqualInAnyCase(text.substr(0, slash), name)) continue;
    ProtocolText protocol{.number = number, .icmp_type = std::nullopt};
    if (slash == std::string_view::npos) return protocol;
    const auto type = ParseNumber(text.substr(slash + 1), 255);
    if (HasPorts(number) || !type) return std::nullopt;
    protocol.icmp_type = static_cast<uint8_t>(*type);
    return protocol;
  }
  return std::nullopt;
}

std::string ProtocolName(uint8_t protocol) {
  for (const auto& [name, number] : kNames) {
    if (number == protocol) return std::string(name);
  }
  return std::to_string(protocol);
}

bool IsLinkControl(const ProtocolText& protocol, const IpAddress& src) {
  if (protocol.number != kProtocolIcmpv6 || !protocol.icmp_type || src.family != Family::kIpv6) {
    return false;
  }
  const bool link_local = src.bytes[0] == 0xfe && (src.bytes[1] & 0xc0) == 0x80;
  switch (*protocol.icmp_type) {
    case 130:  // MLD query, report, done, version 2 report
    case 131:
    case 132:
    case 143:
    case 133:  // router solicitation, neighbour solicitation and advertisement
    case 135:
    case 136:
      return true;
    case 134:  // router advertisement, redirect
    case 137:
      return link_local;
    default:
      return false;
  }
}

}  // namespace npf::tools
