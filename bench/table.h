// The figures that the project promises, each beside its gate and its aim.
#ifndef NPF_BENCH_TABLE_H_
#define NPF_BENCH_TABLE_H_

#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bench_run.h"
#include "report.h"

namespace npf::bench {

// A measured value and what it is held to.
struct Bound {
  double value = 0;
  double gate = 0;
  double aim = 0;
  bool at_least = false;  // else at most
};

enum class Standing : uint8_t { kNotMeasured, kOver, kHolds, kAim };

struct TableRow {
  int number = 0;
  std::string what;
  std::string gate;  // as people read it
  std::string aim;
  std::string measured;  // or why it is not
  Standing standing = Standing::kNotMeasured;
};

// All bounds must hold, or all of the others, where there are any; aims are those of `bounds`.
Standing StandingOf(std::span<const Bound> bounds, std::span<const Bound> others = {});

// Measures the scenes that the table needs, in groups whose rounds are interleaved. Rows that need
// rivals are left out where those are not built.
absl::Status MeasureTableScenes(RunOptions options, const TrafficOptions& traffic, Report& report);
// `instructions` a decision by callgrind; 0: not counted.
std::vector<TableRow> MakeTable(const Report& report, double instructions);
std::string ToText(std::span<const TableRow> rows);

// Counts what npf-instructions runs, which stands beside this program; 0 where it or valgrind is
// not there.
double CountInstructions();

}  // namespace npf::bench

#endif  // NPF_BENCH_TABLE_H_
