// Reports as one page that needs nothing else: plots, the numbers of each plot, the machine and the
// command line.
#ifndef NPF_BENCH_HTML_REPORT_H_
#define NPF_BENCH_HTML_REPORT_H_

#include <span>
#include <string>

#include "report.h"

namespace npf::bench {

std::string ToHtml(std::span<const Report> reports);

}  // namespace npf::bench

#endif  // NPF_BENCH_HTML_REPORT_H_
