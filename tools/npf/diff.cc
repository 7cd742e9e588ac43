// `npf diff OLD NEW`: the connections that a change opens and closes, all of them, each with the
// policy behind it. What is compared is analysis/difference.h's; how it reads, diff_report.h's.
#include <algorithm>
#include <array>
#include <fstream>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "npf/command_line.h"
#include "npf/compile_input.h"
#include "npf/diff_report.h"
#include "npf/diff_trace.h"
#include "npf/exit_status.h"
#include "npf/image.h"
#include "npf/judge_flags.h"
#include "npf/output.h"
#include "npf/path_list.h"
#include "npf/progress.h"
#include "npf/verbs.h"
#include "npf/worker_flags.h"
#include "program/layout.h"

namespace npf::tools {
namespace {

struct DiffFlags {
  InputFlags input;  // of both sides
  JudgeFlags judge;
  WorkerFlags worker;
  std::string before;
  std::string after;
  std::string trace;
  std::string output = "table";
};

// One side, read and compiled.
struct LoadedSide {
  LoadedInput input;  // of an image: nothing
  std::optional<Program> program;
  absl::Status status;  // of compiling, or of the image
};

bool IsImage(const std::vector<std::string>& paths) {
  if (paths.size() != 1 || paths[0] == "-") return false;
  std::ifstream file(paths[0], std::ios::binary);
  char magic[sizeof layout::kMagic] = {};
  file.read(magic, sizeof magic);
  return file.good() && std::equal(std::begin(magic), std::end(magic), std::begin(layout::kMagic));
}

LoadedSide LoadSide(const InputFlags& shared, const std::vector<std::string>& paths) {
  LoadedSide side;
  absl::StatusOr<Program> program = absl::UnknownError("");
  if (IsImage(paths)) {
    program = LoadImage(paths[0]);
  } else {
    InputFlags input = shared;
    input.assume_addresses = true;
    input.paths.insert(input.paths.begin(), paths.begin(), paths.end());
    side.input = ReadInput(input);
    if (!side.input.snapshot) return side;
    program = Compile(*side.input.snapshot);
  }
  side.status = program.status();
  if (program.ok()) side.program = *std::move(program);
  return side;
}

// Standard input can be read once.
void CheckStandardInput(const InputFlags& shared, const std::vector<std::string>& before,
                        const std::vector<std::string>& after) {
  const auto count = [](const std::vector<std::string>& paths) {
    return std::count(paths.begin(), paths.end(), "-");
  };
  if (count(shared.paths) > 0)
    throw BadUsage("--file: standard input is read once; name it in OLD or NEW");
  if (count(before) + count(after) > 1) throw BadUsage("-: standard input is read once");
}

// Both at once: a processor each.
std::array<LoadedSide, 2> LoadSides(const DiffFlags& flags) {
  const std::vector<std::string> before = SplitPaths("OLD", flags.before);
  const std::vector<std::string> after = SplitPaths("NEW", flags.after);
  CheckStandardInput(flags.input, before, after);
  std::future<LoadedSide> old_side =
      std::async(std::launch::async, [&] { return LoadSide(flags.input, before); });
  LoadedSide new_side = LoadSide(flags.input, after);
  return {old_side.get(), std::move(new_side)};
}

// What both sides have, the shared input most of all, is told once. The status where one of them
// cannot be used.
int TellFaults(const std::array<LoadedSide, 2>& sides) {
  std::set<std::string> told;
  int exit_status = kExitDone;
  for (const LoadedSide& side : sides) {
    Diagnostics fresh;
    for (const Diagnostic& diagnostic : side.input.diagnostics.all()) {
      if (told.insert(Format(diagnostic, side.input.files)).second) fresh.Add(diagnostic);
    }
    PrintDiagnostics(fresh, side.input.files);
    if (exit_status != kExitDone) continue;
    exit_status = side.input.exit_status;
    if (exit_status == kExitDone && !side.status.ok()) exit_status = ReportStatus(side.status);
  }
  return exit_status;
}

std::string Text(const DiffResults& results, const std::string& output) {
  if (output == "md") return DiffMarkdown(results);
  if (output == "json") return DiffJson(results);
  if (output == "sarif") return DiffSarif(results);
  return DiffTable(results);
}

void TellCounts(const DiffResults& results) {
  size_t allowed = 0;
  for (const analysis::ChangeRow& row : results.difference.rows) {
    allowed += row.kind == analysis::ChangeKind::kAllowed ? 1 : 0;
  }
  const size_t denied = results.difference.rows.size() - allowed;
  std::string text =
      "newly allowed: " + Plural(allowed, "row") + ", newly denied: " + Plural(denied, "row");
  if (results.trace) {
    text += "; of " + std::to_string(results.trace->packets) + " packets, " +
            std::to_string(results.trace->changed_packets) + " fare differently";
  }
  PrintError(text);
}

int RunDiff(const DiffFlags& flags) {
  const std::array<LoadedSide, 2> sides = LoadSides(flags);
  if (const int fault = TellFaults(sides); fault != kExitDone) return fault;
  const Program& before = *sides[0].program;
  const Program& after = *sides[1].program;
  const std::optional<Snapshot>& old_objects = sides[0].input.snapshot;
  const std::optional<Snapshot>& new_objects = sides[1].input.snapshot;
  Progress progress("diff");
  analysis::DifferenceOptions options;
  options.progress = [&](uint64_t done, uint64_t all) { progress.Tell(done, all); };
  const analysis::Scene scene({{before, old_objects}, {after, new_objects}});
  analysis::PortSets ports;
  const ClassifyOptions classify = ToClassifyOptions(flags.judge);
  analysis::Connectivity was(before, classify, ports);
  analysis::Connectivity is(after, classify, ports);
  const analysis::Difference difference = Compare(scene, was, is, ports, options);
  DiffResults results{.scene = scene, .ports = ports, .difference = difference};
  if (old_objects) results.places[0].emplace(*old_objects);
  if (new_objects) results.places[1].emplace(*new_objects);
  int exit_status = kExitDone;
  if (!flags.trace.empty()) {
    WorkerOptions worker = ToWorkerOptions(flags.worker, nullptr);
    worker.classify = classify;
    results.trace.emplace();
    exit_status = CompareOnTrace(flags.trace, before, after, worker, *results.trace);
    const std::optional<Snapshot>& named = new_objects ? new_objects : old_objects;
    if (named) results.names = AddressNames(*named);
  }
  WriteOut(Text(results, flags.output));
  TellCounts(results);
  if (exit_status != kExitDone) return exit_status;
  const bool same = difference.rows.empty() && difference.added.empty() &&
                    difference.removed.empty() &&
                    (!results.trace || results.trace->changed_packets == 0);
  return same ? kExitDone : kExitDenied;
}

}  // namespace

void AddDiffVerb(CommandLine& line) {
  Verb verb = line.AddVerb("diff", "the connections that a change opens and closes, and why");
  auto flags = std::make_shared<DiffFlags>();
  AddInputFlags(verb, flags->input, InputNeed::kOptional);
  AddGitFlag(verb, flags->input.git);
  AddJudgeFlags(verb, flags->judge);
  verb.AddText("OLD", flags->before, "PATH,PATH,... of objects as with -f, or a compiled image")
      .Required();
  verb.AddText("NEW", flags->after, "the same; -f adds its paths to both").Required();
  verb.AddText("--trace", flags->trace,
               "a capture: also its flows whose verdict changes, with their packets")
      .Type("FILE");
  verb.AddChoice("--checksums", flags->worker.checksums, {"verify", "ip", "ignore"},
                 "of the capture's packets, as in replay");
  verb.AddChoice("--midstream", flags->worker.midstream, {"deny", "allow"},
                 "TCP in the capture whose beginning was not seen, as in replay");
  verb.AddChoice("-o,--output", flags->output, {"table", "md", "json", "sarif"},
                 "table, md, json or sarif");
  verb.SetFooter(
      "Status 1 where there is a difference, 0 where there is none.\n\n"
      "Example:\n"
      "  npf diff -f cluster.yaml policies-old/ policies-new/\n"
      "  npf diff --git -f cluster.yaml main:deploy/ deploy/ -o md\n"
      "  npf diff -f cluster.yaml old.yaml new.yaml --trace yesterday.pcap");
  verb.OnRun([flags] { return RunDiff(*flags); });
}

}  // namespace npf::tools
