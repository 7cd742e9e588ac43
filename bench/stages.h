// Our own contenders, each as much of the way from a packet to its verdict as its name says.
#ifndef NPF_BENCH_STAGES_H_
#define NPF_BENCH_STAGES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "contender.h"
#include "frames.h"
#include "npf/classify.h"
#include "npf/program.h"

namespace npf::bench {

// What every stage tells of the Program that it uses; it outlives the stage.
struct StageProgram {
  const Program& program;
  size_t table_bytes;  // that packets of the traffic touch
  uint64_t build_ns;
};

// "npf addr": the classes of both addresses, one key at a time.
std::unique_ptr<Contender> MakeAddressStage(const StageProgram& compiled);
// "npf decide KERNEL": Classify() over batches of 64, on a node's wire.
std::unique_ptr<Contender> MakeDecideStage(const StageProgram& compiled, Kernel kernel);
// "npf parse+decide KERNEL": from `frames`, which bear the keys that it is run with. They are
// received into the same buffers again and again, as a network card does it, so that they stand in
// the caches as received frames do.
std::unique_ptr<Contender> MakeParseDecideStage(const StageProgram& compiled, Kernel kernel,
                                                const FrameSet& frames, Checksums checksums);

// How long each batch of 64 takes, in nanoseconds: `rounds` passes over the whole batches of
// `keys`, which are handed over in chunks as everywhere. The reading of the time is taken off.
std::vector<double> MeasureBatchLatency(const Program& program, Kernel kernel,
                                        std::span<const FlowKey> keys, size_t rounds);

}  // namespace npf::bench

#endif  // NPF_BENCH_STAGES_H_
