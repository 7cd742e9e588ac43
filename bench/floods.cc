#include "floods.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "measure.h"
#include "named_workloads.h"
#include "npf/output.h"
#include "report_text.h"

namespace npf::bench {
namespace {

constexpr size_t kFlows = 1 << 16;
constexpr size_t kColliding = 1 << 12;
constexpr size_t kCounted = 1 << 17;

// To a pod that no policy isolates.
const FlowKey* FindTarget(const Program& program, std::span<const FlowKey> keys) {
  const auto is_open = [&](const FlowKey& key) {
    Verdict verdict;
    FlowKey from_anywhere = key;
    constexpr uint8_t kAnywhere[] = {33, 44, 55, 66};
    std::ranges::copy(kAnywhere, from_anywhere.src);
    Classify(program, {.placement = Placement::kNodeWire}, {&from_anywhere, 1}, {&verdict, 1});
    return static_cast<Reason>(verdict.reason) == Reason::kNoPolicy;
  };
  const auto found = std::ranges::find_if(keys, is_open);
  return found == keys.end() ? nullptr : &*found;
}

double MedianOf(std::span<const double> values) {
  return Median(std::vector<double>(values.begin(), values.end()));
}

// A pair's figure is of a packet of either kind, so that twice it is one of each.
void Note(const std::vector<Series>& series, FloodRow& row) {
  const std::vector<double>& clean = series[0].ns;
  const std::vector<double>& pair = series[1].ns;
  const std::vector<double>& flood = series[2].ns;
  std::vector<double> established, ratios;
  for (size_t i = 0; i < clean.size(); ++i) {
    established.push_back(2 * pair[i] - flood[i]);
    ratios.push_back(established.back() / clean[i]);
  }
  row.clean_ns = MedianOf(clean);
  row.pair_ns = 2 * MedianOf(pair);
  row.flood_ns = MedianOf(flood);
  row.established_ns = MedianOf(established);
  row.ratio = MedianOf(ratios);
}

class FloodScene {
 public:
  FloodScene(const Program& program, ConnectionTraffic& established, const FlowKey& target,
             const RunOptions& options, size_t packets)
      : program_(program),
        established_(established),
        target_(target),
        options_(options),
        // Contenders make their packets themselves; these say how many.
        pairs_(packets),
        clean_(program, established),
        colliding_(CollidingKeys(target, clean_.options().flows_max, kColliding)) {}

  FloodRow Measure(Flood kind) {
    Flooded flooded(program_, established_);
    FloodTraffic flood(kind, target_, colliding_, 1);
    FloodRow row{.flood = std::string(Name(kind))};
    row.before = flooded.counts();
    const int64_t allocated = AllocatedBytes();
    flooded.Count(flood, kCounted);
    row.grown_bytes = AllocatedBytes() - allocated;
    const uint64_t full = flooded.counts().table_full + flooded.counts().source_full;
    row.count = flooded.Count(flood, kCounted);
    row.after = flooded.counts();
    row.no_room_counted = row.after.table_full + row.after.source_full - full;
    if (kind == Flood::kColliding) {
      row.longest_look_up = LongestLookUp(colliding_, flooded.options().flows_max, false);
    }
    Time(flooded, flood, row);
    return row;
  }

 private:
  void Time(Flooded& flooded, FloodTraffic& flood, FloodRow& row) {
    FloodContender clean("clean", clean_, &established_, nullptr);
    FloodContender pair("pair", flooded, &established_, &flood);
    FloodContender alone("flood", flooded, nullptr, &flood);
    const std::span<const FlowKey> keys(pairs_);
    const auto half = keys.first(keys.size() / 2);
    const Turn turns[] = {{&clean, half}, {&pair, keys}, {&alone, half}};
    Note(MeasureInterleaved(turns, options_.rounds), row);
  }

  const Program& program_;
  ConnectionTraffic& established_;
  FlowKey target_;
  RunOptions options_;
  std::vector<FlowKey> pairs_;
  Flooded clean_;
  std::vector<FlowKey> colliding_;
};

bool AddsUp(const FloodRow& row) {
  return row.count.judged == row.count.given && row.count.no_room == row.no_room_counted;
}

}  // namespace

bool FloodRow::Holds() const {
  return ratio <= kFloodedRatioMax && longest_look_up <= kLookUpMax && grown_bytes == 0 &&
         count.established_denied == 0 && AddsUp(*this);
}

absl::Status MeasureFloods(const RunOptions& options, const TrafficOptions& traffic,
                           std::vector<FloodRow>& rows) {
  absl::StatusOr<CompiledCluster> cluster =
      CompileCluster("std", Freeze(*MakeNamedCluster("std", IpFamilies::kV4)));
  if (!cluster.ok()) return cluster.status();
  const std::vector<FlowKey> keys =
      AllowedConnections(cluster->snapshot, cluster->program, traffic);
  const FlowKey* const target = FindTarget(cluster->program, keys);
  if (target == nullptr) return absl::InternalError("policy isolates every pod");
  ConnectionTraffic established(
      keys, {.flows = kFlows, .packets = traffic.packets, .seed = traffic.seed});
  FloodScene scene(cluster->program, established, *target, options, traffic.packets);
  for (const Flood flood : kFloods) rows.push_back(scene.Measure(flood));
  return absl::OkStatus();
}

std::string FloodsText(const std::vector<FloodRow>& rows) {
  tools::Table table({"FLOOD", ">CLEAN NS", ">ONE OF EACH NS", ">FLOOD ALONE NS", ">ESTABLISHED NS",
                      ">RATIO", ">LONGEST LOOK-UP", ">GROWN", ">DENIED", ">FLOWS", ">OPENINGS",
                      ">DATAGRAMS", "COUNTED", ""});
  const auto change = [](size_t before, size_t after) { return absl::StrCat(before, ">", after); };
  for (const FloodRow& row : rows) {
    table.AddRow({row.flood, Fixed(row.clean_ns, 1), Fixed(row.pair_ns, 1), Fixed(row.flood_ns, 1),
                  Fixed(row.established_ns, 1), absl::StrCat(Fixed(row.ratio, 2), "x"),
                  row.longest_look_up == 0 ? "-" : absl::StrCat(row.longest_look_up),
                  absl::StrCat(row.grown_bytes), absl::StrCat(row.count.established_denied),
                  change(row.before.flows, row.after.flows),
                  change(row.before.openings, row.after.openings),
                  change(row.before.datagrams, row.after.datagrams),
                  absl::StrCat(row.count.judged, " of ", row.count.given, AddsUp(row) ? "" : "!"),
                  row.Holds() ? "holds" : "OVER"});
  }
  std::string text = table.Text();
  absl::StrAppend(&text, "\ngate: ratio <= ", Fixed(kFloodedRatioMax, 1),
                  "x, longest look-up <= ", kLookUpMax,
                  ", nothing grown, no established packet denied, all counted\n");
  for (const FloodRow& row : rows) {
    absl::StrAppend(&text, row.flood, ":");
    for (const auto& [verdict, packets] : row.count.flood_verdicts) {
      absl::StrAppend(&text, " ", packets, " ", verdict);
    }
    text += "\n";
  }
  return text;
}

}  // namespace npf::bench
