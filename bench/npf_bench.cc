// npf-bench: how fast packets are judged, beside what others would use.
//
//   npf-bench                                       workload std, uniform traffic, every stage
//   npf-bench --workload large --traffic zipf --rivals on
//   npf-bench -f policies/ -f cluster.yaml --trace trace.pcap
//   npf-bench -o json > old.json; ...; npf-bench --compare old.json
//   npf-bench --sweep -o json > sweep.json && npf-bench report sweep.json old.json -o report.html
#include <CLI/CLI.hpp>
#include <algorithm>
#include <fstream>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bench_run.h"
#include "capture_verdicts.h"
#include "connections.h"
#include "floods.h"
#include "html_report.h"
#include "machine.h"
#include "named_workloads.h"
#include "npf/command_line.h"
#include "npf/compile_input.h"
#include "npf/exit_status.h"
#include "npf/input.h"
#include "npf/output.h"
#include "npf/version.h"
#include "report_json.h"
#include "report_text.h"
#include "sweep.h"
#include "table.h"

namespace npf::bench {
namespace {

struct Flags {
  std::string workload = "std";
  std::vector<std::string> paths;
  std::string trace = "synthetic";
  std::string traffic = "uniform";
  std::string family = "v4";
  std::string stage = "all";
  std::string rivals = "off";
  std::string kernel = "auto";
  std::string checksums;  // empty: as the mode has it
  std::string frames = "64";
  std::string output = "table";
  std::string compare;
  std::optional<Report> old_report;  // that `compare` names
  std::string html;
  size_t rounds = 15;
  size_t packets = 512 * 1024;
  uint64_t seed = 1;
  int cpu = -1;
  bool verdicts = false;
  bool connections = false;
  bool floods = false;
  bool sweep = false;
  bool table = false;
};

struct ReportFlags {
  std::vector<std::string> paths;
  std::string html = "report.html";
};

int Fail(const absl::Status& status) { return tools::ReportStatus(status); }

absl::Status Named(const std::string& path, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(path, ": ", std::string(status.message())));
}

Checksums ToChecksums(const std::string& name, Checksums otherwise) {
  if (name == "verify") return Checksums::kVerify;
  if (name == "ip") return Checksums::kIpOnly;
  return name == "ignore" ? Checksums::kIgnore : otherwise;
}

// Those that `name` stands for and that work here.
std::vector<Kernel> ToKernels(const std::string& name) {
  std::vector<Kernel> kernels;
  const Kernel automatic = ActiveKernel();
  for (const Kernel kernel : {Kernel::kScalar, Kernel::kAvx512}) {
    const bool asked =
        name == "all" || Name(kernel) == name || (name == "auto" && kernel == automatic);
    if (asked && SelectKernel(kernel)) kernels.push_back(kernel);
  }
  SelectKernel(automatic);
  return kernels;
}

RunOptions ToRunOptions(const Flags& flags) {
  const bool all = flags.stage == "all";
  return {.addr = all || flags.stage == "addr",
          .decide = all || flags.stage == "decide",
          .parse_decide = all || flags.stage == "parse+decide",
          .latency = all || flags.stage == "latency",
          .rivals = flags.rivals == "on",
          .rounds = flags.rounds,
          .kernels = ToKernels(flags.kernel),
          .checksums = ToChecksums(flags.checksums, Checksums::kIgnore)};
}

absl::StatusOr<CompiledCluster> LoadCluster(const Flags& flags, int& exit_status) {
  if (flags.paths.empty()) {
    std::optional<Cluster> cluster =
        MakeNamedCluster(flags.workload, *ParseIpFamilies(flags.family));
    return CompileCluster(flags.workload, Freeze(*std::move(cluster)));
  }
  tools::InputFlags input;
  input.paths = flags.paths;
  tools::LoadedInput loaded = tools::LoadInput(input);
  if (loaded.snapshot.has_value()) return CompileCluster("files", *std::move(loaded.snapshot));
  exit_status = loaded.exit_status;
  return absl::InvalidArgumentError("the input cannot be used");
}

absl::StatusOr<Packets> GetPackets(const Flags& flags, const CompiledCluster& cluster) {
  if (flags.trace != "synthetic") {
    absl::StatusOr<Packets> read =
        ReadTrace(flags.trace, ToChecksums(flags.checksums, Checksums::kIgnore), flags.packets);
    if (!read.ok()) return Named(flags.trace, read.status());
    return read;
  }
  Packets packets = MakePackets(cluster,
                                {.kind = *ParseTrafficKind(flags.traffic),
                                 .families = *ParseIpFamilies(flags.family),
                                 .packets = flags.packets,
                                 .seed = flags.seed},
                                flags.frames == "imix" ? FrameSizes::kImix : FrameSizes::kSmallest);
  if (packets.keys.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("no pod has an address of family ", flags.family));
  }
  return packets;
}

// Where rivals hold a part of the cluster, packets to that part are another scene.
void MeasureExpansions(const Flags& flags, const CompiledCluster& cluster, const Bench& bench,
                       Report& report) {
  for (const Expansion& expansion : bench.expansions()) {
    report.scenes.push_back(bench.Measure(
        MakePacketsTo(expansion, cluster, {.packets = flags.packets, .seed = flags.seed})));
  }
}

int WritePage(const std::string& path, std::span<const Report> reports) {
  std::ofstream file(path);
  file << ToHtml(reports);
  file.close();
  if (file) return tools::kExitDone;
  tools::PrintError(path + ": cannot be written");
  return tools::kExitEnvironment;
}

int Tell(const Flags& flags, const Report& report) {
  std::string text = flags.output == "json" ? ToJson(report) : ToText(report);
  if (flags.old_report.has_value()) {
    absl::StrAppend(&text, "\n", CompareText(*flags.old_report, report));
  }
  if (!tools::WriteOut(text)) return tools::kExitEnvironment;
  if (!flags.html.empty()) {
    const int status = WritePage(flags.html, {&report, 1});
    if (status != tools::kExitDone) return status;
  }
  return Disagreements(report) == 0 ? tools::kExitDone : tools::kExitDenied;
}

int TellVerdicts(const Flags& flags, const CompiledCluster& cluster) {
  const absl::StatusOr<CaptureVerdicts> counted = CountCaptureVerdicts(
      cluster.program, flags.trace, ToChecksums(flags.checksums, Checksums::kVerify));
  if (!counted.ok()) return Fail(Named(flags.trace, counted.status()));
  tools::Table table({"VERDICT", ">PACKETS"});
  for (const auto& [verdict, packets] : counted->counts) {
    table.AddRow({verdict, absl::StrCat(packets)});
  }
  table.AddRow({"all", absl::StrCat(counted->packets)});
  tools::WriteOut(table.Text());
  return counted->end.ok() ? tools::kExitDone : Fail(Named(flags.trace, counted->end));
}

int RunTable(const Flags& flags, Report& report) {
  const absl::Status status = MeasureTableScenes(
      ToRunOptions(flags), {.packets = flags.packets, .seed = flags.seed}, report);
  if (!status.ok()) return Fail(status);
  const std::vector<TableRow> rows = MakeTable(report, CountInstructions());
  for (const std::string& line : report.missing) tools::PrintError("missing: " + line);
  std::string text = absl::StrCat(MachineText(report), "\n\n", ToText(rows));
  if (flags.output == "json") text = ToJson(report);
  if (!tools::WriteOut(text)) return tools::kExitEnvironment;
  if (!flags.html.empty()) WritePage(flags.html, {&report, 1});
  const bool over = std::ranges::find(rows, Standing::kOver, &TableRow::standing) != rows.end();
  return over || Disagreements(report) != 0 ? tools::kExitDenied : tools::kExitDone;
}

int RunConnections(const Flags& flags, Report& report) {
  std::string_view place;
  if (IsConnectionStage(flags.stage)) place = flags.stage;
  const absl::Status status = MeasureConnections(
      place, ToRunOptions(flags), {.packets = flags.packets, .seed = flags.seed}, report);
  if (!status.ok()) return Fail(status);
  const std::string text = absl::StrCat(MachineText(report), "\n\n", ConnectionsText(report));
  if (!tools::WriteOut(flags.output == "json" ? ToJson(report) : text)) {
    return tools::kExitEnvironment;
  }
  return Disagreements(report) == 0 ? tools::kExitDone : tools::kExitDenied;
}

int RunFloods(const Flags& flags, const Report& report) {
  std::vector<FloodRow> rows;
  const absl::Status status =
      MeasureFloods(ToRunOptions(flags), {.packets = flags.packets, .seed = flags.seed}, rows);
  if (!status.ok()) return Fail(status);
  if (!tools::WriteOut(absl::StrCat(MachineText(report), "\n\n", FloodsText(rows)))) {
    return tools::kExitEnvironment;
  }
  return std::ranges::all_of(rows, &FloodRow::Holds) ? tools::kExitDone : tools::kExitDenied;
}

int RunSweep(const Flags& flags, Report& report) {
  constexpr size_t kPacketsMax = 128 * 1024;  // of each of many scenes
  const absl::Status status =
      MeasureSweeps(ToRunOptions(flags),
                    {.packets = std::min(flags.packets, kPacketsMax), .seed = flags.seed}, report);
  return status.ok() ? Tell(flags, report) : Fail(status);
}

int RunScene(const Flags& flags, Report& report) {
  int exit_status = tools::kExitDone;
  const absl::StatusOr<CompiledCluster> cluster = LoadCluster(flags, exit_status);
  if (exit_status != tools::kExitDone) return exit_status;
  if (!cluster.ok()) return Fail(cluster.status());
  if (flags.verdicts) return TellVerdicts(flags, *cluster);
  const absl::StatusOr<Packets> packets = GetPackets(flags, *cluster);
  if (!packets.ok()) return Fail(packets.status());
  if (!packets->end.ok()) Fail(Named(flags.trace, packets->end));  // told; the rest is measured
  RunOptions options = ToRunOptions(flags);
  if (options.rivals && HasFamily(*packets, 6)) {
    options.rivals = false;
    report.missing.push_back("rivals: IPv4 only, and some packets are IPv6");
  }
  const absl::StatusOr<Bench> bench = Bench::Create(*cluster, options, report.missing);
  if (!bench.ok()) return Fail(bench.status());
  report.scenes.push_back(bench->Measure(*packets));
  if (flags.trace == "synthetic") MeasureExpansions(flags, *cluster, *bench, report);
  return Tell(flags, report);
}

int Run(Flags flags, const std::string& command) {
  if (!flags.compare.empty()) {
    absl::StatusOr<Report> old_report = ReadReportFile(flags.compare);
    if (!old_report.ok()) return Fail(old_report.status());
    flags.old_report = *std::move(old_report);
  }
  const int cpu =
      flags.cpu >= 0 ? flags.cpu : static_cast<int>(std::thread::hardware_concurrency()) - 1;
  if (!PinToCpu(cpu)) tools::PrintError(absl::StrCat("cannot keep to CPU ", cpu));
  Report report = BeginReport(command);
  if (flags.table) return RunTable(flags, report);
  if (flags.connections || IsConnectionStage(flags.stage)) return RunConnections(flags, report);
  if (flags.floods) return RunFloods(flags, report);
  return flags.sweep ? RunSweep(flags, report) : RunScene(flags, report);
}

int RunReport(const ReportFlags& flags) {
  std::vector<Report> reports;
  for (const std::string& path : flags.paths) {
    absl::StatusOr<Report> report = ReadReportFile(path);
    if (!report.ok()) return Fail(report.status());
    reports.push_back(*std::move(report));
  }
  return WritePage(flags.html, reports);
}

std::vector<std::string> WorkloadNames() {
  std::vector<std::string> names;
  for (const NamedWorkload& workload : NamedWorkloads()) names.emplace_back(workload.name);
  return names;
}

void AddOptions(CLI::App& app, Flags& flags) {
  const auto choice = [&](const char* names, std::string& value, const char* help,
                          std::vector<std::string> choices) {
    app.add_option(names, value, help)->check(CLI::IsMember(choices))->capture_default_str();
  };
  choice("--workload", flags.workload, "a generated cluster", WorkloadNames());
  app.add_option("-f,--file", flags.paths, "policies and pods instead, as npf reads them");
  app.add_option("--trace", flags.trace, "synthetic, or a capture: pcap or pcapng")
      ->capture_default_str();
  choice("--traffic", flags.traffic, "of synthetic packets",
         {"uniform", "zipf", "scan", "deny", "pods"});
  choice("--family", flags.family, "of the workload and of synthetic packets",
         {"v4", "v6", "dual"});
  choice("--stage", flags.stage, "what is measured",
         {"addr", "decide", "parse+decide", "latency", "all", "ct64k", "ct1M-uni", "ct1M-zipf"});
  choice("--rivals", flags.rivals, "what others would use, in the same rounds", {"on", "off"});
  choice("--kernel", flags.kernel, "auto is what Classify() takes of itself",
         {"auto", "scalar", "avx512", "all"});
  app.add_option("--checksums", flags.checksums,
                 "verify, ip or ignore: what parsing checks. Not given, it is what a network card "
                 "leaves to it, nothing; of --verdicts, verify")
      ->check(CLI::IsMember({"verify", "ip", "ignore"}));
  choice("--frames", flags.frames, "bytes of synthetic frames", {"64", "imix"});
  app.add_option("--rounds", flags.rounds, "interleaved rounds")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--packets", flags.packets, "in a round")
      ->check(CLI::Range(64, 1 << 26))
      ->capture_default_str();
  app.add_option("--seed", flags.seed, "of synthetic packets")->capture_default_str();
  app.add_option("--cpu", flags.cpu, "to keep to; the last one where not given");
  app.add_flag("--verdicts", flags.verdicts,
               "measure nothing: count the verdicts of a --trace, as npf replay --stateless does");
  choice("-o,--output", flags.output, "json is Google Benchmark's form", {"table", "json"});
  app.add_option("--compare", flags.compare, "an earlier -o json, to tell the ratios to it");
  app.add_option("--html", flags.html, "write a page with plots, too");
  app.add_flag("--table", flags.table,
               "every figure that is promised, beside its gate; status 1 where one is over");
  app.add_flag("--connections", flags.connections,
               "what connections add, among 64k and 1M of them, by the share of new ones");
  app.add_flag(
      "--floods", flags.floods,
      "what floods do to established connections; status 1 where it is more than promised");
  app.add_flag("--sweep", flags.sweep,
               "how decide grows with pods, policies and CIDRs, in place of one workload");
}

CLI::App* AddReport(CLI::App& app, ReportFlags& flags) {
  CLI::App* report = app.add_subcommand("report", "a page with plots of what was measured before");
  report->add_option("FILES", flags.paths, "from -o json")->required();
  report->add_option("-o,--output", flags.html, "the page")->capture_default_str();
  return report;
}

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app("How fast packets are judged, beside what others would use.", "npf-bench");
  AddOptions(app, flags);
  ReportFlags report_flags;
  const CLI::App* report = AddReport(app, report_flags);
  const tools::Describing describing = {.version = "npf-bench " + std::string(kLibraryVersion),
                                        .manual = {.one_page = true}};
  int status = tools::kExitDone;
  tools::AddDescribingVerbs(app, describing, status);
  if (tools::AnswerShell(app, argc, argv))
    return tools::FlushOut() ? status : tools::kExitEnvironment;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? tools::kExitDone : tools::kExitUsage;
  }
  if (report->parsed()) return RunReport(report_flags);
  if (!app.get_subcommands().empty()) return tools::FlushOut() ? status : tools::kExitEnvironment;
  std::string command = "npf-bench";
  for (int i = 1; i < argc; ++i) absl::StrAppend(&command, " ", std::string(argv[i]));
  return Run(flags, command);
}

}  // namespace
}  // namespace npf::bench

int main(int argc, char** argv) { return npf::bench::Main(argc, argv); }
