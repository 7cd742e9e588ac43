// From the input flags to a compiled Program: what every verb that judges begins with.
#ifndef NPF_TOOLS_NPF_COMPILE_INPUT_H_
#define NPF_TOOLS_NPF_COMPILE_INPUT_H_

#include <optional>

#include "absl/status/status.h"
#include "npf/compiler.h"
#include "npf/exit_status.h"
#include "npf/input.h"
#include "npf/program.h"

namespace npf::tools {

struct CompiledInput {
  LoadedInput input;
  std::optional<Program> program;  // absent where the input cannot be used
  CompileReport report;
  int exit_status = kExitDone;  // what to return where it is absent
};

// Loads and compiles. Every error and warning, of loading and of compiling, is told on stderr.
CompiledInput CompileInput(const InputFlags& flags, const CompileOptions& options = {});

// Tells a failure of the library on stderr and says how the process should end.
int ReportStatus(const absl::Status& status);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_COMPILE_INPUT_H_
