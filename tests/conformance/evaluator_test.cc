// What the reference evaluator says beside the verdict, and its own reading of addresses.
#include "reference/evaluator.h"

#include <gtest/gtest.h>

#include "conformance/rules.h"
#include "reference/cidr.h"
#include "testing/cluster.h"

namespace npf::testing {
namespace {

using reference::AddressKind;
using reference::RuleReference;
using reference::Tier;

constexpr char kPolicies[] = R"(
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {namespace: shop, name: a-deny}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {namespace: shop, name: b-allow}
spec: {podSelector: {matchLabels: {app: db}}, ingress: [{ports: [{port: 1}]}, {ports: [{port: 80}]}, {}]}
)";

TEST(EvaluatorTest, NamesIsolatingPoliciesAndAllowingRules) {
  const auto snapshot = RuleSnapshot({"evaluator", kPolicies, {}});
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  const reference::Evaluator evaluator(*snapshot);
  const reference::Answer answer = evaluator.Evaluate(ReadRow("web db TCP/80 out policy").question);
  EXPECT_EQ(answer.egress.isolating, std::vector<size_t>{0});
  EXPECT_TRUE(answer.egress.allowing.empty());
  EXPECT_EQ(answer.ingress.isolating, (std::vector<size_t>{0, 1}));
  EXPECT_EQ(answer.ingress.allowing, (std::vector<RuleReference>{{1, 1}, {1, 2}}));
}

TEST(EvaluatorTest, DirectionThatIsNotAskedForIsNotJudged) {
  const auto snapshot = RuleSnapshot({"evaluator", kPolicies, {}});
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  const reference::Evaluator evaluator(*snapshot);
  const reference::Question question = ReadRow("web db TCP/80 out policy").question;
  const reference::Answer answer = evaluator.Evaluate(question, DirectionMask::kIngress);
  EXPECT_TRUE(answer.allowed && answer.egress.allowed && answer.egress.isolating.empty());
  EXPECT_FALSE(evaluator.Evaluate(question, DirectionMask::kEgress).allowed);
}

constexpr char kTiers[] = R"(
---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: last}
spec:
  {tier: Admin, priority: 9, subject: {namespaces: {}},
   egress: [{action: Pass, to: [{networks: [10.1.1.0/24]}]}, {action: Accept, to: [{namespaces: {}}]}]}
---
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: baseline}
spec: {tier: Baseline, priority: 0, subject: {namespaces: {}}, ingress: [{action: Deny, from: [{namespaces: {}}]}]}
)";

// The Snapshot has the Admin policy first, then the Baseline.
TEST(EvaluatorTest, SaysWhichTierDecidedAndByWhichRule) {
  const auto snapshot = RuleSnapshot({"evaluator", std::string(kPolicies) + kTiers, {}});
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  const reference::Evaluator evaluator(*snapshot);
  const auto ask = [&](const char* row) { return evaluator.Evaluate(ReadRow(row).question); };
  // Accepted by the second rule; isolation is still told.
  const reference::Answer accepted = ask("web db TCP/80 allow tier");
  EXPECT_EQ(accepted.egress.tier, Tier::kAdmin);
  EXPECT_EQ(accepted.egress.decided_by, (RuleReference{0, 1}));
  EXPECT_EQ(accepted.egress.isolating, std::vector<size_t>{0});
  EXPECT_TRUE(accepted.egress.passed.empty());
  EXPECT_EQ(accepted.ingress.tier, Tier::kNetworkPolicy);
  EXPECT_FALSE(accepted.ingress.decided_by);
  // Passed by the first rule, to NetworkPolicies that deny.
  const reference::Answer passed = ask("web mon TCP/80 both tier");
  EXPECT_EQ(passed.egress.tier, Tier::kNetworkPolicy);
  EXPECT_EQ(passed.egress.passed, (std::vector<RuleReference>{{0, 0}}));
  EXPECT_FALSE(passed.egress.allowed || passed.egress.decided_by);
  // Denied by the Baseline tier: nothing isolates that pod.
  EXPECT_EQ(passed.ingress.tier, Tier::kBaseline);
  EXPECT_EQ(passed.ingress.decided_by, (RuleReference{1, 0}));
  EXPECT_EQ(passed.reason, Reason::kTier);
  EXPECT_EQ(ask("mon n1 TCP/80 allow no_policy").egress.tier, Tier::kNone);
}

TEST(EvaluatorTest, UnknownPodsCanBeDenied) {
  const auto snapshot = RuleSnapshot({"evaluator", "", {}});
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  const reference::Evaluator evaluator(*snapshot, {.deny_unknown_pod = true});
  for (const char* row :
       {"unknown web TCP/1 both unknown_pod", "web unknown TCP/1 both unknown_pod",
        "unknown world TCP/1 both unknown_pod"}) {
    const reference::Answer answer = evaluator.Evaluate(ReadRow(row).question);
    EXPECT_FALSE(answer.allowed || answer.ingress.allowed || answer.egress.allowed) << row;
    EXPECT_EQ(answer.reason, Reason::kUnknownPod);
  }
  EXPECT_TRUE(evaluator.Evaluate(ReadRow("web db TCP/1 allow no_policy").question).allowed);
}

TEST(EvaluatorTest, OwnNodeIsExemptOnlyWhereItsPacketsCanComeBy) {
  const auto snapshot = RuleSnapshot({"evaluator", kPolicies, {}});
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  const reference::Question question = ReadRow("n1 web TCP/80 allow local_node").question;
  for (const auto& [placement, allowed] :
       {std::pair(Placement::kOffline, true), std::pair(Placement::kPodPort, true),
        std::pair(Placement::kNodeWire, false), std::pair(Placement::kFabric, false)}) {
    const reference::Answer answer =
        reference::Evaluator(*snapshot, {.placement = placement}).Evaluate(question);
    EXPECT_EQ(answer.allowed, allowed);
    EXPECT_EQ(answer.reason, allowed ? Reason::kLocalNode : Reason::kPolicy);
  }
}

TEST(EvaluatorTest, EveryAddressIsOfOneKind) {
  const auto snapshot = RuleSnapshot({"evaluator", "", {}});
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  const reference::Evaluator evaluator(*snapshot);
  const std::pair<const char*, AddressKind> kinds[] = {
      {"10.1.1.10", AddressKind::kPod},        {"fd00:1::10", AddressKind::kPod},
      {"172.18.0.2", AddressKind::kNode},      {"172.18.0.99", AddressKind::kNode},
      {"203.0.113.3", AddressKind::kNode},     {"10.96.0.10", AddressKind::kServiceAddress},
      {"10.1.1.99", AddressKind::kUnknownPod}, {"fd00:1::99", AddressKind::kUnknownPod},
      {"10.9.9.9", AddressKind::kExternal},    {"2001:db8::", AddressKind::kExternal}};
  for (const auto& [text, kind] : kinds) EXPECT_EQ(evaluator.KindOf(Address(text)), kind) << text;
}

TEST(ReferenceCidrTest, CoversExactlyTheBlock) {
  const std::tuple<const char*, const char*, bool> rows[] = {
      {"10.1.2.0/23", "10.1.1.255", false},
      {"10.1.2.0/23", "10.1.2.0", true},
      {"10.1.2.0/23", "10.1.3.255", true},
      {"10.1.2.0/23", "10.1.4.0", false},
      {"10.1.2.99/24", "10.1.2.0", true},
      {"10.1.2.3/32", "10.1.2.3", true},
      {"10.1.2.3/32", "10.1.2.2", false},
      {"0.0.0.0/0", "255.255.255.255", true},
      {"0.0.0.0/0", "::", false},
      {"::/0", "0.0.0.0", false},
      {"2001:db8::/33", "2001:db8:7fff:ffff::", true},
      {"2001:db8::/33", "2001:db8:8000::", false},
      {"::1/128", "::1", true},
      {"::1/128", "::", false}};
  for (const auto& [block, address, covered] : rows) {
    const auto cidr = reference::ReadCidr(block);
    ASSERT_TRUE(cidr) << block;
    EXPECT_EQ(reference::Covers(*cidr, *reference::ReadAddress(address)), covered)
        << block << " " << address;
  }
  for (const char* text : {"", "10.0.0.0", "10.0.0.0/33", "::/129", "10.0.0/8", "x/8"}) {
    EXPECT_FALSE(reference::ReadCidr(text)) << text;
  }
}

}  // namespace
}  // namespace npf::testing
