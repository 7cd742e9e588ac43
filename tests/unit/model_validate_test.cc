// Every fault that the validation of one object can find, with its field path, type and message.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "model/validate.h"
#include "npf/snapshot.h"
#include "unit/model_test_util.h"

namespace npf {
namespace {

NetworkPolicy ValidPolicy() {
  NetworkPolicy policy;
  policy.ns = "prod";
  policy.name = "db";
  policy.pod_selector.match_labels.Set("app", "db");
  return policy;
}

using Change = std::function<void(NetworkPolicy&)>;

std::string Check(const Change& change, const std::vector<Expected>& expected,
                  bool strict_cidr = false) {
  NetworkPolicy policy = ValidPolicy();
  change(policy);
  Diagnostics diagnostics;
  const FieldLocator locate;
  model::ObjectFaults faults({"NetworkPolicy", policy.ns, policy.name, {}}, locate,
                             /*tolerant=*/false, diagnostics);
  model::ValidateNetworkPolicy(policy, strict_cidr, faults);
  return Difference(diagnostics, expected);
}

Change WithPort(PolicyPort port) {
  return [port](NetworkPolicy& policy) { policy.ingress = {{{port}, {}, {}}}; };
}
Change WithPeer(PolicyPeer peer) {
  return [peer](NetworkPolicy& policy) { policy.ingress = {{{}, {peer}, {}}}; };
}
Change WithBlock(std::string cidr, std::vector<std::string> except = {}) {
  PolicyPeer peer;
  peer.ip_block = IpBlock{std::move(cidr), std::move(except)};
  return WithPeer(peer);
}
Change WithRequirement(LabelRequirement requirement) {
  return [requirement](NetworkPolicy& policy) {
    policy.pod_selector.match_labels = {};
    policy.pod_selector.match_expressions = {requirement};
  };
}
PolicyPort Port(IntOrString port) { return {std::nullopt, std::move(port), std::nullopt, {}}; }
PolicyPort Range(IntOrString port, int64_t end) { return {std::nullopt, std::move(port), end, {}}; }

constexpr char kPort[] = "spec.ingress[0].ports[0].port";
constexpr char kEndPort[] = "spec.ingress[0].ports[0].endPort";
constexpr char kCidr[] = "spec.ingress[0].from[0].ipBlock.cidr";
constexpr char kExcept[] = "spec.ingress[0].from[0].ipBlock.except[0]";
constexpr char kExpression[] = "spec.podSelector.matchExpressions[0]";
constexpr char kNotACidr[] = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

TEST(ModelValidateTest, AValidPolicyHasNoFaults) {
  EXPECT_EQ(Check([](NetworkPolicy&) {}, {}), "");
}

TEST(ModelValidateTest, Names) {
  EXPECT_EQ(Check([](NetworkPolicy& p) { p.name = ""; },
                  {{"metadata.name", "Required", "name or generateName is required"}}),
            "");
  EXPECT_EQ(Check([](NetworkPolicy& p) { p.name = "Bad_Name"; },
                  {{"metadata.name", "Invalid",
                    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric "
                    "characters, '-' or '.', and must start and end"}}),
            "");
  EXPECT_EQ(Check([](NetworkPolicy& p) { p.name = std::string(254, 'a'); },
                  {{"metadata.name", "Invalid", "must be no more than 253 bytes"}}),
            "");
  EXPECT_EQ(Check([](NetworkPolicy& p) { p.name = "a.b-c.1"; }, {}), "");
  EXPECT_EQ(Check([](NetworkPolicy& p) { p.name = "a..b"; },
                  {{"metadata.name", "Invalid", "RFC 1123 subdomain"}}),
            "");
  EXPECT_EQ(Check([](NetworkPolicy& p) { p.ns = "a.b"; },
                  {{"metadata.namespace", "Invalid", "a lowercase RFC 1123 label must consist"}}),
            "");
  EXPECT_EQ(Check([](NetworkPolicy& p) { p.ns = std::string(64, 'a'); },
                  {{"metadata.namespace", "Invalid", "must be no more than 63 bytes"}}),
            "");
}

TEST(ModelValidateTest, Protocols) {
  for (const char* good : {"TCP", "UDP", "SCTP"}) {
    EXPECT_EQ(Check(WithPort({good, IntOrString{80}, std::nullopt, {}}), {}), "") << good;
  }
  for (const char* bad : {"tcp", "", "ICMP", "6"}) {
    EXPECT_EQ(Check(WithPort({bad, IntOrString{80}, std::nullopt, {}}),
                    {{"spec.ingress[0].ports[0].protocol", "NotSupported",
                      "supported values: \"TCP\", \"UDP\", \"SCTP\""}}),
              "")
        << bad;
  }
}

TEST(ModelValidateTest, PortNumbers) {
  for (const int64_t good : {int64_t{1}, int64_t{80}, int64_t{65535}}) {
    EXPECT_EQ(Check(WithPort(Port(good)), {}), "") << good;
  }
  for (const int64_t bad : {int64_t{-1}, int64_t{0}, int64_t{65536}, int64_t{4294967376}}) {
    EXPECT_EQ(
        Check(WithPort(Port(bad)), {{kPort, "Invalid", "must be between 1 and 65535, inclusive"}}),
        "")
        << bad;
  }
}

TEST(ModelValidateTest, PortNames) {
  EXPECT_EQ(Check(WithPort(Port("http-2")), {}), "");
  EXPECT_EQ(Check(WithPort(Port("abcdefghijklmno")), {}), "");
  EXPECT_EQ(Check(WithPort(Port("abcdefghijklmnop")),
                  {{kPort, "Invalid", "must be no more than 15 bytes"}}),
            "");
  const std::string characters =
      "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
  const std::string letter = "must contain at least one letter (a-z)";
  EXPECT_EQ(Check(WithPort(Port("80")), {{kPort, "Invalid", letter}}), "");
  EXPECT_EQ(
      Check(WithPort(Port("HTTP")), {{kPort, "Invalid", characters}, {kPort, "Invalid", letter}}),
      "");
  EXPECT_EQ(Check(WithPort(Port("")), {{kPort, "Invalid", characters}, {kPort, "Invalid", letter}}),
            "");
  EXPECT_EQ(
      Check(WithPort(Port("a--b")), {{kPort, "Invalid", "must not contain consecutive hyphens"}}),
      "");
  for (const char* bad : {"-http", "http-"}) {
    EXPECT_EQ(
        Check(WithPort(Port(bad)), {{kPort, "Invalid", "must not begin or end with a hyphen"}}), "")
        << bad;
  }
}

TEST(ModelValidateTest, EndPorts) {
  EXPECT_EQ(Check(WithPort(Range(80, 80)), {}), "");
  EXPECT_EQ(Check(WithPort(Range(1, 65535)), {}), "");
  EXPECT_EQ(Check(WithPort(Range(80, 79)),
                  {{kEndPort, "Invalid",
                    "must be greater than or equal to `port` (found 79, `port` is"}}),
            "");
  EXPECT_EQ(Check(WithPort(Range(80, 65536)),
                  {{kEndPort, "Invalid", "must be between 1 and 65535, inclusive"}}),
            "");
  EXPECT_EQ(Check(WithPort(Range(80, 0)), {{kEndPort, "Invalid", "greater than or equal"},
                                           {kEndPort, "Invalid", "between 1 and 65535"}}),
            "");
  EXPECT_EQ(Check(WithPort(Range("http", 90)),
                  {{kEndPort, "Invalid", "may not be specified when `port` is non-numeric"}}),
            "");
  EXPECT_EQ(Check(WithPort({std::nullopt, std::nullopt, 90, {}}),
                  {{kEndPort, "Invalid", "may not be specified when `port` is not specified"}}),
            "");
}

TEST(ModelValidateTest, Peers) {
  EXPECT_EQ(Check(WithPeer({}), {{"spec.ingress[0].from[0]", "Required", "must specify a peer"}}),
            "");
  PolicyPeer both;
  both.pod_selector.emplace();
  both.ip_block = IpBlock{"10.0.0.0/8", {}};
  EXPECT_EQ(Check(WithPeer(both), {{"spec.ingress[0].from[0]", "Forbidden",
                                    "may not specify both ipBlock and another peer"}}),
            "");
  both.ip_block.reset();
  both.namespace_selector.emplace();
  EXPECT_EQ(Check(WithPeer(both), {}), "");
  EXPECT_EQ(Check(
                [](NetworkPolicy& p) {
                  p.egress = {{{}, {{}, {}}, {}}};
                },
                {{"spec.egress[0].to[0]", "Required", "must specify a peer"},
                 {"spec.egress[0].to[1]", "Required", "must specify a peer"}}),
            "");
}

TEST(ModelValidateTest, Cidrs) {
  EXPECT_EQ(Check(WithBlock("10.0.0.0/8"), {}), "");
  EXPECT_EQ(Check(WithBlock("::/0"), {}), "");
  EXPECT_EQ(Check(WithBlock(""), {{kCidr, "Required", "must be specified"}}), "");
  for (const char* bad :
       {"10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.1/16", "0x0a.0.0.0/8", "256.0.0.0/8",
        "fe80::1%eth0/64", "2001:db8::/129", " 10.0.0.0/8", "10.0.0.0/8x", "/8", "10.0.0.0/"}) {
    EXPECT_EQ(Check(WithBlock(bad), {{kCidr, "Invalid", kNotACidr}}), "") << bad;
  }
  for (const char* bad : {"010.0.0.0/8", "10.0.0.0/08", "10.0.0.00/8"}) {
    EXPECT_EQ(Check(WithBlock(bad),
                    {{kCidr, "Invalid", "must not have leading 0s in IP or prefix length"}}),
              "")
        << bad;
  }
  EXPECT_EQ(Check(WithBlock("::ffff:10.0.0.0/104"),
                  {{kCidr, "Invalid", "must not have an IPv4-mapped IPv6 address"}}),
            "");
  EXPECT_EQ(
      Check(WithBlock("10.0.0.1/8"),
            {{kCidr, "warning", "is read as \"10.0.0.0/8\" (or should it be \"10.0.0.1/32\""}}),
      "");
  EXPECT_EQ(Check(WithBlock("10.0.0.1/8"),
                  {{kCidr, "Invalid", "must not have bits set beyond the prefix length"}}, true),
            "");
  EXPECT_EQ(Check(WithBlock("2001:0db8:0::/64"),
                  {{kCidr, "warning", "RFC 5952 canonical format (\"2001:db8::/64\")"}}),
            "");
}

TEST(ModelValidateTest, Excepts) {
  EXPECT_EQ(Check(WithBlock("10.0.0.0/8", {"10.1.0.0/16", "10.1.2.0/24"}), {}), "");
  const std::string subset = "must be a strict subset of `cidr`";
  for (const char* bad : {"10.0.0.0/8", "11.0.0.0/24", "0.0.0.0/0", "fd00::/64"}) {
    EXPECT_EQ(Check(WithBlock("10.0.0.0/8", {bad}), {{kExcept, "Invalid", subset}}), "") << bad;
  }
  for (const char* bad : {"", " ", "300.300.300.300"}) {
    EXPECT_EQ(Check(WithBlock("10.0.0.0/8", {bad}), {{kExcept, "Invalid", kNotACidr}}), "") << bad;
  }
  EXPECT_EQ(Check(WithBlock("10.0.0.0/8", {"10.1.0.0/16", "10.1.0.0/16"}),
                  {{"spec.ingress[0].from[0].ipBlock.except[1]", "warning", "already"}}),
            "");
  // Without a block there is nothing to compare with.
  EXPECT_EQ(Check(WithBlock("bad", {"worse"}), {{kCidr, "Invalid", kNotACidr}}), "");
}

TEST(ModelValidateTest, Selectors) {
  const std::string field = kExpression;
  EXPECT_EQ(Check(WithRequirement({"a", "In", {"b", ""}}), {}), "");
  for (const char* op : {"In", "NotIn"}) {
    EXPECT_EQ(Check(WithRequirement({"a", op, {}}),
                    {{field + ".values", "Required",
                      "must be specified when `operator` is 'In' or 'NotIn'"}}),
              "")
        << op;
  }
  for (const char* op : {"Exists", "DoesNotExist"}) {
    EXPECT_EQ(Check(WithRequirement({"a", op, {}}), {}), "") << op;
    EXPECT_EQ(Check(WithRequirement({"a", op, {"b"}}),
                    {{field + ".values", "Forbidden",
                      "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"}}),
              "")
        << op;
  }
  for (const char* op : {"", "in", "Equals", "Gt"}) {
    EXPECT_EQ(Check(WithRequirement({"a", op, {"b"}}),
                    {{field + ".operator", "Invalid", "not a valid selector operator"}}),
              "")
        << op;
  }
  EXPECT_EQ(Check(WithRequirement({"a", "In", {"b", "c d"}}),
                  {{field + ".values[1]", "Invalid",
                    "a valid label must be an empty string or consist of alphanumeric"}}),
            "");
}

TEST(ModelValidateTest, LabelKeys) {
  const auto with_key = [](const std::string& key) {
    return [key](NetworkPolicy& p) { p.pod_selector.match_labels = {{key, "v"}}; };
  };
  const std::string field = "spec.podSelector.matchLabels";
  for (const std::string good : {"a", "A_b.c-d", "example.com/a", "kubernetes.io/metadata.name"}) {
    EXPECT_EQ(Check(with_key(good), {}), "") << good;
  }
  const std::string consist = "name part must consist of alphanumeric characters, '-', '_' or '.',";
  EXPECT_EQ(Check(with_key("a=b"), {{field, "Invalid", consist}}), "");
  EXPECT_EQ(Check(with_key(std::string(64, 'a')),
                  {{field, "Invalid", "name part must be no more than 63 bytes"}}),
            "");
  EXPECT_EQ(Check(with_key(""),
                  {{field, "Invalid", "name part must be non-empty"}, {field, "Invalid", consist}}),
            "");
  EXPECT_EQ(Check(with_key("/a"), {{field, "Invalid", "prefix part must be non-empty"}}), "");
  EXPECT_EQ(Check(with_key("B/a"), {{field, "Invalid", "prefix part a lowercase RFC 1123"}}), "");
  EXPECT_EQ(Check(with_key("a/b/c"), {{field, "Invalid", "a qualified name must consist"}}), "");
}

TEST(ModelValidateTest, LabelValues) {
  const auto with_value = [](const std::string& value) {
    return [value](NetworkPolicy& p) { p.pod_selector.match_labels = {{"a", value}}; };
  };
  const std::string field = "spec.podSelector.matchLabels";
  EXPECT_EQ(Check(with_value(""), {}), "");
  EXPECT_EQ(Check(with_value(std::string(63, 'x')), {}), "");
  EXPECT_EQ(Check(with_value(std::string(64, 'x')),
                  {{field, "Invalid", "must be no more than 63 bytes"}}),
            "");
  EXPECT_EQ(Check(with_value("-x"), {{field, "Invalid", "a valid label must be"}}), "");
}

TEST(ModelValidateTest, ContradictionsAreWarnings) {
  const auto contradicts = [](const LabelSelector& selector) {
    return Check([&](NetworkPolicy& p) { p.pod_selector = selector; },
                 {{"spec.podSelector", "warning", "selects nothing"}});
  };
  EXPECT_EQ(contradicts({{{"a", "b"}}, {{"a", "In", {"c"}}}}), "");
  EXPECT_EQ(contradicts({{{"a", "b"}}, {{"a", "NotIn", {"b"}}}}), "");
  EXPECT_EQ(contradicts({{{"a", "b"}}, {{"a", "DoesNotExist", {}}}}), "");
  EXPECT_EQ(contradicts({{}, {{"a", "Exists", {}}, {"a", "DoesNotExist", {}}}}), "");
  EXPECT_EQ(contradicts({{}, {{"a", "In", {"b", "c"}}, {"a", "In", {"d"}}}}), "");
  const LabelSelector fine{{{"a", "b"}}, {{"a", "In", {"b", "c"}}, {"z", "NotIn", {"b"}}}};
  EXPECT_EQ(Check([&](NetworkPolicy& p) { p.pod_selector = fine; }, {}), "");
  const LabelSelector absent{{}, {{"a", "NotIn", {"b"}}, {"a", "DoesNotExist", {}}}};
  EXPECT_EQ(Check([&](NetworkPolicy& p) { p.pod_selector = absent; }, {}), "");
}

TEST(ModelValidateTest, PolicyTypes) {
  const auto with_types = [](std::vector<std::string> types) {
    return [types](NetworkPolicy& p) { p.policy_types = types; };
  };
  EXPECT_EQ(Check(with_types({"Ingress", "Egress"}), {}), "");
  EXPECT_EQ(Check(with_types({"ingress", "foo"}),
                  {{"spec.policyTypes[0]", "NotSupported", "\"Ingress\", \"Egress\""},
                   {"spec.policyTypes[1]", "NotSupported", "\"Ingress\", \"Egress\""}}),
            "");
  EXPECT_EQ(Check(with_types({"a", "b", "c"}),
                  {{"spec.policyTypes", "Invalid", "may not specify more than two policyTypes"}}),
            "");
  EXPECT_EQ(
      Check(with_types({"Egress", "Egress"}), {{"spec.policyTypes[1]", "warning", "already"}}), "");
}

TEST(ModelValidateTest, RulesWithoutEffectAreWarnings) {
  EXPECT_EQ(Check(
                [](NetworkPolicy& p) {
                  p.policy_types = {"Ingress"};
                  p.egress.emplace_back();
                },
                {{"spec.egress", "warning", "has no effect"}}),
            "");
  EXPECT_EQ(Check(
                [](NetworkPolicy& p) {
                  p.policy_types = {"Egress"};
                  p.ingress.emplace_back();
                },
                {{"spec.ingress", "warning", "has no effect"}}),
            "");
}

TEST(ModelValidateTest, AMissingPodSelectorIsAWarning) {
  EXPECT_EQ(Check([](NetworkPolicy& p) { p.pod_selector_given = false; },
                  {{"spec.podSelector", "warning", "every pod of its namespace"}}),
            "");
}

TEST(ModelValidateTest, FaultsComeInTheApiServersOrder) {
  const auto break_all = [](NetworkPolicy& p) {
    p.policy_types = {"x"};
    p.egress = {{{Port(0)}, {{}}, {}}};
    p.ingress = {{{Port(0)}, {{}}, {}}};
    p.pod_selector.match_labels = {{"=", "v"}};
    p.name = "";
  };
  EXPECT_EQ(Check(break_all, {{"metadata.name", "Required", ""},
                              {"spec.podSelector.matchLabels", "Invalid", ""},
                              {kPort, "Invalid", ""},
                              {"spec.ingress[0].from[0]", "Required", ""},
                              {"spec.egress[0].ports[0].port", "Invalid", ""},
                              {"spec.egress[0].to[0]", "Required", ""},
                              {"spec.policyTypes[0]", "NotSupported", ""}}),
            "");
}

// Objects of the cluster.

template <class Object>
std::string CheckObject(const Object& object, const std::vector<Expected>& expected) {
  SnapshotBuilder builder;
  Diagnostics diagnostics;
  builder.Add(object, {}, diagnostics);
  return Difference(diagnostics, expected);
}

Pod ValidPod() {
  Pod pod;
  pod.ns = "prod";
  pod.name = "db-0";
  return pod;
}

TEST(ModelValidateTest, Pods) {
  EXPECT_EQ(CheckObject(ValidPod(), {}), "");
  Pod pod = ValidPod();
  pod.name = "";
  pod.labels = {{"a", "b c"}};
  EXPECT_EQ(CheckObject(pod, {{"metadata.name", "Required", ""},
                              {"metadata.labels", "Invalid", "a valid label"}}),
            "");
  pod = ValidPod();
  pod.ports = {{"http", 0, "TCP"}, {"http", 80, "tcp"}, {"a--b", 80, "UDP"}, {"", 65535, "SCTP"}};
  EXPECT_EQ(CheckObject(pod, {{"spec.containers.ports.containerPort", "Invalid", "1 and 65535"},
                              {"spec.containers.ports.protocol", "NotSupported", "\"TCP\""},
                              {"spec.containers.ports.name", "Invalid", "consecutive hyphens"}}),
            "");
}

TEST(ModelValidateTest, PodAddresses) {
  Pod pod = ValidPod();
  pod.ips = {"10.0.0.1", "fd00::1"};
  EXPECT_EQ(CheckObject(pod, {}), "");
  pod.ips = {"10.0.0.1", "10.0.0.2"};
  EXPECT_EQ(CheckObject(pod, {{"status.podIPs[1]", "warning", "at most one address of each"}}), "");
  for (const char* bad : {"10.0.0", "::ffff:10.0.0.1", "localhost"}) {
    pod.ips = {bad};
    EXPECT_EQ(CheckObject(pod, {{"status.podIPs[0]", "Invalid", "must be a valid IP address"}}), "")
        << bad;
  }
  for (const char* bad :
       {"0.0.0.0", "224.0.0.1", "127.0.0.1", "169.254.0.1", "::", "::1", "ff02::1", "fe80::1"}) {
    pod.ips = {bad};
    EXPECT_EQ(CheckObject(pod, {{"status.podIPs[0]", "warning", "it is not used"}}), "") << bad;
  }
  pod.ips = {};
  pod.phase = PodPhase::kRunning;
  EXPECT_EQ(CheckObject(pod, {{"status.podIP", "warning", "has no address"}}), "");
  pod.host_network = true;
  EXPECT_EQ(CheckObject(pod, {}), "");
}

TEST(ModelValidateTest, NamespacesNodesAndServices) {
  Namespace ns;
  ns.name = "a.b";
  EXPECT_EQ(CheckObject(ns, {{"metadata.name", "Invalid", "RFC 1123 label"}}), "");
  ns.name = "";
  EXPECT_EQ(CheckObject(ns, {{"metadata.name", "Required", ""}}), "");
  Node node;
  node.name = "n1.example.com";
  node.addresses = {"10.0.0.1", "x"};
  node.pod_cidrs = {"10.0.0.0/24", "10.0.0.0/99"};
  EXPECT_EQ(CheckObject(node, {{"status.addresses", "Invalid", "valid IP address"},
                               {"spec.podCIDRs[1]", "Invalid", kNotACidr}}),
            "");
  Service service;
  service.ns = "prod";
  service.name = "db";
  service.cluster_ips = {"10.96.0.1", "x"};
  EXPECT_EQ(CheckObject(service, {{"spec.clusterIPs", "Invalid", "valid IP address"}}), "");
}

}  // namespace
}  // namespace npf
