#include "workload.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "npf/address.h"

namespace npf::bench {
namespace {

constexpr uint32_t kPodsPerWorkload = 20;
constexpr uint32_t kPodsPerNamespace = 100;

std::string V4Text(uint32_t address) { return ToString(IpAddress::V4(address)); }

std::string V4BlockText(uint32_t bits, uint32_t length) {
  return absl::StrCat(V4Text(bits), "/", length);
}

// As the IPv4 one within 2607::/16.
std::string V6BlockText(uint32_t bits, uint32_t length) {
  IpPrefix prefix{.address = {.family = Family::kIpv6},
                  .length = static_cast<uint8_t>(16 + length)};
  const uint8_t bytes[] = {0x26,
                           0x07,
                           static_cast<uint8_t>(bits >> 24),
                           static_cast<uint8_t>(bits >> 16),
                           static_cast<uint8_t>(bits >> 8),
                           static_cast<uint8_t>(bits)};
  std::copy(std::begin(bytes), std::end(bytes), prefix.address.bytes.begin());
  return ToString(prefix);
}

// The /64 of a node's pods, and the address with `on_link` as its last bytes.
IpAddress V6OfNode(uint32_t node, uint32_t on_link) {
  IpAddress address{.family = Family::kIpv6, .bytes = {0xfd, 0x00, 0x00, 0x10}};
  address.bytes[6] = static_cast<uint8_t>(node >> 8);
  address.bytes[7] = static_cast<uint8_t>(node);
  address.bytes[15] = static_cast<uint8_t>(on_link);
  return address;
}

class ClusterMaker {
 public:
  explicit ClusterMaker(const ClusterShape& shape) : shape_(shape), random_(shape.seed) {
    namespace_count_ = shape.namespaces != 0
                           ? shape.namespaces
                           : std::max<uint32_t>(1, shape.pods / kPodsPerNamespace);
    workload_count_ = shape.workloads != 0
                          ? shape.workloads
                          : std::max<uint32_t>(namespace_count_, shape.pods / kPodsPerWorkload);
  }

  Cluster Make() {
    for (uint32_t i = 0; i < namespace_count_; ++i) {
      cluster_.namespaces.push_back({.name = NamespaceName(i),
                                     .labels = {{"team", absl::StrCat("team-", i % 10)},
                                                {"tier", i % 3 == 0 ? "prod" : "dev"}}});
    }
    MakePods();
    MakeBlocks();
    for (uint32_t i = 0; i < shape_.policies; ++i) cluster_.policies.push_back(MakePolicy(i));
    return std::move(cluster_);
  }

 private:
  static std::string NamespaceName(uint32_t i) { return absl::StrCat("ns-", i); }
  static std::string WorkloadName(uint32_t i) { return absl::StrCat("app-", i); }
  uint32_t NamespaceOf(uint32_t workload) const { return workload % namespace_count_; }

  bool has_v4() const { return shape_.families != IpFamilies::kV6; }
  bool has_v6() const { return shape_.families != IpFamilies::kV4; }

  void MakeNode(uint32_t n) {
    Node node{.name = absl::StrCat("node-", n)};
    if (has_v4()) {
      node.addresses.push_back(V4Text(0xac100000 + n));
      node.pod_cidrs.push_back(absl::StrCat(V4Text(0x0a000000 + (n << 8)), "/24"));
    }
    if (has_v6()) {
      node.addresses.push_back(absl::StrCat("fd00:ac10::", absl::Hex(n + 1)));
      node.pod_cidrs.push_back(ToString(IpPrefix{V6OfNode(n, 0), 64}));
    }
    cluster_.nodes.push_back(std::move(node));
  }

  std::vector<std::string> PodAddresses(uint32_t node, uint32_t on_node) const {
    std::vector<std::string> ips;
    if (has_v4()) ips.push_back(V4Text(0x0a000000 + (node << 8) + 1 + on_node));
    if (has_v6()) ips.push_back(ToString(V6OfNode(node, 1 + on_node)));
    return ips;
  }

  void MakePods() {
    const uint32_t nodes = (shape_.pods + shape_.pods_per_node - 1) / shape_.pods_per_node;
    for (uint32_t n = 0; n < nodes; ++n) MakeNode(n);
    for (uint32_t i = 0; i < shape_.pods; ++i) {
      // Consecutive pods of a node belong to different workloads.
      const uint32_t workload = i % workload_count_;
      const uint32_t node = i / shape_.pods_per_node;
      cluster_.pods.push_back({.ns = NamespaceName(NamespaceOf(workload)),
                               .name = absl::StrCat(WorkloadName(workload), "-", i),
                               .labels = {{"app", WorkloadName(workload)},
                                          {"role", absl::StrCat("role-", workload % 7)},
                                          {"pod-template-hash", absl::StrCat("h", i % 97)}},
                               .node_name = absl::StrCat("node-", node),
                               .phase = PodPhase::kRunning,
                               .creation_timestamp = "2026-01-01T00:00:00Z",
                               .ips = PodAddresses(node, i % shape_.pods_per_node),
                               .ports = {{.name = "http", .port = 8080, .protocol = "TCP"}}});
    }
  }

  void MakeBlocks() {
    for (uint32_t i = 0; i < shape_.cidrs; ++i) {
      const bool v6 = !has_v4() || (has_v6() && i % 2 == 1);
      const auto text = v6 ? V6BlockText : V4BlockText;
      const uint32_t length = 12 + random_.Below(13);
      // Outside 10.0.0.0/8, so that blocks cut external space.
      const uint32_t address =
          (0x0b000000 + random_.Below(0xc0000000)) & (~uint32_t{0} << (32 - length));
      IpBlock block{.cidr = text(address, length), .except = {}};
      if (random_.Percent(50)) {
        const uint32_t narrower = length + 2 + random_.Below(4);
        const uint32_t inside = address | (random_.Below(4) << (32 - length - 2));
        block.except.push_back(text(inside, narrower));
      }
      blocks_.push_back(std::move(block));
    }
  }

  NetworkPolicy MakePolicy(uint32_t i) {
    const uint32_t workload = random_.Below(workload_count_);
    NetworkPolicy policy{.ns = NamespaceName(NamespaceOf(workload)),
                         .name = absl::StrCat("policy-", i)};
    if (random_.Percent(80)) policy.pod_selector.match_labels.Set("app", WorkloadName(workload));
    const uint32_t directions = random_.Below(100);
    if (directions < 90) {
      policy.policy_types.push_back("Ingress");
      policy.ingress = MakeRules();
    }
    if (directions >= 60) {
      policy.policy_types.push_back("Egress");
      policy.egress = MakeRules();
    }
    return policy;
  }

  std::vector<PolicyRule> MakeRules() {
    std::vector<PolicyRule> rules(1 + random_.Below(2));
    for (PolicyRule& rule : rules) {
      for (uint32_t peers = 1 + random_.Below(4); peers != 0; --peers) AddPeer(rule);
      for (uint32_t ports = 1 + random_.Below(3); ports != 0; --ports) {
        rule.ports.push_back(MakePort());
      }
    }
    return rules;
  }

  void AddPeer(PolicyRule& rule) {
    const uint32_t kind = random_.Below(100);
    PolicyPeer peer;
    if (kind < 55) {
      const uint32_t workload = random_.Below(workload_count_);
      peer.pod_selector = LabelSelector{{{"app", WorkloadName(workload)}}, {}};
      peer.namespace_selector = LabelSelector{
          {{"kubernetes.io/metadata.name", NamespaceName(NamespaceOf(workload))}}, {}};
    } else if (kind < 85 || blocks_.empty()) {
      peer.namespace_selector = LabelSelector{
          {{"kubernetes.io/metadata.name", NamespaceName(random_.Below(namespace_count_))}}, {}};
    } else {
      AddBlocks(rule);
      return;
    }
    rule.peers.push_back(std::move(peer));
  }

  // Every block is used by some rule: where there are more blocks than rules with one, a rule has
  // several.
  void AddBlocks(PolicyRule& rule) {
    const uint32_t expected_uses = std::max<uint32_t>(1, shape_.policies * 6 / 10);
    for (uint32_t count = shape_.cidrs / expected_uses + 1; count != 0; --count) {
      rule.peers.push_back({.ip_block = blocks_[next_block_++ % blocks_.size()]});
    }
  }

  PolicyPort MakePort() {
    PolicyPort port;
    port.protocol = random_.Percent(12) ? "UDP" : "TCP";
    const int64_t number = 1000 + 37 * int64_t{random_.Below(shape_.port_numbers)};
    port.port = number;
    if (random_.Percent(5)) port.end_port = number + 16;
    return port;
  }

  ClusterShape shape_;
  Random random_;
  uint32_t namespace_count_;
  uint32_t workload_count_;
  std::vector<IpBlock> blocks_;
  size_t next_block_ = 0;
  Cluster cluster_;
};

}  // namespace

uint64_t Random::Next() {
  uint64_t z = state_ += 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

uint32_t Random::Below(uint32_t bound) {
  return static_cast<uint32_t>((Next() >> 32) * bound >> 32);
}

Cluster MakeCluster(const ClusterShape& shape) {
  Cluster cluster = ClusterMaker(shape).Make();
  AddClusterPolicies(shape.cluster_policies, shape.seed, cluster);
  return cluster;
}

Cluster MakeManyNamespaces(uint32_t namespaces, uint32_t pods) {
  Cluster cluster =
      MakeCluster({.pods = pods, .policies = 0, .cidrs = 0, .namespaces = namespaces});
  for (const Namespace& ns : cluster.namespaces) {
    cluster.policies.push_back(
        {.ns = ns.name, .name = "default-deny", .policy_types = {"Ingress", "Egress"}});
    NetworkPolicy same{
        .ns = ns.name, .name = "same-namespace", .policy_types = {"Ingress", "Egress"}};
    same.ingress = {{.peers = {{.pod_selector = LabelSelector{}}}}};
    same.egress = same.ingress;
    cluster.policies.push_back(std::move(same));
    NetworkPolicy monitoring{.ns = ns.name, .name = "monitoring", .policy_types = {"Ingress"}};
    monitoring.ingress = {{.ports = {{.protocol = "TCP", .port = int64_t{9090}}},
                           .peers = {{.namespace_selector = LabelSelector{
                                          {{"kubernetes.io/metadata.name", "ns-0"}}, {}}}}}};
    cluster.policies.push_back(std::move(monitoring));
  }
  return cluster;
}

Cluster MakeHalfOfEverything(uint32_t namespaces) {
  Cluster cluster =
      MakeCluster({.pods = namespaces * 4, .policies = 0, .cidrs = 0, .namespaces = namespaces});
  for (uint32_t i = 0; i < namespaces; ++i) {
    NetworkPolicy policy{.ns = absl::StrCat("ns-", i), .name = "half", .policy_types = {"Ingress"}};
    const LabelRequirement some{"role",
                                "In",
                                {absl::StrCat("role-", i % 7), absl::StrCat("role-", (i + 1) % 7),
                                 absl::StrCat("role-", (i + 3) % 7)}};
    policy.ingress = {{.ports = {{.port = int64_t{1000 + i % 5000}}},
                       .peers = {{.pod_selector = LabelSelector{{}, {some}},
                                  .namespace_selector = LabelSelector{}}}}};
    cluster.policies.push_back(std::move(policy));
  }
  return cluster;
}

Cluster MakePortRanges(uint32_t ranges) {
  Cluster cluster = MakeCluster({.pods = 1'000, .policies = 0, .cidrs = 0});
  Random random(7);
  for (uint32_t i = 0; i < ranges; ++i) {
    NetworkPolicy policy{.ns = absl::StrCat("ns-", i % 10),
                         .name = absl::StrCat("range-", i),
                         .policy_types = {"Ingress"}};
    policy.pod_selector.match_labels.Set("app", absl::StrCat("app-", i % 50));
    const int64_t first = 1 + random.Below(60'000);
    policy.ingress = {{.ports = {{.port = first, .end_port = first + 1 + random.Below(5'000)}}}};
    cluster.policies.push_back(std::move(policy));
  }
  return cluster;
}

Cluster MakeNestedExcepts(uint32_t blocks, uint32_t depth) {
  Cluster cluster = MakeCluster({.pods = 1'000, .policies = 0, .cidrs = 0});
  Random random(11);
  for (uint32_t i = 0; i < blocks; ++i) {
    NetworkPolicy policy{.ns = absl::StrCat("ns-", i % 10),
                         .name = absl::StrCat("nested-", i),
                         .policy_types = {"Egress"}};
    IpBlock block{.cidr = "0.0.0.0/0", .except = {}};
    const uint32_t base = 0x20000000 + random.Below(0x40000000);
    for (uint32_t length = 4; length < 4 + depth; ++length) {
      block.except.push_back(
          absl::StrCat(V4Text(base & (~uint32_t{0} << (32 - length))), "/", length));
    }
    policy.egress = {{.peers = {{.ip_block = std::move(block)}}}};
    cluster.policies.push_back(std::move(policy));
  }
  return cluster;
}

Snapshot Freeze(Cluster cluster) {
  SnapshotBuilder builder;
  for (Namespace& object : cluster.namespaces) builder.Add(std::move(object));
  for (Node& object : cluster.nodes) builder.Add(std::move(object));
  for (Pod& object : cluster.pods) builder.Add(std::move(object));
  for (NetworkPolicy& object : cluster.policies) builder.Add(std::move(object));
  for (ClusterPolicy& object : cluster.cluster_policies) builder.Add(std::move(object));
  Diagnostics diagnostics;
  absl::StatusOr<Snapshot> snapshot = builder.Build(diagnostics);
  if (snapshot.ok()) return *std::move(snapshot);
  for (const Diagnostic& d : diagnostics.all()) {
    std::fprintf(stderr, "%s\n", Format(d, builder.files()).c_str());
  }
  std::exit(70);
}

}  // namespace npf::bench
