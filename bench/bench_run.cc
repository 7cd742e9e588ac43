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

Figure MakeFigure(const Contender& contender, const Check& check, Series series) {
  Figure figure = DescribeFigure(contender, check, false);
  SetFigures(std::move(series), figure);
  return figure;
}

bool HasFamily(const Packets& packets, uint8_t family) {
  return std::ranges::any_of(packets.keys,
                             [=](const FlowKey& key) { return key.family == family; });
}

absl::StatusOr<CompiledCluster> CompileCluster(std::string name, Snapshot snapshot) {
  constexpr int kTimes = 9;
  constexpr uint64_t kEnoughNs = 1'000'000'000;
  CompileReport report;
  uint64_t best_ns = ~uint64_t{0};
  absl::StatusOr<Program> program = absl::UnknownError("");
  const uint64_t first_ns = WallTimeNs();
  for (int i = 0; i == 0 || (i < kTimes && WallTimeNs() - first_ns < kEnoughNs); ++i) {
    const uint64_t start_ns = ThreadTimeNs();
    program = Compile(snapshot, {}, &report);
    best_ns = std::min(best_ns, ThreadTimeNs() - start_ns);
    if (!program.ok()) return program.status();
  }
  program = program->MovedTo(TransparentHugePages());
  if (!program.ok()) return program.status();
  return CompiledCluster{.name = std::move(name),
                         .snapshot = snapshot,
                         .program = *std::move(program),
                         .report = std::move(report),
                         .compile_ns = best_ns,
                         .cidr_count = CountCidrs(snapshot)};
}

Packets MakePackets(const CompiledCluster& cluster, const TrafficOptions& options,
                    std::optional<FrameSizes> sizes) {
  Packets packets{.family = std::string(Name(options.families)),
                  .traffic = std::string(Name(options.kind)),
                  .seed = options.seed};
  packets.keys = MakeTraffic(cluster.snapshot, cluster.program, options).keys;
  if (sizes.has_value()) packets.frames = MakeFrames(packets.keys, *sizes);
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
    return absl::InvalidArgumentError("no packet of it can be judged");
  }
  Packets packets{.family = "capture", .traffic = std::filesystem::path(path).stem().string()};
  packets.keys.reserve(count);
  for (size_t i = 0; i < count; ++i) packets.keys.push_back(read->keys[i % read->keys.size()]);
  packets.frames = std::move(read->frames);
  packets.end = read->end;
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
  const StageProgram compiled{cluster_.program, TableBytes(packets), cluster_.compile_ns};
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

Bench::Cast Bench::Prepare(const Packets& packets) const {
  std::vector<Verdict> verdicts(packets.keys.size());
  Classify(cluster_.program, kOptions, packets.keys, verdicts);
  Cast cast{.scene = {.workload = cluster_.name,
                      .family = packets.family,
                      .traffic = packets.traffic,
                      .pods = cluster_.snapshot.pods().size(),
                      .policies = cluster_.snapshot.policies().size(),
                      .cidrs = cluster_.cidr_count,
                      .packets = packets.keys.size(),
                      .seed = packets.seed,
                      .v4_bytes = cluster_.report.hot_ipv4_bytes,
                      .v6_bytes = cluster_.report.hot_ipv6_bytes,
                      .compile_ns = cluster_.compile_ns,
                      .verdicts = CountVerdicts(verdicts)},
            .stages = MakeStages(packets)};
  for (const auto& stage : cast.stages) cast.contenders.push_back(stage.get());
  if (!HasFamily(packets, 6)) {
    for (const auto& rival : rivals_.contenders) cast.contenders.push_back(rival.get());
  }
  for (size_t i = 0; i < cast.contenders.size(); ++i) {
    const Check check = CheckVerdicts(*cast.contenders[i], packets.keys, verdicts);
    const bool rival = i >= cast.stages.size();
    cast.scene.figures.push_back(DescribeFigure(*cast.contenders[i], check, rival));
  }
  return cast;
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

Scene Bench::Measure(const Packets& packets) const {
  const Staged only{this, &packets};
  return std::move(MeasureTogether({&only, 1}).front());
}

std::vector<Scene> MeasureTogether(std::span<const Staged> staged) {
  std::vector<Bench::Cast> casts;
  std::vector<Turn> turns;
  for (const auto& [bench, packets] : staged) {
    casts.push_back(bench->Prepare(*packets));
    for (Contender* contender : casts.back().contenders)
      turns.push_back({contender, packets->keys});
  }
  std::vector<Series> series = MeasureInterleaved(turns, staged.front().bench->options_.rounds);
  std::vector<Scene> scenes;
  auto next = series.begin();
  for (size_t i = 0; i < staged.size(); ++i) {
    Scene& scene = scenes.emplace_back(std::move(casts[i].scene));
    for (Figure& figure : scene.figures) SetFigures(std::move(*next++), figure);
    const auto& [bench, packets] = staged[i];
    if (bench->options_.latency) bench->MeasureLatencies(*packets, scene);
  }
  return scenes;
}

}  // namespace npf::bench
