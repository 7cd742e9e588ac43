#include "parser/parser_coverage.h"

#include <cstdio>
#include <sstream>

namespace npf::testing {
namespace {

struct NamedProtocol {
  const char* name;
  uint8_t protocol;
};
constexpr std::array<std::array<NamedProtocol, 6>, 2> kProtocols = {
    {{{{"TCP in IPv4", kProtocolTcp},
       {"UDP in IPv4", kProtocolUdp},
       {"SCTP in IPv4", kProtocolSctp},
       {"ICMP in IPv4", kProtocolIcmp},
       {"GRE in IPv4", 47},
       {"later fragment of IPv4", kProtocolUnknown}}},
     {{{"TCP in IPv6", kProtocolTcp},
       {"UDP in IPv6", kProtocolUdp},
       {"SCTP in IPv6", kProtocolSctp},
       {"ICMPv6 in IPv6", kProtocolIcmpv6},
       {"GRE in IPv6", 47},
       {"later fragment of IPv6", kProtocolUnknown}}}}};

// What only quoted packets break is counted with them.
bool IsOfFrames(const Rule& rule) {
  return rule.kind != LayerKind::kQuotedTcp && rule.kind != LayerKind::kQuotedSctp;
}

}  // namespace

void ParserCoverage::Count(const ReferenceAnswer& answer) {
  const ParsedPacket& parsed = answer.parsed;
  ++frames_;
  ++outcomes_[static_cast<size_t>(parsed.outcome)];
  ++reasons_[static_cast<size_t>(parsed.reason)];
  if (answer.rule.has_value()) ++rules_[*answer.rule];
  if (parsed.outcome != ParseOutcome::kJudge) return;
  const size_t family = parsed.key.family == 4 ? 0 : 1;
  ++judged_[family][parsed.key.protocol];
  first_fragments_[family] += parsed.fragment && !parsed.later_fragment ? 1 : 0;
  tagged_ += parsed.network != 0 ? 1 : 0;
}

void ParserCoverage::CountQuoted(const ReferenceAnswer& answer) {
  ++quoted_;
  quoted_judged_ += answer.parsed.outcome == ParseOutcome::kJudge ? 1 : 0;
  if (!answer.rule.has_value() || IsOfFrames(AllRules()[*answer.rule])) return;
  ++rules_[*answer.rule];
}

std::map<std::string, uint64_t> ParserCoverage::Rows() const {
  std::map<std::string, uint64_t> rows = {{"outcome judge", outcomes_[0]},
                                          {"outcome pass", outcomes_[1]},
                                          {"outcome deny", outcomes_[2]},
                                          {"judged first fragment of IPv4", first_fragments_[0]},
                                          {"judged first fragment of IPv6", first_fragments_[1]},
                                          {"judged with a tag", tagged_},
                                          {"quoted by an error", quoted_},
                                          {"quoted and understood", quoted_judged_}};
  const std::vector<Rule> rules = AllRules();
  for (size_t i = 0; i < rules.size(); ++i) {
    rows["rule " + std::string(Name(rules[i].reason)) + ": " + std::string(rules[i].says)] =
        rules_[i];
    if (IsOfFrames(rules[i])) {
      const auto reason = static_cast<size_t>(rules[i].reason);
      rows["reason " + std::string(Name(rules[i].reason))] = reasons_[reason];
    }
  }
  for (size_t family = 0; family < 2; ++family) {
    for (const NamedProtocol& named : kProtocols[family]) {
      rows["judged " + std::string(named.name)] = judged_[family][named.protocol];
    }
  }
  return rows;
}

std::string ParserCoverage::Table() const {
  std::ostringstream table;
  table << frames_ << " frames\n";
  for (const auto& [name, count] : Rows()) {
    std::array<char, 120> line;
    std::snprintf(line.data(), line.size(), "%10llu  %s\n", static_cast<unsigned long long>(count),
                  name.c_str());
    table << line.data();
  }
  return table.str();
}

std::vector<std::string> ParserCoverage::SeenLessThanOnceIn(uint64_t frames, bool rules) const {
  std::vector<std::string> rare;
  for (const auto& [name, count] : Rows()) {
    if (name.starts_with("rule ") && !rules) continue;
    if (count * frames < frames_) rare.push_back(name + ": " + std::to_string(count));
  }
  return rare;
}

}  // namespace npf::testing
