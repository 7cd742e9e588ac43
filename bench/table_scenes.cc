// What the table measures.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "named_workloads.h"
#include "scene_group.h"
#include "table.h"

namespace npf::bench {
namespace {

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
  const auto add = [&](const char* name, IpFamilies families, const RunOptions& asked) {
    return group.AddCluster(name, *MakeNamedCluster(name, families), families, asked, report);
  };
  absl::Status status = add("std", IpFamilies::kV4, standard);
  if (!status.ok()) return status;
  group.AddScene(TrafficKind::kUniform, FrameSizes::kSmallest);
  group.AddScene(TrafficKind::kZipf, FrameSizes::kSmallest);
  group.AddScenesToExpansions();
  for (const char* const name : {"tiny", "large", "cidr"}) {
    status = add(name, IpFamilies::kV4, options);
    if (!status.ok()) return status;
    group.AddScene(TrafficKind::kUniform);
    group.AddScene(TrafficKind::kZipf);
  }
  status = add("std", IpFamilies::kV6, options);
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
