#include "named_workloads.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace npf::bench {
namespace {

constexpr NamedWorkload kWorkloads[] = {
    {"tiny", "1,000 pods, 100 policies, 50 CIDRs"},
    {"std", "10,000 pods, 1,000 policies, 100 CIDRs"},
    {"dense", "10,000 pods, 5,000 policies, 200 CIDRs"},
    {"cidr", "10,000 pods, 1,000 policies, 5,000 CIDRs with excepts"},
    {"large", "100,000 pods, 10,000 policies, 500 CIDRs"},
    {"k8smax", "150,000 pods on 5,000 nodes, 15,000 policies, 1,000 CIDRs"},
    {"stretch", "1,000,000 pods, 20,000 policies, 1,000 CIDRs"},
    {"ports", "std with 500 distinct ports"},
    {"ocp4800", "240 namespaces of 10 pods and 20 policies, with lists of 5 in every rule"},
    {"cilium250", "50,000 pods of 250 identities, 250 policies"},
};

ClusterShape ShapeOf(std::string_view name) {
  if (name == "tiny") return {.pods = 1'000, .policies = 100, .cidrs = 50};
  if (name == "dense") return {.policies = 5'000, .cidrs = 200};
  if (name == "cidr") return {.cidrs = 5'000};
  if (name == "large") return {.pods = 100'000, .policies = 10'000, .cidrs = 500};
  if (name == "k8smax") {
    return {.pods = 150'000, .policies = 15'000, .cidrs = 1'000, .pods_per_node = 30};
  }
  if (name == "stretch") return {.pods = 1'000'000, .policies = 20'000, .cidrs = 1'000};
  if (name == "ports") return {.port_numbers = 500};
  if (name == "cilium250") {
    return {
        .pods = 50'000, .policies = 250, .namespaces = 50, .workloads = 250, .pods_per_node = 50};
  }
  return {};
}

// The shape of the network-policy workload that OpenShift's performance tests run: every policy
// selects the namespace's ten pods and names five namespaces by name and five pods of each by
// number, and five subnets, each time with five ports and five ranges of ports. Even policies are
// ingress, odd ones egress.
class ListMaker {
 public:
  explicit ListMaker(IpFamilies families) : families_(families) {}

  Cluster Make() const {
    Cluster cluster = MakeCluster({.pods = kNamespaces * kPods,
                                   .policies = 0,
                                   .cidrs = 0,
                                   .namespaces = kNamespaces,
                                   .workloads = kNamespaces,
                                   .families = families_});
    for (size_t i = 0; i < cluster.pods.size(); ++i) {
      cluster.pods[i].labels.Set("num", absl::StrCat(i / kNamespaces + 1));
    }
    for (uint32_t ns = 0; ns < kNamespaces; ++ns) {
      for (uint32_t i = 0; i < kPolicies; ++i) cluster.policies.push_back(MakePolicy(ns, i));
    }
    return cluster;
  }

 private:
  static constexpr uint32_t kNamespaces = 240;
  static constexpr uint32_t kPods = 10;
  static constexpr uint32_t kPolicies = 20;
  static constexpr uint32_t kList = 5;

  static LabelSelector PodsFrom(uint32_t first, uint32_t count) {
    LabelRequirement numbers{"num", "In", {}};
    for (uint32_t i = 0; i < count; ++i) {
      numbers.values.push_back(absl::StrCat((first + i) % kPods + 1));
    }
    return {{}, {std::move(numbers)}};
  }

  static LabelSelector NamespacesFrom(uint32_t first) {
    LabelRequirement names{"kubernetes.io/metadata.name", "In", {}};
    for (uint32_t i = 0; i < kList; ++i) {
      names.values.push_back(absl::StrCat("ns-", (first + i) % kNamespaces));
    }
    return {{}, {std::move(names)}};
  }

  static std::vector<PolicyPort> Ports(int64_t first) {
    std::vector<PolicyPort> ports;
    for (int64_t i = 0; i < kList; ++i) ports.push_back({.protocol = "TCP", .port = first + i});
    for (int64_t i = 0; i < kList; ++i) {
      ports.push_back({.protocol = "TCP", .port = 5000 + 10 * i, .end_port = 5005 + 10 * i});
    }
    return ports;
  }

  std::string Subnet(uint32_t number) const {
    const bool v6 =
        families_ == IpFamilies::kV6 || (families_ == IpFamilies::kDual && number % 2 == 1);
    return v6 ? absl::StrCat("2607:", absl::Hex(number), "::/32")
              : absl::StrCat("20.", number, ".0.0/16");
  }

  NetworkPolicy MakePolicy(uint32_t ns, uint32_t i) const {
    std::vector<PolicyRule> rules(1 + kList);
    rules[0].peers = {{.pod_selector = PodsFrom(i, kList),
                       .namespace_selector = NamespacesFrom((ns * kPolicies + i) * kList + 1)}};
    rules[0].ports = Ports(8080);
    for (uint32_t rule = 1; rule <= kList; ++rule) {
      rules[rule].peers = {{.ip_block = IpBlock{.cidr = Subnet(i * kList + rule), .except = {}}}};
      rules[rule].ports = Ports(1001);
    }
    NetworkPolicy policy{.ns = absl::StrCat("ns-", ns),
                         .name = absl::StrCat("policy-", i),
                         .pod_selector = PodsFrom(0, kPods)};
    const bool egress = i % 2 == 1;
    policy.policy_types = {egress ? "Egress" : "Ingress"};
    (egress ? policy.egress : policy.ingress) = std::move(rules);
    return policy;
  }

  IpFamilies families_;
};

}  // namespace

std::span<const NamedWorkload> NamedWorkloads() { return kWorkloads; }

std::optional<Cluster> MakeNamedCluster(std::string_view name, IpFamilies families) {
  const auto known = std::ranges::find(kWorkloads, name, &NamedWorkload::name);
  if (known == std::end(kWorkloads)) return std::nullopt;
  if (name == "ocp4800") return ListMaker(families).Make();
  ClusterShape shape = ShapeOf(name);
  shape.families = families;
  return MakeCluster(shape);
}

std::string_view Name(IpFamilies families) {
  constexpr std::string_view kNames[] = {"v4", "v6", "dual"};
  return kNames[static_cast<size_t>(families)];
}

std::optional<IpFamilies> ParseIpFamilies(std::string_view name) {
  for (const IpFamilies families : {IpFamilies::kV4, IpFamilies::kV6, IpFamilies::kDual}) {
    if (Name(families) == name) return families;
  }
  return std::nullopt;
}

}  // namespace npf::bench
