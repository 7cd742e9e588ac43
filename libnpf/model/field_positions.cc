#include "model/field_positions.h"

#include <algorithm>
#include <utility>

#include "model/validate.h"

namespace npf::model {
namespace {

// Asks in the order of the text, which is what a locator finds fastest.
class Walk {
 public:
  explicit Walk(const FieldLocator& locate) : locate_(locate) {}

  void Note(const std::string& field) { out_.push_back({field, locate_(field)}); }

  void Selector(const LabelSelector& selector, const std::string& field) {
    Note(field);
    for (const auto& [key, value] : selector.match_labels) Note(field + ".matchLabels." + key);
    for (size_t i = 0; i < selector.match_expressions.size(); ++i) {
      Note(Item(field + ".matchExpressions", i));
    }
  }

  void Peer(const PolicyPeer& peer, const std::string& field) {
    Note(field);
    if (peer.pod_selector) Selector(*peer.pod_selector, field + ".podSelector");
    if (peer.namespace_selector) Selector(*peer.namespace_selector, field + ".namespaceSelector");
    if (!peer.ip_block) return;
    Note(field + ".ipBlock");
    Note(field + ".ipBlock.cidr");
    for (size_t i = 0; i < peer.ip_block->except.size(); ++i) {
      Note(Item(field + ".ipBlock.except", i));
    }
  }

  void Rules(const std::vector<PolicyRule>& rules, const std::string& field,
             const std::string& peers) {
    Note(field);
    for (size_t i = 0; i < rules.size(); ++i) {
      const std::string rule = Item(field, i);
      Note(rule);
      for (size_t j = 0; j < rules[i].peers.size(); ++j) {
        Peer(rules[i].peers[j], Item(rule + "." + peers, j));
      }
      for (size_t j = 0; j < rules[i].ports.size(); ++j) {
        const std::string port = Item(rule + ".ports", j);
        Note(port);
        Note(port + ".port");
      }
    }
  }

  void Pods(const ClusterPods& pods, const std::string& field) {
    Note(field);
    if (!pods.pod_selector) return Selector(pods.namespace_selector, field + ".namespaces");
    Selector(pods.namespace_selector, field + ".pods.namespaceSelector");
    Selector(*pods.pod_selector, field + ".pods.podSelector");
  }

  void ClusterPeers(const std::vector<ClusterPeer>& peers, const std::string& field) {
    for (size_t i = 0; i < peers.size(); ++i) {
      const std::string peer = Item(field, i);
      Note(peer);
      if (peers[i].pods) Pods(*peers[i].pods, peer);
      const size_t networks = peers[i].networks ? peers[i].networks->size() : 0;
      for (size_t j = 0; j < networks; ++j) Note(Item(peer + ".networks", j));
    }
  }

  void ClusterRules(const std::vector<ClusterRule>& rules, const std::string& field,
                    const std::string& peers, const std::string& ports) {
    Note(field);
    for (size_t i = 0; i < rules.size(); ++i) {
      const std::string rule = Item(field, i);
      Note(rule);
      ClusterPeers(rules[i].peers, rule + "." + peers);
      const size_t count = rules[i].ports ? rules[i].ports->size() : 0;
      for (size_t j = 0; j < count; ++j) Note(Item(rule + "." + ports, j));
    }
  }

  std::vector<FieldPosition> Take() {
    std::sort(out_.begin(), out_.end(),
              [](const FieldPosition& a, const FieldPosition& b) { return a.field < b.field; });
    return std::move(out_);
  }

 private:
  const FieldLocator& locate_;
  std::vector<FieldPosition> out_;
};

}  // namespace

std::vector<FieldPosition> LocateFields(const NetworkPolicy& object, const FieldLocator& locate) {
  Walk walk(locate);
  walk.Note("metadata.annotations");
  walk.Selector(object.pod_selector, "spec.podSelector");
  walk.Note("spec.policyTypes");
  walk.Rules(object.ingress, "spec.ingress", "from");
  walk.Rules(object.egress, "spec.egress", "to");
  return walk.Take();
}

std::vector<FieldPosition> LocateFields(const ClusterPolicy& object, const FieldLocator& locate) {
  Walk walk(locate);
  walk.Note("metadata.annotations");
  walk.Note("spec.priority");
  if (object.subject) walk.Pods(*object.subject, "spec.subject");
  const bool v1alpha2 = object.kind == ClusterPolicyKind::kClusterNetworkPolicy;
  const std::string ports = v1alpha2 ? "protocols" : "ports";
  walk.ClusterRules(object.ingress, "spec.ingress", "from", ports);
  walk.ClusterRules(object.egress, "spec.egress", "to", ports);
  return walk.Take();
}

}  // namespace npf::model
