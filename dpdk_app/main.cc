// npf-dpdk [EAL options] -- [run|check] [options].
//
// The main thread waits for signals; the workers are EAL's.
#include <linux/capability.h>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_pdump.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "appliance.h"
#include "check.h"
#include "eal_arguments.h"
#include "following.h"
#include "npf/compile_input.h"
#include "npf/completion.h"
#include "npf/exit_status.h"
#include "npf/guarded.h"
#include "npf/output.h"
#include "observe/privileges.h"
#include "observe/systemd.h"
#include "options.h"
#include "telemetry.h"
#include "telling.h"
#include "watching.h"

namespace npf::appliance {
namespace {

// Those that end it, and SIGHUP; blocked in every thread, and waited for in the main one.
sigset_t HandledSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

void WaitForTheEnd(Following& following, const observe::Notifier& notifier) {
  const sigset_t set = HandledSignals();
  int signal = 0;
  while (sigwait(&set, &signal) != 0 || signal == SIGHUP) following.ReadAgain();
  notifier.Stopping("asked to end");
}

// What the process needs no longer once its ports are open. Sockets of packets want their own
// capability for as long as they are read.
absl::Status GiveUpRights(const Options& options) {
  if (absl::Status status = observe::SetNotDumpable(); !status.ok()) return status;
  if (absl::Status status = observe::SetNoNewPrivileges(); !status.ok()) return status;
  return observe::DropPrivileges({.user = options.user, .keep = {CAP_NET_RAW, CAP_NET_ADMIN}});
}

absl::Status StartAll(Appliance& appliance, Telling& telling, Watching& watching,
                      const Options& options) {
  if (absl::Status status = appliance.Open(); !status.ok()) return status;
  if (absl::Status status = telling.OpenSocket(); !status.ok()) return status;
  if (options.pdump && rte_pdump_init() != 0) {
    return absl::UnavailableError(absl::StrCat("--pdump: ", rte_strerror(rte_errno)));
  }
  if (absl::Status status = GiveUpRights(options); !status.ok()) return status;
  appliance.SetWatching(&watching);
  if (absl::Status status = telling.Start(); !status.ok()) return status;
  if (absl::Status status = appliance.Start(); !status.ok()) return status;
  watching.Start();
  return options.seccomp ? observe::InstallSyscallFilter() : absl::OkStatus();
}

std::string Beginning(const control::Status& status) {
  return absl::StrCat(status.mode == "tap" ? "watching" : "forwarding", ", mode ", status.mode,
                      ", placement ", status.placement, ", ", status.policies, " policies, ",
                      status.pods, " pods");
}

int Serve(const Options& options) {
  absl::StatusOr<observe::Notifier> notifier = observe::Notifier::FromEnvironment();
  if (!notifier.ok()) return tools::ReportStatus(notifier.status());
  Appliance appliance(options);
  auto following = std::make_unique<Following>(options, appliance);
  auto telling = std::make_unique<Telling>(options, appliance);
  auto watching = std::make_unique<Watching>(options, appliance, *std::move(notifier));
  absl::Status started = StartAll(appliance, *telling, *watching, options);
  Telemetry telemetry;
  if (started.ok()) started = telemetry.Start(appliance);
  if (started.ok()) {
    const std::string beginning = Beginning(appliance.GetStatus());
    tools::PrintError(beginning);
    watching->notifier().Ready(beginning);
    following->Start(watching->notifier());
    WaitForTheEnd(*following, watching->notifier());
  }
  const bool still_reads = !following->Stop();
  telling.reset();  // nobody asks any more
  appliance.SetWatching(nullptr);
  watching.reset();
  appliance.Stop();
  if (still_reads) std::_Exit(tools::kExitDone);  // nothing that it reads decides any more
  if (options.pdump) rte_pdump_uninit();
  return started.ok() ? tools::kExitDone : tools::ReportStatus(started);
}

int Run(std::vector<std::string> arguments, const Options& options) {
  const std::vector<std::string> missing = MissingInterfaces(arguments);
  for (const std::string& fault : missing) tools::PrintError(fault);
  if (!missing.empty()) return tools::kExitEnvironment;
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  const sigset_t set = HandledSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  if (rte_eal_init(static_cast<int>(arguments.size()), pointers.data()) < 0) {
    tools::PrintError("DPDK does not start: " + WhyNoStart(arguments, rte_errno));
    return tools::kExitEnvironment;
  }
  const int status = Serve(options);
  rte_eal_cleanup();
  return status;
}

// What a shell asks about: what stands behind --, where options mean those of run.
std::vector<std::string> QuestionOfShell(const std::vector<std::string>& all) {
  std::vector<std::string> ours{all[0], all[1]};
  const auto end_of_eal = std::find(all.begin() + 2, all.end(), "--");
  const auto first = end_of_eal == all.end() ? all.begin() + 2 : end_of_eal + 1;
  if (first != all.end() && first->starts_with('-')) ours.emplace_back("run");
  ours.insert(ours.end(), first, all.end());
  return ours;
}

int Main(int argc, char** argv) {
  const std::vector<std::string> all(argv, argv + argc);
  std::vector<std::string> eal{all[0]};
  std::vector<std::string> ours{all[0]};
  bool behind = false;
  for (size_t i = 1; i < all.size(); ++i) {
    if (all[i] == "--" && !behind) {
      behind = true;
    } else {
      (behind ? ours : eal).push_back(all[i]);
    }
  }
  // Without --, all are ours: npf-dpdk check, npf-dpdk --help.
  if (!behind) std::swap(eal, ours);
  if (all.size() > 1 && all[1] == tools::kCompleteWord) ours = QuestionOfShell(all);
  const auto with_more = [&](const Options& options) {
    std::vector<std::string> arguments = eal;
    arguments.insert(arguments.end(), options.eal.begin(), options.eal.end());
    return arguments;
  };
  return ParseOptions(
      ours, [&](Options& options) { return Run(with_more(options), options); },
      [&](const Options& options) { return RunCheck(options, with_more(options)); });
}

}  // namespace
}  // namespace npf::appliance

int main(int argc, char** argv) {
  return npf::tools::RunGuarded([&] { return npf::appliance::Main(argc, argv); });
}
