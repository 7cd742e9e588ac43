// How `npf gaps` tells what it found.
#ifndef NPF_TOOLS_NPF_GAP_REPORT_H_
#define NPF_TOOLS_NPF_GAP_REPORT_H_

#include <string>
#include <string_view>
#include <vector>

#include "npf/gap_findings.h"

namespace npf::tools {

struct GapReport {
  std::vector<GapRow> rows;
  GapCounts counts;
  bool unanswered = false;  // tells rows that are no gaps too
};

// For people: gaps that are at least suggested, at most 50 rows of each kind, then the counts.
std::string GapTable(const GapReport& report);
// One document: {"gaps":[...],"not_delivered":[...],"unanswered":[...],"summary":{...}}. Gaps are
// at least suggested; denied connections of lower grades are in the second list.
std::string GapJson(const GapReport& report);
// A line a row, {"kind":"gap"|"not_delivered"|"unanswered",...}, and a last one,
// {"kind":"summary",...}.
std::string GapJsonLines(const GapReport& report);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_GAP_REPORT_H_
