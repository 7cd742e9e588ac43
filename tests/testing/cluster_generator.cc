#include "testing/cluster_generator.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"

namespace npf::testing {
namespace {

using Texts = std::vector<std::string>;

const Texts kPodKeys = {"app", "tier", "env", "track", "missing"};
const Texts kNamespaceKeys = {"team", "env", "zone", "missing", "kubernetes.io/metadata.name"};
const Texts kNodeKeys = {"zone", "env", "missing"};
const Texts kValues = {"a", "b", "", "c"};
const Texts kPortNames = {"http", "dns", "metrics", "absent"};
const Texts kProtocols = {"TCP", "UDP", "SCTP"};
const std::vector<int64_t> kPorts = {1, 53, 79, 80, 81, 443, 8080, 8081, 65534, 65535};

class Generator {
 public:
  Generator(uint64_t seed, const ClusterShape& shape) : random_(seed), shape_(shape) {}

  Cluster Generate() {
    MakeNamespaces();
    MakeNodes();
    MakeServices();
    MakePods();
    MakePolicies();
    MakeOptions();
    if (random_.Chance(55)) MakeTiers();
    return std::move(cluster_);
  }

 private:
  void MakeNamespaces() {
    const size_t count = random_.Between(1, shape_.namespaces_max);
    for (size_t i = 0; i < count; ++i) {
      namespaces_.push_back(absl::StrCat("ns-", i));
      if (random_.Chance(8)) continue;  // named by other objects only
      Namespace object;
      object.name = namespaces_.back();
      object.labels = MakeLabels({"team", "env", "zone"});
      if (random_.Chance(30)) object.labels.Set("kubernetes.io/metadata.name", object.name);
      if (random_.Chance(4)) object.labels.Set("kubernetes.io/metadata.name", "other");
      cluster_.namespaces.push_back(object);
    }
  }

  Labels MakeLabels(const Texts& keys) {
    Labels labels;
    for (const std::string& key : keys) {
      if (random_.Chance(55)) labels.Set(key, random_.Pick(kValues));
    }
    return labels;
  }

  void MakeNodes() {
    const size_t count = random_.Between(0, 3);
    for (size_t i = 0; i < count; ++i) {
      Node node;
      node.name = absl::StrCat("node-", i);
      node.addresses.push_back(absl::StrCat("172.18.0.", 2 + i));
      if (random_.Chance(60)) node.addresses.push_back(absl::StrCat("fd00:172:18::", 2 + i));
      if (random_.Chance(30)) node.addresses.push_back(absl::StrCat("203.0.113.", 16 + i));
      // The node's own address on the pod network.
      if (random_.Chance(30)) node.addresses.push_back(absl::StrCat("10.244.", i, ".1"));
      if (random_.Chance(3)) node.addresses.push_back("172.18.0.2");  // claimed by two nodes
      if (random_.Chance(60)) {
        node.pod_cidrs.push_back(
            absl::StrCat("10.244.", i, random_.Chance(50) ? ".0/24" : ".0/29"));
      }
      if (random_.Chance(50)) node.pod_cidrs.push_back(absl::StrCat("fd00:10:244:", i, "::/64"));
      cluster_.nodes.push_back(node);
    }
  }

  // Blocks of pods and Services that nest and overlap each other and those of nodes.
  void MakeOptions() {
    static const Texts kPodCidrs = {"10.244.0.0/22", "fd00:10:244::/60", "10.0.0.0/9", "::/0"};
    static const Texts kServiceCidrs = {"10.96.0.0/28", "fd00:10:96::/124", "10.244.2.0/30",
                                        "fd00:10:244::/126"};
    const size_t pod_cidrs = random_.Chance(40) ? random_.Between(1, 2) : 0;
    for (size_t i = 0; i < pod_cidrs; ++i) {
      cluster_.pod_cidrs.push_back(Prefix(random_.Pick(kPodCidrs)));
    }
    const size_t service_cidrs = random_.Chance(35) ? random_.Between(1, 2) : 0;
    for (size_t i = 0; i < service_cidrs; ++i) {
      cluster_.service_cidrs.push_back(Prefix(random_.Pick(kServiceCidrs)));
    }
  }

  void MakeServices() {
    const size_t count = random_.Between(0, 3);
    for (size_t i = 0; i < count; ++i) {
      Service service;
      service.ns = random_.Pick(namespaces_);
      service.name = absl::StrCat("service-", i);
      service.cluster_ips.push_back(absl::StrCat("10.96.0.", 1 + i));
      if (random_.Chance(40)) service.cluster_ips.push_back(absl::StrCat("fd00:10:96::", 1 + i));
      if (random_.Chance(10)) service.cluster_ips.push_back("10.244.0.9");  // inside a pod CIDR
      cluster_.services.push_back(service);
    }
  }

  void MakePods() {
    const size_t count = random_.Between(1, shape_.pods_max);
    for (size_t i = 0; i < count; ++i) cluster_.pods.push_back(MakePod(i));
  }

  Pod MakePod(size_t index) {
    Pod pod;
    pod.ns = random_.Pick(namespaces_);
    pod.name = absl::StrCat("pod-", index);
    pod.labels = MakeLabels({"app", "tier", "env", "track"});
    const Node* node = cluster_.nodes.empty() ? nullptr : &random_.Pick(cluster_.nodes);
    if (node != nullptr && random_.Chance(85)) pod.node_name = node->name;
    MakePhase(pod);
    const size_t port_count = random_.Between(0, 4);
    for (size_t i = 0; i < port_count; ++i) pod.ports.push_back(MakeContainerPort());
    if (random_.Chance(3)) {
      pod.owner_kind = "Deployment";
      return pod;
    }
    pod.host_network = random_.Chance(8);
    if (pod.host_network && node != nullptr && random_.Chance(70)) {
      pod.ips = {node->addresses.front()};
    } else if (pod.host_network) {
      pod.ips = {absl::StrCat("172.18.0.", random_.Between(2, 9))};
    } else if (random_.Chance(15) && !cluster_.pods.empty()) {
      pod.ips = random_.Pick(cluster_.pods).ips;  // reused, or claimed twice
    } else if (random_.Chance(96)) {
      MakeAddresses(pod, node == nullptr ? 0 : random_.Below(cluster_.nodes.size()), index);
    }
    return pod;
  }

  void MakePhase(Pod& pod) {
    pod.phase = PodPhase::kRunning;
    if (random_.Chance(35)) {
      pod.phase = random_.Pick(std::vector<PodPhase>{PodPhase::kUnknown, PodPhase::kPending,
                                                     PodPhase::kSucceeded, PodPhase::kFailed});
    }
    pod.terminating = random_.Chance(10);
    if (random_.Chance(80)) {
      pod.creation_timestamp = absl::StrCat("2026-03-0", random_.Between(1, 3), "T10:00:00Z");
    }
  }

  void MakeAddresses(Pod& pod, size_t node_index, size_t pod_index) {
    const bool with_ipv6 = random_.Chance(45);
    if (!with_ipv6 || random_.Chance(75)) {
      const size_t block = node_index + 4 * (pod_index / 250);
      pod.ips.push_back(absl::StrCat("10.244.", block, ".", 2 + pod_index % 250));
    }
    if (with_ipv6) {
      pod.ips.push_back(absl::StrCat("fd00:10:244:", node_index, "::", absl::Hex(2 + pod_index)));
    }
    if (random_.Chance(3)) pod.ips.push_back(absl::StrCat("10.245.0.", pod_index % 250));
    if (random_.Chance(2)) pod.ips = {"172.18.0.2"};  // also a node's: the pod comes first
  }

  ContainerPort MakeContainerPort() {
    ContainerPort port;
    if (random_.Chance(85)) port.name = kPortNames[random_.Below(3)];
    port.port = random_.Pick(kPorts);
    port.protocol = random_.Pick(kProtocols);
    return port;
  }

  void MakePolicies() {
    const size_t count = random_.Chance(5) ? 0 : random_.Between(1, shape_.policies_max);
    for (size_t i = 0; i < count; ++i) {
      NetworkPolicy policy;
      policy.ns = random_.Pick(namespaces_);
      policy.name = absl::StrCat("policy-", i);
      policy.pod_selector_given = !random_.Chance(3);
      if (policy.pod_selector_given && !random_.Chance(45)) {
        policy.pod_selector = MakeSelector(kPodKeys);
      }
      static const std::vector<Texts> kTypes = {
          {}, {}, {"Ingress"}, {"Egress"}, {"Ingress", "Egress"}, {"Egress", "Egress"}};
      policy.policy_types = random_.Pick(kTypes);
      policy.ingress = MakeRules();
      policy.egress = MakeRules();
      cluster_.policies.push_back(policy);
    }
  }

  LabelSelector MakeSelector(const Texts& keys) {
    LabelSelector selector;
    if (random_.Chance(15)) return selector;
    if (random_.Chance(55)) selector.match_labels.Set(random_.Pick(keys), random_.Pick(kValues));
    if (random_.Chance(10)) selector.match_labels.Set(random_.Pick(keys), random_.Pick(kValues));
    const size_t count = random_.Chance(50) ? random_.Between(1, 2) : 0;
    for (size_t i = 0; i < count; ++i) {
      LabelRequirement requirement;
      requirement.key = random_.Pick(keys);
      static const Texts kOperators = {"In", "NotIn", "Exists", "DoesNotExist"};
      requirement.op = random_.Pick(kOperators);
      if (requirement.op == "In" || requirement.op == "NotIn") {
        const size_t values = random_.Between(1, 3);
        for (size_t v = 0; v < values; ++v)
          requirement.values.push_back(MakeValue(requirement.key));
      }
      selector.match_expressions.push_back(requirement);
    }
    return selector;
  }

  std::string MakeValue(const std::string& key) {
    const bool names_namespace = key == "kubernetes.io/metadata.name";
    return random_.Pick(names_namespace ? namespaces_ : kValues);
  }

  std::vector<PolicyRule> MakeRules() {
    std::vector<PolicyRule> rules(random_.Below(shape_.rules_max + 1));
    for (PolicyRule& rule : rules) {
      rule.peers.resize(random_.Chance(25) ? 0 : random_.Between(1, 3));
      for (PolicyPeer& peer : rule.peers) peer = MakePeer();
      rule.ports.resize(random_.Chance(35) ? 0 : random_.Between(1, 3));
      for (PolicyPort& port : rule.ports) port = MakePort();
    }
    return rules;
  }

  PolicyPeer MakePeer() {
    PolicyPeer peer;
    const size_t kind = random_.Below(10);
    if (kind < 4) {
      peer.ip_block = MakeBlock();
      return peer;
    }
    if (kind < 8) peer.pod_selector = MakeSelector(kPodKeys);
    if (kind >= 6) peer.namespace_selector = MakeSelector(kNamespaceKeys);
    return peer;
  }

  const std::string& PickBlock() {
    static const Texts kBlocks = {
        "10.244.0.0/16",   "10.244.0.0/24",      "10.244.1.0/24",      "10.244.0.0/29",
        "10.244.0.4/31",   "10.244.0.3/32",      "10.0.0.0/8",         "0.0.0.0/0",
        "0.0.0.0/1",       "203.0.113.0/24",     "198.51.100.8/30",    "172.18.0.0/16",
        "10.96.0.0/16",    "255.255.255.254/31", "224.0.0.0/4",        "::/0",
        "fd00::/8",        "fd00:10:244::/48",   "fd00:10:244:1::/64", "fd00:10:244::/124",
        "2001:db8::/32",   "fd00:10:244::4/127", "fd00:10:244::3/128", "fd00:172:18::/64",
        "2001:db8::8/126", "fd00:10:96::/112"};
    return random_.Pick(kBlocks);
  }

  IpBlock MakeBlock() {
    IpBlock block;
    block.cidr = PickBlock();
    const size_t count = random_.Chance(55) ? random_.Between(1, 3) : 0;
    IpPrefix around = Prefix(block.cidr);
    for (size_t i = 0; i < count && around.length < around.address.bit_count(); ++i) {
      const IpPrefix cut = NarrowerThan(around);
      block.except.push_back(npf::ToString(cut));
      // The next one is nested in this one, or stands beside it.
      if (random_.Chance(40)) around = cut;
    }
    return block;
  }

  IpPrefix NarrowerThan(const IpPrefix& prefix) {
    IpPrefix result = prefix;
    const size_t bits = static_cast<size_t>(prefix.address.bit_count());
    const size_t step = random_.Chance(70) ? random_.Between(1, 8) : random_.Between(1, bits);
    const size_t length = std::min(bits, prefix.length + step);
    for (size_t bit = prefix.length; bit < length; ++bit) {
      // Mostly towards the low end, where the pods are.
      if (!random_.Chance(bit + 4 >= length ? 50 : 10)) continue;
      uint8_t& byte = result.address.bytes[bit / 8];
      byte = static_cast<uint8_t>(byte | 0x80 >> (bit % 8));
    }
    result.length = static_cast<uint8_t>(length);
    return result;
  }

  PolicyPort MakePort() {
    PolicyPort port;
    if (random_.Chance(70)) port.protocol = random_.Pick(kProtocols);
    const size_t kind = random_.Below(10);
    if (kind < 2) return port;
    if (kind < 5) {
      port.port = random_.Pick(kPortNames);
      return port;
    }
    const int64_t first = random_.Pick(kPorts);
    port.port = first;
    if (kind < 7) {
      static const std::vector<int64_t> kLengths = {0, 1, 2, 27, 1000, 65535};
      port.end_port = std::min<int64_t>(65535, first + random_.Pick(kLengths));
    }
    return port;
  }

  void MakeTiers() {
    for (Node& node : cluster_.nodes) node.labels = MakeLabels({"zone", "env"});
    MakeResolvedNames();
    const size_t count = random_.Between(0, shape_.cluster_policies_max);
    for (size_t i = 0; i < count; ++i) {
      ClusterPolicy policy = MakeClusterPolicy();
      policy.subject = MakeClusterPods();
      policy.subject_field_count = 1;
      // Of an unknown kind: nothing is selected.
      if (random_.Chance(2)) policy.subject.reset();
      if (policy.subject && random_.Chance(35)) policy.subject = ClusterPods{};
      policy.ingress = MakeClusterRules(policy.kind, /*egress=*/false);
      policy.egress = MakeClusterRules(policy.kind, /*egress=*/true);
      cluster_.cluster_policies.push_back(policy);
    }
  }

  // Names that a wildcard has, has not, or has by one or two labels; addresses of every kind.
  void MakeResolvedNames() {
    static const Texts kNames = {"example.com",     "www.example.com", "WWW.Example.Com.",
                                 "a.b.example.com", "c.b.example.com", "badexample.com",
                                 "db.example.org"};
    Texts addresses = {"203.0.113.77", "198.51.100.9", "8.8.8.8",   "2001:db8::9",
                       "2600::1",      "172.18.0.2",   "10.96.0.1", "10.244.0.77"};
    for (size_t i = 1; i <= 6; ++i) addresses.push_back(absl::StrCat("192.0.2.", i));
    for (const Pod& pod : cluster_.pods) {
      if (!pod.ips.empty() && random_.Chance(25)) addresses.push_back(pod.ips.front());
    }
    const size_t count = random_.Chance(15) ? 0 : random_.Between(2, 10);
    for (size_t i = 0; i < count; ++i) {
      const int64_t expires = random_.Chance(30) ? 2'000'000'000 : 0;
      cluster_.resolved_names.push_back(
          {random_.Pick(kNames), random_.Pick(addresses), expires, {}});
    }
  }

  // Names count up by kind, so that two kinds share some; priorities are few, so that many are
  // equal.
  ClusterPolicy MakeClusterPolicy() {
    static const std::vector<int64_t> kPriorities = {0, 1, 1, 1, 7, 7, 1000};
    ClusterPolicy policy;
    policy.priority = random_.Pick(kPriorities);
    policy.tier = random_.Chance(55) ? "Admin" : "Baseline";
    const size_t kind = random_.Below(10);
    if (kind < 3) {
      policy.kind = ClusterPolicyKind::kAdminNetworkPolicy;
      policy.tier = "Admin";
    } else if (kind < 5 && !has_baseline_) {
      policy.kind = ClusterPolicyKind::kBaselineAdminNetworkPolicy;
      policy.tier = "Baseline";
      policy.priority = 0;
      policy.name = "default";
      has_baseline_ = true;
      return policy;
    }
    const bool v1alpha1 = policy.kind == ClusterPolicyKind::kAdminNetworkPolicy;
    policy.name = absl::StrCat("tier-", names_used_[v1alpha1 ? 1 : 0]++);
    return policy;
  }

  ClusterPods MakeClusterPods() {
    ClusterPods pods;
    pods.namespace_selector = MakeSelector(kNamespaceKeys);
    if (random_.Chance(50)) pods.pod_selector = MakeSelector(kPodKeys);
    if (pods.pod_selector && random_.Chance(30)) pods.namespace_selector = {};
    return pods;
  }

  std::vector<ClusterRule> MakeClusterRules(ClusterPolicyKind kind, bool egress) {
    std::vector<ClusterRule> rules(random_.Below(shape_.rules_max + 2));
    for (size_t i = 0; i < rules.size(); ++i) {
      ClusterRule& rule = rules[i];
      if (random_.Chance(50)) rule.name = absl::StrCat("rule-", i);
      rule.action = MakeAction(kind);
      rule.peers.resize(random_.Between(1, 3));
      bool outside = false;
      for (ClusterPeer& peer : rule.peers) {
        peer = MakeClusterPeer(egress, rule.action);
        outside |= peer.nodes || peer.networks || peer.domain_names;
      }
      const bool v1alpha2 = kind == ClusterPolicyKind::kClusterNetworkPolicy;
      if (random_.Chance(40)) continue;
      rule.ports.emplace(!v1alpha2 && random_.Chance(8) ? 0 : random_.Between(1, 3));
      for (ClusterPort& port : *rule.ports) port = MakeClusterPort(v1alpha2, !outside);
    }
    return rules;
  }

  std::string MakeAction(ClusterPolicyKind kind) {
    const bool v1alpha2 = kind == ClusterPolicyKind::kClusterNetworkPolicy;
    const bool may_pass = kind != ClusterPolicyKind::kBaselineAdminNetworkPolicy;
    const size_t which = random_.Below(may_pass ? 10 : 7);
    if (which < 4) return v1alpha2 ? "Accept" : "Allow";
    return which < 7 ? "Deny" : "Pass";
  }

  ClusterPeer MakeClusterPeer(bool egress, const std::string& action) {
    static const Texts kPatterns = {"example.com",    "*.example.com",      "WWW.Example.com",
                                    "*.Example.Com.", "*.b.example.com.",   "db.example.org",
                                    "*.example.org",  "nothing.example.net"};
    ClusterPeer peer;
    peer.field_count = 1;
    if (random_.Chance(2)) return peer;  // of an unknown kind
    const size_t kind = egress ? random_.Below(10) : 9;
    if (kind < 2) {
      peer.nodes = random_.Chance(40) ? LabelSelector{} : MakeSelector(kNodeKeys);
    } else if (kind < 5) {
      peer.networks = PickDistinct([this] { return PickBlock(); });
    } else if (kind < 8 && action != "Deny" && action != "Pass") {
      peer.domain_names = PickDistinct([this] { return random_.Pick(kPatterns); });
    } else {
      peer.pods = MakeClusterPods();
    }
    return peer;
  }

  template <typename Make>
  Texts PickDistinct(Make make) {
    Texts texts;
    const size_t count = random_.Between(1, 3);
    for (size_t i = 0; i < count; ++i) {
      const std::string text = make();
      if (std::find(texts.begin(), texts.end(), text) == texts.end()) texts.push_back(text);
    }
    return texts;
  }

  ClusterPort MakeClusterPort(bool v1alpha2, bool may_be_named) {
    using Form = ClusterPort::Form;
    ClusterPort port;
    const size_t kind = random_.Below(100);
    if (kind < 1) return port;  // of an unknown kind
    if (kind < 30 && may_be_named) {
      port.form = Form::kNamed;
      port.name = random_.Pick(kPortNames);
      return port;
    }
    port.protocol = random_.Pick(kProtocols);
    if (kind < 45 && v1alpha2) {
      port.form = Form::kAll;
      return port;
    }
    port.form = Form::kNumber;
    port.first = port.last = random_.Pick(kPorts);
    if (kind >= 70 && port.first < 65535) {
      static const std::vector<int64_t> kLengths = {1, 2, 27, 1000, 65535};
      port.form = Form::kRange;
      port.last = std::min<int64_t>(65535, port.first + random_.Pick(kLengths));
    }
    return port;
  }

  Random random_;
  ClusterShape shape_;
  Texts namespaces_;
  bool has_baseline_ = false;
  std::array<size_t, 2> names_used_{};  // ClusterNetworkPolicy, AdminNetworkPolicy
  Cluster cluster_;
};

}  // namespace

Cluster GenerateCluster(uint64_t seed, const ClusterShape& shape) {
  return Generator(seed, shape).Generate();
}

}  // namespace npf::testing
