// `npf compile -o IMAGE`: the compiled image, and what it is made of.
#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "npf/command_line.h"
#include "npf/compile_input.h"
#include "npf/exit_status.h"
#include "npf/image.h"
#include "npf/output.h"
#include "npf/verbs.h"

namespace npf::tools {
namespace {

struct CompileFlags {
  InputFlags input;
  std::string image;
  std::string report = "table";
  std::string pair_table = "auto";
  uint64_t image_kib_max = CompileOptions{}.image_bytes_max >> 10;
  uint64_t time_ms_max = 0;
};

constexpr size_t kPoliciesShown = 20;
constexpr std::array<std::pair<std::string_view, PairKind>, 4> kPairTables = {
    {{"auto", PairKind::kAuto},
     {"dense", PairKind::kDense},
     {"tiled", PairKind::kTiled},
     {"hash", PairKind::kHash}}};

std::string PairTableName(PairKind kind) {
  for (const auto& [name, value] : kPairTables) {
    if (value == kind) return std::string(name);
  }
  return "unknown";
}

CompileOptions ToOptions(const CompileFlags& flags) {
  CompileOptions options;
  options.image_bytes_max = flags.image_kib_max << 10;
  options.time_ns_max = flags.time_ms_max * 1'000'000;
  for (const auto& [name, kind] : kPairTables) {
    if (name == flags.pair_table) options.pair_kind = kind;
  }
  return options;
}

std::string Json(const CompileReport& report, size_t image_bytes) {
  std::string out = "{";
  const auto add = [&](std::string_view name, uint64_t value) {
    out += JsonString(name) + ":" + std::to_string(value) + ",";
  };
  add("pod_classes", report.pod_classes);
  add("other_classes", report.other_classes);
  add("port_classes", report.port_classes);
  add("cells", report.cells);
  add("ingress_rows", report.ingress_rows);
  add("egress_rows", report.egress_rows);
  out += "\"pair_table\":" + JsonString(PairTableName(report.pair_kind)) + ",";
  add("image_bytes", image_bytes);
  add("hot_ipv4_bytes", report.hot_ipv4_bytes);
  add("hot_ipv6_bytes", report.hot_ipv6_bytes);
  add("cold_bytes", report.cold_bytes);
  add("compile_ns", report.compile_ns);
  out += "\"policies\":[";
  for (size_t i = 0; i < report.policies.size(); ++i) {
    const PolicyCost& cost = report.policies[i];
    out += std::string(i == 0 ? "" : ",") + "{\"policy\":" + JsonString(cost.policy) +
           ",\"subject_classes\":" + std::to_string(cost.subject_classes) +
           ",\"row_entries\":" + std::to_string(cost.row_entries) + "}";
  }
  return out + "]}\n";
}

// Digits in groups of three.
std::string Grouped(uint64_t value) {
  std::string text = std::to_string(value);
  for (size_t at = text.size(); at > 3;) text.insert(at -= 3, ",");
  return text;
}

std::string Text(const CompileReport& report, size_t image_bytes) {
  Table figures({"what", ">figure"});
  figures.AddRow({"address classes, of pods", Grouped(report.pod_classes)});
  figures.AddRow({"address classes, other", Grouped(report.other_classes)});
  figures.AddRow({"port classes", Grouped(report.port_classes)});
  figures.AddRow({"ingress rows", Grouped(report.ingress_rows)});
  figures.AddRow({"egress rows", Grouped(report.egress_rows)});
  figures.AddRow({"joint cells", Grouped(report.cells)});
  figures.AddRow({"pair table", PairTableName(report.pair_kind)});
  figures.AddRow({"bytes an IPv4 packet may touch", Grouped(report.hot_ipv4_bytes)});
  figures.AddRow({"bytes an IPv6 packet may touch", Grouped(report.hot_ipv6_bytes)});
  figures.AddRow({"bytes of names and other cold tables", Grouped(report.cold_bytes)});
  figures.AddRow({"image bytes", Grouped(image_bytes)});
  char milliseconds[32];
  std::snprintf(milliseconds, sizeof(milliseconds), "%.3f",
                static_cast<double>(report.compile_ns) / 1e6);
  figures.AddRow({"compile time, ms", milliseconds});

  std::vector<const PolicyCost*> costs;
  for (const PolicyCost& cost : report.policies) costs.push_back(&cost);
  std::stable_sort(costs.begin(), costs.end(), [](const PolicyCost* a, const PolicyCost* b) {
    return a->row_entries > b->row_entries;
  });
  Table policies({"policy", ">subject classes", ">row entries"});
  for (size_t i = 0; i < std::min(costs.size(), kPoliciesShown); ++i) {
    policies.AddRow(
        {costs[i]->policy, Grouped(costs[i]->subject_classes), Grouped(costs[i]->row_entries)});
  }
  std::string text = figures.Text() + "\n" + policies.Text();
  if (costs.size() > kPoliciesShown) {
    text += "and " + std::to_string(costs.size() - kPoliciesShown) + " policies that cost less\n";
  }
  return text;
}

int RunCompile(const CompileFlags& flags) {
  const CompiledInput compiled = CompileInput(flags.input, ToOptions(flags));
  if (!compiled.program) return compiled.exit_status;
  if (!flags.image.empty()) {
    const absl::Status saved = SaveImage(*compiled.program, flags.image);
    if (!saved.ok()) {
      ReportStatus(saved);
      return kExitEnvironment;
    }
  }
  const size_t image_bytes = compiled.program->image().size();
  WriteOut(flags.report == "json" ? Json(compiled.report, image_bytes)
                                  : Text(compiled.report, image_bytes));
  return kExitDone;
}

}  // namespace

void AddCompileVerb(CommandLine& line) {
  Verb verb = line.AddVerb("compile", "write the compiled image, and report what it holds");
  auto flags = std::make_shared<CompileFlags>();
  AddInputFlags(verb, flags->input);
  verb.AddText("-o,--image", flags->image, "where to write the image; without it, only report");
  verb.AddChoice("--report", flags->report, {"table", "json"}, "table or json");
  verb.AddChoice("--pair-table", flags->pair_table, {"auto", "dense", "tiled", "hash"},
                 "how pairs of classes are laid out");
  verb.AddNumber("--image-max", flags->image_kib_max, {1, uint64_t{1} << 32},
                 "largest image in KiB; beyond is status 5");
  verb.AddNumber("--time-max", flags->time_ms_max, {0, 86'400'000},
                 "longest compilation in milliseconds, 0 for no bound; beyond is status 5");
  verb.SetFooter("Example:\n  npf compile -f policies.yaml -f cluster.yaml -o shop.npf");
  verb.OnRun([flags] { return RunCompile(*flags); });
}

}  // namespace npf::tools
