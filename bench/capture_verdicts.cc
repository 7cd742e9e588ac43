#include "capture_verdicts.h"

#include <array>
#include <memory>
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
    kept_[count_].assign(packet.data.begin(), packet.data.end());
    views_[count_] = {.data = kept_[count_].data(),
                      .length = static_cast<uint32_t>(packet.data.size()),
                      .wire_length = packet.wire_length};
    links_[count_] = packet.link;
    if (++count_ == kGathered) Flush();
  }

  CaptureVerdicts Finish() {
    Flush();
    return std::move(verdicts_);
  }

 private:
  static constexpr size_t kGathered = 64;

  void Flush() {
    std::array<Verdict, kGathered> judged;
    judge_.Judge({views_.data(), count_}, {links_.data(), count_}, judged);
    for (size_t i = 0; i < count_; ++i) ++verdicts_.counts[VerdictText(judged[i])];
    verdicts_.packets += count_;
    count_ = 0;
  }

  FrameJudge judge_;
  std::array<std::vector<uint8_t>, kGathered> kept_;
  std::array<PacketView, kGathered> views_;
  std::array<LinkLayer, kGathered> links_{};
  size_t count_ = 0;
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
