#include <string>

#include "capi/guard.h"
#include "npf/c.h"
#include "npf/explain.h"

extern "C" npf_status npf_explain(const npf_program* program, const npf_classify_options* options,
                                  const npf_flow_key* key, char* text, size_t text_size,
                                  size_t* length) noexcept {
  if (program == nullptr || key == nullptr || (text == nullptr && text_size > 0)) {
    return NPF_STATUS_BAD_ARGUMENT;
  }
  const auto known = npf::capi::ToOptions(options);
  if (!known) return NPF_STATUS_BAD_ARGUMENT;
  return npf::capi::Guard(text, text_size, [&] {
    const std::string lines = npf::Format(npf::Explain(program->program, *known, *key));
    npf::capi::CopyText(lines, text, text_size);
    if (length != nullptr) *length = lines.size();
    return NPF_STATUS_OK;
  });
}
