#include "report.h"

#include <algorithm>
#include <ctime>

#include "absl/strings/str_cat.h"
#include "machine.h"
#include "measure.h"
#include "npf/classify.h"
#include "npf/version.h"

namespace npf::bench {

double Figure::median_ns() const { return Median(ns); }
double Figure::best_ns() const { return Best(ns); }
double Figure::median_cycles() const { return Median(cycles); }

std::string Scene::Name() const { return absl::StrCat(workload, "/", family, "/", traffic); }

const Figure* Scene::Find(std::string_view contender) const {
  const auto found = std::ranges::find(figures, contender, &Figure::contender);
  return found == figures.end() ? nullptr : &*found;
}

std::string VerdictText(const Verdict& verdict) {
  return absl::StrCat(verdict.allowed != 0 ? "allow " : "deny ",
                      std::string(Name(static_cast<Reason>(verdict.reason))));
}

Report BeginReport(std::string command) {
  const Machine machine = DescribeMachine();
  Report report{.command = std::move(command),
                .version = std::string(kLibraryVersion),
                .cpu_model = machine.cpu_model,
                .system = machine.system,
                .kernel = std::string(Name(ActiveKernel())),
                .cpu_count = static_cast<uint64_t>(machine.cpu_count),
                .load = machine.load,
                .core_ghz = ProbeCoreGhz(),
                .tsc_ghz = ProbeTscGhz()};
  const std::time_t now = std::time(nullptr);
  std::tm utc;
  char text[32];
  gmtime_r(&now, &utc);
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  report.date = text;
  return report;
}

uint64_t AllowedPackets(const Scene& scene) {
  uint64_t allowed = 0;
  for (const auto& [verdict, packets] : scene.verdicts) {
    if (verdict.starts_with("allow")) allowed += packets;
  }
  return allowed;
}

uint64_t Disagreements(const Report& report) {
  uint64_t count = 0;
  for (const Scene& scene : report.scenes) {
    for (const Figure& figure : scene.figures) count += figure.disagreements;
  }
  return count;
}

}  // namespace npf::bench
