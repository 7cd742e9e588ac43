#include "frame_judge.h"

#include <array>
#include <cstdint>

namespace npf::bench {
namespace {

// Of what policy is not asked about: the link's own passes, the rest is refused.
Verdict Outright(const ParsedPacket& packet) {
  const bool passes = packet.outcome == ParseOutcome::kPass;
  return {.allowed = passes ? uint8_t{1} : uint8_t{0},
          .reason = static_cast<uint8_t>(packet.reason),
          .directions = passes ? uint8_t{3} : uint8_t{0}};
}

}  // namespace

void FrameJudge::Judge(std::span<const Frame> frames, std::span<Verdict> verdicts) const {
  std::array<FlowKey, kBatch> keys;
  std::array<Verdict, kBatch> judged;
  std::array<uint8_t, kBatch> places;
  std::array<bool, kBatch> later_fragment;
  size_t count = 0;
  for (size_t i = 0; i < frames.size(); ++i) {
    const ParsedPacket packet =
        ParsePacket(frames[i].packet, {.link = frames[i].link, .checksums = checksums_});
    if (packet.outcome != ParseOutcome::kJudge) {
      verdicts[i] = Outright(packet);
      continue;
    }
    keys[count] = packet.key;
    later_fragment[count] = packet.later_fragment;
    places[count++] = static_cast<uint8_t>(i);
  }
  Classify(program_, options_, {keys.data(), count}, {judged.data(), count});
  for (size_t k = 0; k < count; ++k) {
    verdicts[places[k]] = judged[k];
    if (later_fragment[k] && judged[k].allowed == 0) {
      verdicts[places[k]].reason = static_cast<uint8_t>(Reason::kFragmentNoFirst);
    }
  }
}

}  // namespace npf::bench
