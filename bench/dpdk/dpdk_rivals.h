// The opponents that need DPDK: built from it, or named as missing where it is not there.
#ifndef NPF_BENCH_DPDK_DPDK_RIVALS_H_
#define NPF_BENCH_DPDK_DPDK_RIVALS_H_

#include "absl/status/status.h"
#include "rivals.h"

namespace npf::bench {

// Adds to `rivals` each of them, or a line of why it is missing.
absl::Status AddDpdkRivals(const Snapshot& snapshot, const Program& program,
                           const RivalOptions& options, Rivals& rivals);

}  // namespace npf::bench

#endif  // NPF_BENCH_DPDK_DPDK_RIVALS_H_
