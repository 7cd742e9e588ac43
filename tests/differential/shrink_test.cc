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

bool HasWildcard(const Cluster& cluster) {
  for (const ClusterPolicy& policy : cluster.cluster_policies) {
    for (const ClusterRule& rule : policy.egress) {
      for (const ClusterPeer& peer : rule.peers) {
        if (!peer.domain_names) continue;
        for (const std::string& name : *peer.domain_names) {
          if (name == "*.example.com") return true;
        }
      }
    }
  }
  return false;
}

TEST(ShrinkTest, KeepsOnlyWhatTheFailureNeedsOfTiers) {
  uint64_t seed = 1;
  while (!HasWildcard(GenerateCluster(seed))) ++seed;
  const Cluster small = Shrink(GenerateCluster(seed), [](const Cluster& cluster) {
    return HasWildcard(cluster) && Freeze(cluster).ok();
  });
  EXPECT_TRUE(small.pods.empty() && small.policies.empty() && small.resolved_names.empty());
  ASSERT_EQ(small.cluster_policies.size(), 1u);
  const ClusterPolicy& policy = small.cluster_policies.front();
  EXPECT_TRUE(policy.ingress.empty());
  ASSERT_EQ(policy.egress.size(), 1u);
  EXPECT_FALSE(policy.egress.front().ports);
  ASSERT_EQ(policy.egress.front().peers.size(), 1u);
  EXPECT_EQ(policy.egress.front().peers.front().domain_names->size(), 1u);
}

// One item of each form, of both versions.
TEST(ShrinkTest, YamlOfTiersIsTheirOwn) {
  using Form = ClusterPort::Form;
  ClusterPeer everyone;
  everyone.pods = ClusterPods{};
  ClusterPolicy policy;
  policy.name = "p";
  policy.tier = "Admin";
  policy.priority = 7;
  policy.subject = ClusterPods{{}, LabelSelector{}};
  policy.ingress = {{"r", "Deny", {everyone, ClusterPeer{}}, std::nullopt, {}}};
  policy.ingress[0].ports = {{Form::kNumber, "UDP", 53, 53, "", {}},
                             {Form::kRange, "TCP", 1, 2, "", {}}};
  Cluster cluster;
  cluster.cluster_policies = {policy, policy};
  cluster.cluster_policies[1].kind = ClusterPolicyKind::kAdminNetworkPolicy;
  cluster.resolved_names = {{"www.example.com", "192.0.2.1", 0, {}}};
  const std::string metadata = "metadata:\n  name: \"p\"\n";
  const std::string subject =
      "  priority: 7\n  subject:\n    pods: {namespaceSelector: {}, podSelector: {}}\n  ingress:\n";
  EXPECT_EQ(ToYaml(cluster),
            "# --domains: www.example.com,192.0.2.1,0\n"
            "apiVersion: \"policy.networking.k8s.io/v1alpha2\"\n"
            "kind: \"ClusterNetworkPolicy\"\n" +
                metadata + "spec:\n  tier: \"Admin\"\n" + subject +
                "    - {name: \"r\", action: \"Deny\", from: [{namespaces: {}}, {unheardOf: {}}], "
                "protocols: [{udp: {destinationPort: {number: 53}}}, "
                "{tcp: {destinationPort: {range: {start: 1, end: 2}}}}]}\n"
                "---\n"
                "apiVersion: \"policy.networking.k8s.io/v1alpha1\"\n"
                "kind: \"AdminNetworkPolicy\"\n" +
                metadata + "spec:\n" + subject +
                "    - {name: \"r\", action: \"Deny\", from: [{namespaces: {}}, {unheardOf: {}}], "
                "ports: [{portNumber: {port: 53, protocol: \"UDP\"}}, "
                "{portRange: {start: 1, end: 2, protocol: \"TCP\"}}]}\n");
}

}  // namespace
}  // namespace npf::testing
