// A Report as JSON in the form of Google Benchmark, so that its tools can read it: context and
// benchmarks, each contender with a line a round and the aggregates `median` and `min`. Beside them
// stand the scenes, as ReadReport() takes them back.
#ifndef NPF_BENCH_REPORT_JSON_H_
#define NPF_BENCH_REPORT_JSON_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "report.h"

namespace npf::bench {

std::string ToJson(const Report& report);
// Fails with kInvalidArgument where `text` is not what ToJson() writes.
absl::StatusOr<Report> ReadReport(std::string_view text);
absl::StatusOr<Report> ReadReportFile(const std::string& path);

}  // namespace npf::bench

#endif  // NPF_BENCH_REPORT_JSON_H_
