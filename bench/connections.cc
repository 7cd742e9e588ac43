#include "connections.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "frame_judge.h"
#include "measure.h"
#include "named_workloads.h"
#include "npf/output.h"
#include "npf/worker.h"
#include "report_text.h"

namespace npf::bench {
namespace {

constexpr ClassifyOptions kOptions{.placement = Placement::kNodeWire};

class ConnectionContender : public Contender {
 public:
  ConnectionContender(std::string name, const CompiledCluster& cluster, ConnectionTraffic& traffic)
      : name_(std::move(name)), cluster_(cluster), traffic_(traffic) {}

  const std::string& name() const override { return name_; }
  size_t table_bytes() const override { return cluster_.report.hot_ipv4_bytes; }
  uint64_t build_ns() const override { return cluster_.compile_ns; }
  Scope scope() const override { return Scope::kAll; }
  bool Covers(const FlowKey&) const override { return true; }
  bool ReadsKeys() const override { return false; }

  void Receive(size_t first, size_t count) override {
    if (buffers_.count() < count) buffers_ = FrameBuffers(count);
    Clear();
    for (size_t i = 0; i < count; ++i) Add(traffic_.Receive(first + i, buffers_.At(i)));
  }

 protected:
  const CompiledCluster& cluster() const { return cluster_; }
  ConnectionTraffic& traffic() { return traffic_; }

 private:
  virtual void Clear() = 0;
  virtual void Add(const PacketView& frame) = 0;

  std::string name_;
  const CompiledCluster& cluster_;
  ConnectionTraffic& traffic_;
  FrameBuffers buffers_{1};
};

class Without : public ConnectionContender {
 public:
  Without(const CompiledCluster& cluster, ConnectionTraffic& traffic, Checksums checksums)
      : ConnectionContender(kWithoutConnections, cluster, traffic),
        judge_(cluster.program, kOptions, checksums) {}

  // Answers are not of the first packet of a connection: nothing to hold them against.
  Scope scope() const override { return Scope::kNone; }
  void Run(std::span<const FlowKey>, std::span<uint8_t>) override {
    judge_.Judge([](size_t, std::span<const Verdict>) {});
  }

 private:
  void Clear() override { judge_.Clear(); }
  void Add(const PacketView& frame) override { judge_.Add(frame, LinkLayer::kEthernet); }

  FrameJudge judge_;
};

class With : public ConnectionContender {
 public:
  With(const CompiledCluster& cluster, ConnectionTraffic& traffic, Checksums checksums)
      : ConnectionContender(kWithConnections, cluster, traffic),
        worker_(cluster.program, OptionsFor(traffic.shape(), checksums)) {
    EstablishAll(traffic, [&](std::span<const Frame> frames) {
      now_ns_ += kBatchNs;
      worker_.Process(frames, now_ns_, judgements_);
    });
  }

  void Run(std::span<const FlowKey>, std::span<uint8_t> allowed) override {
    for (size_t done = 0; done < frames_.size(); done += Worker::kBatch) {
      const size_t count = ProcessFrom(done);
      for (size_t i = 0; i < count; ++i) allowed[done + i] = judgements_[i].verdict.allowed;
    }
  }
  void RunForTime(std::span<const FlowKey>, std::span<uint8_t>) override {
    for (size_t done = 0; done < frames_.size(); done += Worker::kBatch) ProcessFrom(done);
  }

 private:
  static constexpr uint64_t kBatchNs = 1'000;

  static WorkerOptions OptionsFor(const ConnectionShape& shape, Checksums checksums) {
    const size_t capacity = shape.flows / 2 * 3;
    return {.checksums = checksums,
            .classify = kOptions,
            .flows_max = capacity,
            .flows_per_source_max = capacity};
  }

  void Clear() override { frames_.clear(); }
  void Add(const PacketView& frame) override { frames_.push_back({.packet = frame}); }

  size_t ProcessFrom(size_t first) {
    now_ns_ += kBatchNs;
    const size_t count = std::min(Worker::kBatch, frames_.size() - first);
    worker_.Process({frames_.data() + first, count}, now_ns_, judgements_);
    return count;
  }

  Worker worker_;
  std::vector<Frame> frames_;
  std::array<Judgement, Worker::kBatch> judgements_;
  uint64_t now_ns_ = 1;
};

struct Place {
  std::string_view name;
  size_t flows;
  bool zipf;
};
constexpr Place kPlaces[] = {
    {"ct64k", 1 << 16, false}, {"ct1M-uni", 1 << 20, false}, {"ct1M-zipf", 1 << 20, true}};
constexpr uint32_t kMissPercents[] = {0, 1, 10, 100};

Scene MeasureScene(const CompiledCluster& cluster, std::string name, ConnectionTraffic& traffic,
                   const RunOptions& options) {
  Without without(cluster, traffic, options.checksums);
  With with(cluster, traffic, options.checksums);
  const std::vector<FlowKey>& keys = traffic.keys();
  std::vector<Verdict> expected(keys.size());
  Classify(cluster.program, kOptions, keys, expected);
  const Check check = CheckVerdicts(with, keys, expected);
  const Turn turns[] = {{&without, keys}, {&with, keys}};
  std::vector<Series> series = MeasureInterleaved(turns, options.rounds);
  Scene scene{.workload = std::move(name),
              .family = "v4",
              .traffic = absl::StrCat(traffic.shape().miss_percent),
              .pods = cluster.snapshot.pods().size(),
              .policies = cluster.snapshot.policies().size(),
              .cidrs = cluster.cidr_count,
              .packets = keys.size(),
              .seed = traffic.shape().seed,
              .v4_bytes = cluster.report.hot_ipv4_bytes,
              .v6_bytes = cluster.report.hot_ipv6_bytes,
              .compile_ns = cluster.compile_ns};
  scene.figures.push_back(MakeFigure(without, {}, std::move(series[0])));
  scene.figures.push_back(MakeFigure(with, check, std::move(series[1])));
  return scene;
}

}  // namespace

bool IsConnectionStage(std::string_view place) {
  return std::ranges::find(kPlaces, place, &Place::name) != std::end(kPlaces);
}

absl::Status MeasureConnections(std::string_view place_asked, const RunOptions& options,
                                const TrafficOptions& traffic, Report& report) {
  absl::StatusOr<CompiledCluster> cluster =
      CompileCluster("std", Freeze(*MakeNamedCluster("std", IpFamilies::kV4)));
  if (!cluster.ok()) return cluster.status();
  const std::vector<FlowKey> keys =
      AllowedConnections(cluster->snapshot, cluster->program, traffic);
  for (const Place& place : kPlaces) {
    if (!place_asked.empty() && place.name != place_asked) continue;
    for (const uint32_t miss_percent : kMissPercents) {
      ConnectionTraffic packets(keys, {.flows = place.flows,
                                       .zipf = place.zipf,
                                       .miss_percent = miss_percent,
                                       .packets = traffic.packets,
                                       .seed = traffic.seed});
      report.scenes.push_back(MeasureScene(*cluster, std::string(place.name), packets, options));
    }
  }
  return absl::OkStatus();
}

std::string ConnectionsText(const Report& report) {
  tools::Table table({"FLOWS", ">MISSES", ">PARSE+DECIDE NS", ">WITH CONNECTIONS NS", ">ADDED NS",
                      ">M PACKETS/S", ">M NEW/S", ">WRONG"});
  for (const Scene& scene : report.scenes) {
    const Figure* const without = scene.Find(kWithoutConnections);
    const Figure* const with = scene.Find(kWithConnections);
    if (without == nullptr || with == nullptr) continue;
    const double misses = std::stod(scene.traffic);
    const double packets = with->decisions_per_second() / 1e6;
    table.AddRow({scene.workload, absl::StrCat(scene.traffic, " %"), Fixed(without->median_ns(), 1),
                  Fixed(with->median_ns(), 1), Fixed(with->median_ns() - without->median_ns(), 1),
                  Fixed(packets, 1), misses == 0 ? "" : Fixed(packets * misses / 100, 2),
                  absl::StrCat(with->disagreements)});
  }
  return table.Text();
}

}  // namespace npf::bench
