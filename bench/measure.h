// Times contenders over the same packets. A round is a turn of every contender; rounds go forwards
// and backwards in turn, so that what disturbs the machine for a while disturbs all alike.
//
// Traffic is handed over in chunks that are copied to one place first, outside the time, because a
// dataplane's keys come from frames that it has just received: they are in the second-level cache.
#ifndef NPF_BENCH_MEASURE_H_
#define NPF_BENCH_MEASURE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "contender.h"
#include "npf/flow.h"
#include "npf/verdict.h"

namespace npf::bench {

// What is handed over at a time: a receive queue of the customary length.
inline constexpr size_t kChunkKeys = 1024;

double Median(std::vector<double> values);  // 0 of none
double Best(std::span<const double> values);
// The value that `share` of them do not exceed, 0 < share <= 1.
double Percentile(std::vector<double> values, double share);

// Of one contender, a figure a round.
struct Series {
  std::vector<double> ns;       // of its own time, a decision
  std::vector<double> wall_ns;  // as the clock on the wall has it
  std::vector<double> core_ghz;
};

// A contender and the packets that are its own; several may have the same ones.
struct Turn {
  Contender* contender;
  std::span<const FlowKey> keys;
};
// The chunks before a pass's first ones warm the tables, which other contenders have driven out of
// the caches; they do not count, nor does the round before the first. A series for each turn.
std::vector<Series> MeasureInterleaved(std::span<const Turn> turns, size_t rounds);

// Verdicts that differ from `expected`, one for each key, where the contender speaks of the key.
struct Check {
  size_t checked = 0;
  size_t disagreements = 0;
};
Check CheckVerdicts(Contender& contender, std::span<const FlowKey> keys,
                    std::span<const Verdict> expected);

}  // namespace npf::bench

#endif  // NPF_BENCH_MEASURE_H_
