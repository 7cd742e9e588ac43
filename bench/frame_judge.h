// From frames to verdicts without connections, whatever their link layers.
#ifndef NPF_BENCH_FRAME_JUDGE_H_
#define NPF_BENCH_FRAME_JUDGE_H_

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "npf/classify.h"
#include "npf/frames.h"
#include "npf/packet.h"
#include "npf/program.h"

namespace npf::bench {

// Gathers frames, and judges them in bursts of one link layer each, as a call of the library is.
class FrameJudge {
 public:
  // `program` outlives it.
  FrameJudge(const Program& program, const ClassifyOptions& options, Checksums checksums)
      : program_(program), options_{.parse = {.checksums = checksums}, .classify = options} {}

  size_t size() const { return frames_.size(); }
  void Clear();
  // `link` is how the frame begins. Its bytes stay where they are until it is judged.
  void Add(const PacketView& frame, LinkLayer link);

  // Calls use(first, verdicts) for each burst: verdicts[i] is of the frame that was added as number
  // `first` + i. May be called again.
  template <typename Use>
  void Judge(Use use) {
    std::array<Verdict, kBurst> verdicts;
    for (const Burst& burst : bursts_) {
      options_.parse.link = burst.link;
      ClassifyFrames(program_, options_, {frames_.data() + burst.first, burst.count}, verdicts);
      use(burst.first, std::span<const Verdict>(verdicts.data(), burst.count));
    }
  }

 private:
  static constexpr size_t kBurst = 64;
  struct Burst {
    size_t first, count;
    LinkLayer link;
  };

  const Program& program_;
  FrameOptions options_;
  std::vector<PacketView> frames_;
  std::vector<Burst> bursts_;
};

}  // namespace npf::bench

#endif  // NPF_BENCH_FRAME_JUDGE_H_
