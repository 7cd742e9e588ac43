// The hot call: a batch of flow keys in, a verdict for each out.
#ifndef NPF_CLASSIFY_H_
#define NPF_CLASSIFY_H_

#include <span>

#include "npf/flow.h"
#include "npf/program.h"
#include "npf/verdict.h"

namespace npf {

// Judges keys[i] into verdicts[i], as the first packet of a connection. `verdicts` is at least as
// long as `keys`. Does not allocate, lock, throw or block; any length is fine, multiples of 64 are
// fastest. Thread-safe: a Program may be used by any number of threads at once.
void Classify(const Program& program, const ClassifyOptions& options, std::span<const FlowKey> keys,
              std::span<Verdict> verdicts) noexcept;

}  // namespace npf

#endif  // NPF_CLASSIFY_H_
