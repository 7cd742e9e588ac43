// What the table measures.
#include <cstdio>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "named_workloads.h"
#include "table.h"

namespace npf::bench {
namespace {

// Scenes that are measured together, and what they need until then; a deque does not move it.
class SceneGroup {
 public:
  explicit SceneGroup(const TrafficOptions& traffic) : traffic_(traffic) {}

  absl::Status AddWorkload(const char* name, IpFamilies families, const RunOptions& options,
                           Report& report) {
    absl::StatusOr<CompiledCluster> cluster =
        CompileCluster(name, Freeze(*MakeNamedCluster(name, families)));
    if (!cluster.ok()) return cluster.status();
    clusters_.push_back(*std::move(cluster));
    absl::StatusOr<Bench> bench = Bench::Create(clusters_.back(), options, report.missing);
    if (!bench.ok()) return bench.status();
    benches_.push_back(*std::move(bench));
    traffic_.families = families;
    return absl::OkStatus();
  }

  // Over the workload that was added last.
  void AddScene(TrafficKind kind, std::optional<FrameSizes> sizes = std::nullopt) {
    traffic_.kind = kind;
    Add(MakePackets(clusters_.back(), traffic_, sizes));
  }
  void AddScenesToExpansions() {
    for (const Expansion& expansion : benches_.back().expansions()) {
      Add(MakePacketsTo(expansion, clusters_.back(), traffic_));
    }
  }

  void Measure(Report& report) const {
    for (Scene& scene : MeasureTogether(staged_)) report.scenes.push_back(std::move(scene));
  }

 private:
  void Add(Packets packets) {
    packets_.push_back(std::move(packets));
    staged_.push_back({&benches_.back(), &packets_.back()});
  }

  TrafficOptions traffic_;
  std::deque<CompiledCluster> clusters_;
  std::deque<Bench> benches_;
  std::deque<Packets> packets_;
  std::vector<Staged> staged_;
};

std::string OutputOf(const std::string& command) {
  std::string output;
  std::FILE* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return output;
  char part[512];
  while (std::fgets(part, sizeof part, pipe) != nullptr) output += part;
  pclose(pipe);
  return output;
}

// The number behind `label`, or 0.
double NumberBehind(const std::string& text, const std::string& label) {
  const size_t at = text.find(label);
  return at == std::string::npos ? 0 : std::strtod(text.c_str() + at + label.size(), nullptr);
}

}  // namespace

absl::Status MeasureTableScenes(RunOptions options, const TrafficOptions& traffic, Report& report) {
  options.addr = options.latency = options.parse_decide = false;
  options.decide = true;
  RunOptions standard = options;
  standard.parse_decide = standard.latency = true;
  standard.rivals = true;
  SceneGroup group(traffic);
  absl::Status status = group.AddWorkload("std", IpFamilies::kV4, standard, report);
  if (!status.ok()) return status;
  group.AddScene(TrafficKind::kUniform, FrameSizes::kSmallest);
  group.AddScene(TrafficKind::kZipf, FrameSizes::kSmallest);
  group.AddScenesToExpansions();
  for (const char* const name : {"tiny", "large", "cidr"}) {
    status = group.AddWorkload(name, IpFamilies::kV4, options, report);
    if (!status.ok()) return status;
    group.AddScene(TrafficKind::kUniform);
    group.AddScene(TrafficKind::kZipf);
  }
  status = group.AddWorkload("std", IpFamilies::kV6, options, report);
  if (!status.ok()) return status;
  group.AddScene(TrafficKind::kUniform);
  group.AddScene(TrafficKind::kZipf);
  group.Measure(report);
  return absl::OkStatus();
}

double CountInstructions() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::string program = (self.parent_path() / "npf-instructions").string();
  if (error || !std::filesystem::exists(program)) return 0;
  const std::string output =
      OutputOf(absl::StrCat("valgrind --tool=callgrind --instr-atstart=no "
                            "--callgrind-out-file=/dev/null '",
                            program, "' std v4 uniform decide 2>&1"));
  const double packets = NumberBehind(output, "packets ");
  return packets == 0 ? 0 : NumberBehind(output, "Collected : ") / packets;
}

}  // namespace npf::bench
