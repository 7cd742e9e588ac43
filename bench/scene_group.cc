#include "scene_group.h"

#include <utility>

namespace npf::bench {

absl::Status SceneGroup::AddCluster(const std::string& name, Cluster cluster, IpFamilies families,
                                    const RunOptions& options, Report& report, std::string sweep) {
  absl::StatusOr<CompiledCluster> compiled = CompileCluster(name, Freeze(std::move(cluster)));
  if (!compiled.ok()) return compiled.status();
  clusters_.push_back(*std::move(compiled));
  absl::StatusOr<Bench> bench = Bench::Create(clusters_.back(), options, report.missing);
  if (!bench.ok()) return bench.status();
  benches_.push_back(*std::move(bench));
  traffic_.families = families;
  sweep_ = std::move(sweep);
  return absl::OkStatus();
}

void SceneGroup::AddScene(TrafficKind kind, std::optional<FrameSizes> sizes) {
  traffic_.kind = kind;
  Add(MakePackets(clusters_.back(), traffic_, sizes));
}

void SceneGroup::AddScenesToExpansions() {
  for (const Expansion& expansion : benches_.back().expansions()) {
    Add(MakePacketsTo(expansion, clusters_.back(), traffic_));
  }
}

void SceneGroup::Add(Packets packets) {
  packets_.push_back(std::move(packets));
  staged_.push_back({&benches_.back(), &packets_.back()});
  sweeps_.push_back(sweep_);
}

void SceneGroup::Measure(Report& report) const {
  std::vector<Scene> scenes = MeasureTogether(staged_);
  for (size_t i = 0; i < scenes.size(); ++i) {
    scenes[i].sweep = sweeps_[i];
    report.scenes.push_back(std::move(scenes[i]));
  }
}

}  // namespace npf::bench
