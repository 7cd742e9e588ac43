// npf VERB -f PATH... [flags]. Everything a verb says is decided in its own file; here are the
// command line, the exit statuses that no verb decides, and the last catch of every exception.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include "npf/command_line.h"
#include "npf/exit_status.h"
#include "npf/guarded.h"
#include "npf/output.h"
#include "npf/verbs.h"
#include "npf/version.h"

namespace npf::tools {
namespace {

void AddVerbs(CommandLine& line) {
  AddValidateVerb(line);
  AddEvalVerb(line);
  AddExplainVerb(line);
  AddReplayVerb(line);
  AddCompileVerb(line);
  AddVerifyVerb(line);
  AddListVerb(line);
  AddDiffVerb(line);
  AddTestVerb(line);
  AddGapsVerb(line);
  AddLiveVerbs(line);
  AddVersionVerb(line);
}

// kubectl runs what is called kubectl-npf as `kubectl npf`.
std::string NameOfCall(const char* call) {
  const std::string_view path(call == nullptr ? "npf" : call);
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return name == "kubectl-npf" ? "kubectl npf" : "npf";
}

int Run(int argc, char** argv) {
  const std::string name = NameOfCall(argc > 0 ? argv[0] : nullptr);
  CommandLine line(
      name,
      "Kubernetes NetworkPolicy, judged as it is enforced: which traffic is allowed, and why.",
      "npf " + std::string(kLibraryVersion),
      "Exit status: 0 done, or allowed; 1 denied, or differences found; 2 bad usage; 3 bad input;\n"
      "4 environment or permission; 5 a stated limit was reached; 70 internal fault.");
  line.SetHintOfInput(
      "a path, or - for what kubectl get networkpolicies,pods,namespaces,nodes,services -A -o json "
      "| " +
      name + " VERB -f - pipes in");
  AddVerbs(line);
  int status = line.Run(argc, argv);
  if (!FlushOut()) {
    PrintError(std::string("standard output: ") + std::strerror(errno));
    if (status == kExitDone || status == kExitDenied) status = kExitEnvironment;
  }
  return status;
}

}  // namespace
}  // namespace npf::tools

int main(int argc, char** argv) {
  return npf::tools::RunGuarded([&] { return npf::tools::Run(argc, argv); });
}
