// What the frames of a differential test reached: outcomes, reasons, rules, and what was judged.
#ifndef NPF_TESTS_PARSER_PARSER_COVERAGE_H_
#define NPF_TESTS_PARSER_PARSER_COVERAGE_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "parser/reference_parser.h"

namespace npf::testing {

class ParserCoverage {
 public:
  void Count(const ReferenceAnswer& answer);
  void CountQuoted(const ReferenceAnswer& answer);

  uint64_t frames() const { return frames_; }
  std::string Table() const;
  // What was seen less often than once in `frames` of everything; rules only where `rules` says so.
  std::vector<std::string> SeenLessThanOnceIn(uint64_t frames, bool rules) const;

 private:
  std::map<std::string, uint64_t> Rows() const;

  uint64_t frames_ = 0;
  std::array<uint64_t, 3> outcomes_{};
  std::array<uint64_t, 256> reasons_{};
  std::vector<uint64_t> rules_ = std::vector<uint64_t>(AllRules().size());
  std::array<std::array<uint64_t, 256>, 2> judged_{};  // of IPv4 and IPv6, by protocol
  std::array<uint64_t, 2> first_fragments_{};
  uint64_t tagged_ = 0;
  uint64_t quoted_ = 0;
  uint64_t quoted_judged_ = 0;
};

}  // namespace npf::testing

#endif  // NPF_TESTS_PARSER_PARSER_COVERAGE_H_
