// npf VERB -f PATH... [flags]. Everything a verb says is decided in its own file; here are the
// command line, the exit statuses that no verb decides, and the last catch of every exception.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>
#include <string>

#include <CLI/CLI.hpp>

#include "npf/exit_status.h"
#include "npf/output.h"
#include "npf/verbs.h"
#include "npf/version.h"

namespace npf::tools {
namespace {

void AddVerbs(CLI::App& app, int& exit_status) {
  AddValidateVerb(app, exit_status);
  AddEvalVerb(app, exit_status);
  AddExplainVerb(app, exit_status);
  AddReplayVerb(app, exit_status);
  AddCompileVerb(app, exit_status);
  AddVerifyVerb(app, exit_status);
  AddVersionVerb(app, exit_status);
}

// One line, whatever CLI11 put into its message.
int UsageError(const CLI::App& app, std::string text) {
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  std::string command = "npf";
  for (const CLI::App* verb : app.get_subcommands()) command += " " + verb->get_name();
  PrintError(text + "; see " + command + " --help");
  return kExitUsage;
}

int Parse(CLI::App& app, int argc, char** argv, int& exit_status) {
  try {
    app.parse(argc, argv);
    return exit_status;
  } catch (const CLI::Success& asked) {  // --help, --version
    return app.exit(asked) == 0 ? kExitDone : kExitInternal;
  } catch (const CLI::ParseError& error) {
    return UsageError(app, error.what());
  }
}

int Run(int argc, char** argv) {
  CLI::App app(
      "Kubernetes NetworkPolicy, judged as it is enforced: which traffic is allowed, and why.",
      "npf");
  app.set_version_flag("--version", "npf " + std::string(kLibraryVersion));
  app.require_subcommand(1);
  app.fallthrough(false);
  app.footer(
      "Exit status: 0 done, or allowed; 1 denied, or differences found; 2 bad usage; 3 bad input;\n"
      "4 environment or permission; 5 a stated limit was reached; 70 internal fault.");
  int exit_status = kExitDone;
  AddVerbs(app, exit_status);
  int status = Parse(app, argc, argv, exit_status);
  if (!FlushOut()) {
    PrintError(std::string("standard output: ") + std::strerror(errno));
    if (status == kExitDone || status == kExitDenied) status = kExitEnvironment;
  }
  return status;
}

}  // namespace
}  // namespace npf::tools

int main(int argc, char** argv) {
  // A reader that goes away is an error of writing, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return npf::tools::Run(argc, argv);
  } catch (const std::bad_alloc&) {
    npf::tools::PrintError("out of memory");
    return npf::tools::kExitLimit;
  } catch (...) {
    npf::tools::PrintError("internal fault");
    return npf::tools::kExitInternal;
  }
}
