// Explanations say what the classifier does, and point at the rule that missed by least.
#include <gtest/gtest.h>

#include "npf/classify.h"
#include "npf/explain.h"
#include "testing/cluster.h"
#include "testing/cluster_generator.h"
#include "testing/question_generator.h"
#include "testing/world.h"

namespace npf {
namespace {

using testing::PodYaml;
using testing::PolicyYaml;
using testing::ProgramOf;

constexpr uint16_t kWeb = 8080;

std::string Pods() {
  return PodYaml("shop", "web", "10.0.0.1", "app: frontend") +
         PodYaml("shop", "typo", "10.0.0.2", "app: frontned") +
         PodYaml("shop", "api", "10.0.0.3", "app: api");
}

Explanation Ask(const std::string& policies, const char* src, uint16_t port,
                uint8_t protocol = kProtocolTcp) {
  return Explain(ProgramOf(Pods() + policies), {},
                 MakeFlowKey(*ParseIpAddress(src), *ParseIpAddress("10.0.0.3"), protocol, port));
}

std::string FromFrontend(const char* ports) {
  return PolicyYaml("shop", "api-in",
                    std::string("{podSelector: {matchLabels: {app: api}}, ingress: [{from: "
                                "[{podSelector: {matchLabels: {app: frontend}}}], ports: [") +
                        ports + "]}]}");
}

TEST(Explain, NamesIsolatingPoliciesAndTheAllowingRule) {
  const Explanation e =
      Ask(FromFrontend("{port: 8080}") + PolicyYaml("shop", "deny-all", "{podSelector: {}}"),
          "10.0.0.1", kWeb);
  EXPECT_EQ(e.verdict.allowed, 1);
  EXPECT_EQ(e.ingress.isolating, (std::vector<std::string>{"shop/api-in", "shop/deny-all"}));
  ASSERT_EQ(e.ingress.allowing.size(), 1u);
  EXPECT_EQ(e.ingress.allowing[0].policy, "shop/api-in");
  EXPECT_EQ(e.ingress.allowing[0].FieldPath(), "spec.ingress[0].from[0].ports[0]");
  EXPECT_FALSE(e.ingress.nearest);
  EXPECT_TRUE(e.egress.judged);
  EXPECT_FALSE(e.egress.isolated);
}

TEST(Explain, APortThatIsOffByOne) {
  const Explanation e = Ask(FromFrontend("{port: 9}, {port: 8080}"), "10.0.0.1", 8081);
  ASSERT_TRUE(e.ingress.nearest);
  EXPECT_EQ(e.ingress.nearest->field, MissedField::kPort);
  EXPECT_EQ(e.ingress.nearest->detail, "port 8081, the rule has 8080");
  EXPECT_EQ(e.ingress.nearest->rule.FieldPath(), "spec.ingress[0].ports[1]");
}

TEST(Explain, TheOtherProtocol) {
  const Explanation e = Ask(FromFrontend("{port: 8080}"), "10.0.0.1", kWeb, kProtocolUdp);
  ASSERT_TRUE(e.ingress.nearest);
  EXPECT_EQ(e.ingress.nearest->field, MissedField::kProtocol);
  EXPECT_EQ(e.ingress.nearest->detail, "UDP, the rule has TCP");
}

TEST(Explain, ALabelThatIsOffByTwoLetters) {
  const std::string other =
      PolicyYaml("shop", "other",
                 "{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: "
                 "{matchLabels: {app: monitoring}}}]}]}");
  const Explanation e = Ask(FromFrontend("{port: 8080}") + other, "10.0.0.2", kWeb);
  ASSERT_TRUE(e.ingress.nearest);
  EXPECT_EQ(e.ingress.nearest->rule.policy, "shop/api-in");
  EXPECT_EQ(
      e.ingress.nearest->detail,
      "pod shop/typo has app=frontned; the rule has pods with app=frontend in namespace shop");
}

TEST(Explain, ANamedPortThatThePodLacks) {
  const Explanation e = Ask(FromFrontend("{port: http}"), "10.0.0.1", kWeb);
  ASSERT_TRUE(e.ingress.nearest);
  EXPECT_EQ(e.ingress.nearest->field, MissedField::kNamedPort);
  EXPECT_EQ(e.ingress.nearest->detail, "the destination has no TCP container port named http");
}

TEST(Explain, AnAddressThatIsExcepted) {
  const std::string policy =
      PolicyYaml("shop", "edge",
                 "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 192.0.2.0/24, except: "
                 "[192.0.2.128/25]}}]}]}");
  const Explanation e = Ask(policy, "192.0.2.200", kWeb);
  ASSERT_TRUE(e.ingress.nearest);
  EXPECT_EQ(e.ingress.nearest->field, MissedField::kExcept);
  EXPECT_EQ(e.ingress.nearest->detail,
            "192.0.2.200 is excepted from 192.0.2.0/24 except 192.0.2.128/25");
}

TEST(Explain, APolicyWithoutRulesHasNoNearMiss) {
  const Explanation e = Ask(PolicyYaml("shop", "deny-all", "{podSelector: {}}"), "10.0.0.1", kWeb);
  EXPECT_EQ(e.verdict.allowed, 0);
  EXPECT_TRUE(e.ingress.isolated);
  EXPECT_FALSE(e.ingress.nearest);
}

TEST(Explain, TheOwnNodeIsSaidToBeExempt) {
  const std::string node =
      "---\napiVersion: v1\nkind: Node\nmetadata: {name: n1}\nstatus: {addresses: [{type: "
      "InternalIP, address: 172.16.0.1}]}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: here, "
      "namespace: shop}\nspec: {nodeName: n1}\nstatus: {podIP: 10.0.0.9}\n";
  const Program program = ProgramOf(node + PolicyYaml("shop", "deny-all", "{podSelector: {}}"));
  const Explanation e = Explain(
      program, {},
      MakeFlowKey(*ParseIpAddress("172.16.0.1"), *ParseIpAddress("10.0.0.9"), kProtocolTcp, 80));
  EXPECT_EQ(e.verdict.allowed, 1);
  EXPECT_EQ(static_cast<Reason>(e.verdict.reason), Reason::kLocalNode);
  EXPECT_TRUE(e.ingress.local_node);
}

// Whatever the cluster: an explanation allows by rules exactly where the verdict does.
TEST(Explain, AgreesWithTheVerdictOnRandomClusters) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    const auto cluster = testing::GenerateCluster(seed);
    const auto snapshot = testing::Freeze(cluster);
    ASSERT_TRUE(snapshot.ok());
    const auto program = Compile(*snapshot);
    ASSERT_TRUE(program.ok());
    for (const auto& src : snapshot->pods()) {
      for (const auto& dst : snapshot->pods()) {
        if (src.ips.empty() || dst.ips.empty()) continue;
        const auto from = ParseIpAddress(src.ips[0]);
        const auto to = ParseIpAddress(dst.ips[0]);
        if (!from || !to || from->family != to->family) continue;
        const Explanation e = Explain(*program, {}, MakeFlowKey(*from, *to, kProtocolTcp, 80));
        for (const DirectionExplanation* d : {&e.ingress, &e.egress}) {
          if (!d->judged || !d->isolated || d->local_node) continue;
          EXPECT_EQ(d->allowed, !d->allowing.empty()) << Format(e);
        }
      }
    }
  }
}

}  // namespace
}  // namespace npf
