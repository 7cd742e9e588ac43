// Cluster-wide policies and resolved names as structs: every fault with its field path, type and
// message; order, duplicates and what matches nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "model/validate.h"
#include "npf/snapshot.h"
#include "unit/model_test_util.h"

namespace npf {
namespace {

using Kind = ClusterPolicyKind;
using Form = ClusterPort::Form;

ClusterPeer Everyone() {
  ClusterPeer peer;
  peer.pods = ClusterPods{};
  peer.field_count = 1;
  return peer;
}

ClusterPolicy Valid(Kind kind = Kind::kClusterNetworkPolicy) {
  ClusterPolicy policy;
  policy.kind = kind;
  const bool baseline = kind == Kind::kBaselineAdminNetworkPolicy;
  policy.name = baseline ? "default" : "a";
  policy.tier = baseline ? "Baseline" : "Admin";
  policy.priority = baseline ? 0 : 5;
  policy.subject = ClusterPods{};
  policy.subject_field_count = 1;
  ClusterRule rule;
  rule.action = kind == Kind::kClusterNetworkPolicy ? "Accept" : "Allow";
  rule.peers = {Everyone()};
  policy.ingress = {rule};
  policy.egress = {rule};
  return policy;
}

using Change = std::function<void(ClusterPolicy&)>;
struct Case {
  Kind kind;
  Change change;
  std::vector<Expected> expected;
};

Diagnostics Validate(const ClusterPolicy& policy, bool strict_cidr = false) {
  Diagnostics diagnostics;
  const FieldLocator locate;
  model::ObjectFaults faults({Name(policy.kind), "", policy.name, {}}, locate, /*tolerant=*/false,
                             diagnostics);
  model::ValidateClusterPolicy(policy, strict_cidr, faults);
  return diagnostics;
}

void Check(const std::vector<Case>& cases) {
  for (size_t i = 0; i < cases.size(); ++i) {
    ClusterPolicy policy = Valid(cases[i].kind);
    cases[i].change(policy);
    EXPECT_EQ(Difference(Validate(policy), cases[i].expected), "") << "case " << i;
  }
}

Change ToPeer(std::function<void(ClusterPeer&)> change, bool egress = true) {
  return [change, egress](ClusterPolicy& policy) {
    ClusterPeer& peer = (egress ? policy.egress : policy.ingress)[0].peers[0];
    peer.pods.reset();
    change(peer);
  };
}
Change Networks(std::vector<std::string> networks) {
  return ToPeer([networks](ClusterPeer& peer) { peer.networks = networks; });
}
Change Domains(std::vector<std::string> names) {
  return ToPeer([names](ClusterPeer& peer) { peer.domain_names = names; });
}
ClusterPort Port(Form form, int64_t first, int64_t last, std::string protocol = "TCP") {
  ClusterPort port;
  port.form = form;
  port.first = first;
  port.last = last;
  port.protocol = std::move(protocol);
  return port;
}
ClusterPort Named(std::string name) {
  ClusterPort port;
  port.form = Form::kNamed;
  port.name = std::move(name);
  return port;
}
Change Ports(std::vector<ClusterPort> ports) {
  return [ports](ClusterPolicy& policy) { policy.egress[0].ports = ports; };
}

constexpr Kind kCnp = Kind::kClusterNetworkPolicy;
constexpr Kind kAnp = Kind::kAdminNetworkPolicy;
constexpr Kind kBanp = Kind::kBaselineAdminNetworkPolicy;

TEST(ModelValidateClusterTest, ValidOnesHaveNoFaults) {
  for (const Kind kind : {kCnp, kAnp, kBanp}) {
    EXPECT_EQ(Difference(Validate(Valid(kind)), {}), "") << Name(kind);
    ClusterPolicy empty = Valid(kind);  // R94
    empty.ingress.clear();
    empty.egress.clear();
    EXPECT_EQ(Difference(Validate(empty), {}), "") << Name(kind);
  }
}

TEST(ModelValidateClusterTest, TheObjectItself) {
  const auto tier = [](const char* text) {
    return [text](ClusterPolicy& policy) { policy.tier = text; };
  };
  const auto priority = [](std::optional<int64_t> value) {
    return [value](ClusterPolicy& policy) { policy.priority = value; };
  };
  Check({
      {kCnp, tier("Baseline"), {}},
      {kCnp,
       tier("admin"),
       {{"spec.tier", "NotSupported", "\"Admin\", \"Baseline\" (found \"admin\")"}}},
      {kCnp, tier(""), {{"spec.tier", "Required", "\"Admin\", \"Baseline\""}}},
      {kCnp, priority(0), {}},
      {kCnp, priority(1000), {}},
      {kAnp,
       priority(1001),
       {{"spec.priority", "Invalid", "should be less than or equal to 1000 (found 1001)"}}},
      {kAnp,
       priority(-1),
       {{"spec.priority", "Invalid", "should be greater than or equal to 0 (found -1)"}}},
      {kCnp, priority({}), {{"spec.priority", "Required", "a number from 0 to 1000"}}},
      {kBanp,
       [](ClusterPolicy& policy) { policy.name = "other"; },
       {{"metadata.name", "Invalid", "with the name \"default\" (found \"other\")"}}},
      {kCnp,
       [](ClusterPolicy& policy) { policy.name = ""; },
       {{"metadata.name", "Required", "name or generateName is required"}}},
      {kAnp,
       [](ClusterPolicy& policy) { policy.name = "A"; },
       {{"metadata.name", "Invalid", "a lowercase RFC 1123 subdomain"}}},
  });
}

TEST(ModelValidateClusterTest, Subjects) {
  const auto subject = [](std::optional<ClusterPods> pods, uint32_t fields) {
    return [pods, fields](ClusterPolicy& policy) {
      policy.subject = pods;
      policy.subject_field_count = fields;
    };
  };
  ClusterPods bad_namespaces;
  bad_namespaces.namespace_selector.match_labels.Set("a", "-b");
  ClusterPods bad_pods;
  bad_pods.pod_selector.emplace().match_labels.Set("a", "-b");
  Check({
      {kCnp, subject({}, 0), {{"spec.subject", "Required", "namespaces or pods"}}},
      {kCnp, subject({}, 1), {}},  // of an unknown field: fails closed (R89)
      {kCnp, subject(ClusterPods{}, 0), {}},
      {kCnp,
       subject(ClusterPods{}, 2),
       {{"spec.subject", "Invalid", "must have exactly one of namespaces and pods"}}},
      {kCnp,
       subject(bad_namespaces, 1),
       {{"spec.subject.namespaces.matchLabels", "Invalid", "(found \"-b\")"}}},
      {kCnp,
       subject(bad_pods, 1),
       {{"spec.subject.pods.podSelector.matchLabels", "Invalid", "(found \"-b\")"}}},
  });
}

TEST(ModelValidateClusterTest, Actions) {
  const auto action = [](const char* text) {
    return [text](ClusterPolicy& policy) { policy.ingress[0].action = text; };
  };
  const std::string field = "spec.ingress[0].action";
  const std::string cnp = "supported values: \"Accept\", \"Deny\", \"Pass\" (found ";
  const std::string anp = "supported values: \"Allow\", \"Deny\", \"Pass\" (found ";
  Check({
      {kCnp, action("Pass"), {}},
      {kCnp, action("Deny"), {}},
      {kCnp, action("Allow"), {{field, "NotSupported", cnp + "\"Allow\")"}}},
      {kCnp, action("deny"), {{field, "NotSupported", cnp + "\"deny\")"}}},
      {kCnp, action(""), {{field, "Required", cnp + "\"\")"}}},
      {kAnp, action("Pass"), {}},
      {kAnp, action("Accept"), {{field, "NotSupported", anp + "\"Accept\")"}}},
      {kBanp, action("Deny"), {}},
      {kBanp,
       action("Pass"),
       {{field, "NotSupported", "supported values: \"Allow\", \"Deny\" (found \"Pass\")"}}},
  });
}

// What may be written, and one more.
TEST(ModelValidateClusterTest, ListsAreBounded) {
  const auto rules = [](size_t count) {
    return [count](ClusterPolicy& policy) {
      policy.ingress.resize(count, ClusterRule(policy.ingress[0]));
    };
  };
  const auto peers = [](size_t count) {
    return [count](ClusterPolicy& policy) { policy.egress[0].peers.resize(count, Everyone()); };
  };
  const auto ports = [](size_t count) {
    return Ports(std::vector<ClusterPort>(count, Port(Form::kNumber, 80, 80)));
  };
  const std::string few = "must have at most 25 items (found 26)";
  const std::string many = "must have at most 100 items (found 101)";
  Check({
      {kCnp, rules(25), {}},
      {kCnp, rules(26), {{"spec.ingress", "TooMany", few}}},
      {kAnp, rules(100), {}},
      {kAnp, rules(101), {{"spec.ingress", "TooMany", many}}},
      {kCnp, peers(25), {}},
      {kCnp, peers(26), {{"spec.egress[0].to", "TooMany", few}}},
      {kBanp, peers(100), {}},
      {kBanp, peers(101), {{"spec.egress[0].to", "TooMany", many}}},
      {kCnp, peers(0), {{"spec.egress[0].to", "Required", "should have at least 1 item"}}},
      {kCnp, ports(25), {}},
      {kCnp, ports(26), {{"spec.egress[0].protocols", "TooMany", few}}},
      {kCnp, ports(0), {{"spec.egress[0].protocols", "Required", "should have at least 1 item"}}},
      {kAnp, ports(100), {}},
      {kAnp, ports(101), {{"spec.egress[0].ports", "TooMany", many}}},
      {kAnp, ports(0), {}},
  });
}

TEST(ModelValidateClusterTest, NamesOfRulesAreCountedInCharacters) {
  const auto name = [](std::string text) {
    return [text](ClusterPolicy& policy) { policy.egress[0].name = text; };
  };
  std::string accents;
  for (int i = 0; i < 101; ++i) accents += "\xc3\xa9";
  const Expected too_long{"spec.egress[0].name", "TooLong",
                          "may not be more than 100 characters (found 101)"};
  Check({
      {kCnp, name(std::string(100, 'n')), {}},
      {kCnp, name(std::string(101, 'n')), {too_long}},
      {kAnp, name(accents.substr(2)), {}},
      {kAnp, name(accents), {too_long}},
  });
}

TEST(ModelValidateClusterTest, APeerIsOneThing) {
  const auto count = [](uint32_t fields) {
    return ToPeer([fields](ClusterPeer& peer) { peer.field_count = fields; });
  };
  const auto both = [](ClusterPeer& peer) {
    peer.nodes = LabelSelector{};
    peer.networks = {"10.0.0.0/8"};
  };
  Check({
      {kCnp, count(0), {{"spec.egress[0].to[0]", "Required", "must specify a peer; one of"}}},
      {kCnp, count(1), {}},  // of an unknown field: fails closed (R89)
      {kCnp, count(2), {{"spec.egress[0].to[0]", "Invalid", "must have exactly one field"}}},
      {kCnp, ToPeer(both), {{"spec.egress[0].to[0]", "Invalid", "must have exactly one field"}}},
      {kCnp,
       ToPeer([](ClusterPeer& peer) { peer.field_count = 0; }, /*egress=*/false),
       {{"spec.ingress[0].from[0]", "Required", "must specify a peer; namespaces or pods"}}},
  });
}

// R86.
TEST(ModelValidateClusterTest, WhatIsOutsideIsNoSource) {
  const auto from = [](std::function<void(ClusterPeer&)> change) { return ToPeer(change, false); };
  const std::string peer = "spec.ingress[0].from[0].";
  const std::string egress_only = "may only be used in egress rules";
  Check({
      {kCnp,
       from([](ClusterPeer& p) { p.nodes = LabelSelector{}; }),
       {{peer + "nodes", "Forbidden", egress_only}}},
      {kCnp,
       from([](ClusterPeer& p) { p.networks = {"10.0.0.0/8"}; }),
       {{peer + "networks", "Forbidden", egress_only}}},
      {kAnp,
       from([](ClusterPeer& p) { p.domain_names = {"a.example"}; }),
       {{peer + "domainNames", "Forbidden", egress_only}}},
  });
}

TEST(ModelValidateClusterTest, NetworksAreCidrs) {
  const std::string field = "spec.egress[0].to[0].networks";
  std::vector<std::string> many;
  for (int i = 0; i < 26; ++i) many.push_back("10." + std::to_string(i) + ".0.0/16");
  const std::vector<std::string> enough(many.begin(), many.end() - 1);
  // 43 characters, and one more.
  const std::string longest = "1111:2222:3333:4444:5555:6666:7777:8888/128";
  Check({
      {kCnp, Networks(enough), {}},
      {kCnp, Networks(many), {{field, "TooMany", "must have at most 25 items (found 26)"}}},
      {kAnp, Networks(many), {{field, "TooMany", "must have at most 25 items (found 26)"}}},
      {kCnp, Networks({}), {{field, "Required", "should have at least 1 item"}}},
      {kCnp, Networks({longest}), {}},
      {kCnp,
       Networks({longest + "0"}),
       {{field + "[0]", "TooLong", "may not be more than 43 bytes (found \"" + longest + "0\")"}}},
      {kCnp,
       Networks({"10.0.0.0"}),
       {{field + "[0]", "Invalid", "must be a valid CIDR value, (e.g. 10.9.8.0/24 or"}}},
      {kCnp,
       Networks({"10.0.0.0/8", "11.0.0.0/8", "10.0.0.0/8"}),
       {{field + "[2]", "Duplicate", "stands in this list already (found \"10.0.0.0/8\")"}}},
      {kCnp, Networks({"10.0.0.1/8"}), {{field + "[0]", "warning", "has host bits set"}}},
  });
  ClusterPolicy policy = Valid();
  Networks({"10.0.0.1/8"})(policy);
  EXPECT_EQ(Difference(Validate(policy, /*strict_cidr=*/true),
                       {{field + "[0]", "Invalid", "must not have bits set beyond the prefix"}}),
            "");
}

// R87: the pattern of the API's type.
TEST(ModelValidateClusterTest, DomainNames) {
  const std::string field = "spec.egress[0].to[0].domainNames";
  for (const char* good : {"a.b", "*.a.b", "A.Example.COM.", "x_y-z.example", "1.2", "*.a.b."}) {
    Check({{kCnp, Domains({good}), {}}});
  }
  for (const char* bad : {"", "a", "*", "*.a", "a..b", ".a.b", "a.b..", "-a.b", "a-.b", "_a.b",
                          "a.b_", "a.*.b", "*a.b", "**.a.b", "a b.c", "caf\xc3\xa9.fr"}) {
    Check({{kCnp, Domains({bad}), {{field + "[0]", "Invalid", "must be a domain name of two"}}}});
  }
  const auto with_action = [](const char* action) {
    return [action](ClusterPolicy& policy) {
      Domains({"a.example"})(policy);
      policy.egress[0].action = action;
    };
  };
  std::vector<std::string> many;
  for (int i = 0; i < 26; ++i) many.push_back("a" + std::to_string(i) + ".example");
  const std::string refused = "may only be used with an action that accepts (found \"";
  Check({
      {kCnp, Domains(many), {{field, "TooMany", "must have at most 25 items (found 26)"}}},
      {kCnp, Domains({}), {{field, "Required", "should have at least 1 item"}}},
      {kCnp,
       Domains({"a.b", "a.b"}),
       {{field + "[1]", "Duplicate", "stands in this list already (found \"a.b\")"}}},
      {kCnp, with_action("Deny"), {{field, "Forbidden", refused + "Deny\")"}}},
      {kAnp, with_action("Pass"), {{field, "Forbidden", refused + "Pass\")"}}},
      {kAnp, with_action("Allow"), {}},
      {kBanp, with_action("Allow"), {{field, "warning", "of the API has no such field"}}},
  });
}

TEST(ModelValidateClusterTest, PortNumbersAndRanges) {
  const std::string cnp = "spec.egress[0].protocols[0]";
  const std::string anp = "spec.egress[0].ports[0]";
  Check({
      {kCnp, Ports({Port(Form::kNumber, 1, 1), Port(Form::kNumber, 65535, 65535)}), {}},
      {kCnp,
       Ports({Port(Form::kNumber, 0, 0, "UDP")}),
       {{cnp + ".udp.destinationPort.number", "Invalid",
         "should be greater than or equal to 1 (found 0)"}}},
      {kAnp,
       Ports({Port(Form::kNumber, 65536, 65536)}),
       {{anp + ".portNumber.port", "Invalid",
         "should be less than or equal to 65535 (found 65536)"}}},
      {kCnp, Ports({Port(Form::kRange, 1, 2)}), {}},
      {kCnp,
       Ports({Port(Form::kRange, 2, 2, "SCTP")}),
       {{cnp + ".sctp.destinationPort.range", "Invalid",
         "Start port must be less than End port (found 2 to 2)"}}},
      {kAnp, Ports({Port(Form::kRange, 2, 2)}), {}},
      {kAnp,
       Ports({Port(Form::kRange, 3, 2)}),
       {{anp + ".portRange", "Invalid", "start must not be greater than end (found 3 to 2)"}}},
      {kAnp,
       Ports({Port(Form::kRange, 0, 65536)}),
       {{anp + ".portRange.start", "Invalid", "greater than or equal to 1 (found 0)"},
        {anp + ".portRange.end", "Invalid", "less than or equal to 65535 (found 65536)"}}},
      {kAnp,
       Ports({Port(Form::kRange, 1, 2, "ICMP")}),
       {{anp + ".portRange.protocol", "NotSupported",
         "supported values: \"TCP\", \"UDP\", \"SCTP\" (found \"ICMP\")"}}},
      {kCnp, Ports({Port(Form::kAll, 0, 0)}), {}},
      {kCnp,
       Ports({Port(Form::kAll, 0, 0, "ICMP")}),
       {{cnp + ".protocol", "NotSupported", "(found \"ICMP\")"}}},
      {kCnp, Ports({Port(Form::kNothing, 0, 0)}), {}},  // of an unknown field (R89)
      {kCnp,
       Ports({Port(Form::kSeveral, 0, 0)}),
       {{cnp, "Invalid", "must have exactly one field"}}},
      {kCnp,
       Ports({Named("a_b")}),
       {{cnp + ".destinationNamedPort", "Invalid", "(found \"a_b\")"}}},
      {kAnp, Ports({Named("a_b")}), {{anp + ".namedPort", "Invalid", "(found \"a_b\")"}}},
  });
}

TEST(ModelValidateClusterTest, WhatIsOutsideHasNoNamedPorts) {
  const auto named = [](Change change) {
    return [change](ClusterPolicy& policy) {
      policy.egress[0].peers.push_back(Everyone());
      change(policy);
      policy.egress[0].ports = {Port(Form::kNumber, 80, 80), Named("http")};
    };
  };
  const Expected refused{"spec.egress[0]", "Invalid",
                         "networks/nodes/domainNames peer cannot be set with namedPorts since "
                         "there are no namedPorts for networks/nodes/domainNames"};
  Check({
      {kCnp, named(Networks({"10.0.0.0/8"})), {refused}},
      {kAnp, named(Domains({"a.example"})), {refused}},
      {kBanp, named(ToPeer([](ClusterPeer& peer) { peer.nodes = LabelSelector{}; })), {refused}},
      {kCnp, named([](ClusterPolicy&) {}), {}},
  });
}

// Several objects.

ClusterPolicy Make(Kind kind, std::string name, std::string tier, int64_t priority) {
  ClusterPolicy policy = Valid(kind);
  policy.name = std::move(name);
  policy.tier = std::move(tier);
  policy.priority = priority;
  return policy;
}

std::string Order(const Snapshot& snapshot) {
  std::string out;
  for (const ClusterPolicy& policy : snapshot.cluster_policies()) {
    out += std::string(Name(policy.kind)) + " " + policy.name + ";";
  }
  return out;
}

TEST(ModelClusterTest, PoliciesAreInTheOrderOfEvaluation) {
  std::vector<ClusterPolicy> policies = {
      Make(kBanp, "default", "Baseline", 0), Make(kCnp, "z", "Admin", 1),
      Make(kCnp, "b", "Admin", 10),          Make(kAnp, "b", "Admin", 10),
      Make(kAnp, "a", "Admin", 10),          Make(kCnp, "y", "Baseline", 2)};
  for (int round = 0; round < 6; ++round) {
    std::rotate(policies.begin(), policies.begin() + 1, policies.end());
    SnapshotBuilder builder;
    for (const ClusterPolicy& policy : policies) builder.Add(policy);
    Diagnostics diagnostics;
    const auto snapshot = builder.Build(diagnostics);
    ASSERT_TRUE(snapshot.ok());
    EXPECT_EQ(Order(*snapshot),
              "ClusterNetworkPolicy z;AdminNetworkPolicy a;ClusterNetworkPolicy b;"
              "AdminNetworkPolicy b;BaselineAdminNetworkPolicy default;ClusterNetworkPolicy y;");
    // R83.
    EXPECT_EQ(
        Difference(diagnostics,
                   {{"spec.priority", "warning",
                     "is also that of AdminNetworkPolicy a, which is evaluated first by its "
                     "name"},
                    {"spec.priority", "warning",
                     "is also that of ClusterNetworkPolicy b, which is evaluated first by its "
                     "kind"}}),
        "");
  }
}

// R64: a name of another kind is another object.
TEST(ModelClusterTest, OneNameTwice) {
  for (const bool last_wins : {false, true}) {
    SnapshotOptions options;
    options.last_wins = last_wins;
    SnapshotBuilder builder(options);
    builder.Add(Make(kCnp, "a", "Admin", 1));
    builder.Add(Make(kCnp, "a", "Baseline", 2));
    builder.Add(Make(kAnp, "a", "Admin", 3));
    Diagnostics diagnostics;
    const auto snapshot = builder.Build(diagnostics);
    EXPECT_EQ(snapshot.ok(), last_wins);
    if (!last_wins) {
      EXPECT_EQ(Difference(diagnostics, {{"metadata.name", "Duplicate", "already given"}}), "");
      continue;
    }
    EXPECT_EQ(Difference(diagnostics, {{"metadata.name", "warning", "replaces the object"}}), "");
    EXPECT_EQ(Order(*snapshot), "AdminNetworkPolicy a;ClusterNetworkPolicy a;");
    EXPECT_EQ(snapshot->cluster_policies()[1].tier, "Baseline");
  }
}

// R79.
TEST(ModelClusterTest, InvalidOnesCanBeLeftOut) {
  SnapshotOptions options;
  options.skip_invalid = true;
  SnapshotBuilder builder(options);
  builder.Add(Make(kCnp, "bad", "Admin", 1001));
  builder.Add(Make(kCnp, "good", "Admin", 1));
  Diagnostics diagnostics;
  const auto snapshot = builder.Build(diagnostics);
  ASSERT_TRUE(snapshot.ok());
  EXPECT_EQ(Order(*snapshot), "ClusterNetworkPolicy good;");
  EXPECT_EQ(Difference(diagnostics, {{"spec.priority", "warning", "less than or equal to 1000"},
                                     {"", "warning", "the policy is invalid and was left out"}}),
            "");
}

TEST(ModelClusterTest, NamedPortsThatNoPodHas) {
  Pod pod;
  pod.ns = "default";
  pod.name = "p";
  pod.ports = {{"http", 80, "UDP"}};
  ClusterPolicy policy = Valid();
  policy.ingress[0].ports = {Named("http"), Named("metrics")};
  ClusterPolicy admin = Valid(kAnp);
  admin.priority = 6;
  admin.egress[0].ports = {Named("admin")};
  for (const bool with_pod : {true, false}) {
    SnapshotBuilder builder;
    builder.Add(Namespace{.name = "default"});
    builder.Add(policy);
    builder.Add(admin);
    if (with_pod) builder.Add(pod);
    Diagnostics diagnostics;
    ASSERT_TRUE(builder.Build(diagnostics).ok());
    const std::vector<Expected> expected = {
        {"spec.ingress[0].protocols[1]", "warning",
         "no pod has a port of the name \"metrics\"; it matches nothing"},
        {"spec.egress[0].ports[0]", "warning",
         "no pod has a port of the name \"admin\"; it matches nothing"}};
    EXPECT_EQ(Difference(diagnostics, with_pod ? expected : std::vector<Expected>()), "");
  }
}

// R87: which patterns have an address in the table.
TEST(ModelClusterTest, DomainNamesWithoutAnAddress) {
  ClusterPolicy policy = Valid();
  Domains({"A.Example.", "b.example", "*.c.example", "*.a.example", "*.C.Example.", "*.ample.com",
           "ample.com", "c.example"})(policy);
  SnapshotBuilder builder;
  builder.Add(policy);
  builder.Add(ResolvedName{"a.example", "192.0.2.1", 0, {}});
  builder.Add(ResolvedName{"x.c.example", "192.0.2.2", 0, {}});
  builder.Add(ResolvedName{"x.example.com", "192.0.2.3", 0, {}});
  Diagnostics diagnostics;
  ASSERT_TRUE(builder.Build(diagnostics).ok());
  const std::string field = "spec.egress[0].to[0].domainNames";
  const auto missing = [&](int index, const std::string& name) {
    return Expected{field + "[" + std::to_string(index) + "]", "warning",
                    "no address of " + name + " is known; it matches nothing"};
  };
  EXPECT_EQ(Difference(diagnostics, {missing(1, "b.example"), missing(3, "*.a.example"),
                                     missing(5, "*.ample.com"), missing(6, "ample.com"),
                                     missing(7, "c.example")}),
            "");
}

TEST(ModelClusterTest, ResolvedNamesAreSortedOnceAndUnexpired) {
  for (const int64_t now : {0, 100}) {
    SnapshotOptions options;
    options.now_s = now;
    SnapshotBuilder builder(options);
    builder.Add(ResolvedName{"B.Example.", "192.0.2.2", 0, {}});
    builder.Add(ResolvedName{"a.example", "2001:db8:0::1", 101, {}});
    builder.Add(ResolvedName{"a.example", "192.0.2.1", 100, {}});
    builder.Add(ResolvedName{"b.example", "192.0.2.2", 200, {}});
    Diagnostics diagnostics;
    const auto snapshot = builder.Build(diagnostics);
    ASSERT_TRUE(snapshot.ok());
    std::vector<NameAddress> expected = {{"a.example", *ParseIpAddress("192.0.2.1")},
                                         {"a.example", *ParseIpAddress("2001:db8::1")},
                                         {"b.example", *ParseIpAddress("192.0.2.2")}};
    std::vector<Expected> warnings;
    if (now != 0) {
      expected.erase(expected.begin());
      warnings = {{"expires", "warning", "192.0.2.1 is no longer the address of the name"}};
    }
    EXPECT_EQ(snapshot->resolved_names(), expected);
    EXPECT_EQ(Difference(diagnostics, warnings), "");
  }
}

TEST(ModelClusterTest, BadResolvedNamesAreErrors) {
  const std::vector<std::pair<ResolvedName, Expected>> cases = {
      {{"*.example.com", "192.0.2.2", 0, {}},
       {"name", "Invalid", "as www.example.com (found \"*.example.com\")"}},
      {{"localhost", "192.0.2.2", 0, {}}, {"name", "Invalid", "(found \"localhost\")"}},
      {{"a.example", "192.0.2", 0, {}},
       {"address", "Invalid", "as 203.0.113.10 or 2001:db8::10 (found \"192.0.2\")"}},
      {{"a.example", "192.0.2.0/24", 0, {}}, {"address", "Invalid", "(found \"192.0.2.0/24\")"}},
      {{"a.example", "192.0.2.2", -1, {}},
       {"expires", "Invalid", "must not be before 1970 (found -1)"}},
  };
  for (const auto& [name, expected] : cases) {
    SnapshotBuilder builder;
    builder.Add(name);
    Diagnostics diagnostics;
    EXPECT_FALSE(builder.Build(diagnostics).ok());
    EXPECT_EQ(Difference(diagnostics, {expected}), "");
  }
}

}  // namespace
}  // namespace npf
