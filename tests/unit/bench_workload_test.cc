// The named workloads have what their names promise.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include "named_workloads.h"

namespace npf::bench {
namespace {

struct Counts {
  size_t pods;
  size_t policies;
  size_t nodes;
};

TEST(NamedWorkloads, HaveThePromisedCounts) {
  const std::map<std::string, Counts> promised = {
      {"tiny", {1'000, 100, 10}},         {"std", {10'000, 1'000, 100}},
      {"dense", {10'000, 5'000, 100}},    {"cidr", {10'000, 1'000, 100}},
      {"ports", {10'000, 1'000, 100}},    {"ocp4800", {2'400, 4'800, 24}},
      {"cilium250", {50'000, 250, 1'000}}};
  for (const auto& [name, counts] : promised) {
    SCOPED_TRACE(name);
    const auto cluster = MakeNamedCluster(name, IpFamilies::kV4);
    ASSERT_TRUE(cluster.has_value());
    EXPECT_EQ(cluster->pods.size(), counts.pods);
    EXPECT_EQ(cluster->policies.size(), counts.policies);
    EXPECT_EQ(cluster->nodes.size(), counts.nodes);
  }
}

TEST(NamedWorkloads, AreTen) {
  EXPECT_EQ(NamedWorkloads().size(), 10u);
  EXPECT_FALSE(MakeNamedCluster("huge", IpFamilies::kV4).has_value());
}

TEST(NamedWorkloads, HaveTheAddressesOfTheirFamilies) {
  for (const IpFamilies families : {IpFamilies::kV4, IpFamilies::kV6, IpFamilies::kDual}) {
    SCOPED_TRACE(Name(families));
    EXPECT_EQ(ParseIpFamilies(Name(families)), families);
    const Cluster cluster = *MakeNamedCluster("tiny", families);
    const auto& ips = cluster.pods.front().ips;
    EXPECT_EQ(ips.size(), families == IpFamilies::kDual ? 2u : 1u);
    EXPECT_EQ(ips.back().find(':') != std::string::npos, families != IpFamilies::kV4);
    EXPECT_EQ(cluster.nodes.front().pod_cidrs.size(), ips.size());
    EXPECT_EQ(Freeze(cluster).pods().size(), 1'000u);
  }
}

TEST(NamedWorkloads, ListsHaveFiveOfEach) {
  const Cluster cluster = *MakeNamedCluster("ocp4800", IpFamilies::kV4);
  const NetworkPolicy& policy = cluster.policies.front();
  ASSERT_EQ(policy.ingress.size(), 6u);
  EXPECT_EQ(policy.ingress[0].ports.size(), 10u);
  const auto ranges = std::ranges::count_if(
      policy.ingress[0].ports, [](const PolicyPort& port) { return port.end_port.has_value(); });
  EXPECT_EQ(ranges, 5);
  const PolicyPeer& peer = policy.ingress[0].peers.front();
  EXPECT_EQ(peer.pod_selector->match_expressions.front().values.size(), 5u);
  EXPECT_EQ(peer.namespace_selector->match_expressions.front().values.size(), 5u);
  for (size_t i = 1; i < 6; ++i) {
    EXPECT_TRUE(policy.ingress[i].peers.front().ip_block.has_value());
  }
  EXPECT_EQ(Freeze(cluster).namespaces().size(), 240u);
}

}  // namespace
}  // namespace npf::bench
