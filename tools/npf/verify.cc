// `npf verify`: that the compiled structure answers as the reference evaluator does. verifier.h
// says what is asked.
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "npf/command_line.h"
#include "npf/compile_input.h"
#include "npf/exit_status.h"
#include "npf/image.h"
#include "npf/judge_flags.h"
#include "npf/output.h"
#include "npf/verbs.h"
#include "npf/verifier.h"

namespace npf::tools {
namespace {

struct VerifyFlags {
  InputFlags input;
  JudgeFlags judge;
  std::string program;
  std::string output = "table";
  uint64_t extra_max = VerifyOptions{}.extra_max;
};

void ShowProgress(uint64_t done, uint64_t all) {
  std::fprintf(stderr, "\rverify %3d %%", static_cast<int>(std::min(done, all) * 100 / (all + 1)));
}

std::string Json(const VerifyOutcome& outcome) {
  const auto number = [](const char* name, uint64_t value) {
    return JsonString(name) + ":" + std::to_string(value);
  };
  return "{" + number("address_classes", outcome.address_classes) + "," +
         number("port_classes", outcome.port_classes) + "," +
         number("class_decisions", outcome.class_decisions) + "," +
         number("extra_decisions", outcome.extra_decisions) + "," +
         number("extra_all", outcome.extra_all) + "," + number("differences", outcome.differences) +
         ",\"witness\":" + (outcome.witness ? JsonString(Describe(*outcome.witness)) : "null") +
         "}\n";
}

// Where all is well the table is silent: the figures go to stderr.
void Print(const VerifyOutcome& outcome, const std::string& output) {
  if (output == "json") {
    WriteOut(Json(outcome));
    return;
  }
  PrintError(std::to_string(outcome.address_classes) + " address classes, " +
             std::to_string(outcome.port_classes) + " port classes: all " +
             std::to_string(outcome.class_decisions) + " decisions of pairs, and " +
             std::to_string(outcome.extra_decisions) + " of " + std::to_string(outcome.extra_all) +
             " on members, own nodes and ports: " + std::to_string(outcome.differences) +
             " differences");
  if (outcome.witness) WriteOut(Describe(*outcome.witness) + "\n");
}

int RunVerify(const VerifyFlags& flags) {
  LoadedInput input;
  std::optional<Program> program;
  if (flags.program.empty()) {
    CompiledInput compiled = CompileInput(flags.input);
    if (!compiled.program) return compiled.exit_status;
    input = std::move(compiled.input);
    program = std::move(compiled.program);
  } else {
    input = LoadInput(flags.input);
    if (!input.snapshot) return input.exit_status;
    absl::StatusOr<Program> loaded = LoadImage(flags.program);
    if (!loaded.ok()) return ReportStatus(loaded.status());
    program = *std::move(loaded);
  }
  VerifyOptions options;
  options.classify = ToClassifyOptions(flags.judge);
  options.extra_max = flags.extra_max;
  const bool terminal = isatty(STDERR_FILENO) != 0;
  if (terminal) options.progress = ShowProgress;
  const VerifyOutcome outcome = VerifyProgram(*input.snapshot, *program, options);
  if (terminal) std::fprintf(stderr, "\r            \r");
  Print(outcome, flags.output);
  return outcome.differences == 0 ? kExitDone : kExitDenied;
}

}  // namespace

void AddVerifyVerb(CommandLine& line) {
  Verb verb = line.AddVerb(
      "verify", "prove that the compiled structure answers as the reference evaluator does");
  auto flags = std::make_shared<VerifyFlags>();
  AddInputFlags(verb, flags->input);
  verb.AddChoice("--placement", flags->judge.placement,
                 {"offline", "pod-port", "node-wire", "fabric"}, "as in eval");
  verb.AddChoice("--unknown-pod", flags->judge.unknown_pod, {"external", "deny"}, "as in eval");
  verb.AddText("--program", flags->program, "verify this image instead of compiling the input");
  verb.AddPositiveNumber("--extra-max", flags->extra_max,
                         "decisions on members, own nodes and ports, beside all pairs of classes");
  verb.AddChoice("-o,--output", flags->output, {"table", "json"}, "table or json");
  verb.SetFooter(
      "Every ordered pair of address classes, by every port class, in each direction alone and in\n"
      "both. Silent on standard output where all agree; else one witness, and status 1.\n\n"
      "Example:\n"
      "  npf verify -f policies.yaml -f cluster.yaml\n"
      "  npf verify --program shop.npf -f policies.yaml -f cluster.yaml");
  verb.OnRun([flags] { return RunVerify(*flags); });
}

}  // namespace npf::tools
