// The second half of the slow parser: what has to hold of a frame's layers, rule by rule.
//
// Precedence, where several rules are broken: the outermost layer's counts; of one layer, the rule
// that stands first in its table. So `truncated` comes before whatever the missing bytes might have
// said, a header's form before its addresses, an option before those behind it, and ports and
// addresses together last. docs/reasons.md states the same order for users.
//
// The certainty rule decides where RFCs let receivers differ: a packet may be allowed only if it
// would be under every reading that a receiver could make of it.
#ifndef NPF_TESTS_PARSER_FRAME_RULES_H_
#define NPF_TESTS_PARSER_FRAME_RULES_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "npf/verdict.h"
#include "parser/frame_cut.h"

namespace npf::testing {

struct Rule {
  LayerKind kind;
  Reason reason;
  std::string_view says;  // what is wrong where it is broken
  bool (*broken)(const FrameCut& cut, const Layer& layer);
};

std::span<const Rule> LinkRules();  // frame_rules.cc
std::span<const Rule> Ipv4Rules();
std::span<const Rule> Ipv6Rules();
std::span<const Rule> TransportRules();  // transport_rules.cc
std::span<const Rule> ControlRules();    // control_rules.cc: neighbour and listener discovery
std::vector<Rule> AllRules();

struct Finding {
  size_t layer = 0;  // index in the cut's layers
  size_t rule = 0;   // index in AllRules()
  Reason reason = Reason::kPolicy;
};
// By precedence; nullopt: all of them hold. Rules of bytes that are not there are not asked: the
// one that says so comes first.
std::optional<Finding> FirstBroken(const FrameCut& cut);

// What rules ask of addresses and sums.
int64_t Ipv4Number(std::span<const uint8_t> address);
bool IsAllZero(std::span<const uint8_t> address);
bool IsLinkLocal(std::span<const uint8_t> address);  // fe80::/10
bool AreEqual(std::span<const uint8_t> a, std::span<const uint8_t> b);
// RFC 1071: the sum of 16-bit words, an odd byte padded with zero, is a multiple of 65,535.
int64_t SumOfWords(std::span<const uint8_t> bytes);
bool SumIsRight(int64_t sum);

// A header that has to have `sent` bytes on the wire, of which the first `kept` are needed: what is
// lacking. In a first fragment the rest is in the next one, where no receiver should take it from
// (RFC 1858; RFC 7112).
bool IsCutByFragment(const FrameCut& cut, const Layer& layer, int64_t sent);
bool IsCut(const Layer& layer, int64_t sent, int64_t kept);

}  // namespace npf::testing

#endif  // NPF_TESTS_PARSER_FRAME_RULES_H_
