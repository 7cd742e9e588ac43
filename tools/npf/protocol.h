// Protocols and ports as people write them in a question: in the columns of eval's CSV and in the
// arguments of explain.
#ifndef NPF_TOOLS_NPF_PROTOCOL_H_
#define NPF_TOOLS_NPF_PROTOCOL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "npf/address.h"

namespace npf::tools {

struct ProtocolText {
  uint8_t number = 0;
  std::optional<uint8_t> icmp_type;  // "ICMP/8"
};

inline constexpr std::string_view kProtocolForms =
    "TCP, UDP, SCTP, ICMP, ICMPv6, ICMP/TYPE, ICMPv6/TYPE or a number from 0 to 255";

// One of kProtocolForms, in any case.
std::optional<ProtocolText> ParseProtocol(std::string_view text);

std::string ProtocolName(uint8_t protocol);  // "TCP", or the number

// Decimal digits only, at most `max`.
std::optional<uint32_t> ParseNumber(std::string_view text, uint32_t max);

// Neighbour discovery and MLD, which policy never judges (R43): a question about them is answered
// as a well-formed packet would be. Router advertisements and redirects only from a link-local
// address, which no pod has.
bool IsLinkControl(const ProtocolText& protocol, const IpAddress& src);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_PROTOCOL_H_
