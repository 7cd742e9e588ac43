// `npf test FILE... -f PATH...`: do these policies allow and deny what somebody wrote down?
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "npf/address_names.h"
#include "npf/command_line.h"
#include "npf/compile_input.h"
#include "npf/domains.h"
#include "npf/exit_status.h"
#include "npf/expectation.h"
#include "npf/expectation_check.h"
#include "npf/output.h"
#include "npf/test_report.h"
#include "npf/verbs.h"
#include "npf/why.h"

namespace npf::tools {
namespace {

struct TestFlags {
  InputFlags input;
  std::vector<std::string> files;
  std::string output = "table";
};

int ReportErrors(const Diagnostics& diagnostics, const ExpectationFile& file) {
  PrintDiagnostics(diagnostics, file.files);
  return ExitStatusOf(diagnostics);
}

std::string Report(const TestResults& results, const std::string& output) {
  if (output == "tap") return TestTap(results);
  if (output == "junit") return TestJunit(results);
  if (output == "json") return TestJson(results);
  return TestTable(results);
}

int RunTest(const TestFlags& flags) {
  Diagnostics diagnostics;
  const ExpectationFile file =
      ReadExpectations(flags.files, flags.input.default_namespace, diagnostics);
  if (!diagnostics.ok()) return ReportErrors(diagnostics, file);
  const CompiledInput compiled = CompileInput(flags.input);
  if (!compiled.program) return compiled.exit_status;
  const Snapshot& snapshot = *compiled.input.snapshot;
  const std::vector<Outcome> outcomes =
      CheckExpectations(snapshot, *compiled.program, file.expectations, diagnostics);
  if (!diagnostics.all().empty()) PrintDiagnostics(diagnostics, file.files);
  if (!diagnostics.ok()) return ExitStatusOf(diagnostics);
  const Places places(snapshot);
  const AddressNames names(snapshot);
  const int64_t now_s = flags.input.now.empty() ? std::time(nullptr) : *ParseTime(flags.input.now);
  const TestResults results{file, outcomes, *compiled.program, places, names, now_s};
  WriteOut(Report(results, flags.output));
  return FailedCount(results) == 0 ? kExitDone : kExitDenied;
}

}  // namespace

void AddTestVerb(CommandLine& line) {
  Verb verb = line.AddVerb("test", "check expectations: who is to reach whom, and who is not");
  auto flags = std::make_shared<TestFlags>();
  flags->input.assume_addresses = true;
  AddInputFlags(verb, flags->input);
  verb.AddTexts("FILE", flags->files, "files of expectations, YAML or JSON, or -")
      .Required()
      .SeveralAtOnce();
  verb.AddChoice("-o,--output", flags->output, {"table", "tap", "junit", "json"},
                 "table, tap, junit or json");
  verb.SetFooter(
      "Each expectation is checked for every pod, address and port that it speaks of. Status 0\n"
      "where all hold, 1 where one does not, 3 where one is wrong or concerns nothing.\n\n"
      "Example:\n"
      "  npf test expectations.yaml -f policies.yaml -f cluster.yaml\n\n"
      "  namespace: shop\n"
      "  expectations:\n"
      "  - {from: frontend, to: \"api:8080\", expect: allow}\n"
      "  - {from: any, not-from: api, to: \"postgres:5432\", expect: deny}");
  verb.OnRun([flags] { return RunTest(*flags); });
}

}  // namespace npf::tools
