#include "frame_judge.h"

namespace npf::bench {

void FrameJudge::Clear() {
  frames_.clear();
  bursts_.clear();
}

void FrameJudge::Add(const PacketView& frame, LinkLayer link) {
  if (bursts_.empty() || bursts_.back().link != link || bursts_.back().count == kBurst) {
    bursts_.push_back({.first = frames_.size(), .count = 0, .link = link});
  }
  ++bursts_.back().count;
  frames_.push_back(frame);
}

}  // namespace npf::bench
