// A kernel judges a batch in the way that nearly every packet is judged: both directions, by the
// tables alone. What needs more is rare; the kernel says that it was there, and classify.cc sees to
// it afterwards, a key at a time:
//
//   keys --> kernel --> verdicts --(what is left?)--> reserved cells, one direction, own node, ...
//
// A kernel is free of calls, allocation and branches on data; one file each, all bit-equal.
#ifndef NPF_CLASSIFY_KERNEL_H_
#define NPF_CLASSIFY_KERNEL_H_

#include <cstddef>
#include <cstdint>

#include "npf/flow.h"
#include "npf/verdict.h"
#include "program/view.h"

namespace npf {

inline constexpr size_t kBatch = 64;  // keys that a kernel takes at most

// What a kernel found and left, bits.
enum Left : uint32_t {
  kLeftReserved = 1,  // a key of no known family, or with equal addresses
  kLeftNode = 2,      // a verdict with kLookAtNode in its flags
};

// `count` keys, 1 to kBatch.
uint32_t JudgeScalar(const ProgramView& view, const FlowKey* keys, size_t count,
                     uint32_t generation, Verdict* verdicts) noexcept;
uint32_t JudgeAvx512(const ProgramView& view, const FlowKey* keys, size_t count,
                     uint32_t generation, Verdict* verdicts) noexcept;
bool Avx512Works() noexcept;     // on this processor
bool GathersAreFast() noexcept;  // on this processor

}  // namespace npf

#endif  // NPF_CLASSIFY_KERNEL_H_
