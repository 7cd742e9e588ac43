#include "measure.h"

#include <algorithm>
#include <cmath>

#include "machine.h"

namespace npf::bench {
namespace {

// As many packets as tables of some megabytes take to come into the caches that they fit.
constexpr size_t kWarmingChunks = 64;

// What reading a clock twice costs.
uint64_t CostOf(uint64_t (*clock)()) {
  uint64_t least = ~uint64_t{0};
  for (int i = 0; i < 1000; ++i) {
    const uint64_t start = clock();
    least = std::min(least, clock() - start);
  }
  return least;
}

class Timer {
 public:
  Timer() : chunk_(kChunkKeys), allowed_(kChunkKeys) {}

  void TimePass(const Turn& turn, Series* series) {
    const size_t chunks = (turn.keys.size() + kChunkKeys - 1) / kChunkKeys;
    for (size_t i = 0; i < std::min(kWarmingChunks, chunks); ++i) TimeChunk(turn, i);
    own_ns_ = 0;
    wall_ns_ = 0;
    const double core_ghz = ProbeCoreGhz();
    for (size_t i = 0; i < chunks; ++i) TimeChunk(turn, i);
    if (series == nullptr) return;
    const auto count = static_cast<double>(turn.keys.size());
    series->ns.push_back(static_cast<double>(own_ns_) / count);
    series->wall_ns.push_back(static_cast<double>(wall_ns_) / count);
    series->core_ghz.push_back(core_ghz);
  }

 private:
  void TimeChunk(const Turn& turn, size_t number) {
    const size_t first = number * kChunkKeys;
    const size_t count = std::min(kChunkKeys, turn.keys.size() - first);
    // What is not read shall not take room in the caches.
    if (turn.contender->ReadsKeys()) {
      std::ranges::copy(turn.keys.subspan(first, count), chunk_.begin());
    }
    turn.contender->Receive(first, count);
    const uint64_t wall_start_ns = WallTimeNs();
    const uint64_t start_ns = ThreadTimeNs();
    turn.contender->RunForTime({chunk_.data(), count}, {allowed_.data(), count});
    const uint64_t spent_ns = ThreadTimeNs() - start_ns;
    const uint64_t wall_ns = WallTimeNs() - wall_start_ns;
    own_ns_ += spent_ns - std::min(spent_ns, own_cost_ns_);
    wall_ns_ += wall_ns - std::min(wall_ns, own_cost_ns_ + wall_cost_ns_);
  }

  const uint64_t own_cost_ns_ = CostOf(ThreadTimeNs);
  const uint64_t wall_cost_ns_ = CostOf(WallTimeNs);
  std::vector<FlowKey> chunk_;
  std::vector<uint8_t> allowed_;
  uint64_t own_ns_ = 0;
  uint64_t wall_ns_ = 0;
};

}  // namespace

double Percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(values.size())));
  const size_t place = std::clamp<size_t>(rank, 1, values.size()) - 1;
  const auto at = values.begin() + static_cast<ptrdiff_t>(place);
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

double Median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  if (values.size() % 2 == 1) return values[middle];
  return (values[middle - 1] + values[middle]) / 2;
}

double Best(std::span<const double> values) {
  return values.empty() ? 0 : *std::min_element(values.begin(), values.end());
}

std::vector<Series> MeasureInterleaved(std::span<const Turn> turns, size_t rounds) {
  Timer timer;
  std::vector<Series> series(turns.size());
  for (const Turn& turn : turns) timer.TimePass(turn, nullptr);
  for (size_t round = 0; round < rounds; ++round) {
    for (size_t place = 0; place < turns.size(); ++place) {
      const size_t i = round % 2 == 0 ? place : turns.size() - 1 - place;
      timer.TimePass(turns[i], &series[i]);
    }
  }
  return series;
}

Check CheckVerdicts(Contender& contender, std::span<const FlowKey> keys,
                    std::span<const Verdict> expected) {
  Check check;
  if (contender.scope() == Contender::Scope::kNone) return check;
  const bool ingress_only = contender.scope() == Contender::Scope::kIngress;
  // Neither 0 nor 1: what it does not write is told.
  std::vector<uint8_t> allowed(keys.size(), 0xff);
  for (size_t first = 0; first < keys.size(); first += kChunkKeys) {
    const size_t count = std::min(kChunkKeys, keys.size() - first);
    contender.Receive(first, count);
    contender.Run(keys.subspan(first, count), {allowed.data() + first, count});
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    if (ingress_only && !contender.Covers(keys[i])) continue;
    const bool ours =
        ingress_only ? (expected[i].directions & kIngressAllowed) != 0 : expected[i].allowed != 0;
    ++check.checked;
    if (allowed[i] != (ours ? 1 : 0)) ++check.disagreements;
  }
  return check;
}

}  // namespace npf::bench
