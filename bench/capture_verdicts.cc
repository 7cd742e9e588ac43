#include "capture_verdicts.h"

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "capture/capture.h"
#include "frame_judge.h"
#include "report.h"

namespace npf::bench {
namespace {

// Gathers packets until there are enough for a call, and counts what they come to.
class Counter {
 public:
  Counter(const Program& program, Checksums checksums)
      : judge_(program, {.placement = Placement::kOffline}, checksums) {}

  void Add(const capture::CapturePacket& packet) {
    std::vector<uint8_t>& kept = kept_[judge_.size()];
    kept.assign(packet.data.begin(), packet.data.end());
    judge_.Add({.data = kept.data(),
                .length = static_cast<uint32_t>(kept.size()),
                .wire_length = packet.wire_length},
               packet.link);
    if (judge_.size() == kGathered) Flush();
  }

  CaptureVerdicts Finish() {
    Flush();
    return std::move(verdicts_);
  }

 private:
  static constexpr size_t kGathered = 64;

  void Flush() {
    judge_.Judge([&](size_t, std::span<const Verdict> judged) {
      for (const Verdict& verdict : judged) ++verdicts_.counts[VerdictText(verdict)];
    });
    verdicts_.packets += judge_.size();
    judge_.Clear();
  }

  FrameJudge judge_;
  std::array<std::vector<uint8_t>, kGathered> kept_;
  CaptureVerdicts verdicts_;
};

}  // namespace

absl::StatusOr<CaptureVerdicts> CountCaptureVerdicts(const Program& program,
                                                     const std::string& path, Checksums checksums) {
  absl::StatusOr<std::unique_ptr<capture::CaptureReader>> reader = capture::OpenCapture(path);
  if (!reader.ok()) return reader.status();
  Counter counter(program, checksums);
  capture::CapturePacket packet;
  absl::StatusOr<bool> more = false;
  while ((more = (*reader)->Next(packet)).ok() && *more) counter.Add(packet);
  CaptureVerdicts verdicts = counter.Finish();
  verdicts.end = more.status();
  return verdicts;
}

}  // namespace npf::bench
