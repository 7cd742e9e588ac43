// Each finding is found where it is, at the line to change, and not where nothing is the matter.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"
#include "lint/almost.h"
#include "lint/lint.h"
#include "lint/structure.h"
#include "npf/load.h"

namespace npf::lint {
namespace {

struct Linted {
  std::optional<Snapshot> snapshot;
  LintOutcome outcome;
};

// `text` is YAML; "---" and new lines are as they stand.
Linted LintText(const std::string& text) {
  SnapshotOptions options;
  options.keep_positions = true;
  options.assume_addresses = true;
  SnapshotBuilder builder(options);
  Diagnostics diagnostics;
  LoadReport report;
  LoadText(text, "in.yaml", {}, builder, diagnostics, report);
  absl::StatusOr<Snapshot> snapshot = builder.Build(diagnostics);
  EXPECT_TRUE(snapshot.ok()) << snapshot.status() << "\n" << text;
  Linted linted;
  if (!snapshot.ok()) return linted;
  linted.snapshot = *std::move(snapshot);
  linted.outcome = Lint({*linted.snapshot, diagnostics.all(), report.foreign});
  return linted;
}

const Finding* Find(const Linted& linted, Id id) {
  for (const Finding& finding : linted.outcome.findings) {
    if (finding.id == id) return &finding;
  }
  return nullptr;
}

std::string Namespaces() {
  return "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: a}}\n---\n"
         "apiVersion: v1\nkind: Namespace\nmetadata: {name: other, labels: {team: b}}\n---\n";
}

std::string PodText(const std::string& name, const std::string& labels, const std::string& ip,
                    const std::string& ports = "", const std::string& ns = "shop") {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + ", namespace: " + ns +
         ", labels: {" + labels + "}}\nspec: {containers: [{name: c, ports: [" + ports +
         "]}]}\nstatus: {phase: Running, podIPs: [" + ip + "]}\n---\n";
}

// web and db in shop, tool in other, all with two families.
std::string Pods() {
  return PodText("web", "app: web", "{ip: 10.1.0.1}, {ip: 'fd00::1'}",
                 "{name: http, containerPort: 8080}") +
         PodText("db", "app: db", "{ip: 10.1.0.2}, {ip: 'fd00::2'}",
                 "{name: sql, containerPort: 5432}") +
         PodText("tool", "app: tool", "{ip: 10.1.0.3}, {ip: 'fd00::3'}", "", "other");
}

std::string PolicyText(const std::string& name, const std::string& spec) {
  return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: " + name +
         ", namespace: shop}\nspec:\n" + spec + "---\n";
}

std::string TierText(const std::string& name, int priority, const std::string& rules,
                     const std::string& tier = "Admin") {
  return "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: "
         "{name: " +
         name + "}\nspec:\n  tier: " + tier + "\n  priority: " + std::to_string(priority) +
         "\n  subject: {namespaces: {}}\n" + rules + "---\n";
}

struct Case {
  std::string name;
  Id id;
  std::string policies;    // before the pods; the line with "# here" is the place of the finding
  std::string suggestion;  // part of it
  std::string pods = Pods();
};

uint32_t LineOf(const std::string& text, std::string_view mark) {
  const size_t at = text.find(mark);
  EXPECT_NE(at, std::string::npos);
  return static_cast<uint32_t>(
      1 + std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(at), '\n'));
}

std::vector<Case> SelectorCases() {
  return {
      {"typo", Id::kSubjectNoMatch,
       PolicyText("p", "  podSelector:\n    matchLabels:\n      app: bd # here\n"), "app=db"},
      {"case", Id::kSubjectNoMatch,
       PolicyText("p", "  podSelector:\n    matchLabels:\n      app: DB # here\n"), "app=db"},
      {"other_key", Id::kSubjectNoMatch,
       PolicyText("p", "  podSelector:\n    matchLabels:\n      k8s-app: web # here\n"), "app=web"},
      {"expression", Id::kSubjectNoMatch,
       PolicyText("p",
                  "  podSelector:\n    matchExpressions:\n    - {key: app, operator: In, "
                  "values: [wep]} # here\n"),
       "app=web"},
      {"namespace_label", Id::kNamespaceNoMatch,
       PolicyText("p",
                  "  podSelector: {}\n  ingress:\n  - from:\n    - namespaceSelector:\n"
                  "        matchLabels:\n          name: other # here\n"),
       "kubernetes.io/metadata.name=other"},
      {"peer", Id::kPeerNoMatch,
       PolicyText("p",
                  "  podSelector: {}\n  ingress:\n  - from:\n    - podSelector:\n"
                  "        matchLabels:\n          app: webb # here\n"),
       "app=web"},
      {"peer_elsewhere", Id::kPeerNoMatch,
       PolicyText("p",
                  "  podSelector: {}\n  ingress:\n  - from:\n    - podSelector: # here\n"
                  "        matchLabels: {app: tool, kind: x}\n"),
       "namespace other",
       Pods() + PodText("t2", "app: tool, kind: x", "{ip: 10.1.0.9}", "", "other")},
      {"or", Id::kPeersOr,
       PolicyText("p",
                  "  podSelector: {}\n  ingress:\n  - from:\n    - namespaceSelector: "
                  "{matchLabels: {team: b}}\n    - podSelector: {} # here\n"),
       "second dash"},
      {"empty_namespace", Id::kNamespaceWithoutPods,
       "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: "
       "empty}\nspec:\n  podSelector: {} # here\n---\n",
       ""},
      {"host_network", Id::kHostNetworkSubject,
       PolicyText("p", "  podSelector: {matchLabels: {app: agent}} # here\n"), "hostNetwork",
       Pods() + "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop, labels: {app: "
                "agent}}\nspec: {hostNetwork: true}\nstatus: {podIP: 10.9.0.1}\n---\n"},
      {"host_network_peer", Id::kHostNetworkPeer,
       PolicyText("p",
                  "  podSelector: {}\n  ingress:\n  - from:\n    - podSelector: {matchLabels: "
                  "{app: agent}} # here\n"),
       "ipBlock",
       Pods() + "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop, labels: {app: "
                "agent}}\nspec: {hostNetwork: true}\nstatus: {podIP: 10.9.0.1}\n---\n"},
  };
}

std::vector<Case> RuleCases() {
  const std::string web = "  podSelector: {matchLabels: {app: web}}\n";
  const std::string db = "  podSelector: {matchLabels: {app: db}}\n";
  return {
      {"named_port", Id::kNamedPortMissing,
       PolicyText("p", web + "  ingress:\n  - ports:\n    - port: htpp # here\n"), "http"},
      {"named_port_protocol", Id::kNamedPortMissing,
       PolicyText("p", web + "  ingress:\n  - ports:\n    - {port: http, protocol: UDP} # here\n"),
       "protocol TCP"},
      {"port_off_by_one", Id::kPortNotDeclared,
       PolicyText("p", web + "  ingress:\n  - ports:\n    - port: 8081 # here\n"), "8080"},
      {"other_direction", Id::kRuleOtherDirection,
       PolicyText("p", web + "  policyTypes: [Ingress]\n  egress: # here\n  - to: [{podSelector: "
                             "{}}]\n"),
       "policyTypes"},
      {"covered", Id::kRuleCovered,
       PolicyText("p", web + "  ingress:\n  - from: [{podSelector: {}}]\n"
                             "  - ports: [{port: 80}] # here\n"
                             "    from: [{podSelector: {matchLabels: {app: db}}}]\n"),
       "take this rule out"},
      {"covered_by_another_policy", Id::kRuleCovered,
       PolicyText("a", "  podSelector: {}\n  ingress:\n  - ports: [{port: 1, endPort: 99}]\n") +
           PolicyText("b", web + "  ingress:\n  - ports: [{port: 80}] # here\n"),
       ""},
      {"no_effect", Id::kRuleNoEffect,
       PolicyText("p", web + "  ingress:\n  - from: [{podSelector: {matchLabels: {app: db}}}]\n"
                             "  - from: [{ipBlock: {cidr: 10.1.0.2/32}},\n"
                             "           {ipBlock: {cidr: 'fd00::2/128'}}] # behind\n"),
       ""},
      {"other_half", Id::kOtherHalfDenied,
       PolicyText("a", db + "  ingress:\n  - from:\n    - podSelector: {matchLabels: {app: web}} "
                            "# here\n") +
           PolicyText("b", web + "  policyTypes: [Egress]\n  egress:\n  - to: [{namespaceSelector: "
                                 "{matchLabels: {team: b}}}]\n"),
       "allow egress"},
      {"egress_forgotten", Id::kEgressForgotten,
       PolicyText("p", web + "  policyTypes: [Ingress, Egress] # here\n  ingress: [{}]\n"),
       "egress rules"},
      {"dns", Id::kEgressWithoutDns,
       PolicyText("p", web + "  policyTypes: [Egress]\n  egress: # here\n  - to: [{podSelector: "
                             "{matchLabels: {app: db}}}]\n    ports: [{port: 5432}]\n"),
       "kube-dns"},
      {"dns_tcp", Id::kDnsWithoutTcp,
       PolicyText("p", web + "  policyTypes: [Egress]\n  egress:\n  - ports:\n    - {port: 53, "
                             "protocol: UDP} # here\n"),
       "TCP 53"},
  };
}

std::vector<Case> OtherCases() {
  const std::string web = "  podSelector: {matchLabels: {app: web}}\n";
  const std::string node =
      "apiVersion: v1\nkind: Node\nmetadata: {name: node-a}\nspec: {podCIDRs: "
      "[10.1.0.0/16]}\nstatus: "
      "{addresses: [{type: InternalIP, address: 10.9.0.1}]}\n---\n";
  const std::string service =
      "apiVersion: v1\nkind: Service\nmetadata: {name: s, namespace: shop}\nspec: {clusterIP: "
      "10.96.0.7}\n---\n";
  const auto block = [&](const std::string& cidr, const std::string& direction) {
    return PolicyText("p", web + "  policyTypes: [Ingress, Egress]\n  " + direction + ":\n  - " +
                               (direction == "ingress" ? "from" : "to") +
                               ":\n    - ipBlock:\n        cidr: " + cidr + " # here\n");
  };
  return {
      {"pods", Id::kBlockOverPods, block("10.1.0.2/32", "ingress"), "change hands", Pods() + node},
      {"all", Id::kBlockOverPods, block("0.0.0.0/0", "ingress"), "except", Pods() + node},
      {"nodes", Id::kBlockOverNodes, block("10.9.0.0/24", "ingress"), "hostNetwork", Pods() + node},
      {"services", Id::kBlockOverServices, block("10.96.0.7/32", "egress"), "select the pods",
       Pods() + service},
      {"metadata", Id::kMetadataReachable, block("0.0.0.0/0", "egress"), "169.254.169.254"},
      {"one_family", Id::kOneFamily, block("0.0.0.0/0", "egress"), "::/0"},
      {"except", Id::kExceptNoEffect,
       PolicyText("p", web + "  ingress:\n  - from:\n    - ipBlock:\n        cidr: 10.0.0.0/8\n"
                             "        except:\n        - 10.2.0.0/16 # here\n"
                             "    - ipBlock: {cidr: 10.2.0.0/15}\n"),
       "rules only add"},
      {"equal", Id::kEqualPriority,
       TierText("a", 7, "") + "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: "
                              "ClusterNetworkPolicy\nmetadata: {name: b}\nspec:\n  tier: Admin\n"
                              "  priority: 7 # here\n  subject: {namespaces: {}}\n---\n",
       "priority of its own"},
      {"unreached", Id::kTierRuleUnreached,
       TierText("a", 1,
                "  ingress:\n  - {name: first, action: Accept, from: [{namespaces: {}}]}\n"
                "  - {name: second, action: Deny, from: [{namespaces: {matchLabels: {team: "
                "b}}}]} # here\n"),
       "move it"},
      {"pass_behind", Id::kPassNoEffect,
       TierText("a", 1,
                "  ingress:\n  - {action: Deny, from: [{namespaces: {matchLabels: {team: "
                "b}}}]}\n  - {action: Pass, from: [{namespaces: {}}]} # here\n"),
       "before the rule"},
      {"baseline", Id::kBaselineUnreached,
       TierText("a", 1, "  ingress: # here\n  - {action: Deny, from: [{namespaces: {}}]}\n",
                "Baseline") +
           PolicyText("p", "  podSelector: {}\n"),
       "", PodText("web", "app: web", "{ip: 10.1.0.1}")},
      {"ambient", Id::kMeshTunnelCut,
       PolicyText("p", web + "  ingress:\n  - ports: [{port: 8080}] # here\n"), "15008",
       PodText("web", "app: web, istio.io/dataplane-mode: ambient", "{ip: 10.1.0.1}")},
      {"inner", Id::kMeshInnerPort,
       PolicyText("p", web + "  ingress:\n  - ports: [{port: 15006}] # here\n"), "application",
       PodText("web", "app: web, security.istio.io/tlsMode: istio", "{ip: 10.1.0.1}")},
      {"foreign", Id::kForeignPolicy,
       "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy # here\nmetadata: {name: p}\n---\n",
       ""},
      {"warning", Id::kInputWarning,
       PolicyText("p", web + "  ingress:\n  - from:\n    - ipBlock: {cidr: 192.168.1.1/16} # "
                             "here\n"),
       ""},
      {"silence", Id::kSilenceWithoutReason,
       "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: p\n"
       "  annotations: # here\n    npf/lint-ignore: dns-without-tcp\nspec: {podSelector: {}}\n"
       "---\n",
       ""},
  };
}

class Findings : public ::testing::TestWithParam<Case> {};

TEST_P(Findings, StandAtTheLineToChange) {
  const Case& test = GetParam();
  const std::string text = test.policies + Namespaces() + test.pods;
  const Linted linted = LintText(text);
  const Finding* finding = Find(linted, test.id);
  ASSERT_NE(finding, nullptr) << text;
  if (test.policies.find("# here") != std::string::npos) {
    EXPECT_EQ(finding->position.line, LineOf(text, "# here")) << finding->field;
  }
  EXPECT_NE(finding->suggestion.find(test.suggestion), std::string::npos) << finding->suggestion;
}

std::string NameOfCase(const ::testing::TestParamInfo<Case>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Selectors, Findings, ::testing::ValuesIn(SelectorCases()), NameOfCase);
INSTANTIATE_TEST_SUITE_P(Rules, Findings, ::testing::ValuesIn(RuleCases()), NameOfCase);
INSTANTIATE_TEST_SUITE_P(Others, Findings, ::testing::ValuesIn(OtherCases()), NameOfCase);

TEST(Lint, OpenNamespacesAndPods) {
  const Linted linted = LintText(PolicyText("p", "  podSelector: {matchLabels: {app: web}}\n") +
                                 Namespaces() + Pods());
  const Finding* pods = Find(linted, Id::kWorkloadOpen);
  ASSERT_NE(pods, nullptr);
  EXPECT_EQ(pods->object, "Namespace shop");
  EXPECT_NE(pods->message.find("db"), std::string::npos);
  const Finding* ns = Find(linted, Id::kNamespaceOpen);
  ASSERT_NE(ns, nullptr);
  EXPECT_EQ(ns->object, "Namespace other");
}

TEST(Lint, SharedAddresses) {
  const Linted linted =
      LintText(PodText("a", "app: a", "{ip: 10.1.0.1}") + PodText("b", "app: b", "{ip: 10.1.0.1}"));
  const Finding* finding = Find(linted, Id::kSharedAddress);
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(finding->object, "Pod shop/b");
  EXPECT_EQ(Find(linted, Id::kInputWarning), nullptr);  // it would say the same
}

// What is in order: three tiers as people should write them.
TEST(Lint, SoundPoliciesHaveNoFinding) {
  const Linted linted = LintText(
      Namespaces() + PolicyText("deny", "  podSelector: {}\n  policyTypes: [Ingress, Egress]\n") +
      PolicyText("web",
                 "  podSelector: {matchLabels: {app: web}}\n  policyTypes: [Ingress, Egress]\n"
                 "  ingress:\n  - ports: [{port: http}]\n    from: [{namespaceSelector: "
                 "{matchLabels: {team: b}}}]\n"
                 "  egress:\n  - ports: [{port: 5432}]\n    to: [{podSelector: {matchLabels: "
                 "{app: db}}}]\n  - ports: [{port: 53}, {port: 53, protocol: UDP}]\n") +
      PolicyText("db",
                 "  podSelector: {matchLabels: {app: db}}\n  ingress:\n  - ports: [{port: sql}]\n"
                 "    from: [{podSelector: {matchLabels: {app: web}}}]\n") +
      "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: d, namespace: "
      "other}\nspec: {podSelector: {}}\n---\n" +
      Pods());
  for (const Finding& finding : linted.outcome.findings) {
    ADD_FAILURE() << KindOf(finding.id).name << ": " << finding.object << " " << finding.field
                  << ": " << finding.message;
  }
}

TEST(Lint, WithoutPodsNothingIsSaidOfSelectors) {
  const Linted linted = LintText(
      PolicyText("p",
                 "  podSelector: {matchLabels: {app: x}}\n  ingress:\n  - from: [{podSelector: "
                 "{matchLabels: {app: why}}}]\n    ports: [{port: http}]\n"));
  EXPECT_TRUE(linted.outcome.findings.empty());
  ASSERT_EQ(linted.outcome.unanswered.size(), 1u);
}

TEST(Lint, WorkloadsCountAsPods) {
  const Linted linted = LintText(
      PolicyText("p", "  podSelector: {matchLabels: {app: wep}}\n") + Namespaces() +
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: w, namespace: shop}\nspec: "
      "{selector: "
      "{matchLabels: {app: web}}, template: {metadata: {labels: {app: web}}, spec: {containers: "
      "[]}}}\n---\n");
  const Finding* finding = Find(linted, Id::kSubjectNoMatch);
  ASSERT_NE(finding, nullptr);
  EXPECT_NE(finding->suggestion.find("app=web"), std::string::npos);
}

TEST(Lint, SilencedWithAReason) {
  const auto text = [](const std::string& annotation) {
    return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: "
           "shop, annotations: {npf/lint-ignore: '" +
           annotation + "'}}\nspec: {podSelector: {matchLabels: {app: x}}}\n---\n" + Namespaces() +
           Pods();
  };
  const Linted linted = LintText(text("subject-no-match: it comes next week; other: x"));
  const Finding* silenced = Find(linted, Id::kSubjectNoMatch);
  ASSERT_NE(silenced, nullptr);
  EXPECT_EQ(silenced->silenced_by, "it comes next week");
  EXPECT_NE(Find(linted, Id::kSilenceWithoutReason), nullptr);  // "other" is no finding
  const Linted bare = LintText(text("subject-no-match"));
  EXPECT_FALSE(Find(bare, Id::kSubjectNoMatch)->silenced_by.has_value());
  EXPECT_NE(Find(bare, Id::kSilenceWithoutReason), nullptr);
  EXPECT_NE(Find(LintText(text("one-family: never")), Id::kSilenceUnused), nullptr);
}

LabelSelector Equals(const std::string& key, const std::string& value) {
  LabelSelector selector;
  selector.match_labels.Set(key, value);
  return selector;
}

LabelSelector Requires(const std::string& key, const std::string& op,
                       std::vector<std::string> values) {
  LabelSelector selector;
  selector.match_expressions.push_back({key, op, std::move(values)});
  return selector;
}

TEST(Structure, SelectorsTakeInOthers) {
  EXPECT_TRUE(Covers(LabelSelector{}, Equals("a", "1")));
  EXPECT_FALSE(Covers(Equals("a", "1"), LabelSelector{}));
  EXPECT_TRUE(Covers(Equals("a", "1"), Equals("a", "1")));
  EXPECT_FALSE(Covers(Equals("a", "1"), Equals("a", "2")));
  EXPECT_TRUE(Covers(Requires("a", "In", {"1", "2"}), Equals("a", "1")));
  EXPECT_FALSE(Covers(Equals("a", "1"), Requires("a", "In", {"1", "2"})));
  EXPECT_TRUE(Covers(Requires("a", "NotIn", {"3"}), Equals("a", "1")));
  EXPECT_FALSE(Covers(Requires("a", "NotIn", {"1"}), Equals("a", "1")));
  EXPECT_TRUE(Covers(Requires("a", "Exists", {}), Equals("a", "1")));
  EXPECT_FALSE(Covers(Requires("a", "Exists", {}), Requires("a", "NotIn", {"1"})));
  EXPECT_FALSE(Covers(Requires("a", "DoesNotExist", {}), Equals("b", "1")));
}

TEST(Structure, BlocksTakeInOthers) {
  EXPECT_TRUE(Covers(IpBlock{"10.0.0.0/8", {}}, IpBlock{"10.1.0.0/16", {}}));
  EXPECT_FALSE(Covers(IpBlock{"10.1.0.0/16", {}}, IpBlock{"10.0.0.0/8", {}}));
  EXPECT_FALSE(Covers(IpBlock{"10.0.0.0/8", {"10.1.2.0/24"}}, IpBlock{"10.1.0.0/16", {}}));
  EXPECT_TRUE(
      Covers(IpBlock{"10.0.0.0/8", {"10.1.2.0/24"}}, IpBlock{"10.1.0.0/16", {"10.1.2.0/23"}}));
  EXPECT_FALSE(Covers(IpBlock{"0.0.0.0/0", {}}, IpBlock{"fd00::/8", {}}));
}

}  // namespace
}  // namespace npf::lint
