// How cost grows: scenes that differ in pods, in policies, or in CIDRs.
#ifndef NPF_BENCH_SWEEP_H_
#define NPF_BENCH_SWEEP_H_

#include <cstdint>

#include "absl/status/status.h"
#include "bench_run.h"
#include "report.h"

namespace npf::bench {

// Adds to `report` the decide stage over clusters of growing size, each for IPv4 and IPv6, uniform
// and Zipf. Of the traffic's options, `packets` and `seed` count.
absl::Status MeasureSweeps(RunOptions options, const TrafficOptions& traffic, Report& report);

}  // namespace npf::bench

#endif  // NPF_BENCH_SWEEP_H_
