// The tests' own tools: a failure is made small, and the text that is printed says it all.
#include <gtest/gtest.h>

#include <algorithm>

#include "testing/cluster_generator.h"
#include "testing/shrink.h"

namespace npf::testing {
namespace {

bool HasEndPort(const Cluster& cluster) {
  return std::any_of(
      cluster.policies.begin(), cluster.policies.end(), [](const NetworkPolicy& policy) {
        return std::any_of(policy.egress.begin(), policy.egress.end(), [](const PolicyRule& rule) {
          return std::any_of(rule.ports.begin(), rule.ports.end(),
                             [](const PolicyPort& port) { return port.end_port.has_value(); });
        });
      });
}

TEST(ShrinkTest, KeepsOnlyWhatTheFailureNeeds) {
  uint64_t seed = 1;
  while (!HasEndPort(GenerateCluster(seed))) ++seed;
  const Cluster small = Shrink(GenerateCluster(seed), [](const Cluster& cluster) {
    return HasEndPort(cluster) && Freeze(cluster).ok();
  });
  EXPECT_TRUE(small.pods.empty() && small.namespaces.empty() && small.nodes.empty());
  ASSERT_EQ(small.policies.size(), 1u);
  const NetworkPolicy& policy = small.policies.front();
  EXPECT_TRUE(policy.ingress.empty() && policy.policy_types.empty());
  EXPECT_EQ(policy.pod_selector, LabelSelector{});
  ASSERT_EQ(policy.egress.size(), 1u);
  EXPECT_TRUE(policy.egress.front().peers.empty());
  ASSERT_EQ(policy.egress.front().ports.size(), 1u);
  EXPECT_TRUE(HasEndPort(small));
}

TEST(ShrinkTest, YamlIsShort) {
  Cluster cluster;
  NetworkPolicy policy;
  policy.ns = "a";
  policy.name = "p";
  policy.egress = {{{{"TCP", 80, 81, {}}}, {}, {}}};
  cluster.policies = {policy};
  cluster.pod_cidrs = {Prefix("10.0.0.0/8")};
  EXPECT_EQ(ToYaml(cluster),
            "# --pod-cidr 10.0.0.0/8\n"
            "apiVersion: \"networking.k8s.io/v1\"\n"
            "kind: \"NetworkPolicy\"\n"
            "metadata:\n  namespace: \"a\"\n  name: \"p\"\n"
            "spec:\n"
            "  podSelector: {}\n"
            "  egress:\n"
            "    - {ports: [{protocol: \"TCP\", port: 80, endPort: 81}]}\n");
}

}  // namespace
}  // namespace npf::testing
