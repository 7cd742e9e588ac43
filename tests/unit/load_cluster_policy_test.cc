// Cluster-wide policies as text: what is read, what is refused, in which line and with which words.
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "unit/load_test_util.h"

namespace npf {
namespace {

// `spec` stands at column 3 from line 4 on.
std::string Cnp(const std::string& spec, const std::string& name = "c") {
  return "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: "
         "{name: " +
         name + "}\nspec:\n" + spec;
}
std::string Anp(const std::string& spec) {
  return "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\nmetadata: "
         "{name: "
         "a}\nspec:\n" +
         spec;
}
std::string Banp(const std::string& spec, const std::string& name = "default") {
  return "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: "
         "BaselineAdminNetworkPolicy\nmetadata: "
         "{name: " +
         name + "}\nspec:\n" + spec;
}

constexpr char kHead[] = "  tier: Admin\n  priority: 1\n  subject: {namespaces: {}}\n";
constexpr char kAnpHead[] = "  priority: 1\n  subject: {namespaces: {}}\n";
constexpr char kBanpHead[] = "  subject: {namespaces: {}}\n";

// A rule at line 9 of a ClusterNetworkPolicy.
std::string Egress(const std::string& rule) {
  return Cnp(std::string(kHead) + "  egress:\n  - " + rule + "\n");
}
std::string Ports(const std::string& item) {
  return Egress("{action: Accept, to: [{namespaces: {}}], protocols: [" + item + "]}");
}
std::string AnpPorts(const std::string& item) {
  return Anp(std::string(kAnpHead) +
             "  ingress:\n  - {action: Allow, from: [{namespaces: {}}], ports: [" + item + "]}\n");
}
std::string Repeated(const std::string& item, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += (i == 0 ? "" : ", ") + item;
  return out;
}

struct Refusal {
  std::string text;
  std::string error;  // behind "t.yaml:"
};

void ExpectRefused(const std::vector<Refusal>& refusals) {
  for (const Refusal& refusal : refusals) {
    EXPECT_EQ(Load(refusal.text).Errors(), "t.yaml:" + refusal.error + "\n") << refusal.text;
  }
}

TEST(LoadClusterPolicyTest, EveryFieldOfV1alpha2) {
  const Loaded loaded = Load(Cnp(R"(  tier: Baseline
  priority: 7
  subject:
    pods:
      namespaceSelector: {matchLabels: {team: a}}
      podSelector: {matchExpressions: [{key: app, operator: Exists}]}
  ingress:
  - name: first
    action: Pass
    from:
    - namespaces: {matchLabels: {team: b}}
    - pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}
    protocols:
    - tcp: {destinationPort: {number: 80}}
    - udp: {destinationPort: {range: {start: 5, end: 9}}}
    - destinationNamedPort: http
  egress:
  - action: Accept
    to:
    - nodes: {matchLabels: {role: edge}}
    - networks: [10.0.0.0/8, "2001:db8::/32"]
    - domainNames: ["*.example.com", Example.ORG.]
)"));
  ASSERT_EQ(loaded.Errors(), "");
  ASSERT_EQ(loaded.snapshot->cluster_policies().size(), 1u);
  const ClusterPolicy& policy = loaded.snapshot->cluster_policies()[0];
  EXPECT_EQ(policy.name, "c");
  EXPECT_EQ(policy.tier, "Baseline");
  EXPECT_EQ(policy.priority, 7);
  EXPECT_EQ(*policy.subject->namespace_selector.match_labels.Find("team"), "a");
  EXPECT_EQ(policy.subject->pod_selector->match_expressions[0].op, "Exists");
  const ClusterRule& in = policy.ingress[0];
  EXPECT_EQ(in.name, "first");
  EXPECT_EQ(in.action, "Pass");
  EXPECT_EQ(in.position.line, 12u);
  EXPECT_FALSE(in.peers[0].pods->pod_selector.has_value());
  EXPECT_EQ(*in.peers[1].pods->pod_selector->match_labels.Find("app"), "web");
  ASSERT_EQ(in.ports->size(), 3u);
  EXPECT_EQ((*in.ports)[0].form, ClusterPort::Form::kNumber);
  EXPECT_EQ((*in.ports)[0].first, 80);
  EXPECT_EQ((*in.ports)[1].protocol, "UDP");
  EXPECT_EQ((*in.ports)[1].form, ClusterPort::Form::kRange);
  EXPECT_EQ((*in.ports)[1].last, 9);
  EXPECT_EQ((*in.ports)[2].form, ClusterPort::Form::kNamed);
  const ClusterRule& out = policy.egress[0];
  EXPECT_FALSE(out.ports.has_value());
  EXPECT_EQ(*out.peers[0].nodes->match_labels.Find("role"), "edge");
  EXPECT_EQ(out.peers[1].networks->size(), 2u);
  EXPECT_EQ((*out.peers[2].domain_names)[1], "Example.ORG.");
}

TEST(LoadClusterPolicyTest, ThePredecessorsAreReadIntoTheSameModel) {
  const Loaded loaded =
      Load(Anp(std::string(kAnpHead) +
               "  ingress:\n  - action: Allow\n    from: [{namespaces: {}}]\n    "
               "ports:\n    - portNumber: {port: 80}\n    - portRange: {protocol: "
               "SCTP, start: 5, end: 5}\n    - namedPort: http\n") +
           "---\n" + Banp(kBanpHead));
  ASSERT_EQ(loaded.Errors(), "");
  const auto& policies = loaded.snapshot->cluster_policies();
  ASSERT_EQ(policies.size(), 2u);
  EXPECT_EQ(policies[0].kind, ClusterPolicyKind::kAdminNetworkPolicy);
  EXPECT_EQ(policies[0].tier, "Admin");
  EXPECT_EQ((*policies[0].ingress[0].ports)[0].protocol, "TCP");
  EXPECT_EQ((*policies[0].ingress[0].ports)[1].protocol, "SCTP");
  EXPECT_EQ(policies[1].kind, ClusterPolicyKind::kBaselineAdminNetworkPolicy);
  EXPECT_EQ(policies[1].tier, "Baseline");
  EXPECT_EQ(policies[1].priority, 0);
}

TEST(LoadClusterPolicyTest, JsonIsReadAsYamlIs) {
  const std::string rest =
      R"("status":{"conditions":[]},"spec":{"subject":{"namespaces":{}},"ingress":[{"action":"Deny",)"
      R"("from":[{"pods":{"namespaceSelector":{},"podSelector":{"matchLabels":{"a":"b"}}}}])";
  const std::string text =
      R"({"apiVersion":"policy.networking.k8s.io/v1alpha2","kind":"ClusterNetworkPolicyList",)"
      R"("items":[{"metadata":{"name":"c","uid":"x"},)" +
      rest +
      R"(,"protocols":[{"sctp":{"destinationPort":{"range":{"start":1,"end":9}}}}]}],)"
      R"("tier":"Admin","priority":3}}]})";
  const auto v1alpha1 = [&](const std::string& head) {
    return R"({"apiVersion":"policy.networking.k8s.io/v1alpha1",)" + head + rest +
           R"(,"ports":[{"portRange":{"start":1,"end":9,"protocol":"SCTP"}}]}]}})";
  };
  SnapshotBuilder builder;
  Loaded loaded;
  const std::string admin = v1alpha1(R"("kind":"AdminNetworkPolicy","metadata":{"name":"a"},)");
  const size_t place = admin.find("\"subject\"");
  LoadText(text, "c.json", {}, builder, loaded.diagnostics, loaded.report);
  LoadText(admin.substr(0, place) + "\"priority\":4," + admin.substr(place), "a.json", {}, builder,
           loaded.diagnostics, loaded.report);
  LoadText(v1alpha1(R"("kind":"BaselineAdminNetworkPolicy","metadata":{"name":"default"},)"),
           "b.json", {}, builder, loaded.diagnostics, loaded.report);
  loaded = Finish(builder, std::move(loaded));
  ASSERT_EQ(loaded.Errors(), "");
  const auto& policies = loaded.snapshot->cluster_policies();
  ASSERT_EQ(policies.size(), 3u);
  EXPECT_EQ(policies[0].priority, 3);
  EXPECT_EQ(policies[1].priority, 4);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(policies[i].kind, static_cast<ClusterPolicyKind>(i));
    EXPECT_EQ(loaded.report.used.at(std::string(Name(policies[i].kind))), 1u);
    const ClusterRule& rule = policies[i].ingress.at(0);
    EXPECT_EQ(*rule.peers[0].pods->pod_selector->match_labels.Find("a"), "b");
    EXPECT_EQ(rule.ports->at(0).form, ClusterPort::Form::kRange);
    EXPECT_EQ(rule.ports->at(0).protocol, "SCTP");
    EXPECT_EQ(rule.ports->at(0).last, 9);
  }
  EXPECT_EQ(Load(admin, "a.json").Errors(),
            "a.json:1:130: AdminNetworkPolicy a: spec.priority: a number from 0 to 1000\n");
}

TEST(LoadClusterPolicyTest, TheObjectItself) {
  const std::string object = "ClusterNetworkPolicy c: ";
  ExpectRefused({
      {Cnp("  tier: admin\n  priority: 1\n  subject: {namespaces: {}}\n"),
       "5:9: " + object + "spec.tier: supported values: \"Admin\", \"Baseline\" (found \"admin\")"},
      {Cnp("  priority: 1\n  subject: {namespaces: {}}\n"),
       "4:1: " + object + "spec.tier: supported values: \"Admin\", \"Baseline\" (found \"\")"},
      {Cnp("  tier: Admin\n  subject: {namespaces: {}}\n"),
       "4:1: " + object + "spec.priority: a number from 0 to 1000"},
      {Cnp("  tier: Admin\n  priority: 1001\n  subject: {namespaces: {}}\n"),
       "6:13: " + object + "spec.priority: should be less than or equal to 1000 (found 1001)"},
      {Cnp("  tier: Admin\n  priority: -1\n  subject: {namespaces: {}}\n"),
       "6:13: " + object + "spec.priority: should be greater than or equal to 0 (found -1)"},
      {Cnp("  tier: Admin\n  priority: 1\n"),
       "4:1: " + object + "spec.subject: namespaces or pods; namespaces: {} selects every pod"},
      {Cnp("  tier: Admin\n  priority: 1\n  subject: {namespaces: {}, pods: {namespaceSelector: "
           "{}, "
           "podSelector: {}}}\n"),
       "7:3: " + object + "spec.subject: must have exactly one of namespaces and pods"},
      {Cnp("  tier: Admin\n  priority: 1\n  subject: {pods: {podSelector: {}}}\n"),
       "7:19: " + object + "spec.subject.pods.namespaceSelector: is required; {} selects all"},
      {Cnp("  tier: Admin\n  priority: 1\n  subject: {namespaces: {matchLabels: {a: -b}}}\n"),
       "7:26: " + object +
           "spec.subject.namespaces.matchLabels: a valid label must be an empty string or consist "
           "of "
           "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
           "character (e.g. 'MyValue', or 'my_value', or '12345') (found \"-b\")"},
      {Cnp(kHead, "C_"),
       "3:18: ClusterNetworkPolicy C_: metadata.name: a lowercase RFC 1123 subdomain must consist "
       "of "
       "lower case alphanumeric characters, '-' or '.', and must start and end with an "
       "alphanumeric "
       "character (e.g. 'example.com') (found \"C_\")"},
      {"apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: "
       "{name: c, "
       "namespace: x}\nspec:\n" +
           std::string(kHead),
       "3:32: ClusterNetworkPolicy x/c: metadata.namespace: the object is cluster-scoped and has "
       "no "
       "namespace (found \"x\")"},
      {Banp(kBanpHead, "other"),
       "3:18: BaselineAdminNetworkPolicy other: metadata.name: only one baseline policy can be in "
       "the "
       "cluster, with the name \"default\" (found \"other\")"},
      {Banp("  priority: 1\n  subject: {namespaces: {}}\n"),
       "5:3: BaselineAdminNetworkPolicy default: spec.priority: unknown field"},
  });
}

TEST(LoadClusterPolicyTest, RulesAndPeers) {
  const std::string rule = "9:5: ClusterNetworkPolicy c: spec.egress[0]";
  const std::string at = "ClusterNetworkPolicy c: spec.egress[0]";
  ExpectRefused({
      {Egress("{action: Allow, to: [{namespaces: {}}]}"),
       "9:14: " + at +
           ".action: supported values: \"Accept\", \"Deny\", \"Pass\" (found \"Allow\")"},
      {Egress("{to: [{namespaces: {}}]}"),
       rule + ".action: supported values: \"Accept\", \"Deny\", \"Pass\" (found \"\")"},
      {Egress("{action: Deny}"), rule + ".to: should have at least 1 item"},
      {Egress("{action: Deny, to: [{}]}"),
       "9:25: " + at +
           ".to[0]: must specify a peer; one of namespaces, pods, nodes, networks and domainNames"},
      {Egress("{action: Deny, to: [{namespaces: {}, networks: [10.0.0.0/8]}]}"),
       "9:25: " + at + ".to[0]: must have exactly one field"},
      {Egress("{action: Deny, name: " + std::string(101, 'n') + ", to: [{namespaces: {}}]}"),
       "9:26: " + at + ".name: may not be more than 100 characters (found 101)"},
      {Cnp(std::string(kHead) + "  ingress: [" +
           Repeated("{action: Deny, from: [{namespaces: {}}]}", 26) + "]\n"),
       "8:3: ClusterNetworkPolicy c: spec.ingress: must have at most 25 items (found 26)"},
      {Anp(std::string(kAnpHead) + "  ingress: [" +
           Repeated("{action: Deny, from: [{namespaces: {}}]}", 101) + "]\n"),
       "7:3: AdminNetworkPolicy a: spec.ingress: must have at most 100 items (found 101)"},
      {Cnp(std::string(kHead) +
           "  ingress:\n  - {action: Deny, from: [{networks: [10.0.0.0/8]}]}\n"),
       "9:28: ClusterNetworkPolicy c: spec.ingress[0].from[0].networks: unknown field"},
      {Anp(std::string(kAnpHead) + "  ingress:\n  - {action: Accept, from: [{namespaces: {}}]}\n"),
       "8:14: AdminNetworkPolicy a: spec.ingress[0].action: supported values: \"Allow\", \"Deny\", "
       "\"Pass\" (found \"Accept\")"},
      {Banp(std::string(kBanpHead) + "  ingress:\n  - {action: Pass, from: [{namespaces: {}}]}\n"),
       "7:14: BaselineAdminNetworkPolicy default: spec.ingress[0].action: supported values: "
       "\"Allow\", "
       "\"Deny\" (found \"Pass\")"},
      {Egress("{action: Deny, to: [" + Repeated("{namespaces: {}}", 26) + "]}"),
       "9:20: " + at + ".to: must have at most 25 items (found 26)"},
      {Cnp(std::string(kHead) + "  ingress:\n  - {action: Deny, from: [{}]}\n"),
       "9:27: ClusterNetworkPolicy c: spec.ingress[0].from[0]: must specify a peer; namespaces or "
       "pods"},
      {Cnp(std::string(kHead) +
           "  ingress:\n  - {action: Deny, from: [{namespaces: {}}], to: []}\n"),
       "9:46: ClusterNetworkPolicy c: spec.ingress[0].to: unknown field"},
      {Anp(std::string(kAnpHead) + "  egress:\n  - {action: Deny, to: [" +
           Repeated("{namespaces: {}}", 101) + "]}\n"),
       "8:20: AdminNetworkPolicy a: spec.egress[0].to: must have at most 100 items (found 101)"},
      {Egress("{action: Deny, to: [{nodes: {matchExpressions: [{key: a, operator: in}]}}]}"),
       "9:72: " + at +
           ".to[0].nodes.matchExpressions[0].operator: not a valid selector operator (found "
           "\"in\"); In, NotIn, Exists or DoesNotExist"},
      {Egress("{action: Deny, to: [{namespaces: {sameLabels: [a]}}]}"),
       "9:39: " + at + ".to[0].namespaces.sameLabels: unknown field"},
  });
}

TEST(LoadClusterPolicyTest, TheNameOfARuleIsCountedInCharacters) {
  std::string name;
  for (int i = 0; i < 100; ++i) name += "\xc3\xa9";
  EXPECT_EQ(Load(Egress("{action: Deny, name: " + name + ", to: [{namespaces: {}}]}")).Errors(),
            "");
}

TEST(LoadClusterPolicyTest, NetworksAndNames) {
  const std::string at = "ClusterNetworkPolicy c: spec.egress[0].to[0].";
  const std::string networks = "9:26: " + at + "networks";
  const std::string names = "9:28: " + at + "domainNames";
  const auto net = [](const std::string& list) {
    return Egress("{action: Deny, to: [{networks: [" + list + "]}]}");
  };
  const auto domain = [](const std::string& list, const std::string& action = "Accept") {
    return Egress("{action: " + action + ", to: [{domainNames: [" + list + "]}]}");
  };
  ExpectRefused({
      {net("10.0.0.0"),
       "9:37: " + at +
           "networks[0]: must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64) (found "
           "\"10.0.0.0\")"},
      {net(""), networks + ": should have at least 1 item"},
      {net("10.0.0.0/8, 10.0.0.0/8"),
       "9:49: " + at + "networks[1]: stands in this list already (found \"10.0.0.0/8\")"},
      {net(Repeated("10.0.0.0/8", 1) + ", \"" + std::string(44, '0') + "\""),
       "9:49: " + at + "networks[1]: may not be more than 43 bytes (found \"" +
           std::string(44, '0') + "\")"},
      {domain("localhost"),
       "9:42: " + at +
           "domainNames[0]: must be a domain name of two labels or more, as www.example.com or "
           "*.example.com (found \"localhost\")"},
      {domain("\"a.*.example\""),
       "9:42: " + at +
           "domainNames[0]: must be a domain name of two labels or more, as www.example.com or "
           "*.example.com (found \"a.*.example\")"},
      {domain("a.example, a.example"),
       "9:53: " + at + "domainNames[1]: stands in this list already (found \"a.example\")"},
      {domain("a.example", "Deny"),
       "9:26: " + at +
           "domainNames: may only be used with an action that accepts (found \"Deny\")"},
      {domain("a.example", "Pass"),
       "9:26: " + at +
           "domainNames: may only be used with an action that accepts (found \"Pass\")"},
  });
  std::string many;
  for (int i = 0; i < 26; ++i)
    many += (i == 0 ? "" : ", ") + ("10." + std::to_string(i)) + ".0.0/16";
  ExpectRefused({{net(many), networks + ": must have at most 25 items (found 26)"}});
  SnapshotOptions strict;
  strict.strict_cidr = true;
  EXPECT_EQ(Load(net("10.0.0.1/8"), "t.yaml", {}, strict).Errors(),
            "t.yaml:9:37: " + at +
                "networks[0]: must not have bits set beyond the prefix length (found "
                "\"10.0.0.1/8\")\n");
  const Loaded host_bits = Load(net("10.0.0.1/8"));
  EXPECT_EQ(host_bits.Errors(), "");
  EXPECT_EQ(host_bits.Warnings(),
            "t.yaml:9:37: warning: " + at +
                "networks[0]: CIDR value \"10.0.0.1/8\" has host bits set; it is read as "
                "\"10.0.0.0/8\" (or should it be \"10.0.0.1/32\"?)\n");
}

TEST(LoadClusterPolicyTest, Protocols) {
  const std::string at = "ClusterNetworkPolicy c: spec.egress[0].protocols[0]";
  ExpectRefused({
      {Ports("{tcp: {destinationPort: {number: 0}}}"),
       "9:91: " + at +
           ".tcp.destinationPort.number: should be greater than or equal to 1 (found 0)"},
      {Ports("{udp: {destinationPort: {number: 65536}}}"),
       "9:91: " + at +
           ".udp.destinationPort.number: should be less than or equal to 65535 (found 65536)"},
      {Ports("{sctp: {destinationPort: {range: {start: 9, end: 9}}}}"),
       "9:84: " + at +
           ".sctp.destinationPort.range: Start port must be less than End port (found 9 to 9)"},
      {Ports("{tcp: {destinationPort: {range: {start: 0, end: 1}}}}"),
       "9:98: " + at +
           ".tcp.destinationPort.range.start: should be greater than or equal to 1 (found 0)"},
      {Ports("{tcp: {destinationPort: {range: {start: 1, end: 65536}}}}"),
       "9:106: " + at +
           ".tcp.destinationPort.range.end: should be less than or equal to 65535 (found 65536)"},
      {Ports("{tcp: {destinationPort: {range: {start: 1}}}}"),
       "9:90: " + at +
           ".tcp.destinationPort.range.end: is required; a range has a start and an end"},
      {Ports("{tcp: {destinationPort: {}}}"),
       "9:82: " + at + ".tcp.destinationPort: is required; a number or a range"},
      {Ports("{tcp: {destinationPort: {number: 1, range: {start: 1, end: 2}}}}"),
       "9:82: " + at + ".tcp.destinationPort: must have exactly one of number and range"},
      {Ports("{tcp: {destinationPort: {number: 1}}, udp: {destinationPort: {number: 1}}}"),
       "9:58: " + at + ": must have exactly one field"},
      {Ports("{tcp: {destinationPort: {number: 1}}, udp: {destinationPort: {range: {start: 1, end: "
             "2}}}}"),
       "9:58: " + at + ": must have exactly one field"},
      {Ports("{}"), "9:58: " + at + ": is required; one of the protocols or ports it can have"},
      {Ports("null"), "9:58: " + at + ": must be a map (found null)"},
      {Ports("{tcp: {destinationPort: {number: \"80\"}}}"),
       "9:91: " + at +
           ".tcp.destinationPort.number: must be a whole number (found the string \"80\")"},
      {Ports("{tcp: {destinationPorts: {number: 80}}}"),
       "9:65: " + at + ".tcp.destinationPorts: unknown field; did you mean \"destinationPort\"?"},
      {Ports("{portNumber: {port: 80}}"), "9:59: " + at + ".portNumber: unknown field"},
      {Ports("{destinationNamedPort: a-}"),
       "9:81: " + at + ".destinationNamedPort: must not begin or end with a hyphen (found \"a-\")"},
      {Ports(""),
       "9:46: ClusterNetworkPolicy c: spec.egress[0].protocols: should have at least 1 item"},
      {Ports(Repeated("{tcp: {destinationPort: {number: 1}}}", 26)),
       "9:46: ClusterNetworkPolicy c: spec.egress[0].protocols: must have at most 25 items (found "
       "26)"},
  });
}

TEST(LoadClusterPolicyTest, PortsOfV1alpha1) {
  const std::string at = "AdminNetworkPolicy a: spec.ingress[0].ports[0]";
  ExpectRefused({
      {AnpPorts("{portNumber: {port: 0}}"),
       "8:75: " + at + ".portNumber.port: should be greater than or equal to 1 (found 0)"},
      {AnpPorts("{portNumber: {protocol: UDP}}"),
       "8:68: " + at + ".portNumber.port: is required; a number from 1 to 65535"},
      {AnpPorts("{portNumber: {port: 1, protocol: ICMP}}"),
       "8:88: " + at +
           ".portNumber.protocol: supported values: \"TCP\", \"UDP\", \"SCTP\" (found \"ICMP\")"},
      {AnpPorts("{portRange: {start: 9, end: 8}}"),
       "8:56: " + at + ".portRange: start must not be greater than end (found 9 to 8)"},
      {AnpPorts("{portRange: {start: 1, end: 65536, protocol: UDP}}"),
       "8:83: " + at + ".portRange.end: should be less than or equal to 65535 (found 65536)"},
      {AnpPorts("{portRange: {end: 5}}"),
       "8:67: " + at + ".portRange.start: is required; a range has a start and an end"},
      {AnpPorts("{portRange: {start: 1, end: 2, protocol: tcp}}"),
       "8:96: " + at +
           ".portRange.protocol: supported values: \"TCP\", \"UDP\", \"SCTP\" (found \"tcp\")"},
      {AnpPorts("{namedPort: a_b}"),
       "8:67: " + at +
           ".namedPort: must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-) "
           "(found \"a_b\")"},
      {AnpPorts("{portNumber: {port: 1}, namedPort: http}"),
       "8:55: " + at + ": must have exactly one field"},
      {AnpPorts("{tcp: {destinationPort: {number: 1}}}"), "8:56: " + at + ".tcp: unknown field"},
      {AnpPorts(Repeated("{portNumber: {port: 1}}", 101)),
       "8:47: AdminNetworkPolicy a: spec.ingress[0].ports: must have at most 100 items (found "
       "101)"},
  });
  EXPECT_EQ(Load(AnpPorts(Repeated("{portNumber: {port: 1}}", 100))).Errors(), "");
  const Loaded single = Load(AnpPorts("{portRange: {start: 9, end: 9}}"));
  ASSERT_EQ(single.Errors(), "");
  EXPECT_EQ((*single.snapshot->cluster_policies()[0].ingress[0].ports)[0].last, 9);
}

// What is outside has no names for its ports (R88).
TEST(LoadClusterPolicyTest, NamedPortsOfWhatHasNone) {
  const std::string no_names =
      "networks/nodes/domainNames peer cannot be set with namedPorts since there are no "
      "namedPorts for networks/nodes/domainNames";
  for (const char* peer : {"networks: [10.0.0.0/8]", "nodes: {}", "domainNames: [a.example]"}) {
    const std::string to = "to: [{namespaces: {}}, {" + std::string(peer) + "}], ";
    ExpectRefused({
        {Egress("{action: Accept, " + to + "protocols: [{destinationNamedPort: http}]}"),
         "9:5: ClusterNetworkPolicy c: spec.egress[0]: " + no_names},
        {Anp(std::string(kAnpHead) + "  egress:\n  - {action: Allow, " + to +
             "ports: [{namedPort: http}]}\n"),
         "8:5: AdminNetworkPolicy a: spec.egress[0]: " + no_names},
    });
  }
}

TEST(LoadClusterPolicyTest, AllOfAProtocolIsAcceptedWithAWarning) {
  const Loaded loaded = Load(Ports("{tcp: {}}"));
  ASSERT_EQ(loaded.Errors(), "");
  EXPECT_EQ(loaded.Warnings(),
            "t.yaml:9:64: warning: ClusterNetworkPolicy c: "
            "spec.egress[0].protocols[0].tcp.destinationPort: was left out: every port of TCP is "
            "meant\n");
  EXPECT_EQ((*loaded.snapshot->cluster_policies()[0].egress[0].ports)[0].form,
            ClusterPort::Form::kAll);
}

// R89: what is not known must not widen a rule, nor vanish from one that denies.
TEST(LoadClusterPolicyTest, LenientKeepsWhatItDoesNotKnow) {
  const LoadOptions lenient{.lenient = true};
  for (const char* text :
       {"{clusters: {}}", "{namespaces: {sameLabels: [a]}}", "{nodes: {names: [a]}}",
        "{pods: {namespaceSelector: {}, podSelector: {sameLabels: [a]}}}",
        "{pods: {namespaceSelector: {notSameLabels: [a]}, podSelector: {}}}"}) {
    const Loaded loaded =
        Load(Egress("{action: Deny, to: [" + std::string(text) + "]}"), "t.yaml", lenient);
    ASSERT_EQ(loaded.Errors(), "") << text;
    const ClusterPeer& peer = loaded.snapshot->cluster_policies()[0].egress[0].peers[0];
    EXPECT_FALSE(peer.pods || peer.nodes || peer.networks || peer.domain_names) << text;
    EXPECT_EQ(peer.field_count, 1u) << text;
    EXPECT_NE(loaded.Warnings().find(": unknown field, not read"), std::string::npos) << text;
  }
  for (const char* port :
       {"{icmp: {}}", "{tcp: {ports: [1]}}", "{tcp: {destinationPort: {x: 1}}}"}) {
    const Loaded ports = Load(Ports(port), "t.yaml", lenient);
    ASSERT_EQ(ports.Errors(), "") << port;
    EXPECT_EQ((*ports.snapshot->cluster_policies()[0].egress[0].ports)[0].form,
              ClusterPort::Form::kNothing)
        << port;
  }
  for (const char* text : {"{clusters: {}}", "{namespaces: {sameLabels: [a]}}"}) {
    const Loaded subject =
        Load(Cnp("  tier: Admin\n  priority: 1\n  subject: " + std::string(text) + "\n"), "t.yaml",
             lenient);
    ASSERT_EQ(subject.Errors(), "") << text;
    EXPECT_FALSE(subject.snapshot->cluster_policies()[0].subject.has_value()) << text;
    EXPECT_EQ(subject.snapshot->cluster_policies()[0].subject_field_count, 1u) << text;
  }
}

TEST(LoadClusterPolicyTest, LenientDoesNotExcuseSayingNothingOrTooMuch) {
  const LoadOptions lenient{.lenient = true};
  const auto errors = [&](const std::string& peer) {
    return Load(Egress("{action: Deny, to: [" + peer + "]}"), "t.yaml", lenient).Errors();
  };
  const std::string at = "t.yaml:9:25: ClusterNetworkPolicy c: spec.egress[0].to[0]: ";
  EXPECT_EQ(errors("{}"),
            at + "must specify a peer; one of namespaces, pods, nodes, networks and domainNames\n");
  EXPECT_EQ(errors("{namespaces: null}"),
            at + "must specify a peer; one of namespaces, pods, nodes, networks and domainNames\n");
  EXPECT_EQ(errors("{namespaces: {}, clusters: {}}"), at + "must have exactly one field\n");
}

// A null field is an absent one, as the API server has it; what selects everything is told of.
TEST(LoadClusterPolicyTest, NullIsAbsent) {
  const Loaded loaded = Load(
      Egress("{action: Deny, to: [{namespaces: null, nodes: {}}], protocols: null, name: null}"));
  ASSERT_EQ(loaded.Errors(), "");
  const ClusterRule& rule = loaded.snapshot->cluster_policies()[0].egress[0];
  EXPECT_FALSE(rule.ports.has_value());
  EXPECT_FALSE(rule.peers[0].pods.has_value());
  EXPECT_TRUE(rule.peers[0].nodes.has_value());
  EXPECT_EQ(rule.peers[0].field_count, 1u);
  EXPECT_NE(loaded.Warnings().find("9:57: warning: ClusterNetworkPolicy c: "
                                   "spec.egress[0].protocols: is null, which means the same"),
            std::string::npos)
      << loaded.Warnings();
  ExpectRefused({
      {Cnp("  tier: Admin\n  priority: 1\n  subject: null\n"),
       "7:3: ClusterNetworkPolicy c: spec.subject: namespaces or pods; namespaces: {} selects "
       "every pod"},
      {Egress("{action: Deny, to: null}"),
       "9:20: ClusterNetworkPolicy c: spec.egress[0].to: should have at least 1 item"},
      {Egress("{action: Deny, to: [null]}"),
       "9:25: ClusterNetworkPolicy c: spec.egress[0].to[0]: must be a map (found null)"},
      {Egress("null"), "9:5: ClusterNetworkPolicy c: spec.egress[0]: must be a map (found null)"},
  });
}

// What kubectl prints has the fields that the server sets.
TEST(LoadClusterPolicyTest, StatusAndServerSetMetadataAreAccepted) {
  const std::string text =
      "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata:\n"
      "  name: c\n  uid: x\n  generation: 2\n  creationTimestamp: null\n  managedFields: []\n"
      "  annotations: {a: b}\nstatus: {conditions: [{type: Ready}]}\nspec:\n" +
      std::string(kHead);
  EXPECT_EQ(Load(text).Errors(), "");
  EXPECT_EQ(Load(text).Warnings(), "");
  EXPECT_EQ(Load(text + "data: {}\n").Errors(),
            "t.yaml:15:1: ClusterNetworkPolicy c: data: unknown field\n");
}

TEST(LoadClusterPolicyTest, TheOrderIsThatOfEvaluation) {
  const auto policy = [](const char* name, const char* tier, int priority) {
    return Cnp("  tier: " + std::string(tier) + "\n  priority: " + std::to_string(priority) +
                   "\n  subject: {namespaces: {}}\n",
               name) +
           "---\n";
  };
  const Loaded loaded = Load(policy("z", "Baseline", 0) + policy("b", "Admin", 5) +
                             policy("x", "Admin", 1) + policy("a", "Admin", 5));
  ASSERT_EQ(loaded.Errors(), "");
  std::string order;
  for (const ClusterPolicy& p : loaded.snapshot->cluster_policies()) order += p.name;
  EXPECT_EQ(order, "xabz");
  EXPECT_EQ(loaded.Warnings(),
            "t.yaml:9:1: warning: ClusterNetworkPolicy b: spec.priority: is also that of "
            "ClusterNetworkPolicy a, which is evaluated first by its name\n");
}

TEST(LoadClusterPolicyTest, OneNameTwice) {
  EXPECT_EQ(Load(Cnp(kHead) + "---\n" + Cnp(kHead)).Errors(),
            "t.yaml:9:1: ClusterNetworkPolicy c: metadata.name: an object of this name was already "
            "given at t.yaml:1; one of them, or --last-wins\n");
}

TEST(LoadClusterPolicyTest, AnInvalidOneCanBeLeftOut) {
  SnapshotOptions options;
  options.skip_invalid = true;
  const Loaded loaded =
      Load(Cnp("  tier: x\n") + "---\n" + Cnp(kHead, "good"), "t.yaml", {}, options);
  ASSERT_TRUE(loaded.snapshot.has_value());
  ASSERT_EQ(loaded.snapshot->cluster_policies().size(), 1u);
  EXPECT_NE(loaded.Warnings().find("nothing of it is enforced"), std::string::npos);
}

TEST(LoadClusterPolicyTest, WhatMatchesNothingIsToldOf) {
  const std::string pod =
      "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, ports: "
      "[{name: http, containerPort: 80, protocol: UDP}]}]}\n";
  const Loaded loaded =
      Load(Ports("{destinationNamedPort: http}, {destinationNamedPort: metrics}") + "---\n" +
           AnpPorts("{namedPort: admin}") + pod);
  ASSERT_EQ(loaded.Errors(), "");
  EXPECT_EQ(loaded.Warnings(),
            "t.yaml:1:1: warning: ClusterNetworkPolicy c: spec.priority: is also that of "
            "AdminNetworkPolicy a, which is evaluated first by its name\n"
            "t.yaml:18:55: warning: AdminNetworkPolicy a: spec.ingress[0].ports[0]: no pod has a "
            "port of the name \"admin\"; it matches nothing\n"
            "t.yaml:9:88: warning: ClusterNetworkPolicy c: spec.egress[0].protocols[1]: no pod has "
            "a port of the name \"metrics\"; it matches nothing\n");
  EXPECT_EQ(Load(Egress("{action: Accept, to: [{domainNames: [A.Example., \"*.b.example\"]}]}"))
                .Warnings(),
            "t.yaml:9:27: warning: ClusterNetworkPolicy c: spec.egress[0].to[0].domainNames[0]: no "
            "address of a.example is known; it matches nothing\n"
            "t.yaml:9:27: warning: ClusterNetworkPolicy c: spec.egress[0].to[0].domainNames[1]: no "
            "address of *.b.example is known; it matches nothing\n");
}

TEST(LoadClusterPolicyTest, OtherKindsAndVersionsOfTheGroupAreRefused) {
  for (const auto& [version, kind] :
       std::vector<std::pair<std::string, std::string>>{{"v1alpha2", "AdminNetworkPolicy"},
                                                        {"v1alpha1", "ClusterNetworkPolicy"},
                                                        {"v1", "ClusterNetworkPolicy"},
                                                        {"v1alpha2", "clusternetworkpolicy"}}) {
    const std::string type = "policy.networking.k8s.io/" + version;
    EXPECT_EQ(Load("apiVersion: " + type + "\nkind: " + kind + "\nmetadata: {name: x}\nspec: {}\n",
                   "t.yaml", {.lenient = true})
                  .Errors(),
              "t.yaml:2:7: " + kind + " x: kind: unknown kind of policy (found " + type + " " +
                  kind +
                  "); policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy, v1alpha1 "
                  "AdminNetworkPolicy or v1alpha1 BaselineAdminNetworkPolicy\n");
  }
}

}  // namespace
}  // namespace npf
