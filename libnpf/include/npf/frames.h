// Frames to verdicts in one call, without state: what a dataplane calls that tracks connections
// itself, or has none. npf/worker.h is the call that knows connections.
#ifndef NPF_FRAMES_H_
#define NPF_FRAMES_H_

#include <span>

#include "npf/classify.h"
#include "npf/packet.h"
#include "npf/program.h"

namespace npf {

struct FrameOptions {
  ParseOptions parse;
  ClassifyOptions classify;
};

// Judges frames[i] into verdicts[i] as the first packet of its connection: what ParsePacket finds
// fit to be judged as Classify does, all else as ParsePacket says, with kNoCell. A later fragment
// that policy does not allow for every port is denied as kFragmentNoFirst. `verdicts` is at least
// as long as `frames`. Does not allocate, lock, throw or block; thread-safe as Classify is.
void ClassifyFrames(const Program& program, const FrameOptions& options,
                    std::span<const PacketView> frames, std::span<Verdict> verdicts) noexcept;

}  // namespace npf

#endif  // NPF_FRAMES_H_
