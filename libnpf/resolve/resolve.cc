#include "resolve/resolve.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "resolve/atoms.h"
#include "resolve/class_builder.h"
#include "resolve/cluster_reader.h"
#include "resolve/inventory.h"
#include "resolve/port_space.h"
#include "resolve/row_builder.h"

namespace npf::resolve {
namespace {

class Resolver {
 public:
  explicit Resolver(const Snapshot& snapshot) : snapshot_(snapshot), atoms_(snapshot) {}

  absl::StatusOr<ResolvedPolicy> Run(const ResolveLimits& limits, std::vector<Cost>& costs) {
    ReadTier(Tier::kAdmin);
    out_.policies.reserve(snapshot_.policies().size() + snapshot_.cluster_policies().size());
    for (const NetworkPolicy& policy : snapshot_.policies()) ReadPolicy(policy);
    ReadTier(Tier::kBaseline);
    AddRanges();
    for (const Policy& policy : out_.policies) costs.push_back({.policy = policy.name});
    absl::Status status = atoms_.forest().Build(limits.entries_max);
    if (!status.ok()) return status;
    ClassBuilder(atoms_, ports_, out_).Build(TakeInventory(snapshot_));
    out_.atoms = atoms_.atoms();
    out_.label_texts = atoms_.label_texts();
    ports_.Cut();
    RowBuilder rows(ports_, limits, out_);
    status = rows.Build();
    costs = rows.costs();
    if (!status.ok()) return status;
    out_.port_signatures = ports_.signatures();
    out_.port_classes = ports_.classes();
    out_.bitsets = std::move(ports_.bitsets());
    return std::move(out_);
  }

 private:
  // The Snapshot has them in the order in which they are evaluated.
  void ReadTier(Tier tier) {
    for (const ClusterPolicy& object : snapshot_.cluster_policies()) {
      if ((object.tier == "Baseline") != (tier == Tier::kBaseline)) continue;
      out_.policies.push_back(ReadClusterPolicy(object, atoms_, ports_));
    }
  }

  void ReadPolicy(const NetworkPolicy& policy) {
    Policy read;
    read.name = absl::StrCat(policy.ns, "/", policy.name);
    read.subject_atom = atoms_.InternPods(policy.ns, policy.pod_selector);
    // R7: without policyTypes it isolates for ingress, and for egress where it has egress rules.
    read.governs[kIngress] = policy.policy_types.empty();
    read.governs[kEgress] = policy.policy_types.empty() && !policy.egress.empty();
    for (const std::string& type : policy.policy_types) {
      read.governs[type == "Ingress" ? kIngress : kEgress] = true;
    }
    // R8: rules of a direction that it does not isolate have no effect.
    if (read.governs[kIngress]) ReadRules(policy, policy.ingress, kIngress, read);
    if (read.governs[kEgress]) ReadRules(policy, policy.egress, kEgress, read);
    out_.policies.push_back(std::move(read));
  }

  void ReadRules(const NetworkPolicy& policy, const std::vector<PolicyRule>& rules,
                 size_t direction, Policy& out) {
    out.rules.reserve(out.rules.size() + rules.size());
    for (uint32_t i = 0; i < rules.size(); ++i) {
      Rule rule{.direction = direction,
                .index = i,
                .name = {},
                .ports = PortSpace::Read(rules[i].ports),
                .peers = {}};
      rule.port_list = ports_.InternList(rule.ports);
      rule.peers.reserve(rules[i].peers.size());
      for (uint32_t j = 0; j < rules[i].peers.size(); ++j) {
        rule.peers.push_back({ReadPeer(policy, rules[i].peers[j]), j, kNone});
      }
      out.rules.push_back(std::move(rule));
    }
  }

  uint32_t ReadPeer(const NetworkPolicy& policy, const PolicyPeer& peer) {
    if (peer.ip_block) return atoms_.InternBlock(*peer.ip_block);
    // R14 to R16: without a namespaceSelector the policy's own namespace; with both, AND.
    static const LabelSelector kAll;
    const LabelSelector& pods = peer.pod_selector ? *peer.pod_selector : kAll;
    if (peer.namespace_selector) return atoms_.InternPods(*peer.namespace_selector, pods);
    return atoms_.InternPods(policy.ns, pods);
  }

  void AddRanges() {
    PrefixForest& forest = atoms_.forest();
    for (const IpPrefix& prefix : snapshot_.pod_cidrs()) forest.AddPodRange(Masked(prefix));
    for (const Node& node : snapshot_.nodes()) {
      for (const std::string& text : node.pod_cidrs) {
        const ParsedPrefix parsed = ParseIpPrefix(text);
        if (parsed.fault == PrefixFault::kNone) forest.AddPodRange(parsed.prefix);
      }
    }
    for (const IpPrefix& prefix : snapshot_.service_cidrs()) forest.AddService(Masked(prefix));
    for (const Service& service : snapshot_.services()) {
      for (const std::string& text : service.cluster_ips) {
        const std::optional<IpAddress> address = ParseIpAddress(text);
        if (address) forest.AddService({*address, static_cast<uint8_t>(address->bit_count())});
      }
    }
  }

  const Snapshot& snapshot_;
  AtomTable atoms_;
  PortSpace ports_;
  ResolvedPolicy out_;
};

}  // namespace

absl::StatusOr<ResolvedPolicy> Resolve(const Snapshot& snapshot, const ResolveLimits& limits,
                                       std::vector<Cost>& costs) {
  return Resolver(snapshot).Run(limits, costs);
}

}  // namespace npf::resolve
