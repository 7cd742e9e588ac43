#include "sweep.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "workload.h"

namespace npf::bench {
namespace {

struct Point {
  std::string sweep;
  uint64_t x;
  ClusterShape shape;
};

std::vector<Point> Points() {
  std::vector<Point> points;
  for (const uint32_t pods : {1'000, 2'000, 5'000, 10'000, 20'000, 50'000, 100'000}) {
    points.push_back({"pods", pods, {.pods = pods, .policies = pods / 10}});
  }
  for (const uint32_t policies : {100, 200, 500, 1'000, 2'000, 5'000, 10'000}) {
    points.push_back({"policies", policies, {.policies = policies}});
  }
  for (const uint32_t cidrs : {50, 100, 200, 500, 1'000, 2'000, 5'000, 10'000}) {
    points.push_back({"cidrs", cidrs, {.cidrs = cidrs}});
  }
  return points;
}

absl::Status MeasurePoint(Point point, const std::vector<TrafficKind>& kinds,
                          const RunOptions& options, TrafficOptions traffic, Report& report) {
  point.shape.families = traffic.families;
  const absl::StatusOr<CompiledCluster> cluster =
      CompileCluster(absl::StrCat(point.sweep, "-", point.x), Freeze(MakeCluster(point.shape)));
  if (!cluster.ok()) return cluster.status();
  const absl::StatusOr<Bench> bench = Bench::Create(*cluster, options, report.missing);
  if (!bench.ok()) return bench.status();
  for (const TrafficKind kind : kinds) {
    traffic.kind = kind;
    Scene scene = bench->Measure(MakePackets(*cluster, traffic, std::nullopt));
    scene.sweep = point.sweep;
    report.scenes.push_back(std::move(scene));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status MeasureSweeps(RunOptions options, const TrafficOptions& traffic, Report& report) {
  options.addr = options.parse_decide = options.latency = options.rivals = false;
  options.decide = true;
  for (const Point& point : Points()) {
    TrafficOptions asked = traffic;
    asked.families = IpFamilies::kV4;
    absl::Status status =
        MeasurePoint(point, {TrafficKind::kUniform, TrafficKind::kZipf}, options, asked, report);
    if (!status.ok()) return status;
    asked.families = IpFamilies::kV6;
    status = MeasurePoint(point, {TrafficKind::kUniform}, options, asked, report);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace npf::bench
