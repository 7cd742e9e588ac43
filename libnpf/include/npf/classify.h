// The hot call: a batch of flow keys in, a verdict for each out.
#ifndef NPF_CLASSIFY_H_
#define NPF_CLASSIFY_H_

#include <span>
#include <string_view>

#include "npf/flow.h"
#include "npf/program.h"
#include "npf/verdict.h"

namespace npf {

// Judges keys[i] into verdicts[i], as the first packet of a connection. `verdicts` is at least as
// long as `keys`. Does not allocate, lock, throw or block; any length is fine, multiples of 64 are
// fastest. Thread-safe: a Program may be used by any number of threads at once.
void Classify(const Program& program, const ClassifyOptions& options, std::span<const FlowKey> keys,
              std::span<Verdict> verdicts) noexcept;

// How it is done on this processor. All kernels give the same answers.
enum class Kernel : uint8_t {
  kAuto = 0,    // the one that is fastest on processors of this make
  kScalar = 1,  // any processor of the target
  kAvx512 = 2,  // AVX-512 F, BW, VL and DQ
};

// The kernel in use: chosen on first use by the environment variable NPF_KERNEL ("auto", "scalar",
// "avx512"; anything else counts as "auto"), or by SelectKernel; never kAuto.
Kernel ActiveKernel() noexcept;
// From the next batch on, in all threads. False, and nothing changes, where the processor lacks it.
bool SelectKernel(Kernel kernel) noexcept;
std::string_view Name(Kernel kernel) noexcept;  // as NPF_KERNEL takes it

}  // namespace npf

#endif  // NPF_CLASSIFY_H_
