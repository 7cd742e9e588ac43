#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "capi/guard.h"
#include "npf/c.h"
#include "npf/classify.h"
#include "npf/image.h"
#include "npf/verdict.h"
#include "npf/version.h"

namespace npf::capi {

npf_status FromStatus(const absl::Status& status, char* message, size_t message_size) {
  const std::string_view text(status.message().data(), status.message().size());
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return NPF_STATUS_OK;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kFailedPrecondition:
      return Fail(NPF_STATUS_BAD_IMAGE, text, message, message_size);
    case absl::StatusCode::kResourceExhausted:
      return Fail(NPF_STATUS_LIMIT, text, message, message_size);
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kUnknown:
      return Fail(NPF_STATUS_ENVIRONMENT, text, message, message_size);
    default:
      return Fail(NPF_STATUS_INTERNAL, text, message, message_size);
  }
}

std::optional<ClassifyOptions> ToOptions(const npf_classify_options* options) {
  ClassifyOptions known;
  if (options == nullptr) return known;
  if (options->size != sizeof(npf_classify_options) || options->reserved != 0 ||
      options->directions == 0 ||
      options->directions > (NPF_CLASSIFY_INGRESS | NPF_CLASSIFY_EGRESS) ||
      options->placement > NPF_CLASSIFY_FABRIC || options->deny_unknown_pod > 1) {
    return std::nullopt;
  }
  known.directions = static_cast<DirectionMask>(options->directions);
  known.placement = static_cast<Placement>(options->placement);
  known.deny_unknown_pod = options->deny_unknown_pod != 0;
  known.generation = options->generation;
  return known;
}

namespace {

// Reads a Program with `load`, which returns a StatusOr<Program>, into a new npf_program.
template <typename Load>
npf_status LoadInto(npf_program** program, char* message, size_t message_size, Load load) {
  return Guard(message, message_size, [&] {
    absl::StatusOr<Program> loaded = load();
    if (!loaded.ok()) return FromStatus(loaded.status(), message, message_size);
    *program = new npf_program{*std::move(loaded)};
    return NPF_STATUS_OK;
  });
}

}  // namespace
}  // namespace npf::capi

extern "C" {

const char* npf_status_text(npf_status status) noexcept {
  switch (status) {
    case NPF_STATUS_OK:
      return "done";
    case NPF_STATUS_BAD_ARGUMENT:
      return "an argument is null or not known to this build";
    case NPF_STATUS_BAD_IMAGE:
      return "not an image, damaged, or of another format version";
    case NPF_STATUS_ENVIRONMENT:
      return "the file cannot be read";
    case NPF_STATUS_LIMIT:
      return "a limit was reached";
    case NPF_STATUS_INTERNAL:
      return "internal fault";
  }
  return "unknown status";
}

npf_status npf_program_load(const char* path, npf_program** program, char* message,
                            size_t message_size) noexcept {
  if (path == nullptr || program == nullptr) {
    return npf::capi::Fail(NPF_STATUS_BAD_ARGUMENT, npf_status_text(NPF_STATUS_BAD_ARGUMENT),
                           message, message_size);
  }
  return npf::capi::LoadInto(program, message, message_size, [&] { return npf::LoadImage(path); });
}

npf_status npf_program_load_bytes(const void* bytes, size_t size, npf_program** program,
                                  char* message, size_t message_size) noexcept {
  if (bytes == nullptr || program == nullptr) {
    return npf::capi::Fail(NPF_STATUS_BAD_ARGUMENT, npf_status_text(NPF_STATUS_BAD_ARGUMENT),
                           message, message_size);
  }
  return npf::capi::LoadInto(program, message, message_size, [&] {
    return npf::Program::FromImage(std::span(static_cast<const std::byte*>(bytes), size));
  });
}

void npf_program_free(npf_program* program) noexcept { delete program; }

npf_status npf_classify(const npf_program* program, const npf_classify_options* options,
                        const npf_flow_key* keys, npf_verdict* verdicts, size_t count) noexcept {
  if (program == nullptr || (count > 0 && (keys == nullptr || verdicts == nullptr))) {
    return NPF_STATUS_BAD_ARGUMENT;
  }
  const auto known = npf::capi::ToOptions(options);
  if (!known) return NPF_STATUS_BAD_ARGUMENT;
  npf::Classify(program->program, *known, std::span(keys, count), std::span(verdicts, count));
  return NPF_STATUS_OK;
}

const char* npf_classify_reason_text(uint8_t reason) noexcept {
  return npf::Name(static_cast<npf::Reason>(reason)).data();  // names are literals
}

const char* npf_version_text(void) noexcept { return npf::kLibraryVersion.data(); }

uint32_t npf_version_abi(void) noexcept { return npf::kCAbiVersion; }

}  // extern "C"
