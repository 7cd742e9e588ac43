// Frames to verdicts without a flow key between them, for plain frames (packet/plain.h).
#ifndef NPF_ENGINE_FRAMES_KERNEL_H_
#define NPF_ENGINE_FRAMES_KERNEL_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "npf/frames.h"
#include "program/view.h"

namespace npf {

inline constexpr size_t kFrameBatch = 64;

// Whether plain frames may be judged without ParsePacket: not where one may be a tunnel.
inline bool JudgesPlain(const ParseOptions& options) {
  return options.link == LinkLayer::kEthernet && options.overlays == nullptr;
}

// Whether JudgePlainAvx512 can judge plain frames of this Program under these options.
bool Avx512JudgesFrames(const ProgramView& view, const FrameOptions& options) noexcept;

// Judges what is plain among at most kFrameBatch frames and returns the places, as bits, of those
// that it left: what is not plain, what wants a look at the node, what fills no vector.
uint64_t JudgePlainAvx512(const ProgramView& view, const FrameOptions& options,
                          std::span<const PacketView> frames, Verdict* verdicts) noexcept;

}  // namespace npf

#endif  // NPF_ENGINE_FRAMES_KERNEL_H_
