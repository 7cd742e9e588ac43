// A verdict in which policy had no part.
#ifndef NPF_ENGINE_OUTRIGHT_H_
#define NPF_ENGINE_OUTRIGHT_H_

#include "npf/flow.h"
#include "npf/verdict.h"

namespace npf {

inline Verdict Outright(bool allowed, Reason reason, const ClassifyOptions& options) {
  const auto asked = static_cast<uint8_t>(options.directions);
  return {.cell = kNoCell,
          .port_class = 0,
          .generation = options.generation,
          .allowed = allowed ? uint8_t{1} : uint8_t{0},
          .reason = static_cast<uint8_t>(reason),
          .directions = static_cast<uint8_t>(allowed ? 3 : 3 & ~asked),
          .flags = 0};
}

}  // namespace npf

#endif  // NPF_ENGINE_OUTRIGHT_H_
