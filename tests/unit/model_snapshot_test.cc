// What concerns several objects at once: order, duplicates, namespaces, shared addresses,
// workloads.
#include "npf/snapshot.h"

#include <gtest/gtest.h>

#include "unit/model_test_util.h"

namespace npf {
namespace {

Pod MakePod(std::string ns, std::string name, std::vector<std::string> ips = {}) {
  Pod pod;
  pod.ns = std::move(ns);
  pod.name = std::move(name);
  pod.ips = std::move(ips);
  return pod;
}

Namespace MakeNamespace(std::string name) {
  Namespace ns;
  ns.name = std::move(name);
  return ns;
}

NetworkPolicy MakePolicy(std::string ns, std::string name) {
  NetworkPolicy policy;
  policy.ns = std::move(ns);
  policy.name = std::move(name);
  return policy;
}

TEST(ModelLabelsTest, AreSortedAndUnique) {
  Labels labels{{"b", "1"}, {"a", "2"}, {"c", "3"}, {"b", "4"}};
  ASSERT_EQ(labels.size(), 3u);
  EXPECT_EQ(labels.begin()->first, "a");
  EXPECT_EQ(*labels.Find("b"), "4");
  EXPECT_EQ(labels.Find("bb"), nullptr);
  EXPECT_EQ(labels, (Labels{{"c", "3"}, {"b", "4"}, {"a", "2"}}));
}

TEST(ModelDiagnosticsTest, Format) {
  const std::vector<std::string> files = {"", "pol.yaml"};
  Diagnostic diagnostic{Severity::kError, {1, 17, 13}, "NetworkPolicy prod/web",
                        "spec.x",         "Invalid",   "is wrong"};
  EXPECT_EQ(Format(diagnostic, files), "pol.yaml:17:13: NetworkPolicy prod/web: spec.x: is wrong");
  diagnostic.severity = Severity::kWarning;
  diagnostic.object = "";
  EXPECT_EQ(Format(diagnostic, files), "pol.yaml:17:13: warning: spec.x: is wrong");
  diagnostic.position = {1, 0, 0};
  EXPECT_EQ(Format(diagnostic, files), "pol.yaml: warning: spec.x: is wrong");
  diagnostic.position = {9, 1, 1};
  diagnostic.field = "";
  EXPECT_EQ(Format(diagnostic, files), "warning: is wrong");
}

TEST(ModelDiagnosticsTest, TextOfTheInputIsEscapedAndCut) {
  EXPECT_EQ(EscapeForMessage("a\nb\x1b[31m\t\xff\x7f"), "a\\nb\\x1b[31m\\t\\xff\\x7f");
  EXPECT_EQ(EscapeForMessage("\xc3\xa9\xe2\x82\xac"), "\xc3\xa9\xe2\x82\xac");
  EXPECT_EQ(EscapeForMessage("\xc2\x9b"), "\\xc2\\x9b");  // a control character
  EXPECT_EQ(EscapeForMessage(std::string(500, 'x')), std::string(120, 'x') + "...");
}

TEST(ModelDiagnosticsTest, AreBounded) {
  Diagnostics diagnostics;
  for (size_t i = 0; i < Diagnostics::kMax + 5; ++i) diagnostics.AddError({}, "", "", "", "x");
  EXPECT_EQ(diagnostics.all().size(), Diagnostics::kMax);
  EXPECT_EQ(diagnostics.error_count(), Diagnostics::kMax + 5);
  EXPECT_EQ(diagnostics.dropped_count(), 5u);
}

TEST(ModelSnapshotTest, IsInCanonicalOrder) {
  SnapshotBuilder builder;
  for (const char* name : {"c", "a", "b"}) builder.Add(MakePod("z", name));
  builder.Add(MakePod("y", "d"));
  builder.Add(MakeNamespace("z"));
  builder.Add(MakeNamespace("y"));
  Diagnostics diagnostics;
  const auto snapshot = builder.Build(diagnostics);
  ASSERT_TRUE(snapshot.ok());
  EXPECT_EQ(Difference(diagnostics, {}), "");
  std::string order;
  for (const Pod& pod : snapshot->pods()) order += pod.ns + pod.name + " ";
  EXPECT_EQ(order, "yd za zb zc ");
  EXPECT_EQ(snapshot->namespaces()[0].name, "y");
}

TEST(ModelSnapshotTest, NamespacesAreCompletedWithAWarning) {
  SnapshotBuilder builder;
  builder.Add(MakePod("a", "p"));
  builder.Add(MakePolicy("b", "p"));
  Namespace given = MakeNamespace("a");
  given.labels = {{"kubernetes.io/metadata.name", "other"}, {"team", "x"}};
  builder.Add(given);
  Diagnostics diagnostics;
  const auto snapshot = builder.Build(diagnostics);
  ASSERT_TRUE(snapshot.ok());
  EXPECT_EQ(Difference(diagnostics, {{"", "warning", "was not given"}}), "");
  ASSERT_EQ(snapshot->namespaces().size(), 2u);
  EXPECT_EQ(snapshot->namespaces()[0].labels,
            (Labels{{"kubernetes.io/metadata.name", "a"}, {"team", "x"}}));
  EXPECT_FALSE(snapshot->namespaces()[0].synthesised);
  EXPECT_EQ(snapshot->namespaces()[1].labels, (Labels{{"kubernetes.io/metadata.name", "b"}}));
  EXPECT_TRUE(snapshot->namespaces()[1].synthesised);
}

TEST(ModelSnapshotTest, TheDefaultNamespaceIsAnOption) {
  for (const std::string name : {"default", "prod"}) {
    SnapshotBuilder builder({.default_namespace = name});
    builder.Add(MakePod("", "p"));
    Diagnostics diagnostics;
    const auto snapshot = builder.Build(diagnostics);
    ASSERT_TRUE(snapshot.ok());
    EXPECT_EQ(snapshot->pods()[0].ns, name);
  }
}

TEST(ModelSnapshotTest, TwoObjectsOfOneNameAreAnError) {
  SnapshotBuilder builder;
  builder.Add(MakeNamespace("a"));
  const uint32_t file = builder.AddFile("one.yaml");
  NetworkPolicy first = MakePolicy("a", "p");
  first.position = {file, 3, 1};
  builder.Add(first);
  builder.Add(MakePolicy("a", "p"));
  builder.Add(MakePod("a", "p"));  // of another kind
  Diagnostics diagnostics;
  EXPECT_FALSE(builder.Build(diagnostics).ok());
  EXPECT_EQ(
      Difference(diagnostics, {{"metadata.name", "Duplicate", "already given at one.yaml:3"}}), "");
}

TEST(ModelSnapshotTest, TheLastWinsWhereThatIsAsked) {
  SnapshotBuilder builder({.last_wins = true});
  builder.Add(MakeNamespace("a"));
  for (const char* type : {"Ingress", "Egress"}) {
    NetworkPolicy policy = MakePolicy("a", "p");
    policy.policy_types = {type};
    builder.Add(policy);
  }
  Diagnostics diagnostics;
  const auto snapshot = builder.Build(diagnostics);
  ASSERT_TRUE(snapshot.ok());
  ASSERT_EQ(snapshot->policies().size(), 1u);
  EXPECT_EQ(snapshot->policies()[0].policy_types[0], "Egress");
  EXPECT_EQ(diagnostics.warning_count(), 1u);
}

TEST(ModelSnapshotTest, InvalidPoliciesAreLeftOutWhereThatIsAsked) {
  for (const bool skip : {false, true}) {
    SnapshotBuilder builder({.skip_invalid = skip});
    builder.Add(MakeNamespace("a"));
    builder.Add(MakePolicy("a", "good"));
    NetworkPolicy bad = MakePolicy("a", "bad");
    bad.policy_types = {"x"};
    builder.Add(bad);
    Diagnostics diagnostics;
    const auto snapshot = builder.Build(diagnostics);
    EXPECT_EQ(snapshot.ok(), skip);
    if (!skip) continue;
    ASSERT_EQ(snapshot->policies().size(), 1u);
    EXPECT_EQ(snapshot->policies()[0].name, "good");
    EXPECT_EQ(Difference(diagnostics, {{"spec.policyTypes[0]", "warning", "supported values"},
                                       {"", "warning", "was left out"}}),
              "");
    EXPECT_EQ(diagnostics.all()[1].object, "NetworkPolicy a/bad");
  }
}

TEST(ModelSnapshotTest, SharedAddressesAreAWarningThatNamesBoth) {
  SnapshotBuilder builder;
  builder.Add(MakeNamespace("a"));
  builder.Add(MakePod("a", "one", {"10.0.0.1"}));
  builder.Add(MakePod("a", "two", {"10.0.0.1"}));
  Pod finished = MakePod("a", "three", {"10.0.0.1"});
  finished.phase = PodPhase::kSucceeded;
  builder.Add(finished);
  Pod host = MakePod("a", "four", {"10.0.0.1"});
  host.host_network = true;
  builder.Add(host);
  Node node;
  node.name = "worker";
  node.addresses = {"10.0.0.1", "10.0.0.2"};
  builder.Add(node);
  Diagnostics diagnostics;
  ASSERT_TRUE(builder.Build(diagnostics).ok());
  EXPECT_EQ(
      Difference(diagnostics,
                 {{"status.podIPs", "warning", "10.0.0.1 is also the address of Pod a/one"},
                  {"status.podIPs", "warning", "10.0.0.1 is also the address of node worker"}}),
      "");
  EXPECT_EQ(diagnostics.all()[0].object, "Pod a/two");
  EXPECT_NE(diagnostics.all()[0].detail.find("Pod a/one"), std::string::npos);
}

TEST(ModelSnapshotTest, PortNamesThatNoPodHasAreAWarning) {
  for (const bool with_pod : {false, true}) {
    SnapshotBuilder builder;
    builder.Add(MakeNamespace("a"));
    Pod pod = MakePod("a", "p");
    pod.ports = {{"http", 80, "TCP"}};
    if (with_pod) builder.Add(pod);
    NetworkPolicy policy = MakePolicy("a", "p");
    policy.ingress = {{{{std::nullopt, IntOrString("http"), std::nullopt, {}},
                        {"UDP", IntOrString("http"), std::nullopt, {}},
                        {std::nullopt, IntOrString(81), std::nullopt, {}}},
                       {},
                       {}}};
    builder.Add(policy);
    Diagnostics diagnostics;
    ASSERT_TRUE(builder.Build(diagnostics).ok());
    const Expected warning{"spec.ingress[0].ports[1].port", "warning",
                           "no pod has a UDP port of the name \"http\""};
    EXPECT_EQ(Difference(diagnostics, with_pod ? std::vector{warning} : std::vector<Expected>{}),
              "");
  }
}

TEST(ModelSnapshotTest, AddressesThatNoPodCanHaveAreDropped) {
  SnapshotBuilder builder;
  builder.Add(MakePod("a", "one", {"0.0.0.0", "10.0.0.1"}));
  Diagnostics diagnostics;
  const auto snapshot = builder.Build(diagnostics);
  ASSERT_TRUE(snapshot.ok());
  EXPECT_EQ(snapshot->pods()[0].ips, std::vector<std::string>{"10.0.0.1"});
}

TEST(ModelSnapshotTest, PodCidrsAreThoseOfOptionsAndNodes) {
  SnapshotBuilder builder({.pod_cidrs = {ParseIpPrefix("10.9.0.0/16").prefix},
                           .service_cidrs = {ParseIpPrefix("10.96.0.0/12").prefix}});
  Node node;
  node.name = "n";
  node.pod_cidrs = {"10.1.0.0/24", "10.9.0.0/16"};
  builder.Add(node);
  Diagnostics diagnostics;
  const auto snapshot = builder.Build(diagnostics);
  ASSERT_TRUE(snapshot.ok());
  ASSERT_EQ(snapshot->pod_cidrs().size(), 2u);
  EXPECT_EQ(ToString(snapshot->pod_cidrs()[0]), "10.1.0.0/24");
  EXPECT_EQ(snapshot->service_cidrs().size(), 1u);
}

// Workloads.

struct StandInCase {
  const char* name;
  std::string owner_kind;
  std::string controller;  // of the workload
  std::vector<Pod> pods;   // that are given
  bool stands;
};

Pod PodOf(std::string controller, Labels labels) {
  Pod pod = MakePod("a", "p");
  pod.controller = std::move(controller);
  pod.labels = std::move(labels);
  return pod;
}

TEST(ModelSnapshotTest, AWorkloadStandsForItsPodsOnlyWhereThereAreNone) {
  const Labels labels{{"app", "web"}};
  const std::vector<StandInCase> cases = {
      {"no pods", "Deployment", "", {}, true},
      {"selected", "Deployment", "", {PodOf("", labels)}, false},
      {"another's", "Deployment", "", {PodOf("", {{"app", "db"}})}, true},
      {"controlled", "StatefulSet", "", {PodOf("StatefulSet/web", {})}, false},
      {"through a ReplicaSet", "Deployment", "", {PodOf("ReplicaSet/web-5d4f", {})}, false},
      {"of another ReplicaSet", "Deployment", "", {PodOf("ReplicaSet/web-api-5d4f", {})}, true},
      {"through a Job", "CronJob", "", {PodOf("Job/web-123", {})}, false},
      {"of an owner not given", "ReplicaSet", "Deployment/web", {}, true},
  };
  for (const StandInCase& c : cases) {
    SCOPED_TRACE(c.name);
    SnapshotBuilder builder;
    Diagnostics diagnostics;
    Pod stand_in = MakePod("a", "web");
    stand_in.owner_kind = c.owner_kind;
    stand_in.controller = c.controller;
    stand_in.labels = labels;
    LabelSelector selector;
    selector.match_labels = labels;
    builder.AddStandIn(stand_in, selector, {}, diagnostics);
    for (const Pod& pod : c.pods) builder.Add(pod);
    const auto snapshot = builder.Build(diagnostics);
    ASSERT_TRUE(snapshot.ok());
    EXPECT_EQ(snapshot->pods().size(), c.pods.size() + (c.stands ? 1 : 0));
  }
}

TEST(ModelSnapshotTest, OfAWorkloadAndItsChildOneStandsIn) {
  SnapshotBuilder builder;
  Diagnostics diagnostics;
  Pod deployment = MakePod("a", "web");
  deployment.owner_kind = "Deployment";
  Pod replica_set = MakePod("a", "web-5d4f");
  replica_set.owner_kind = "ReplicaSet";
  replica_set.controller = "Deployment/web";
  builder.AddStandIn(replica_set, std::nullopt, {}, diagnostics);
  builder.AddStandIn(deployment, std::nullopt, {}, diagnostics);
  const auto snapshot = builder.Build(diagnostics);
  ASSERT_TRUE(snapshot.ok());
  ASSERT_EQ(snapshot->pods().size(), 1u);
  EXPECT_EQ(snapshot->pods()[0].owner_kind, "Deployment");
}

TEST(ModelSnapshotTest, TheBuilderIsEmptyAfterBuild) {
  SnapshotBuilder builder;
  builder.AddFile("a.yaml");
  builder.Add(MakePod("a", "p"));
  Diagnostics first;
  ASSERT_TRUE(builder.Build(first).ok());
  Diagnostics second;
  const auto snapshot = builder.Build(second);
  ASSERT_TRUE(snapshot.ok());
  EXPECT_TRUE(snapshot->pods().empty());
  EXPECT_EQ(builder.files().back(), "a.yaml");
}

// The addresses of pods "a/p0", "a/p1", ... without any, where the rest of the input is as given.
std::vector<std::vector<std::string>> Assumed(size_t pod_count, const NetworkPolicy& policy,
                                              const std::vector<std::string>& pod_cidrs = {},
                                              bool policy_first = true) {
  SnapshotOptions options;
  options.assume_addresses = true;
  for (const std::string& cidr : pod_cidrs) {
    options.pod_cidrs.push_back(ParseIpPrefix(cidr).prefix);
  }
  SnapshotBuilder builder(options);
  if (policy_first) builder.Add(policy);
  for (size_t i = 0; i < pod_count; ++i) {
    builder.Add(MakePod("a", "p" + std::to_string(policy_first ? i : pod_count - 1 - i)));
  }
  if (!policy_first) builder.Add(policy);
  Diagnostics diagnostics;
  const auto snapshot = builder.Build(diagnostics);
  EXPECT_TRUE(snapshot.ok()) << snapshot.status();
  std::vector<std::vector<std::string>> addresses;
  if (!snapshot.ok()) return addresses;
  for (const Pod& pod : snapshot->pods()) {
    EXPECT_TRUE(pod.address_assumed);
    addresses.push_back(pod.ips);
  }
  return addresses;
}

NetworkPolicy FromBlocks(const std::vector<IpBlock>& blocks) {
  NetworkPolicy policy = MakePolicy("a", "blocks");
  PolicyRule rule;
  for (const IpBlock& block : blocks) rule.peers.push_back({.ip_block = block});
  policy.ingress.push_back(rule);
  return policy;
}

TEST(ModelAssumedAddressesTest, AreInAsFewBlocksAsCanBe) {
  using Addresses = std::vector<std::vector<std::string>>;
  EXPECT_EQ(Assumed(2, FromBlocks({})), (Addresses{{"10.0.0.1"}, {"10.0.0.2"}}));
  // Two blocks take the lower half of 10.0.0.0/8, and all around the rest says nothing.
  EXPECT_EQ(Assumed(1, FromBlocks({{"10.0.0.0/9", {}}})), (Addresses{{"10.128.0.1"}}));
  EXPECT_EQ(Assumed(1, FromBlocks({{"10.0.0.0/8", {}}})), (Addresses{{"172.16.0.1"}}));
  // An except takes a block away, and everything private is in one of them.
  EXPECT_EQ(Assumed(1, FromBlocks({{"0.0.0.0/0", {"172.16.0.0/12", "172.16.0.0/16"}}})),
            (Addresses{{"172.16.0.1"}}));
  // A stretch is long enough for all of them, and IPv6 is named.
  EXPECT_EQ(Assumed(2, FromBlocks({{"10.0.0.2/31", {}}, {"fd00::/127", {}}})),
            (Addresses{{"10.0.0.5", "fd00::3"}, {"10.0.0.6", "fd00::4"}}));
  EXPECT_EQ(Assumed(1, FromBlocks({{"10.0.0.0/8", {}}}), {"10.9.0.0/16"}),
            (Addresses{{"10.9.0.1"}}));
  EXPECT_EQ(Assumed(1, FromBlocks({}), {"fd01::/64"}), (Addresses{{"fd01::1"}}));
}

TEST(ModelAssumedAddressesTest, DoNotDependOnOrder) {
  const NetworkPolicy policy = FromBlocks({{"10.0.0.0/24", {}}});
  EXPECT_EQ(Assumed(20, policy, {}, true), Assumed(20, policy, {}, false));
}

TEST(ModelAssumedAddressesTest, AreForThoseThatHaveNone) {
  SnapshotOptions options;
  options.assume_addresses = true;
  SnapshotBuilder builder(options);
  builder.Add(MakePod("a", "has", {"10.0.0.1"}));
  Pod ended = MakePod("a", "ended");
  ended.phase = PodPhase::kSucceeded;
  builder.Add(ended);
  Pod host = MakePod("a", "host");
  host.host_network = true;
  builder.Add(host);
  builder.Add(MakePod("a", "without"));
  Diagnostics diagnostics;
  const auto snapshot = builder.Build(diagnostics);
  ASSERT_TRUE(snapshot.ok());
  for (const Pod& pod : snapshot->pods()) {
    EXPECT_EQ(pod.address_assumed, pod.name == "without") << pod.name;
    EXPECT_EQ(pod.ips.empty(), pod.name == "ended" || pod.name == "host") << pod.name;
  }
  EXPECT_EQ(snapshot->pods().back().ips, std::vector<std::string>{"10.0.0.3"});
}

}  // namespace
}  // namespace npf
