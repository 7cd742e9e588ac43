#include "report_text.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "measure.h"
#include "npf/output.h"

namespace npf::bench {
namespace {

// Our own decision, which everything in a scene is told beside: by the kernel that Classify() takes
// of itself, where that was measured.
const Figure* FindDecide(const Scene& scene, const std::string& kernel) {
  if (const Figure* figure = scene.Find(absl::StrCat("npf decide ", kernel))) return figure;
  const auto found = std::ranges::find_if(scene.figures, [](const Figure& figure) {
    return figure.contender.starts_with("npf decide");
  });
  return found == scene.figures.end() ? nullptr : &*found;
}

std::string CheckedText(const Figure& figure) {
  if (figure.checked == 0) return "-";
  return absl::StrCat(Fixed(static_cast<double>(figure.disagreements), 0), " of ",
                      Fixed(static_cast<double>(figure.checked), 0));
}

void AppendFigures(const Scene& scene, const std::string& kernel, std::string& text) {
  tools::Table table({"CONTENDER", ">MEDIAN NS", ">BEST NS", ">CYCLES", ">M/S", ">x DECIDE",
                      ">TABLES", ">BUILD MS", ">DIFFERENT VERDICTS"});
  const Figure* const decide = FindDecide(scene, kernel);
  for (const Figure& figure : scene.figures) {
    table.AddRow({figure.contender, Fixed(figure.median_ns(), 2), Fixed(figure.best_ns(), 2),
                  Fixed(figure.median_cycles(), 1), Fixed(figure.decisions_per_second() / 1e6, 1),
                  decide == nullptr ? "-" : Fixed(figure.median_ns() / decide->median_ns(), 2),
                  Megabytes(figure.table_bytes),
                  Fixed(static_cast<double>(figure.build_ns) / 1e6, 1), CheckedText(figure)});
  }
  text += table.Text();
}

void AppendScene(const Scene& scene, const std::string& kernel, std::string& text) {
  absl::StrAppend(&text, "\n", scene.Name(), ": ", SceneText(scene), "\n", VerdictMixText(scene),
                  "\n");
  if (!scene.figures.empty()) AppendFigures(scene, kernel, text);
  for (const Latency& latency : scene.latencies) {
    absl::StrAppend(&text, "batch of 64, ", latency.kernel, ": p50 ", Fixed(latency.p50_ns, 0),
                    " ns, p99 ", Fixed(latency.p99_ns, 0), " ns, p99.9 ", Fixed(latency.p999_ns, 0),
                    " ns (", Fixed(latency.p999_ns / latency.p50_ns, 1), " x p50)\n");
  }
}

}  // namespace

std::string Fixed(double value, int decimals) {
  char digits[64];
  std::snprintf(digits, sizeof digits, "%.*f", decimals, value);
  std::string text = digits;
  const size_t point = std::min(text.find('.'), text.size());
  const size_t first = text[0] == '-' ? 1 : 0;
  for (size_t at = point; at > first + 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::string Megabytes(uint64_t bytes) {
  return absl::StrCat(Fixed(static_cast<double>(bytes) / 1e6, 2), " MB");
}

std::string MachineText(const Report& report) {
  return absl::StrCat(report.cpu_model, ", ", report.cpu_count, " CPUs, core ",
                      Fixed(report.core_ghz, 2), " GHz, TSC ", Fixed(report.tsc_ghz, 2),
                      " GHz, load ", Fixed(report.load, 1), "; ", report.system, "; npf ",
                      report.version, ", kernel ", report.kernel);
}

std::string SceneText(const Scene& scene) {
  return absl::StrCat(Fixed(static_cast<double>(scene.pods), 0), " pods, ",
                      Fixed(static_cast<double>(scene.policies), 0), " policies, ",
                      Fixed(static_cast<double>(scene.cidrs), 0), " CIDRs; ",
                      Fixed(static_cast<double>(scene.packets), 0), " packets, seed ", scene.seed,
                      "; tables ", Megabytes(scene.v4_bytes), " for IPv4, ",
                      Megabytes(scene.v6_bytes), " for IPv6, compiled in ",
                      Fixed(static_cast<double>(scene.compile_ns) / 1e6, 1), " ms");
}

std::string VerdictMixText(const Scene& scene) {
  const auto share = [&](uint64_t packets) {
    const double all = std::max<double>(1, static_cast<double>(scene.packets));
    return absl::StrCat(Fixed(100 * static_cast<double>(packets) / all, 1), " %");
  };
  const uint64_t allowed = AllowedPackets(scene);
  std::string text =
      absl::StrCat("allowed ", share(allowed), ", denied ", share(scene.packets - allowed));
  const char* separator = ": ";
  for (const auto& [verdict, packets] : scene.verdicts) {
    absl::StrAppend(&text, separator, verdict, " ", share(packets));
    separator = ", ";
  }
  return text;
}

std::string ToText(const Report& report) {
  std::string text = absl::StrCat(MachineText(report), "\n");
  for (const Scene& scene : report.scenes) AppendScene(scene, report.kernel, text);
  if (!report.missing.empty()) text += "\nmissing:\n";
  for (const std::string& line : report.missing) absl::StrAppend(&text, "  ", line, "\n");
  return text;
}

std::string CompareText(const Report& old_report, const Report& new_report) {
  tools::Table table(
      {"NAME", ">OLD MEDIAN NS", ">NEW", ">NEW/OLD", ">OLD BEST NS", ">NEW", ">NEW/OLD"});
  for (const Scene& scene : new_report.scenes) {
    const auto before = std::ranges::find(old_report.scenes, scene.Name(), &Scene::Name);
    if (before == old_report.scenes.end()) continue;
    for (const Figure& figure : scene.figures) {
      const Figure* const old = before->Find(figure.contender);
      if (old == nullptr) continue;
      table.AddRow({absl::StrCat(scene.Name(), "/", figure.contender), Fixed(old->median_ns(), 2),
                    Fixed(figure.median_ns(), 2), Fixed(figure.median_ns() / old->median_ns(), 2),
                    Fixed(old->best_ns(), 2), Fixed(figure.best_ns(), 2),
                    Fixed(figure.best_ns() / old->best_ns(), 2)});
    }
  }
  return table.Text();
}

}  // namespace npf::bench
