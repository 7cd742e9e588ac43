#include "sweep.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "scene_group.h"
#include "workload.h"

namespace npf::bench {
namespace {

struct Point {
  uint64_t x;
  ClusterShape shape;
};
struct Sweep {
  std::string name;
  std::vector<Point> points;
};

std::vector<Sweep> Sweeps() {
  std::vector<Sweep> sweeps = {{.name = "pods"}, {.name = "policies"}, {.name = "cidrs"}};
  for (const uint32_t pods : {1'000u, 2'000u, 5'000u, 10'000u, 20'000u, 50'000u, 100'000u}) {
    sweeps[0].points.push_back({pods, {.pods = pods, .policies = pods / 10}});
  }
  for (const uint32_t policies : {100u, 200u, 500u, 1'000u, 2'000u, 5'000u, 10'000u}) {
    sweeps[1].points.push_back({policies, {.policies = policies}});
  }
  for (const uint32_t cidrs : {50u, 100u, 200u, 500u, 1'000u, 2'000u, 5'000u, 10'000u}) {
    sweeps[2].points.push_back({cidrs, {.cidrs = cidrs}});
  }
  return sweeps;
}

absl::Status MeasureSweep(const Sweep& sweep, const RunOptions& options,
                          const TrafficOptions& traffic, Report& report) {
  SceneGroup group(traffic);
  for (const Point& point : sweep.points) {
    for (const IpFamilies families : {IpFamilies::kV4, IpFamilies::kV6}) {
      ClusterShape shape = point.shape;
      shape.families = families;
      const absl::Status status =
          group.AddCluster(absl::StrCat(sweep.name, "-", point.x), MakeCluster(shape), families,
                           options, report, sweep.name);
      if (!status.ok()) return status;
      group.AddScene(TrafficKind::kUniform);
      group.AddScene(TrafficKind::kZipf);
    }
  }
  group.Measure(report);
  return absl::OkStatus();
}

}  // namespace

absl::Status MeasureSweeps(RunOptions options, const TrafficOptions& traffic, Report& report) {
  options.addr = options.parse_decide = options.latency = options.rivals = false;
  options.decide = true;
  for (const Sweep& sweep : Sweeps()) {
    const absl::Status status = MeasureSweep(sweep, options, traffic, report);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace npf::bench
