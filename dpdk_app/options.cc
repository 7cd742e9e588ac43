#include "options.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/strings/str_split.h"
#include "npf/command_line.h"
#include "npf/completion.h"
#include "npf/output.h"
#include "npf/version.h"
#include "npf/worker_flags.h"
#include "observe/settings.h"

namespace npf::appliance {
namespace {

using tools::BadUsage;
using tools::Verb;

struct Flags {
  Options options;
  tools::JudgeFlags judge{.placement = "node-wire", .unknown_pod = "deny"};
  tools::WorkerFlags worker{.opaque = "deny"};
  std::vector<std::string> pairs;
  std::vector<std::string> behind;
  std::string config;  // read before the flags are, see WithConfig
  std::string seccomp = "on";
  std::string mode = "enforce";
  std::string clock = "monotonic";
  uint64_t workers = 1;
  uint64_t buffers = 16'383;
  uint64_t mtu = 0;
  uint64_t watchdog = 5;
  std::string deny = "drop";
};

PairFlag ParsePair(const std::string& text) {
  const size_t colon = text.find(':');
  PairFlag pair{text.substr(0, colon), colon == std::string::npos ? "" : text.substr(colon + 1)};
  if (pair.a.empty() || pair.b.empty() || pair.a == pair.b) {
    throw BadUsage("--pair: needs two ports, as 0:1 or net_tap0:net_tap1 (" + text + ")");
  }
  return pair;
}

BehindFlag ParseBehind(const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
    throw BadUsage("--behind: needs PORT=NAME,NAME, as net_tap0=node-1,node-2 (" + text + ")");
  }
  return {.port = text.substr(0, equals),
          .names = absl::StrSplit(text.substr(equals + 1), ',', absl::SkipEmpty())};
}

Options& Complete(Flags& flags) {
  Options& options = flags.options;
  if (options.input.paths.empty() == options.image.empty()) {
    throw BadUsage("needs -f PATH or --image FILE, one of them");
  }
  if (flags.judge.placement == "offline") {
    throw BadUsage("--placement: offline is no place on a wire; pod-port, node-wire or fabric");
  }
  if (flags.pairs.empty()) flags.pairs.emplace_back("0:1");
  for (const std::string& text : flags.pairs) options.pairs.push_back(ParsePair(text));
  for (const std::string& text : flags.behind) options.behind.push_back(ParseBehind(text));
  options.seccomp = flags.seccomp == "on";
  options.mode = flags.mode == "audit" ? Mode::kAudit
                 : flags.mode == "tap" ? Mode::kTap
                                       : Mode::kEnforce;
  options.mode_name = flags.mode;
  options.placement = flags.judge.placement;
  options.overlays = tools::OverlaysOf(flags.worker);
  options.worker = tools::ToWorkerOptions(
      flags.worker, options.overlays.has_value() ? &*options.overlays : nullptr);
  options.worker.classify = tools::ToClassifyOptions(flags.judge);
  options.workers = static_cast<uint32_t>(flags.workers);
  options.buffers = static_cast<uint32_t>(flags.buffers);
  options.mtu = static_cast<uint16_t>(flags.mtu);
  options.watchdog_ns = flags.watchdog * 1'000'000'000;
  options.reject = flags.deny == "reject";
  options.packet_clock = flags.clock == "packet";
  return options;
}

void AddWireFlags(Verb& verb, Flags& flags) {
  verb.AddTexts("--pair", flags.pairs,
                "A:B: two ports, by number or name, that are one wire; default 0:1; repeatable");
  verb.AddTexts(
      "--behind", flags.behind,
      "PORT=NAME,NAME: the nodes behind a port, or with --placement pod-port its pods, as "
      "shop/web-0; repeatable");
  verb.AddChoice("--mode", flags.mode, {"enforce", "audit", "tap"},
                 "enforce; audit: forward everything, and count and tell what would be denied; "
                 "tap: forward nothing");
  verb.AddNumber("--workers", flags.workers, {1, 64},
                 "lcores that judge; each has its own share of the connections");
  verb.AddNumber("--buffers", flags.buffers, {1023, 1 << 24}, "packet buffers of a port");
  verb.AddNumber("--mtu", flags.mtu, {0, 9'600},
                 "of cards that DPDK drives; 0: as it is. Interfaces of the kernel have their own");
  verb.AddChoice(
      "--deny", flags.deny, {"drop", "reject"},
      "what becomes of a packet that policy denies: dropped without a word, or its sender "
      "is told by TCP RST or ICMP, at most 100 times a second and worker");
  verb.AddNumber("--watchdog", flags.watchdog, {0, 3'600},
                 "seconds: a worker that is silent for so long ends the process, so that its "
                 "supervisor starts it anew; 0: none does");
  verb.AddChoice("--clock", flags.clock, {"monotonic", "packet"},
                 "the machine's, or the time that packets bear (net_pcap)");
  tools::AddJudgeFlags(verb, flags.judge);
  tools::AddWorkerFlags(verb, flags.worker);
}

void AddServiceFlags(Verb& verb, Flags& flags) {
  Options& options = flags.options;
  verb.AddTexts("--eal", options.eal,
                "an argument for DPDK, as those before --; for --config; repeatable");
  verb.AddText("--image", options.image, "a compiled image in place of -f");
  verb.AddFlag("--allow-all", options.allow_all,
               "an input without any object is meant, and allows everything");
  verb.AddFlag("--follow", options.follow,
               "read what -f, --image and --domains name again when it changes");
  verb.AddFlag("--pdump", options.pdump,
               "dpdk-dumpcap and dpdk-pdump may attach, and see every packet; needs huge pages");
  verb.AddFlag(
      "--fail-open", options.fail_open,
      "where no policy can be read at the start, FORWARD EVERYTHING until one can, instead "
      "of ending");
  verb.AddText("--control", options.control, "the socket of npf status, load, wait and watch");
  verb.AddText("--metrics", options.metrics,
               "ADDRESS:PORT of /metrics, /healthz and /readyz over HTTP");
  verb.AddText(
      "--state-dir", options.state_dir,
      "where the last good policy is kept: the next start begins with it, and then reads -f");
  verb.AddText("--flows-dir", options.flows_dir,
               "where connections are kept for the next start: on a file system in memory, as "
               "/run/npf");
  verb.AddText("--deny-log", options.deny_log, "a file, or -, of denied packets, JSON lines");
  verb.AddText("--verdicts", options.verdicts,
               "a file of every packet's verdict, JSON lines; for tests: it is slow");
  verb.AddChoice("--seccomp", flags.seccomp, {"on", "off"},
                 "whether system calls that it does not need are refused; off: for drivers that "
                 "need others");
  verb.AddText("--user", options.user, "become this user once the ports are there");
}

// Its settings stand before the flags.
std::vector<std::string> WithConfig(std::vector<std::string> arguments, const Verb& verb) {
  constexpr std::string_view kJoined = "--config=";
  const auto config = std::find_if(
      arguments.begin(), arguments.end(),
      [&](const std::string& text) { return text == "--config" || text.starts_with(kJoined); });
  const bool joined = config != arguments.end() && *config != "--config";
  if (config == arguments.end() || (!joined && config + 1 == arguments.end())) return arguments;
  const std::string path = joined ? config->substr(kJoined.size()) : *(config + 1);
  arguments.erase(config, config + (joined ? 1 : 2));
  std::vector<std::string> known = verb.OptionNames();
  std::erase(known, "config");
  absl::StatusOr<std::vector<observe::SettingArgument>> settings =
      observe::ReadSettings(path, known);
  if (!settings.ok()) throw BadUsage("--config: " + std::string(settings.status().message()));
  std::vector<std::string> added;
  for (const observe::SettingArgument& setting : *settings) {
    const bool is_flag = setting.value == "true" || setting.value == "false";
    if (setting.value != "false") added.push_back(setting.flag);
    if (!is_flag) added.push_back(setting.value);
  }
  arguments.insert(arguments.begin() + 2, added.begin(), added.end());
  return arguments;
}

void AddFlags(Verb& verb, Flags& flags) {
  verb.AddText("--config", flags.config,
               "a YAML file of these flags by their names; repeatable ones may go on beside it");
  tools::AddInputFlags(verb, flags.options.input, tools::InputNeed::kOptional);
  AddServiceFlags(verb, flags);
  AddWireFlags(verb, flags);
}

}  // namespace

int ParseOptions(std::vector<std::string> arguments, const std::function<int(Options&)>& run,
                 const std::function<int(const Options&)>& check) {
  tools::CommandLine line(
      "npf-dpdk", "A wire between two ports with Kubernetes NetworkPolicy on it.",
      "npf-dpdk " + std::string(kLibraryVersion),
      "What stands before -- is for DPDK (see its EAL options). Without a verb, run is meant.\n"
      "Exit status: 0 ended as asked; 2 bad usage; 3 bad input; 4 environment or permission;\n"
      "5 a stated limit was reached; 70 internal fault.");
  line.SetManual(
      {.section = 8, .one_page = true, .synopsis = "[EAL options] -- [run|check] [options]"});
  Flags flags;
  Verb run_verb = line.AddVerb("run", "judge and forward, until SIGTERM or SIGINT");
  AddFlags(run_verb, flags);
  run_verb.SetFooter(
      "Example:\n"
      "  npf-dpdk -l 1 --no-huge -m 256 --vdev=net_af_packet0,iface=eth1 "
      "--vdev=net_af_packet1,iface=eth2 \\\n"
      "    -- -f policies/ -f cluster.yaml --control /run/npf/npf.sock\n"
      "SIGHUP reads -f again. Nothing is forwarded before the first policy is active.");
  run_verb.OnRun([&] { return run(Complete(flags)); });
  Verb check_verb = line.AddVerb("check", "what is missing on this machine, and how to mend it");
  AddFlags(check_verb, flags);
  check_verb.OnRun([&] {
    flags.options.workers = static_cast<uint32_t>(flags.workers);
    return check(flags.options);
  });
  const bool has_verb = arguments.size() > 1 && !arguments[1].starts_with("-");
  const bool asks = arguments.size() > 1 && (arguments[1] == "--help" || arguments[1] == "-h" ||
                                             arguments[1] == "--version");
  if (!has_verb && !asks) arguments.insert(arguments.begin() + 1, "run");
  try {
    const bool asked_by_shell = has_verb && arguments[1] == tools::kCompleteWord;
    if (!asked_by_shell) arguments = WithConfig(std::move(arguments), run_verb);
  } catch (const BadUsage& usage) {
    tools::PrintError(usage.what());
    return tools::kExitUsage;
  }
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  return line.Run(static_cast<int>(arguments.size()), pointers.data());
}

}  // namespace npf::appliance
