// From frames to verdicts without connections, whatever their link layers.
#ifndef NPF_BENCH_FRAME_JUDGE_H_
#define NPF_BENCH_FRAME_JUDGE_H_

#include <span>

#include "npf/classify.h"
#include "npf/frames.h"
#include "npf/packet.h"
#include "npf/program.h"

namespace npf::bench {

class FrameJudge {
 public:
  // `program` outlives it.
  FrameJudge(const Program& program, const ClassifyOptions& options, Checksums checksums)
      : program_(program), options_{.parse = {.checksums = checksums}, .classify = options} {}

  // links[i] is how frames[i] begins; each stretch of equal ones is a call of the library.
  void Judge(std::span<const PacketView> frames, std::span<const LinkLayer> links,
             std::span<Verdict> verdicts);

 private:
  const Program& program_;
  FrameOptions options_;
};

}  // namespace npf::bench

#endif  // NPF_BENCH_FRAME_JUDGE_H_
