#include "bench_run.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "machine.h"
#include "measure.h"
#include "named_workloads.h"
#include "stages.h"

namespace npf::bench {
namespace {

constexpr ClassifyOptions kOptions{.placement = Placement::kNodeWire};

uint64_t CountCidrs(const Snapshot& snapshot) {
  std::set<std::string> cidrs;
  const auto add = [&](const std::vector<PolicyRule>& rules) {
    for (const PolicyRule& rule : rules) {
      for (const PolicyPeer& peer : rule.peers) {
        if (peer.ip_block.has_value()) cidrs.insert(peer.ip_block->cidr);
      }
    }
  };
  for (const NetworkPolicy& policy : snapshot.policies()) {
    add(policy.ingress);
    add(policy.egress);
  }
  return cidrs.size();
}

std::map<std::string, uint64_t> CountVerdicts(std::span<const Verdict> verdicts) {
  std::map<std::string, uint64_t> counts;
  for (const Verdict& verdict : verdicts) ++counts[VerdictText(verdict)];
  return counts;
}

bool HasFamily(const Packets& packets, uint8_t family) {
  return std::ranges::any_of(packets.keys,
                             [=](const FlowKey& key) { return key.family == family; });
}

// All but the figures themselves.
Figure DescribeFigure(const Contender& contender, const Check& check, bool rival) {
  return {.contender = contender.name(),
          .rival = rival,
          .table_bytes = contender.table_bytes(),
          .build_ns = contender.build_ns(),
          .checked = check.checked,
          .disagreements = check.disagreements};
}

void SetFigures(Series series, Figure& figure) {
  for (size_t i = 0; i < series.ns.size(); ++i) {
    figure.cycles.push_back(series.ns[i] * series.core_ghz[i]);
  }
  figure.ns = std::move(series.ns);
  figure.wall_ns = std::move(series.wall_ns);
}

}  // namespace

absl::StatusOr<CompiledCluster> CompileCluster(std::string name, Snapshot snapshot) {
  constexpr int kTimes = 9;
  constexpr uint64_t kEnoughNs = 1'000'000'000;
  CompileReport report;
  const uint64_t start_ns = WallTimeNs();
  absl::StatusOr<Program> program = Compile(snapshot, {}, &report);
  if (!program.ok()) return program.status();
  for (int i = 1; i < kTimes && WallTimeNs() - start_ns < kEnoughNs; ++i) {
    CompileReport again;
    program = Compile(snapshot, {}, &again);
    report.compile_ns = std::min(report.compile_ns, again.compile_ns);
  }
  program = program->MovedTo(TransparentHugePages());
  if (!program.ok()) return program.status();
  return CompiledCluster{.name = std::move(name),
                         .snapshot = snapshot,
                         .program = *std::move(program),
                         .report = std::move(report),
                         .cidr_count = CountCidrs(snapshot)};
}

Packets MakePackets(const CompiledCluster& cluster, const TrafficOptions& options,
                    FrameSizes sizes) {
  Packets packets{.family = std::string(Name(options.families)),
                  .traffic = std::string(Name(options.kind)),
                  .seed = options.seed};
  packets.keys = MakeTraffic(cluster.snapshot, cluster.program, options).keys;
  packets.frames = MakeFrames(packets.keys, sizes);
  return packets;
}

Packets MakePacketsTo(const Expansion& expansion, const CompiledCluster& cluster,
                      const TrafficOptions& options) {
  Packets packets{.family = "v4",
                  .traffic = absl::StrCat("to-", expansion.rules, "-rules"),
                  .seed = options.seed};
  packets.keys = MakeTrafficTo(expansion.destinations, cluster.snapshot, options).keys;
  packets.frames = MakeFrames(packets.keys, FrameSizes::kSmallest);
  return packets;
}

absl::StatusOr<Packets> ReadTrace(const std::string& path, Checksums checksums, size_t count) {
  absl::StatusOr<CapturedPackets> read = ReadPackets(path, checksums);
  if (!read.ok()) return read.status();
  if (read->keys.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": no packet of it can be judged"));
  }
  Packets packets{.family = "capture", .traffic = std::filesystem::path(path).stem().string()};
  packets.keys.reserve(count);
  for (size_t i = 0; i < count; ++i) packets.keys.push_back(read->keys[i % read->keys.size()]);
  packets.frames = std::move(read->frames);
  return packets;
}

absl::StatusOr<Bench> Bench::Create(const CompiledCluster& cluster, const RunOptions& options,
                                    std::vector<std::string>& missing) {
  Bench bench(cluster, options);
  if (!options.rivals) return bench;
  absl::StatusOr<Rivals> rivals = MakeRivals(cluster.snapshot, cluster.program, {});
  if (!rivals.ok()) return rivals.status();
  bench.rivals_ = *std::move(rivals);
  missing.insert(missing.end(), bench.rivals_.missing.begin(), bench.rivals_.missing.end());
  return bench;
}

size_t Bench::TableBytes(const Packets& packets) const {
  const CompileReport& report = cluster_.report;
  return std::max(HasFamily(packets, 4) ? report.hot_ipv4_bytes : 0,
                  HasFamily(packets, 6) ? report.hot_ipv6_bytes : 0);
}

Contenders Bench::MakeStages(const Packets& packets) const {
  const StageProgram compiled{cluster_.program, TableBytes(packets), cluster_.report.compile_ns};
  Contenders stages;
  if (options_.addr) stages.push_back(MakeAddressStage(compiled));
  for (const Kernel kernel : options_.kernels) {
    if (options_.decide) stages.push_back(MakeDecideStage(compiled, kernel));
    if (options_.parse_decide) {
      stages.push_back(MakeParseDecideStage(compiled, kernel, packets.frames, options_.checksums));
    }
  }
  return stages;
}

Scene Bench::DescribeScene(const Packets& packets, std::span<const Verdict> verdicts) const {
  return {.workload = cluster_.name,
          .family = packets.family,
          .traffic = packets.traffic,
          .pods = cluster_.snapshot.pods().size(),
          .policies = cluster_.snapshot.policies().size(),
          .cidrs = cluster_.cidr_count,
          .packets = packets.keys.size(),
          .seed = packets.seed,
          .v4_bytes = cluster_.report.hot_ipv4_bytes,
          .v6_bytes = cluster_.report.hot_ipv6_bytes,
          .compile_ns = cluster_.report.compile_ns,
          .verdicts = CountVerdicts(verdicts)};
}

Scene Bench::Measure(const Packets& packets) const {
  std::vector<Verdict> verdicts(packets.keys.size());
  Classify(cluster_.program, kOptions, packets.keys, verdicts);
  Scene scene = DescribeScene(packets, verdicts);
  MeasureFigures(packets, verdicts, scene);
  if (options_.latency) MeasureLatencies(packets, scene);
  return scene;
}

void Bench::MeasureFigures(const Packets& packets, std::span<const Verdict> verdicts,
                           Scene& scene) const {
  const Contenders stages = MakeStages(packets);
  std::vector<Contender*> contenders;
  for (const auto& stage : stages) contenders.push_back(stage.get());
  if (!HasFamily(packets, 6)) {
    for (const auto& rival : rivals_.contenders) contenders.push_back(rival.get());
  }
  for (size_t i = 0; i < contenders.size(); ++i) {
    const Check check = CheckVerdicts(*contenders[i], packets.keys, verdicts);
    scene.figures.push_back(DescribeFigure(*contenders[i], check, i >= stages.size()));
  }
  std::vector<Series> series = MeasureInterleaved(contenders, packets.keys, options_.rounds);
  for (size_t i = 0; i < contenders.size(); ++i) SetFigures(std::move(series[i]), scene.figures[i]);
}

void Bench::MeasureLatencies(const Packets& packets, Scene& scene) const {
  for (const Kernel kernel : options_.kernels) {
    const std::vector<double> ns =
        MeasureBatchLatency(cluster_.program, kernel, packets.keys, options_.rounds);
    scene.latencies.push_back({.kernel = std::string(Name(kernel)),
                               .p50_ns = Percentile(ns, 0.5),
                               .p99_ns = Percentile(ns, 0.99),
                               .p999_ns = Percentile(ns, 0.999)});
  }
}

}  // namespace npf::bench
