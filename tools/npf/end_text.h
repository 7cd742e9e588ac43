// How one side of an expectation is written in one line: "shop/db:5432", "app=web", "10.0.0.0/8".
#ifndef NPF_TOOLS_NPF_END_TEXT_H_
#define NPF_TOOLS_NPF_END_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "npf/expectation.h"

namespace npf::tools {

// NAME, NAMESPACE/NAME, NAMESPACE/*, a selector of labels, an address, a CIDR, or one of the words;
// each may have ":PORT" behind it, IPv6 then in brackets. Fills form, ns, name, pods, block, ports
// and text; false, and `fault` says why.
bool ParseEnd(std::string_view text, const std::string& default_namespace, EndText& end,
              std::string& fault);

// 5432, 8000-8100, a name; each with /TCP, /UDP or /SCTP behind it, else it is of
// `default_protocol`. TCP, UDP and SCTP alone are all of their ports, any other protocol is traffic
// without ports. nullopt, and `fault` says why.
std::optional<PortText> ParsePort(std::string_view text, std::optional<uint8_t> default_protocol,
                                  std::string& fault);

// A block of addresses, or one; nullopt, and `fault` says why.
std::optional<IpPrefix> ParseBlock(std::string_view text, std::string& fault);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_END_TEXT_H_
