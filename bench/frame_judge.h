// From frames to verdicts without connections, a batch at a time, as Engine does it where it is
// stateless.
#ifndef NPF_BENCH_FRAME_JUDGE_H_
#define NPF_BENCH_FRAME_JUDGE_H_

#include <cstddef>
#include <span>

#include "npf/classify.h"
#include "npf/engine.h"
#include "npf/packet.h"
#include "npf/program.h"

namespace npf::bench {

class FrameJudge {
 public:
  static constexpr size_t kBatch = Engine::kBatch;

  // `program` outlives it.
  FrameJudge(const Program& program, const ClassifyOptions& options, Checksums checksums)
      : program_(program), options_(options), checksums_(checksums) {}

  // At most kBatch frames.
  void Judge(std::span<const Frame> frames, std::span<Verdict> verdicts) const;

 private:
  const Program& program_;
  ClassifyOptions options_;
  Checksums checksums_;
};

}  // namespace npf::bench

#endif  // NPF_BENCH_FRAME_JUDGE_H_
