// NetworkPolicies: every field, strictly; absent, null and empty; positions; lenient and skipped.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "unit/load_test_util.h"

namespace npf {
namespace {

Loaded LoadSpec(const std::string& spec, LoadOptions options = {}) {
  return Load(PolicyText(spec), "t.yaml", options);
}

TEST(LoadPolicyTest, EveryFieldIsRead) {
  const Loaded loaded = LoadSpec(
      "  podSelector:\n"
      "    matchLabels: {app: db}\n"
      "    matchExpressions:\n"
      "    - {key: tier, operator: In, values: [a, b]}\n"
      "  policyTypes: [Ingress, Egress]\n"
      "  ingress:\n"
      "  - from:\n"
      "    - podSelector: {}\n"
      "      namespaceSelector: {matchLabels: {team: x}}\n"
      "    - ipBlock: {cidr: 10.0.0.0/8, except: [10.1.0.0/16]}\n"
      "    ports:\n"
      "    - {protocol: UDP, port: 1000, endPort: 2000}\n"
      "    - {port: http}\n"
      "    - {}\n"
      "  egress:\n"
      "  - to: [{podSelector: {}}]\n"
      "  - {}\n");
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  const NetworkPolicy& policy = loaded.snapshot->policies()[0];
  EXPECT_EQ(policy.ns, "prod");
  EXPECT_EQ(policy.name, "p");
  EXPECT_EQ(policy.pod_selector, (LabelSelector{{{"app", "db"}}, {{"tier", "In", {"a", "b"}}}}));
  EXPECT_TRUE(policy.pod_selector_given);
  EXPECT_EQ(policy.policy_types, (std::vector<std::string>{"Ingress", "Egress"}));
  ASSERT_EQ(policy.ingress.size(), 1u);
  const PolicyRule& rule = policy.ingress[0];
  ASSERT_EQ(rule.peers.size(), 2u);
  EXPECT_EQ(rule.peers[0].pod_selector, LabelSelector());
  EXPECT_EQ(rule.peers[0].namespace_selector, (LabelSelector{{{"team", "x"}}, {}}));
  EXPECT_FALSE(rule.peers[0].ip_block.has_value());
  EXPECT_EQ(rule.peers[1].ip_block->cidr, "10.0.0.0/8");
  EXPECT_EQ(rule.peers[1].ip_block->except, std::vector<std::string>{"10.1.0.0/16"});
  EXPECT_FALSE(rule.peers[1].pod_selector.has_value());
  ASSERT_EQ(rule.ports.size(), 3u);
  EXPECT_EQ(rule.ports[0].protocol, "UDP");
  EXPECT_EQ(rule.ports[0].port, IntOrString(int64_t{1000}));
  EXPECT_EQ(rule.ports[0].end_port, 2000);
  EXPECT_EQ(rule.ports[1].port, IntOrString("http"));
  EXPECT_FALSE(rule.ports[1].protocol.has_value());
  EXPECT_FALSE(rule.ports[2].port.has_value());
  ASSERT_EQ(policy.egress.size(), 2u);
  EXPECT_EQ(policy.egress[0].peers.size(), 1u);
  EXPECT_TRUE(policy.egress[1].peers.empty());
}

TEST(LoadPolicyTest, PositionsPointAtTheItem) {
  const Loaded loaded = LoadSpec(
      "  podSelector: {}\n"
      "  ingress:\n"
      "  - from:\n"
      "    - podSelector: {}\n"
      "    ports:\n"
      "    - port: 80\n");
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  const NetworkPolicy& policy = loaded.snapshot->policies()[0];
  const auto at = [](const Position& p) {
    return absl::StrCat(p.file, ":", p.line, ":", p.column);
  };
  EXPECT_EQ(at(policy.position), "1:1:1");
  EXPECT_EQ(at(policy.ingress[0].position), "1:7:5");
  EXPECT_EQ(at(policy.ingress[0].peers[0].position), "1:8:7");
  EXPECT_EQ(at(policy.ingress[0].ports[0].position), "1:10:7");
  EXPECT_EQ(loaded.snapshot->files()[1], "t.yaml");
}

TEST(LoadPolicyTest, AbsentNullAndEmptyMeanWhatTheApiSays) {
  for (const char* text : {"", "  ingress:\n", "  ingress: null\n", "  ingress: []\n"}) {
    const Loaded loaded = LoadSpec(absl::StrCat("  podSelector: {}\n", text));
    ASSERT_TRUE(loaded.snapshot.has_value()) << text << loaded.Errors();
    EXPECT_TRUE(loaded.snapshot->policies()[0].ingress.empty()) << text;
  }
  for (const char* text : {"", "  podSelector:\n", "  podSelector: null\n"}) {
    const Loaded loaded = LoadSpec(absl::StrCat("  ingress: []\n", text));
    ASSERT_TRUE(loaded.snapshot.has_value()) << text << loaded.Errors();
    EXPECT_FALSE(loaded.snapshot->policies()[0].pod_selector_given) << text;
    EXPECT_NE(loaded.Warnings().find("spec.podSelector: is missing"), std::string::npos) << text;
  }
  for (const char* item : {"{}", "", "{podSelector: null}", "null"}) {
    EXPECT_NE(LoadSpec(absl::StrCat("  podSelector: {}\n  ingress:\n  - from:\n    - ", item, "\n"))
                  .Errors()
                  .find("spec.ingress[0].from[0]: must specify a peer"),
              std::string::npos)
        << item;
  }
}

TEST(LoadPolicyTest, ANullThatWidensAPolicyIsAWarning) {
  const Loaded loaded =
      LoadSpec("  podSelector: {matchLabels: }\n  ingress:\n  - from:\n    ports:\n    - port:\n");
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  for (const char* field :
       {"spec.podSelector.matchLabels", "spec.ingress[0].from", "spec.ingress[0].ports[0].port"}) {
    EXPECT_NE(loaded.Warnings().find(absl::StrCat(field, ": is null, which means")),
              std::string::npos)
        << field << "\n"
        << loaded.Warnings();
  }
  EXPECT_EQ(Load("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                 "metadata: {name: p, creationTimestamp: null}\nspec: {podSelector: {}}\n"
                 "status: null\n")
                .Warnings(),
            "");
}

// A dash that was left over would be a rule that allows everything.
TEST(LoadPolicyTest, ANullItemIsRefused) {
  EXPECT_EQ(LoadSpec("  podSelector: {}\n  ingress:\n  -\n").Errors(),
            "t.yaml:8:1: NetworkPolicy prod/p: spec.ingress[0]: must be a map (found null)\n");
  EXPECT_NE(LoadSpec("  podSelector: {}\n  ingress: [{ports: [null]}]\n")
                .Errors()
                .find("spec.ingress[0].ports[0]: must be a map (found null)"),
            std::string::npos);
  EXPECT_NE(LoadSpec("  podSelector: {}\n  policyTypes: [null]\n")
                .Errors()
                .find("spec.policyTypes[0]: must be a string (found null)"),
            std::string::npos);
}

TEST(LoadPolicyTest, WrongTypesNameWhatWasFound) {
  const std::string rule = "  podSelector: {}\n  ingress:\n  - ";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"  podSelector: []\n",
       "5:3: NetworkPolicy prod/p: spec.podSelector: must be a map (found a list)"},
      {"  podSelector: {matchLabels: {app: yes}}\n",
       "5:36: NetworkPolicy prod/p: spec.podSelector.matchLabels.app: must be a string (found the "
       "boolean yes); put it in quotes"},
      {"  podSelector: {matchLabels: {app: 1.20}}\n",
       "5:36: NetworkPolicy prod/p: spec.podSelector.matchLabels.app: must be a string (found the "
       "number 1.20); put it in quotes"},
      {"  podSelector: {matchLabels: {app: ~}}\n", "must be a string (found null)\n"},
      {"  podSelector: {matchLabels: [a]}\n", "matchLabels: must be a map (found a list)"},
      {rule + "ports: 80\n", "spec.ingress[0].ports: must be a list (found the number 80)"},
      {rule + "ports: [80]\n", "spec.ingress[0].ports[0]: must be a map (found the number 80)"},
      {rule + "ports: [{port: 80.0}]\n",
       "must be a whole number or the name of a port (found the number 80.0)"},
      {rule + "ports: [{port: 1e3}]\n", "(found the number 1e3)"},
      {rule + "ports: [{port: 0080}]\n", "(found the number 0080)"},
      {rule + "ports: [{port: true}]\n", "(found the boolean true)"},
      {rule + "ports: [{port: 18446744073709551696}]\n", "must be a whole number"},
      {rule + "ports: [{protocol: 6}]\n", "protocol: must be a string (found the number 6)"},
      {rule + "ports: [{port: 1, endPort: \"2\"}]\n",
       "endPort: must be a whole number (found the string \"2\")"},
      {rule + "from: [{ipBlock: {cidr: 10}}]\n",
       "ipBlock.cidr: must be a string (found the number"},
      {rule + "from: [{ipBlock: {cidr: 10.0.0.0/8, except: x}}]\n",
       "ipBlock.except: must be a list (found the string \"x\")"},
      {rule + "from: {}\n", "spec.ingress[0].from: must be a list (found a map)"},
      {"  podSelector: {}\n  policyTypes: Ingress\n", "policyTypes: must be a list"},
      {"  podSelector: {}\n  ingress: {}\n", "spec.ingress: must be a list (found a map)"}};
  for (const auto& [spec, message] : cases) {
    const Loaded loaded = LoadSpec(spec);
    EXPECT_FALSE(loaded.snapshot.has_value()) << spec;
    EXPECT_NE(loaded.Errors().find(message), std::string::npos) << spec << loaded.Errors();
    EXPECT_EQ(loaded.diagnostics.all()[0].type, "TypeInvalid");
  }
}

TEST(LoadPolicyTest, NumbersInOddNotationAreAcceptedWithAWarning) {
  for (const auto& [text, value] :
       std::vector<std::pair<std::string, int64_t>>{{"0x50", 80}, {"0120", 80}, {"8_0", 80}}) {
    const Loaded loaded =
        LoadSpec(absl::StrCat("  podSelector: {}\n  ingress:\n  - ports: [{port: ", text, "}]\n"));
    ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
    EXPECT_EQ(loaded.snapshot->policies()[0].ingress[0].ports[0].port, IntOrString(value));
    EXPECT_NE(loaded.Warnings().find(absl::StrCat(text, " is read as the number ", value)),
              std::string::npos);
  }
}

TEST(LoadPolicyTest, UnknownFieldsAreErrorsWithTheNearestName) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"  podSelector: {}\n  ingres: []\n",
       "t.yaml:6:3: NetworkPolicy prod/p: spec.ingres: unknown field; did you mean \"ingress\"?"},
      {"  podselector: {}\n", "spec.podselector: unknown field; did you mean \"podSelector\"?"},
      {"  podSelector: {}\n  zzz: 1\n", "spec.zzz: unknown field\n"},
      {"  podSelector: {matchlabels: {a: b}}\n", "did you mean \"matchLabels\"?"},
      {"  podSelector: {}\n  ingress: [{to: []}]\n", "spec.ingress[0].to: unknown field"},
      {"  podSelector: {}\n  egress: [{from: []}]\n", "spec.egress[0].from: unknown field"},
      {"  podSelector: {}\n  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, excepts: []}}]}]\n",
       "spec.ingress[0].from[0].ipBlock.excepts: unknown field; did you mean \"except\"?"},
      {"  podSelector: {}\n  ingress: [{ports: [{endport: 3}]}]\n", "did you mean \"endPort\"?"}};
  for (const auto& [spec, message] : cases) {
    EXPECT_NE(LoadSpec(spec).Errors().find(message), std::string::npos)
        << spec << LoadSpec(spec).Errors();
    const Loaded lenient = LoadSpec(spec, {.lenient = true});
    EXPECT_TRUE(lenient.snapshot.has_value()) << spec << lenient.Errors();
    EXPECT_NE(lenient.Warnings().find("unknown field, not read"), std::string::npos) << spec;
  }
}

TEST(LoadPolicyTest, WhatTheServerSetsIsAccepted) {
  const Loaded loaded = Load(
      "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: p\n"
      "  namespace: prod\n  uid: x\n  generation: 1\n  resourceVersion: \"1\"\n"
      "  creationTimestamp: 2024-01-01T00:00:00Z\n  selfLink: /x\n  labels: {a: b}\n"
      "  annotations: {c: d}\n  finalizers: []\n  ownerReferences: []\n  managedFields: [{x: y}]\n"
      "spec: {podSelector: {}}\nstatus: {conditions: []}\n");
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  EXPECT_EQ(loaded.Warnings(), "");
  EXPECT_NE(Load("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                 "metadata: {name: p, namspace: q}\nspec: {podSelector: {}}\nstats: {}\n")
                .Errors()
                .find("metadata.namspace: unknown field; did you mean \"namespace\"?"),
            std::string::npos);
}

TEST(LoadPolicyTest, AllErrorsAreReported) {
  const Loaded loaded = LoadSpec(
      "  podSelector: {matchLabels: {\"=\": v}}\n"
      "  policyTypes: [x]\n"
      "  ingress:\n"
      "  - ports: [{port: 0}, {port: 70000}]\n"
      "  zzz: 1\n");
  EXPECT_EQ(Difference(loaded.diagnostics,
                       {{"spec.zzz", "", "unknown field"},
                        {"spec.podSelector.matchLabels", "Invalid", ""},
                        {"spec.ingress[0].ports[0].port", "Invalid", ""},
                        {"spec.ingress[0].ports[1].port", "Invalid", ""},
                        {"spec.policyTypes[0]", "NotSupported", ""}},
                       /*with_warnings=*/false),
            "");
  EXPECT_EQ(loaded.diagnostics.all()[3].position.line, 8u);
  EXPECT_EQ(loaded.diagnostics.all()[3].position.column, 31u);
}

TEST(LoadPolicyTest, InvalidPoliciesAreLeftOutWhereThatIsAsked) {
  const std::string text = PolicyText("  podSelector: {}\n") +
                           "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                           "metadata: {name: q, namespace: prod}\nspec: {ports: 80}\n";
  EXPECT_FALSE(Load(text).snapshot.has_value());
  const Loaded loaded = Load(text, "t.yaml", {}, {.skip_invalid = true});
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  ASSERT_EQ(loaded.snapshot->policies().size(), 1u);
  EXPECT_NE(loaded.Warnings().find("NetworkPolicy prod/q: spec.ports: unknown field"),
            std::string::npos);
  EXPECT_NE(loaded.Warnings().find("NetworkPolicy prod/q: the policy is invalid and was left out"),
            std::string::npos);
}

TEST(LoadPolicyTest, NamesAreNeeded) {
  EXPECT_NE(Load("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {}\n"
                 "spec: {podSelector: {}}\n")
                .Errors()
                .find("metadata.name: name or generateName is required"),
            std::string::npos);
  const Loaded generated = Load(
      "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {generateName: web-}\n"
      "spec: {podSelector: {}}\n");
  ASSERT_TRUE(generated.snapshot.has_value()) << generated.Errors();
  EXPECT_EQ(generated.snapshot->policies()[0].name, "web");
  EXPECT_EQ(generated.snapshot->policies()[0].ns, "default");
}

}  // namespace
}  // namespace npf
