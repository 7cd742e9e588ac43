// Every policy of at most two rules out of a small grammar, on one small cluster, and every
// question that can be asked there: nothing is left to chance. Then every pair of an Admin and a
// Baseline policy of at most two rules, around every kind of NetworkPolicy.
#include <gtest/gtest.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "differential/differential.h"

namespace npf::testing {
namespace {

Pod MakePod(const std::string& ns, const std::string& name, Labels labels, const std::string& ip,
            std::vector<ContainerPort> ports) {
  Pod pod;
  pod.ns = ns;
  pod.name = name;
  pod.labels = std::move(labels);
  pod.ips = {ip};
  pod.phase = PodPhase::kRunning;
  pod.ports = std::move(ports);
  return pod;
}

// The universe in one family: its addresses differ in the last byte only.
struct World {
  std::string pods;     // "10.0.0." or "fd00::"
  std::string block;    // of the first four addresses
  std::string cut;      // one of them
  std::string all;      // the whole family
  std::string outside;  // an address far away
};
const World kIpv4World = {"10.0.0.", "10.0.0.0/30", "10.0.0.2/32", "0.0.0.0/0", "192.0.2.1"};
const World kIpv6World = {"fd00::", "fd00::/126", "fd00::2/128", "::/0", "2001:db8::1"};

Cluster MakeUniverse(const World& world) {
  Cluster cluster;
  cluster.namespaces = {{.name = "a", .labels = {{"team", "x"}}},
                        {.name = "b", .labels = {{"team", "y"}}}};
  cluster.pods = {MakePod("a", "p", {{"app", "w"}}, world.pods + "1", {{"http", 80, "TCP"}}),
                  MakePod("a", "q", {{"app", "d"}}, world.pods + "2", {{"http", 81, "TCP"}}),
                  MakePod("b", "p", {{"app", "w"}}, world.pods + "3", {{"http", 80, "UDP"}}),
                  MakePod("b", "r", {}, world.pods + "4", {})};
  cluster.pods[0].node_name = "n";
  cluster.nodes = {{"n", {}, {world.pods + "8"}, {}, {}}};
  return cluster;
}

std::vector<AskedQuestion> EveryQuestion(const World& world) {
  std::vector<std::string> addresses = {world.outside};
  for (const char* last : {"1", "2", "3", "4", "5", "8"}) addresses.push_back(world.pods + last);
  const std::vector<std::pair<uint8_t, uint16_t>> ports = {{kProtocolTcp, 80}, {kProtocolTcp, 81},
                                                           {kProtocolTcp, 82}, {kProtocolUdp, 80},
                                                           {kProtocolUdp, 81}, {kProtocolIcmp, 0}};
  std::vector<AskedQuestion> questions;
  for (const std::string& src : addresses) {
    for (const std::string& dst : addresses) {
      for (const auto& [protocol, port] : ports) {
        questions.push_back({{Address(src), Address(dst), protocol, port}, 0});
      }
    }
  }
  return questions;
}

LabelSelector Equals(const std::string& key, const std::string& value) {
  return {{{key, value}}, {}};
}

std::vector<std::vector<PolicyPeer>> EveryPeerList(const World& world) {
  const LabelSelector not_w{{}, {{"app", "NotIn", {"w"}}}};
  const IpBlock cut{world.block, {world.cut}};
  const IpBlock everything{world.all, {}};
  return {{},
          {{Equals("app", "w"), std::nullopt, std::nullopt, {}}},
          {{not_w, std::nullopt, std::nullopt, {}}},
          {{LabelSelector{}, std::nullopt, std::nullopt, {}}},
          {{std::nullopt, LabelSelector{}, std::nullopt, {}}},
          {{std::nullopt, Equals("team", "x"), std::nullopt, {}}},
          {{Equals("app", "w"), Equals("team", "y"), std::nullopt, {}}},
          {{std::nullopt, std::nullopt, cut, {}}},
          {{std::nullopt, std::nullopt, everything, {}}}};
}

std::vector<std::vector<PolicyPort>> EveryPortList() {
  return {{},
          {{std::nullopt, std::nullopt, std::nullopt, {}}},
          {{"TCP", 80, std::nullopt, {}}},
          {{"UDP", 80, std::nullopt, {}}},
          {{"TCP", 80, 81, {}}},
          {{std::nullopt, "http", std::nullopt, {}}},
          {{"UDP", "http", std::nullopt, {}}}};
}

std::vector<std::vector<PolicyRule>> EveryRuleList(const World& world) {
  std::vector<PolicyRule> rules;
  for (const auto& peers : EveryPeerList(world)) {
    for (const auto& ports : EveryPortList()) rules.push_back({ports, peers, {}});
  }
  std::vector<std::vector<PolicyRule>> lists = {{}};
  for (size_t i = 0; i < rules.size(); ++i) {
    lists.push_back({rules[i]});
    for (size_t j = i; j < rules.size(); ++j) lists.push_back({rules[i], rules[j]});
  }
  return lists;
}

std::vector<NetworkPolicy> EveryPolicy(const std::vector<PolicyRule>& rules) {
  static const std::vector<std::vector<std::string>> kTypes = {
      {}, {"Ingress"}, {"Egress"}, {"Ingress", "Egress"}};
  std::vector<NetworkPolicy> policies;
  for (const LabelSelector& subject : {LabelSelector{}, Equals("app", "w")}) {
    for (const auto& types : kTypes) {
      for (const bool egress : {false, true}) {
        NetworkPolicy policy;
        policy.ns = "a";
        policy.name = "p";
        policy.pod_selector = subject;
        policy.policy_types = types;
        (egress ? policy.egress : policy.ingress) = rules;
        policies.push_back(policy);
      }
    }
  }
  return policies;
}

void AskEverything(const World& world, size_t stride) {
  const std::vector<AskedQuestion> questions = EveryQuestion(world);
  const std::vector<std::vector<PolicyRule>> lists = EveryRuleList(world);
  Cluster cluster = MakeUniverse(world);
  std::vector<reference::Answer> answers;
  size_t policies = 0;
  for (size_t i = 0; i < lists.size(); i += stride) {
    for (const NetworkPolicy& policy : EveryPolicy(lists[i])) {
      cluster.policies = {policy};
      const absl::StatusOr<Snapshot> snapshot = Freeze(cluster);
      ASSERT_TRUE(snapshot.ok()) << snapshot.status();
      const PairKind kind = kPairKinds[policies++ % std::size(kPairKinds)];
      Contest contest(*snapshot, {&kind, 1});
      ASSERT_TRUE(contest.ok());
      const auto difference = contest.FirstDifference(kind, {}, questions, answers);
      ASSERT_FALSE(difference) << DescribeDifference(cluster, kind, {}, questions[*difference]);
    }
  }
  std::printf("%zu policies, %zu questions each, %zu decisions\n", policies, questions.size(),
              policies * questions.size());
}

// Two pods, the node of the first, and what is outside.
Cluster MakeTieredUniverse() {
  Cluster cluster;
  cluster.pods = {MakePod("a", "p", {{"app", "w"}}, "10.0.0.1", {{"http", 80, "TCP"}}),
                  MakePod("b", "q", {{"app", "d"}}, "10.0.0.2", {{"http", 81, "TCP"}})};
  cluster.pods[0].node_name = "n";
  cluster.nodes = {{"n", {}, {"10.0.0.8"}, {}, {}}};
  return cluster;
}

std::vector<AskedQuestion> EveryTieredQuestion() {
  std::vector<AskedQuestion> questions;
  for (const char* src : {"10.0.0.1", "10.0.0.2", "10.0.0.8", "192.0.2.1"}) {
    for (const char* dst : {"10.0.0.1", "10.0.0.2", "10.0.0.8", "192.0.2.1"}) {
      for (const uint16_t port : {uint16_t{80}, uint16_t{81}}) {
        questions.push_back({{Address(src), Address(dst), kProtocolTcp, port}, 0});
      }
      questions.push_back({{Address(src), Address(dst), kProtocolIcmp, 0}, 0});
    }
  }
  return questions;
}

// Every action on: all that this direction can name, some pods, a named port of all pods, and a
// peer of an unknown kind.
std::vector<ClusterRule> EveryClusterRule(bool egress) {
  ClusterPeer all_pods;
  all_pods.pods = ClusterPods{};
  all_pods.field_count = 1;
  ClusterPeer some_pods = all_pods;
  some_pods.pods->pod_selector = Equals("app", "w");
  ClusterPeer everything = all_pods;
  if (egress) {
    everything.pods.reset();
    everything.networks = {"0.0.0.0/0"};
  }
  ClusterPeer unknown;
  unknown.field_count = 1;
  ClusterPort named;
  named.form = ClusterPort::Form::kNamed;
  named.name = "http";
  std::vector<ClusterRule> rules;
  for (const char* action : {"Accept", "Deny", "Pass"}) {
    rules.push_back({"", action, {everything}, std::nullopt, {}});
    rules.push_back({"", action, {some_pods}, std::nullopt, {}});
    rules.push_back({"", action, {all_pods}, std::vector<ClusterPort>{named}, {}});
    rules.push_back({"", action, {some_pods, unknown}, std::nullopt, {}});
  }
  return rules;
}

// Of a tier: no policy, or one of one rule or two.
std::vector<std::vector<ClusterPolicy>> EveryTier(const std::string& tier, bool egress) {
  std::vector<std::vector<ClusterPolicy>> tiers = {{}};
  const std::vector<ClusterRule> rules = EveryClusterRule(egress);
  const auto add = [&](std::vector<ClusterRule> list) {
    ClusterPolicy policy;
    policy.name = absl::StrCat("tier-", tier == "Admin" ? "a" : "b");
    policy.tier = tier;
    policy.priority = 1;
    policy.subject = ClusterPods{};
    policy.subject_field_count = 1;
    (egress ? policy.egress : policy.ingress) = std::move(list);
    tiers.push_back({policy});
  };
  for (const ClusterRule& first : rules) {
    add({first});
    for (const ClusterRule& second : rules) add({first, second});
  }
  return tiers;
}

// None; one that allows nothing, all, or a port in this direction; one of the other direction.
std::vector<std::vector<NetworkPolicy>> EveryShape(bool egress) {
  NetworkPolicy policy;
  policy.ns = "a";
  policy.name = "p";
  policy.policy_types = {egress ? "Egress" : "Ingress"};
  std::vector<std::vector<NetworkPolicy>> shapes = {{}, {policy}};
  std::vector<PolicyRule>& rules = egress ? policy.egress : policy.ingress;
  rules = {PolicyRule{}};
  shapes.push_back({policy});
  rules = {{{{"TCP", 80, std::nullopt, {}}}, {}, {}}};
  shapes.push_back({policy});
  policy.policy_types = {egress ? "Ingress" : "Egress"};
  shapes.push_back({policy});
  return shapes;
}

void AskEveryTier(bool egress, size_t stride) {
  const std::vector<AskedQuestion> questions = EveryTieredQuestion();
  const auto admins = EveryTier("Admin", egress);
  const auto baselines = EveryTier("Baseline", egress);
  Cluster cluster = MakeTieredUniverse();
  std::vector<reference::Answer> answers;
  size_t clusters = 0;
  size_t turn = 0;
  for (const auto& admin : admins) {
    for (const auto& baseline : baselines) {
      for (const auto& shape : EveryShape(egress)) {
        if (turn++ % stride != 0) continue;
        cluster.cluster_policies = admin;
        cluster.cluster_policies.insert(cluster.cluster_policies.end(), baseline.begin(),
                                        baseline.end());
        cluster.policies = shape;
        const absl::StatusOr<Snapshot> snapshot = Freeze(cluster);
        ASSERT_TRUE(snapshot.ok()) << snapshot.status();
        const PairKind kind = kPairKinds[clusters++ % std::size(kPairKinds)];
        Contest contest(*snapshot, {&kind, 1});
        ASSERT_TRUE(contest.ok());
        const auto difference = contest.FirstDifference(kind, {}, questions, answers);
        ASSERT_FALSE(difference) << DescribeDifference(cluster, kind, {}, questions[*difference]);
      }
    }
  }
  std::printf("%zu tiered clusters, %zu questions each, %zu decisions\n", clusters,
              questions.size(), clusters * questions.size());
}

// NPF_UNIVERSE_STRIDE leaves out all but every n-th list of rules.
TEST(TinyUniverseTest, EngineEqualsReferenceOnEveryPolicyAndQuestion) {
  AskEverything(kIpv4World, CountFromEnvironment("NPF_UNIVERSE_STRIDE", 1));
}

TEST(TinyUniverseTest, EngineEqualsReferenceOnEveryPolicyAndQuestionOfIpv6) {
  AskEverything(kIpv6World, CountFromEnvironment("NPF_UNIVERSE_STRIDE", 1));
}

TEST(TinyUniverseTest, EngineEqualsReferenceOnEveryPairOfIngressTiers) {
  AskEveryTier(false, CountFromEnvironment("NPF_UNIVERSE_STRIDE", 1));
}

TEST(TinyUniverseTest, EngineEqualsReferenceOnEveryPairOfEgressTiers) {
  AskEveryTier(true, CountFromEnvironment("NPF_UNIVERSE_STRIDE", 1));
}

}  // namespace
}  // namespace npf::testing
