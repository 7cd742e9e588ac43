// What a flood does to established connections: one packet of it for each of theirs.
#ifndef NPF_BENCH_FLOODS_H_
#define NPF_BENCH_FLOODS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bench_run.h"
#include "flooded.h"

namespace npf::bench {

struct FloodRow {
  std::string flood;
  // Medians, ns: of a packet of an established connection without a flood; of one and one of the
  // flood; and what of that is the established one's, without what the flood costs alone.
  double clean_ns = 0;
  double pair_ns = 0;
  double flood_ns = 0;
  double established_ns = 0;
  double ratio = 0;  // of established_ns to clean_ns, the median of the rounds
  FloodCount count;
  WorkerCounts before;
  WorkerCounts after;
  uint64_t no_room_counted = 0;  // by the Worker, in `count`
  size_t longest_look_up = 0;    // of colliding keys; else 0
  int64_t grown_bytes = 0;       // what has been allocated meanwhile

  bool Holds() const;
};

inline constexpr double kFloodedRatioMax = 1.4;
inline constexpr size_t kLookUpMax = 16;

absl::Status MeasureFloods(const RunOptions& options, const TrafficOptions& traffic,
                           std::vector<FloodRow>& rows);
std::string FloodsText(const std::vector<FloodRow>& rows);

}  // namespace npf::bench

#endif  // NPF_BENCH_FLOODS_H_
