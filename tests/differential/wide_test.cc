// More address classes than 16 bits can count, more places of the IPv4 trie than 24 bits can:
// nothing wraps.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "differential/differential.h"
#include "program/view.h"
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

// 250 rules' worth of single addresses in 70,000 different /24 networks, no two of which look
// alike: the address's place in its network and its rule tell them apart.
constexpr size_t kNetworks = 70'000;
constexpr size_t kNetworksPerRule = 250;

std::string ScatteredAddress(size_t network, size_t place) {
  return absl::StrCat(20 + (network >> 16), ".", network >> 8 & 0xFF, ".", network & 0xFF, ".",
                      place);
}

Cluster MakeScatteredCluster() {
  Cluster cluster;
  Pod pod;
  pod.ns = "a";
  pod.name = "p";
  pod.ips = {"10.0.0.1"};
  cluster.pods = {pod};
  NetworkPolicy policy;
  policy.ns = "a";
  policy.name = "scattered";
  for (size_t first = 0; first < kNetworks; first += kNetworksPerRule) {
    PolicyRule rule;
    for (size_t place = 0; place < kNetworksPerRule; ++place) {
      const std::string address = ScatteredAddress(first + place, place);
      rule.peers.push_back({std::nullopt, std::nullopt, IpBlock{address + "/32", {}}, {}});
    }
    rule.ports.push_back(
        {"TCP", static_cast<int64_t>(1 + first / kNetworksPerRule), std::nullopt, {}});
    policy.ingress.push_back(rule);
  }
  cluster.policies = {policy};
  return cluster;
}

TEST(WideTest, MoreThan65536DistinctNetworks) {
  const absl::StatusOr<Snapshot> snapshot = Freeze(MakeScatteredCluster());
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  const absl::StatusOr<Program> program = Compile(*snapshot);
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_EQ(program->view().header().v4_entry_bytes, 8u);
  const IpAddress pod = Address("10.0.0.1");
  size_t differences = 0;
  for (size_t network = 0; network < kNetworks; ++network) {
    const size_t place = network % kNetworksPerRule;
    const auto port = static_cast<uint16_t>(1 + network / kNetworksPerRule);
    const std::array<FlowKey, 3> keys = {
        MakeFlowKey(Address(ScatteredAddress(network, place)), pod, kProtocolTcp, port),
        MakeFlowKey(Address(ScatteredAddress(network, place)), pod, kProtocolTcp,
                    static_cast<uint16_t>(port + 1)),
        MakeFlowKey(Address(ScatteredAddress(network, place + 1)), pod, kProtocolTcp, port)};
    std::array<Verdict, 3> verdicts;
    Classify(*program, {}, keys, verdicts);
    const bool right =
        verdicts[0].allowed == 1 && verdicts[1].allowed == 0 && verdicts[2].allowed == 0;
    differences += right ? 0 : 1;
  }
  EXPECT_EQ(differences, 0u) << "of " << kNetworks;
}

}  // namespace
}  // namespace npf::testing
