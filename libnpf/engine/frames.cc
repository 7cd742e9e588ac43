#include "npf/frames.h"

#include <algorithm>
#include <array>
#include <bit>

#include "engine/frames_kernel.h"
#include "engine/outright.h"
#include "packet/plain.h"

namespace npf {
namespace {

uint64_t Places(size_t count) { return count < 64 ? (uint64_t{1} << count) - 1 : ~uint64_t{0}; }

// Plain frames through flow keys; returns the places of the others.
uint64_t JudgePlain(const Program& program, const FrameOptions& options,
                    std::span<const PacketView> frames, std::span<Verdict> verdicts) {
  if (!JudgesPlain(options.parse)) return Places(frames.size());
  const packet::PlainReader reader(options.parse);
  std::array<FlowKey, kFrameBatch> keys;
  uint64_t others = 0;
  for (size_t i = 0; i < frames.size(); ++i) {
    others |= uint64_t{!reader.Read(frames[i], keys[i])} << i;
  }
  if (others != Places(frames.size())) {
    Classify(program, options.classify, {keys.data(), frames.size()}, verdicts);
  }
  return others;
}

// What is left, by the parser that knows everything.
class Others {
 public:
  Others(const FrameOptions& options, std::span<const PacketView> frames,
         std::span<Verdict> verdicts)
      : options_(options), frames_(frames), verdicts_(verdicts) {}

  void Judge(const Program& program, uint64_t places) {
    for (; places != 0; places &= places - 1) {
      Parse(static_cast<size_t>(std::countr_zero(places)));
    }
    std::array<Verdict, kFrameBatch> judged;
    Classify(program, options_.classify, {keys_.data(), count_}, judged);
    for (size_t k = 0; k < count_; ++k) {
      if (later_fragment_[k] && judged[k].allowed == 0) {
        judged[k].reason = static_cast<uint8_t>(Reason::kFragmentNoFirst);
      }
      verdicts_[place_[k]] = judged[k];
    }
  }

 private:
  void Parse(size_t place) {
    const ParsedPacket parsed = ParsePacket(frames_[place], options_.parse);
    if (parsed.outcome != ParseOutcome::kJudge) {
      verdicts_[place] =
          Outright(parsed.outcome == ParseOutcome::kPass, parsed.reason, options_.classify);
      return;
    }
    keys_[count_] = parsed.key;
    place_[count_] = static_cast<uint8_t>(place);
    later_fragment_[count_++] = parsed.later_fragment;
  }

  const FrameOptions& options_;
  std::span<const PacketView> frames_;
  std::span<Verdict> verdicts_;
  size_t count_ = 0;  // of those that are judged by policy
  std::array<FlowKey, kFrameBatch> keys_;
  std::array<uint8_t, kFrameBatch> place_;
  std::array<bool, kFrameBatch> later_fragment_;
};

}  // namespace

void ClassifyFrames(const Program& program, const FrameOptions& options,
                    std::span<const PacketView> frames, std::span<Verdict> verdicts) noexcept {
  const bool in_vectors =
      ActiveKernel() == Kernel::kAvx512 && Avx512JudgesFrames(program.view(), options);
  for (size_t done = 0; done < frames.size(); done += kFrameBatch) {
    const size_t count = std::min(kFrameBatch, frames.size() - done);
    const auto batch = frames.subspan(done, count);
    const auto judged = verdicts.subspan(done, count);
    const uint64_t others = in_vectors
                                ? JudgePlainAvx512(program.view(), options, batch, judged.data())
                                : JudgePlain(program, options, batch, judged);
    if (others != 0) Others(options, batch, judged).Judge(program, others);
  }
}

}  // namespace npf
