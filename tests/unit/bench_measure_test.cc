// Medians are medians, rounds are interleaved, and differing verdicts are counted.
#include "measure.h"

#include <gtest/gtest.h>

#include <string>

#include "npf/verdict.h"

namespace npf::bench {
namespace {

// Allows everything, and writes down its turns.
class Fake : public Contender {
 public:
  Fake(std::string name, Scope scope, std::string* turns)
      : name_(std::move(name)), scope_(scope), turns_(turns) {}
  const std::string& name() const override { return name_; }
  size_t table_bytes() const override { return 0; }
  uint64_t build_ns() const override { return 0; }
  Scope scope() const override { return scope_; }
  bool Covers(const FlowKey& key) const override { return key.dst_port == 80; }
  void Run(std::span<const FlowKey> keys, std::span<uint8_t> allowed) override {
    if (turns_ != nullptr) *turns_ += name_;
    std::fill_n(allowed.begin(), keys.size(), uint8_t{1});
  }

 private:
  std::string name_;
  Scope scope_;
  std::string* turns_;
};

TEST(Measure, Median) {
  EXPECT_EQ(Median({}), 0);
  EXPECT_EQ(Median({3}), 3);
  EXPECT_EQ(Median({5, 1, 3}), 3);
  EXPECT_EQ(Median({4, 1, 3, 2}), 2.5);
}

TEST(Measure, BestAndPercentile) {
  const std::vector<double> values = {5, 1, 4, 2, 3};
  EXPECT_EQ(Best(values), 1);
  EXPECT_EQ(Percentile(values, 0.5), 3);
  EXPECT_EQ(Percentile(values, 0.2), 1);
  EXPECT_EQ(Percentile(values, 0.21), 2);
  EXPECT_EQ(Percentile(values, 0.999), 5);
  EXPECT_EQ(Percentile({}, 0.5), 0);
}

TEST(Measure, RoundsGoForwardsAndBackwards) {
  std::string turns;
  Fake a("a", Contender::Scope::kAll, &turns);
  Fake b("b", Contender::Scope::kAll, &turns);
  const std::vector<FlowKey> keys(10);
  const std::vector<Turn> order = {{&a, keys}, {&b, keys}};
  const std::vector<Series> series = MeasureInterleaved(order, 3);
  // Each turn has a chunk that warms and one that counts; the first round is not counted.
  EXPECT_EQ(turns,
            "aabb"
            "aabb"
            "bbaa"
            "aabb");
  ASSERT_EQ(series.size(), 2u);
  EXPECT_EQ(series[0].ns.size(), 3u);
  EXPECT_EQ(series[1].wall_ns.size(), 3u);
  EXPECT_GT(series[0].core_ghz[0], 0.1);
}

TEST(Measure, DifferingVerdictsAreCounted) {
  std::vector<FlowKey> keys(4);
  std::vector<Verdict> expected(4);
  keys[0].dst_port = keys[1].dst_port = 80;
  expected[0] = {.allowed = 1, .directions = kIngressAllowed | kEgressAllowed};
  expected[1] = {.allowed = 0, .directions = kIngressAllowed};
  Fake all("a", Contender::Scope::kAll, nullptr);
  EXPECT_EQ(CheckVerdicts(all, keys, expected).checked, 4u);
  EXPECT_EQ(CheckVerdicts(all, keys, expected).disagreements, 3u);
  // Ingress, of what it covers: both are allowed.
  Fake ingress("i", Contender::Scope::kIngress, nullptr);
  EXPECT_EQ(CheckVerdicts(ingress, keys, expected).checked, 2u);
  EXPECT_EQ(CheckVerdicts(ingress, keys, expected).disagreements, 0u);
  Fake none("n", Contender::Scope::kNone, nullptr);
  EXPECT_EQ(CheckVerdicts(none, keys, expected).checked, 0u);
}

}  // namespace
}  // namespace npf::bench
