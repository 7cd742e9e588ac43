#include "resolve/cluster_reader.h"

#include <algorithm>
#include <utility>

namespace npf::resolve {
namespace {

PolicyKind KindOf(ClusterPolicyKind kind) {
  switch (kind) {
    case ClusterPolicyKind::kAdminNetworkPolicy:
      return PolicyKind::kAdminNetworkPolicy;
    case ClusterPolicyKind::kBaselineAdminNetworkPolicy:
      return PolicyKind::kBaselineAdminNetworkPolicy;
    default:
      return PolicyKind::kClusterNetworkPolicy;
  }
}

// What was refused by validation is none of the three; it would deny.
Action ActionOf(const std::string& action) {
  if (action == "Accept" || action == "Allow") return Action::kAllow;
  return action == "Pass" ? Action::kPass : Action::kDeny;
}

bool IsKnown(const ClusterPeer& peer) {
  return peer.pods || peer.nodes || peer.networks || peer.domain_names;
}

class RuleReader {
 public:
  RuleReader(AtomTable& atoms, PortSpace& ports) : atoms_(atoms), ports_(ports) {}

  Rule Read(const ClusterRule& object, size_t direction, uint32_t index) {
    Rule rule{.direction = direction,
              .index = index,
              .name = object.name,
              .action = ActionOf(object.action),
              .ports = {},
              .peers = {}};
    if (!AllIsKnown(object)) {
      FailClosed(rule);
      return rule;
    }
    if (object.ports) rule.ports = PortSpace::ReadCluster(*object.ports);
    rule.port_list = ports_.InternList(rule.ports);
    for (uint32_t i = 0; i < object.peers.size(); ++i) ReadPeer(object.peers[i], i, rule);
    // No peers, or empty lists of them, name nobody; a resolved rule without peers names everybody.
    if (rule.peers.empty()) rule.peers.push_back({.atom = atoms_.InternUnknown(), .index = 0});
    return rule;
  }

  uint32_t Pods(const ClusterPods& pods) {
    return atoms_.InternPods(pods.namespace_selector,
                             pods.pod_selector.value_or(LabelSelector{}));  // R85
  }

 private:
  static bool AllIsKnown(const ClusterRule& object) {
    const auto& ports = object.ports;
    return std::all_of(object.peers.begin(), object.peers.end(), IsKnown) &&
           (!ports || std::none_of(ports->begin(), ports->end(), [](const ClusterPort& port) {
             return port.form == ClusterPort::Form::kNothing;
           }));
  }

  // R89: an Accept that is not understood matches nothing, a Deny or a Pass denies everything.
  void FailClosed(Rule& rule) {
    if (rule.action == Action::kAllow) {
      rule.peers.push_back({.atom = atoms_.InternUnknown(), .index = 0});
    } else {
      rule.action = Action::kDeny;
    }
  }

  // R86: networks match the addresses of pods too.
  void ReadPeer(const ClusterPeer& peer, uint32_t index, Rule& rule) {
    if (peer.pods) rule.peers.push_back({Pods(*peer.pods), index, kNone});
    if (peer.nodes) rule.peers.push_back({atoms_.InternNodes(*peer.nodes), index, kNone});
    if (peer.networks) {
      for (uint32_t i = 0; i < peer.networks->size(); ++i) {
        rule.peers.push_back({atoms_.InternBlock({(*peer.networks)[i], {}}), index, i});
      }
    }
    if (peer.domain_names) {
      for (uint32_t i = 0; i < peer.domain_names->size(); ++i) {
        rule.peers.push_back({atoms_.InternNames((*peer.domain_names)[i]), index, i});
      }
    }
  }

  AtomTable& atoms_;
  PortSpace& ports_;
};

}  // namespace

Policy ReadClusterPolicy(const ClusterPolicy& object, AtomTable& atoms, PortSpace& ports) {
  RuleReader reader(atoms, ports);
  Policy policy{
      .kind = KindOf(object.kind),
      .name = object.name,
      .tier = object.tier == "Baseline" ? Tier::kBaseline : Tier::kAdmin,
      .subject_atom = object.subject ? reader.Pods(*object.subject) : atoms.InternUnknown(),
      .governs = {!object.ingress.empty(), !object.egress.empty()},
      .rules = {}};
  for (uint32_t i = 0; i < object.ingress.size(); ++i) {
    policy.rules.push_back(reader.Read(object.ingress[i], kIngress, i));
  }
  for (uint32_t i = 0; i < object.egress.size(); ++i) {
    policy.rules.push_back(reader.Read(object.egress[i], kEgress, i));
  }
  return policy;
}

}  // namespace npf::resolve
