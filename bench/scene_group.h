// Scenes over several clusters that are measured together, round by round, so that what disturbs
// the machine for a while disturbs all of them.
#ifndef NPF_BENCH_SCENE_GROUP_H_
#define NPF_BENCH_SCENE_GROUP_H_

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "bench_run.h"
#include "report.h"
#include "workload.h"

namespace npf::bench {

class SceneGroup {
 public:
  // Of `traffic`, packets and seed count.
  explicit SceneGroup(const TrafficOptions& traffic) : traffic_(traffic) {}
  SceneGroup(const SceneGroup&) = delete;
  SceneGroup& operator=(const SceneGroup&) = delete;

  // Rivals that are missing are told in `report`. `sweep` as in Scene.
  absl::Status AddCluster(const std::string& name, Cluster cluster, IpFamilies families,
                          const RunOptions& options, Report& report, std::string sweep = "");
  // Over the cluster that was added last; without `sizes`, nothing that parses may be measured.
  void AddScene(TrafficKind kind, std::optional<FrameSizes> sizes = std::nullopt);
  void AddScenesToExpansions();

  void Measure(Report& report) const;

 private:
  void Add(Packets packets);

  TrafficOptions traffic_;
  std::string sweep_;
  // A deque does not move what others point to.
  std::deque<CompiledCluster> clusters_;
  std::deque<Bench> benches_;
  std::deque<Packets> packets_;
  std::vector<Staged> staged_;
  std::vector<std::string> sweeps_;  // of the scenes
};

}  // namespace npf::bench

#endif  // NPF_BENCH_SCENE_GROUP_H_
