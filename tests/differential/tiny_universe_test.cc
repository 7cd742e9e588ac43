// Every policy of at most two rules out of a small grammar, on one small cluster, and every
// question that can be asked there: nothing is left to chance.
#include <gtest/gtest.h>

#include <cstdio>

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
  cluster.namespaces = {{"a", {{"team", "x"}}, false, {}}, {"b", {{"team", "y"}}, false, {}}};
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

// NPF_UNIVERSE_STRIDE leaves out all but every n-th list of rules.
TEST(TinyUniverseTest, EngineEqualsReferenceOnEveryPolicyAndQuestion) {
  AskEverything(kIpv4World, CountFromEnvironment("NPF_UNIVERSE_STRIDE", 1));
}

TEST(TinyUniverseTest, EngineEqualsReferenceOnEveryPolicyAndQuestionOfIpv6) {
  AskEverything(kIpv6World, CountFromEnvironment("NPF_UNIVERSE_STRIDE", 1));
}

}  // namespace
}  // namespace npf::testing
