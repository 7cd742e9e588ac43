#include "frame_judge.h"

#include <cstddef>

namespace npf::bench {

void FrameJudge::Judge(std::span<const PacketView> frames, std::span<const LinkLayer> links,
                       std::span<Verdict> verdicts) {
  for (size_t first = 0, end = 0; first < frames.size(); first = end) {
    options_.parse.link = links[first];
    while (end < frames.size() && links[end] == links[first]) ++end;
    const size_t count = end - first;
    ClassifyFrames(program_, options_, frames.subspan(first, count),
                   verdicts.subspan(first, count));
  }
}

}  // namespace npf::bench
