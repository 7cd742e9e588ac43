// npf-dpdk [EAL options] -- [run|check] [options].
//
// The main thread waits for signals; the workers are EAL's.
#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "appliance.h"
#include "npf/compile_input.h"
#include "npf/exit_status.h"
#include "npf/output.h"
#include "options.h"
#include "telling.h"

namespace npf::appliance {
namespace {

// Those that end it, and SIGHUP; blocked in every thread, and waited for in the main one.
sigset_t HandledSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

int WaitForTheEnd(Appliance& appliance) {
  const sigset_t set = HandledSignals();
  while (true) {
    int signal = 0;
    if (sigwait(&set, &signal) != 0) continue;
    if (signal != SIGHUP) return tools::kExitDone;
    if (const absl::Status status = appliance.Reload(); status.ok()) {
      tools::PrintError("read again: " + appliance.policy()->source);
    } else {
      tools::PrintError(std::string(status.message()));
      tools::PrintError("nothing has changed");
    }
  }
}

int Run(const std::vector<std::string>& eal, Options& options) {
  std::vector<std::string> arguments = eal;
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  const sigset_t set = HandledSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  if (rte_eal_init(static_cast<int>(arguments.size()), pointers.data()) < 0) {
    tools::PrintError(absl::StrCat("DPDK does not start: ", rte_strerror(rte_errno),
                                   "; npf-dpdk check says what is missing"));
    return tools::kExitEnvironment;
  }
  int status = tools::kExitDone;
  {
    Appliance appliance(options);
    absl::Status opened = appliance.Open();
    if (opened.ok()) opened = appliance.Start();
    auto telling = std::make_unique<Telling>(options, appliance);
    if (opened.ok()) opened = telling->Start();
    if (opened.ok()) {
      const control::Status now = appliance.GetStatus();
      tools::PrintError(absl::StrCat("forwarding, mode ", now.mode, ", placement ", now.placement,
                                     ", ", now.policies, " policies, ", now.pods, " pods"));
      status = WaitForTheEnd(appliance);
    } else {
      status = tools::ReportStatus(opened);
    }
    telling.reset();  // nobody asks any more
    appliance.Stop();
  }
  rte_eal_cleanup();
  return status;
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
  return ParseOptions(
      ours, [&](Options& options) { return Run(eal, options); },
      [](const Options&) { return tools::kExitDone; });
}

}  // namespace
}  // namespace npf::appliance

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return npf::appliance::Main(argc, argv);
  } catch (const std::bad_alloc&) {
    npf::tools::PrintError("out of memory");
    return npf::tools::kExitLimit;
  } catch (...) {
    npf::tools::PrintError("internal fault");
    return npf::tools::kExitInternal;
  }
}
