#include "testing/shrink.h"

#include <cstddef>
#include <optional>
#include <utility>

namespace npf::testing {
namespace {

// Walks over everything that can be taken out of a cluster, and takes out the n-th.
class Remover {
 public:
  explicit Remover(size_t n) : remaining_(n) {}

  bool Remove(Cluster& cluster) {
    return Item(cluster.policies) || Item(cluster.cluster_policies) || Item(cluster.pods) ||
           Item(cluster.services) || Item(cluster.nodes) || Item(cluster.namespaces) ||
           Item(cluster.pod_cidrs) || Item(cluster.service_cidrs) || Item(cluster.resolved_names) ||
           InPolicies(cluster) || InClusterPolicies(cluster) || InObjects(cluster);
  }

 private:
  template <typename T>
  bool Item(std::vector<T>& items) {
    if (remaining_ >= items.size()) {
      remaining_ -= items.size();
      return false;
    }
    items.erase(items.begin() + static_cast<std::ptrdiff_t>(remaining_));
    return true;
  }

  template <typename T>
  bool Field(std::optional<T>& field) {
    if (!field || remaining_-- > 0) return false;
    field.reset();
    return true;
  }

  bool Label(Labels& labels) {
    if (remaining_ >= labels.size()) {
      remaining_ -= labels.size();
      return false;
    }
    Labels kept;
    size_t position = 0;
    for (const auto& [key, value] : labels) {
      if (position++ != remaining_) kept.Set(key, value);
    }
    labels = kept;
    return true;
  }

  bool InSelector(LabelSelector& selector) {
    if (Label(selector.match_labels) || Item(selector.match_expressions)) return true;
    for (LabelRequirement& requirement : selector.match_expressions) {
      if (Item(requirement.values)) return true;
    }
    return false;
  }

  bool InRules(std::vector<PolicyRule>& rules) {
    if (Item(rules)) return true;
    for (PolicyRule& rule : rules) {
      if (Item(rule.peers) || Item(rule.ports)) return true;
      for (PolicyPeer& peer : rule.peers) {
        if (Field(peer.namespace_selector) || Field(peer.pod_selector)) return true;
        if (peer.pod_selector && InSelector(*peer.pod_selector)) return true;
        if (peer.namespace_selector && InSelector(*peer.namespace_selector)) return true;
        if (peer.ip_block && Item(peer.ip_block->except)) return true;
      }
      for (PolicyPort& port : rule.ports) {
        if (Field(port.end_port) || Field(port.port) || Field(port.protocol)) return true;
      }
    }
    return false;
  }

  bool InPolicies(Cluster& cluster) {
    for (NetworkPolicy& policy : cluster.policies) {
      if (InRules(policy.ingress) || InRules(policy.egress) || Item(policy.policy_types) ||
          InSelector(policy.pod_selector)) {
        return true;
      }
    }
    return false;
  }

  bool InPods(std::optional<ClusterPods>& pods) {
    if (!pods) return false;
    return Field(pods->pod_selector) || InSelector(pods->namespace_selector) ||
           (pods->pod_selector && InSelector(*pods->pod_selector));
  }

  bool InRules(std::vector<ClusterRule>& rules) {
    if (Item(rules)) return true;
    for (ClusterRule& rule : rules) {
      if (Item(rule.peers) || Field(rule.ports) || (rule.ports && Item(*rule.ports))) return true;
      for (ClusterPeer& peer : rule.peers) {
        if (InPods(peer.pods) || (peer.nodes && InSelector(*peer.nodes)) ||
            (peer.networks && Item(*peer.networks)) ||
            (peer.domain_names && Item(*peer.domain_names))) {
          return true;
        }
      }
    }
    return false;
  }

  bool InClusterPolicies(Cluster& cluster) {
    for (ClusterPolicy& policy : cluster.cluster_policies) {
      if (InRules(policy.ingress) || InRules(policy.egress) || InPods(policy.subject)) return true;
    }
    return false;
  }

  bool InObjects(Cluster& cluster) {
    for (Pod& pod : cluster.pods) {
      if (Item(pod.ports) || Item(pod.ips) || Label(pod.labels)) return true;
    }
    for (Namespace& object : cluster.namespaces) {
      if (Label(object.labels)) return true;
    }
    for (Node& node : cluster.nodes) {
      if (Item(node.addresses) || Item(node.pod_cidrs) || Label(node.labels)) return true;
    }
    return false;
  }

  size_t remaining_;
};

}  // namespace

Cluster Shrink(Cluster cluster, const std::function<bool(const Cluster&)>& fails) {
  bool progress = true;
  while (progress) {
    progress = false;
    for (size_t n = 0;;) {
      Cluster candidate = cluster;
      if (!Remover(n).Remove(candidate)) break;
      if (fails(candidate)) {
        cluster = std::move(candidate);
        progress = true;
      } else {
        ++n;
      }
    }
  }
  return cluster;
}

}  // namespace npf::testing
