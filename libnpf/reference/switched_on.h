// Whether a wrong reading is switched on. For the evaluator's own sources: each is compiled twice,
// and the answer differs, so the function is each file's own.
#ifndef NPF_REFERENCE_SWITCHED_ON_H_
#define NPF_REFERENCE_SWITCHED_ON_H_

#include "reference/mutation.h"

namespace npf::reference {

static inline bool SwitchedOn([[maybe_unused]] Mutation wanted, [[maybe_unused]] Mutation actual) {
#ifdef NPF_MUTATIONS
  return wanted == actual;
#else
  return false;
#endif
}

}  // namespace npf::reference

#endif  // NPF_REFERENCE_SWITCHED_ON_H_
