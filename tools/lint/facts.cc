#include "lint/facts.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "model/pod_addresses.h"
#include "model/selector.h"
#include "model/validate.h"
#include "resolve/selector_index.h"

namespace npf::lint {
namespace {

using Keys = absl::flat_hash_set<std::string>;

void NoteKeys(const LabelSelector& selector, Keys& keys) {
  for (const auto& [key, value] : selector.match_labels) keys.insert(key);
  for (const LabelRequirement& requirement : selector.match_expressions) {
    keys.insert(requirement.key);
  }
}

void NoteKeys(const ClusterPods& pods, Keys& keys) {
  if (pods.pod_selector) NoteKeys(*pods.pod_selector, keys);
}

// Keys of pods' labels that any selector speaks of.
Keys SelectedKeys(const Snapshot& snapshot) {
  Keys keys;
  for (const NetworkPolicy& policy : snapshot.policies()) {
    NoteKeys(policy.pod_selector, keys);
    for (const auto* rules : {&policy.ingress, &policy.egress}) {
      for (const PolicyRule& rule : *rules) {
        for (const PolicyPeer& peer : rule.peers) {
          if (peer.pod_selector) NoteKeys(*peer.pod_selector, keys);
        }
      }
    }
  }
  for (const ClusterPolicy& policy : snapshot.cluster_policies()) {
    if (policy.subject) NoteKeys(*policy.subject, keys);
    for (const auto* rules : {&policy.ingress, &policy.egress}) {
      for (const ClusterRule& rule : *rules) {
        for (const ClusterPeer& peer : rule.peers) {
          if (peer.pods) NoteKeys(*peer.pods, keys);
        }
      }
    }
  }
  return keys;
}

// What tells a pod from others of its namespace.
std::string GroupKey(const Pod& pod, const Keys& keys) {
  std::string key;
  for (const auto& [name, value] : pod.labels) {
    if (keys.contains(name)) key += name + "=" + value + "\n";
  }
  for (const ContainerPort& port : pod.ports) {
    key += port.name + ":" + std::to_string(port.port) + "/" + port.protocol + "\n";
  }
  key += pod.host_network ? 'h' : '-';
  key += HasEnded(pod) ? 'e' : '-';
  return key;
}

template <typename Policy>
Position FindField(const Policy& policy, std::string_view field) {
  while (!field.empty()) {
    const auto found = std::lower_bound(policy.fields.begin(), policy.fields.end(), field,
                                        [](const FieldPosition& entry, std::string_view wanted) {
                                          return entry.field.compare(wanted) < 0;
                                        });
    if (found != policy.fields.end() && found->field == field) return found->position;
    const size_t end = field.find_last_of(".[");
    field = field.substr(0, end == std::string_view::npos ? 0 : end);
  }
  return policy.position;
}

template <typename Policy>
Finding& AddTo(std::vector<Finding>& findings, Id id, const Policy& policy, std::string field,
               std::string message) {
  Finding& finding = findings.emplace_back();
  finding.id = id;
  finding.level = KindOf(id).level;
  finding.position = PositionOf(policy, field);
  finding.object = NameOf(policy);
  finding.field = std::move(field);
  finding.message = std::move(message);
  return finding;
}

}  // namespace

Facts::Facts(const Snapshot& snapshot) : snapshot_(snapshot) {
  knows_namespaces_ = std::any_of(snapshot.namespaces().begin(), snapshot.namespaces().end(),
                                  [](const Namespace& ns) { return !ns.synthesised; });
  MakeGroups();
}

void Facts::MakeGroups() {
  const Keys keys = SelectedKeys(snapshot_);
  auto ns = snapshot_.namespaces().begin();
  std::map<std::string, uint32_t> in_ns;  // of the namespace at hand, by GroupKey
  for (const Pod& pod : snapshot_.pods()) {
    if (ns->name != pod.ns) in_ns.clear();
    while (ns->name != pod.ns) ++ns;  // both are sorted by name
    const auto [found, inserted] =
        in_ns.try_emplace(GroupKey(pod, keys), static_cast<uint32_t>(groups_.size()));
    if (inserted) {
      PodGroup group;
      group.ns = &*ns;
      group.host_network = pod.host_network;
      group.ended = HasEnded(pod);
      groups_.push_back(std::move(group));
      by_ns_[pod.ns].push_back(found->second);
    }
    PodGroup& group = groups_[found->second];
    group.pods.push_back(&pod);
    for (const IpAddress& address : model::AddressesOf(pod)) {
      (address.family == Family::kIpv4 ? group.has_v4 : group.has_v6) = true;
    }
  }
}

const Groups& Facts::PodsIn(const std::string& ns, const LabelSelector& pods) const {
  const auto [found, inserted] = found_.try_emplace(ns + "/" + resolve::TextOf(pods));
  if (!inserted) return found->second;
  const auto in_ns = by_ns_.find(ns);
  if (in_ns == by_ns_.end()) return found->second;
  for (const uint32_t group : in_ns->second) {
    if (model::Matches(pods, groups_[group].first().labels)) found->second.push_back(group);
  }
  return found->second;
}

const std::vector<const Namespace*>& Facts::NamespacesOf(const LabelSelector& selector) const {
  const auto [found, inserted] = namespaces_.try_emplace(resolve::TextOf(selector));
  if (!inserted) return found->second;
  for (const Namespace& ns : snapshot_.namespaces()) {
    if (model::Matches(selector, ns.labels)) found->second.push_back(&ns);
  }
  return found->second;
}

const Groups& Facts::PodsOf(const LabelSelector& namespaces, const LabelSelector& pods) const {
  const std::string key = resolve::TextOf(namespaces) + "//" + resolve::TextOf(pods);
  if (const auto found = found_.find(key); found != found_.end()) return found->second;
  Groups all;
  for (const Namespace* ns : NamespacesOf(namespaces)) {
    const Groups& in_ns = PodsIn(ns->name, pods);
    all.insert(all.end(), in_ns.begin(), in_ns.end());
  }
  return found_.try_emplace(key, std::move(all)).first->second;
}

const Groups& Facts::PodsOf(const ClusterPods& pods) const {
  static const LabelSelector kAll;
  return PodsOf(pods.namespace_selector, pods.pod_selector ? *pods.pod_selector : kAll);
}

const Groups& Facts::SubjectsOf(const NetworkPolicy& policy) const {
  return PodsIn(policy.ns, policy.pod_selector);
}

const Groups& Facts::SubjectsOf(const ClusterPolicy& policy) const {
  static const Groups kNobody;
  return policy.subject ? PodsOf(*policy.subject) : kNobody;
}

const Groups& Facts::PodsOf(const NetworkPolicy& policy, const PolicyPeer& peer) const {
  static const LabelSelector kAll;
  const LabelSelector& pods = peer.pod_selector ? *peer.pod_selector : kAll;
  return peer.namespace_selector ? PodsOf(*peer.namespace_selector, pods) : PodsIn(policy.ns, pods);
}

std::string Facts::NamesOf(const Groups& groups) const {
  std::vector<std::string> names;
  for (const uint32_t group : groups) {
    for (const Pod* pod : groups_[group].pods) names.push_back(pod->ns + "/" + pod->name);
  }
  return Listed(names);
}

Finding& Reporter::Add(Id id, const NetworkPolicy& policy, std::string field, std::string message) {
  return AddTo(findings_, id, policy, std::move(field), std::move(message));
}

Finding& Reporter::Add(Id id, const ClusterPolicy& policy, std::string field, std::string message) {
  return AddTo(findings_, id, policy, std::move(field), std::move(message));
}

Finding& Reporter::Add(Id id, Position position, std::string object, std::string message) {
  Finding& finding = findings_.emplace_back();
  finding.id = id;
  finding.level = KindOf(id).level;
  finding.position = position;
  finding.object = std::move(object);
  finding.message = std::move(message);
  return finding;
}

std::string NameOf(const NetworkPolicy& policy) {
  return model::ObjectName("NetworkPolicy", policy.ns, policy.name);
}
std::string NameOf(const ClusterPolicy& policy) {
  return model::ObjectName(Name(policy.kind), "", policy.name);
}
std::string NameOf(const Pod& pod) {
  return model::ObjectName(pod.owner_kind.empty() ? "Pod" : pod.owner_kind, pod.ns, pod.name);
}
Position PositionOf(const NetworkPolicy& policy, std::string_view field) {
  return FindField(policy, field);
}
Position PositionOf(const ClusterPolicy& policy, std::string_view field) {
  return FindField(policy, field);
}

Related RelatedTo(const NetworkPolicy& policy, const std::string& field, std::string message) {
  return {PositionOf(policy, field), NameOf(policy), field, std::move(message)};
}

std::string_view FieldOf(Direction direction) {
  return direction == Direction::kIngress ? "spec.ingress" : "spec.egress";
}
std::string RuleField(Direction direction, size_t rule) {
  return model::Item(std::string(FieldOf(direction)), rule);
}
std::string PeerField(Direction direction, size_t rule, size_t peer) {
  const char* list = direction == Direction::kIngress ? ".from" : ".to";
  return model::Item(RuleField(direction, rule) + list, peer);
}
std::string_view Name(Direction direction) {
  return direction == Direction::kIngress ? "ingress" : "egress";
}
const std::vector<PolicyRule>& RulesOf(const NetworkPolicy& policy, Direction direction) {
  return direction == Direction::kIngress ? policy.ingress : policy.egress;
}
const std::vector<ClusterRule>& RulesOf(const ClusterPolicy& policy, Direction direction) {
  return direction == Direction::kIngress ? policy.ingress : policy.egress;
}

std::string Listed(const std::vector<std::string>& items, size_t shown) {
  std::string out;
  const size_t count = items.size() <= shown + 1 ? items.size() : shown;
  for (size_t i = 0; i < count; ++i) {
    out += i == 0 ? "" : i + 1 == items.size() ? " and " : ", ";
    out += items[i];
  }
  if (count < items.size()) out += " and " + std::to_string(items.size() - count) + " more";
  return out;
}

}  // namespace npf::lint
