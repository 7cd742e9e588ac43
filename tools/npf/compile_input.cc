#include "npf/compile_input.h"

#include <string>
#include <string_view>
#include <utility>

#include "npf/output.h"

namespace npf::tools {

int ReportStatus(const absl::Status& status) {
  PrintError(std::string_view(status.message().data(), status.message().size()));
  switch (status.code()) {
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kDeadlineExceeded:
      return kExitLimit;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kFailedPrecondition:
      return kExitBadInput;
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnavailable:
      return kExitEnvironment;
    default:
      return kExitInternal;
  }
}

CompiledInput CompileInput(const InputFlags& flags, const CompileOptions& options) {
  CompiledInput compiled;
  compiled.input = LoadInput(flags);
  if (!compiled.input.snapshot.has_value()) {
    compiled.exit_status = compiled.input.exit_status;
    return compiled;
  }
  const Snapshot& snapshot = *compiled.input.snapshot;
  absl::StatusOr<Program> program = Compile(snapshot, options, &compiled.report);
  if (program.ok()) {
    compiled.program = *std::move(program);
  } else {
    compiled.exit_status = ReportStatus(program.status());
  }
  return compiled;
}

}  // namespace npf::tools
