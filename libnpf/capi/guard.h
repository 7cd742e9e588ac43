// What every function of the C ABI does around its body: no exception leaves, every failure becomes
// an npf_status with a text.
#ifndef NPF_CAPI_GUARD_H_
#define NPF_CAPI_GUARD_H_

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "npf/c.h"
#include "npf/flow.h"
#include "npf/program.h"

// The opaque struct of npf/c.h.
struct npf_program {
  npf::Program program;
};

namespace npf::capi {

// Cut to fit, always terminated.
inline void CopyText(std::string_view text, char* out, size_t out_size) {
  if (out == nullptr || out_size == 0) return;
  const size_t length = std::min(text.size(), out_size - 1);
  std::memcpy(out, text.data(), length);
  out[length] = '\0';
}

inline npf_status Fail(npf_status status, std::string_view text, char* message,
                       size_t message_size) {
  CopyText(text, message, message_size);
  return status;
}

npf_status FromStatus(const absl::Status& status, char* message, size_t message_size);

// Absent where an option is one that this build does not know.
std::optional<ClassifyOptions> ToOptions(const npf_classify_options* options);

// Runs `body`, which returns an npf_status.
template <typename Body>
npf_status Guard(char* message, size_t message_size, Body body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return Fail(NPF_STATUS_LIMIT, "out of memory", message, message_size);
  } catch (...) {
    return Fail(NPF_STATUS_INTERNAL, "internal fault", message, message_size);
  }
}

}  // namespace npf::capi

#endif  // NPF_CAPI_GUARD_H_
