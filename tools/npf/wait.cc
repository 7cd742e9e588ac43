// `npf wait --generation N`: until every worker of an appliance decides by that generation.
#include <memory>
#include <string>

#include "npf/command_line.h"
#include "npf/exit_status.h"
#include "npf/live.h"
#include "npf/output.h"
#include "npf/verbs.h"

namespace npf::tools {
namespace {

struct WaitFlags {
  std::string socket;
  uint64_t generation = 1;
  std::string timeout = "30s";
};

int RunWait(const WaitFlags& flags) {
  const auto client = ConnectLive(flags.socket);
  if (client == nullptr) return kExitEnvironment;
  const absl::Status done =
      client->WaitFor(static_cast<uint32_t>(flags.generation), *ParseDuration(flags.timeout));
  if (done.code() == absl::StatusCode::kDeadlineExceeded) {
    PrintError("generation " + std::to_string(flags.generation) +
               " does not decide in every worker after " + flags.timeout);
    return kExitLimit;
  }
  return done.ok() ? kExitDone : ReportLive(done);
}

}  // namespace

void AddWaitVerb(CommandLine& line) {
  Verb verb = line.AddVerb("wait", "until a running appliance decides by a generation, or a later");
  auto flags = std::make_shared<WaitFlags>();
  AddSocketFlag(verb, flags->socket);
  verb.AddNumber("--generation", flags->generation, {.min = 1, .max = UINT32_MAX},
                 "what `npf load` said");
  verb.AddText("--timeout", flags->timeout, "how long; ten minutes at most")
      .ShowDefault()
      .Check(CheckDuration, "TIME");
  verb.SetFooter(
      "Status 0 when it does, 5 when the time is over.\n\n"
      "Example:\n"
      "  npf wait --generation 7 --timeout 5s");
  verb.OnRun([flags] { return RunWait(*flags); });
}

}  // namespace npf::tools
