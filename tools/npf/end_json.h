// Ends of connections and sets of ports as JSON, for list and diff.
#ifndef NPF_TOOLS_NPF_END_JSON_H_
#define NPF_TOOLS_NPF_END_JSON_H_

#include <string>
#include <vector>

#include "analysis/ends.h"
#include "analysis/ports.h"

namespace npf::tools {

// [{"kind":"workload","namespace":"shop","name":"web","workload_kind":"Deployment"},
//  {"kind":"external","ranges":[{"cidrs":["0.0.0.0/0"],"except":["10.0.0.0/8"]}]}]
std::string JsonEnds(const analysis::Scene& scene, const std::vector<analysis::End>& ends);
// [{"protocol":"TCP","first":80,"last":80},{"protocol":"other"}]
std::string JsonPorts(const analysis::PortSet& set);
// "", or ",\"family\":\"IPv4\"" where it holds for one family only.
std::string JsonFamily(uint8_t families);
// "" or " (IPv6)", behind ports.
std::string FamilyNote(uint8_t families);

// "a, b, c and 5 more": at most `max` of them are named.
std::string JoinSome(const std::vector<std::string>& texts, size_t max);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_END_JSON_H_
