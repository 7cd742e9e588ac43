// A Report for people, as tables.
#ifndef NPF_BENCH_REPORT_TEXT_H_
#define NPF_BENCH_REPORT_TEXT_H_

#include <string>

#include "report.h"

namespace npf::bench {

std::string ToText(const Report& report);
// What is in both, contender by contender: old and new figures, and new over old.
std::string CompareText(const Report& old_report, const Report& new_report);

// Also for other pages.
std::string MachineText(const Report& report);  // one line
std::string SceneText(const Scene& scene);      // one line: cluster and packets, no name
std::string VerdictMixText(const Scene& scene);
std::string Fixed(double value, int decimals);  // "1,234.5"
std::string Megabytes(uint64_t bytes);          // "1.25 MB"

}  // namespace npf::bench

#endif  // NPF_BENCH_REPORT_TEXT_H_
