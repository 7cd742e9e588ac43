// More address classes than 16 bits can count: nothing wraps.
#include <gtest/gtest.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "differential/differential.h"
#include "testing/judge.h"

namespace npf::testing {
namespace {

constexpr size_t kBlocks = 70'000;
constexpr size_t kPortBase = 300;  // 300 * 300 pairs of ports > kBlocks

std::string BlockAddress(size_t i) {
  return absl::StrCat("20.", i >> 16, ".", i >> 8 & 0xFF, ".", i & 0xFF);
}

// A rule for each of 70,000 addresses, each with its own pair of ports: no two are alike.
Cluster MakeWideCluster() {
  Cluster cluster;
  Pod pod;
  pod.ns = "a";
  pod.name = "p";
  pod.ips = {"10.0.0.1"};
  cluster.pods = {pod};
  NetworkPolicy policy;
  policy.ns = "a";
  policy.name = "wide";
  for (size_t i = 0; i < kBlocks; ++i) {
    PolicyRule rule;
    rule.peers.push_back({std::nullopt, std::nullopt, IpBlock{BlockAddress(i) + "/32", {}}, {}});
    const int64_t ports[] = {static_cast<int64_t>(1 + i % kPortBase),
                             static_cast<int64_t>(1000 + i / kPortBase)};
    for (const int64_t port : ports) rule.ports.push_back({"TCP", port, std::nullopt, {}});
    policy.ingress.push_back(rule);
  }
  cluster.policies = {policy};
  return cluster;
}

TEST(WideTest, MoreThan65536Classes) {
  const absl::StatusOr<Snapshot> snapshot = Freeze(MakeWideCluster());
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  CompileReport report;
  const absl::StatusOr<Program> program = Compile(*snapshot, {}, &report);
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_GT(report.other_classes, 65'536u);
  std::printf("%zu classes, %zu bytes, %.1f s\n", report.other_classes, program->image().size(),
              static_cast<double>(report.compile_ns) * 1e-9);
  const IpAddress pod = Address("10.0.0.1");
  std::vector<FlowKey> keys;
  std::vector<bool> expected;
  for (size_t i = 0; i < kBlocks + 300; ++i) {
    const IpAddress src = Address(BlockAddress(i));
    const auto first = static_cast<uint16_t>(1 + i % kPortBase);
    const auto second = static_cast<uint16_t>(1000 + i / kPortBase);
    for (const uint16_t port :
         {first, second, static_cast<uint16_t>(first + 1), static_cast<uint16_t>(second + 1)}) {
      keys.push_back(MakeFlowKey(src, pod, kProtocolTcp, port));
      expected.push_back(i < kBlocks && (port == first || port == second));
    }
  }
  std::vector<Verdict> verdicts(keys.size());
  Classify(*program, {}, keys, verdicts);
  size_t differences = 0;
  for (size_t i = 0; i < keys.size(); ++i) {
    if ((verdicts[i].allowed != 0) != expected[i]) ++differences;
  }
  EXPECT_EQ(differences, 0u) << "of " << keys.size();
}

}  // namespace
}  // namespace npf::testing
