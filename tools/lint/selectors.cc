// Selectors that match nothing, or nothing that policy governs, and lists of peers that mean "or"
// where "and" was probably meant.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "lint/almost.h"
#include "lint/checks.h"
#include "resolve/selector_index.h"

namespace npf::lint {
namespace {

std::string Quoted(const LabelSelector& selector) {
  const std::string text = resolve::TextOf(selector);
  return text.empty() ? "the empty selector" : "\"" + text + "\"";
}

class SelectorChecks {
 public:
  SelectorChecks(const Facts& facts, Reporter& reporter) : facts_(facts), reporter_(reporter) {
    for (const Namespace& ns : facts.snapshot().namespaces()) ns_labels_.push_back(&ns.labels);
    for (const PodGroup& group : facts.groups()) pod_labels_.push_back(&group.first().labels);
  }

  void Check(const NetworkPolicy& policy, PolicyPart part) {
    const bool knows_pods = facts_.knows_pods();
    if (knows_pods) CheckSubject(policy, part);
    for (const Direction direction : kDirections) {
      const auto& rules = RulesOf(policy, direction);
      part.direction = direction;
      for (size_t i = 0; i < rules.size(); ++i) {
        part.rule = i;
        CheckOr(policy, direction, i);
        for (size_t j = 0; knows_pods && j < rules[i].peers.size(); ++j) {
          part.peer = j;
          CheckPeer(policy, rules[i].peers[j], PeerField(direction, i, j), part);
        }
        part.peer.reset();
      }
    }
  }

  void Check(const ClusterPolicy& policy, PolicyPart part) {
    if (policy.subject) {
      CheckPods(policy, *policy.subject, "spec.subject", Id::kSubjectNoMatch,
                Id::kHostNetworkSubject, part);
    }
    for (const Direction direction : kDirections) {
      const auto& rules = RulesOf(policy, direction);
      part.direction = direction;
      for (size_t i = 0; i < rules.size(); ++i) {
        part.rule = i;
        for (size_t j = 0; j < rules[i].peers.size(); ++j) {
          const ClusterPeer& peer = rules[i].peers[j];
          part.peer = j;
          if (!peer.pods) continue;
          CheckPods(policy, *peer.pods, PeerField(direction, i, j), Id::kPeerNoMatch,
                    Id::kHostNetworkPeer, part);
        }
        part.peer.reset();
      }
    }
  }

 private:
  void CheckSubject(const NetworkPolicy& policy, const PolicyPart& part) {
    const std::string field = "spec.podSelector";
    const Groups& subjects = facts_.SubjectsOf(policy);
    if (!facts_.HasPods(policy.ns)) {
      Finding& finding = reporter_.Add(Id::kNamespaceWithoutPods, policy, field,
                                       "namespace " + policy.ns + " has no pod");
      finding.without_effect = part;
    } else if (subjects.empty()) {
      Finding& finding =
          reporter_.Add(Id::kSubjectNoMatch, policy, field,
                        Quoted(policy.pod_selector) + " matches no pod of namespace " + policy.ns);
      finding.without_effect = part;
      Suggest(finding, policy, field, policy.pod_selector, LabelsIn(policy.ns));
    } else {
      ReportHostNetwork(Id::kHostNetworkSubject, policy, field, subjects, part);
    }
  }

  void CheckPeer(const NetworkPolicy& policy, const PolicyPeer& peer, const std::string& field,
                 const PolicyPart& part) {
    if (peer.ip_block) return;
    if (peer.namespace_selector && NamespaceMatchesNothing(policy, *peer.namespace_selector,
                                                           field + ".namespaceSelector", part)) {
      return;
    }
    const Groups& pods = facts_.PodsOf(policy, peer);
    if (!pods.empty()) {
      ReportHostNetwork(Id::kHostNetworkPeer, policy, field, pods, part);
      return;
    }
    static const LabelSelector kAll;
    const LabelSelector& selector = peer.pod_selector ? *peer.pod_selector : kAll;
    const std::string where = peer.namespace_selector
                                  ? "of the namespaces with " + Quoted(*peer.namespace_selector)
                                  : "of namespace " + policy.ns;
    Finding& finding =
        reporter_.Add(Id::kPeerNoMatch, policy,
                      peer.pod_selector ? field + ".podSelector" : field + ".namespaceSelector",
                      Quoted(selector) + " matches no pod " + where);
    finding.without_effect = part;
    const auto candidates =
        peer.namespace_selector ? LabelsIn(*peer.namespace_selector) : LabelsIn(policy.ns);
    Suggest(finding, policy, finding.field, selector, candidates);
    if (finding.suggestion.empty()) SuggestNamespace(finding, selector);
  }

  void CheckPods(const ClusterPolicy& policy, const ClusterPods& pods, const std::string& field,
                 Id no_match, Id host_network, const PolicyPart& part) {
    const std::string ns_field =
        field + (pods.pod_selector ? ".pods.namespaceSelector" : ".namespaces");
    if (NamespaceMatchesNothing(policy, pods.namespace_selector, ns_field, part)) return;
    const Groups& matched = facts_.PodsOf(pods);
    if (!matched.empty()) {
      ReportHostNetwork(host_network, policy, field, matched, part);
      return;
    }
    static const LabelSelector kAll;
    const LabelSelector& selector = pods.pod_selector ? *pods.pod_selector : kAll;
    const std::string pod_field = pods.pod_selector ? field + ".pods.podSelector" : ns_field;
    Finding& finding = reporter_.Add(no_match, policy, pod_field,
                                     Quoted(selector) + " matches no pod of the namespaces with " +
                                         Quoted(pods.namespace_selector));
    finding.without_effect = part;
    Suggest(finding, policy, pod_field, selector, LabelsIn(pods.namespace_selector));
  }

  // Without Namespace objects their labels are not known.
  template <typename Policy>
  bool NamespaceMatchesNothing(const Policy& policy, const LabelSelector& selector,
                               const std::string& field, const PolicyPart& part) {
    if (!facts_.NamespacesOf(selector).empty()) return false;
    if (!facts_.knows_namespaces()) return true;
    Finding& finding = reporter_.Add(Id::kNamespaceNoMatch, policy, field,
                                     Quoted(selector) + " matches no namespace");
    finding.without_effect = part;
    Suggest(finding, policy, field, selector, ns_labels_);
    return true;
  }

  template <typename Policy>
  void ReportHostNetwork(Id id, const Policy& policy, const std::string& field,
                         const Groups& groups, const PolicyPart& part) {
    const bool all = std::all_of(groups.begin(), groups.end(), [&](uint32_t group) {
      return facts_.groups()[group].host_network;
    });
    if (!all) return;
    Finding& finding = reporter_.Add(
        id, policy, field, "matches only pods on their nodes' network: " + facts_.NamesOf(groups));
    finding.without_effect = part;
    finding.suggestion =
        id == Id::kHostNetworkPeer
            ? "their packets bear the addresses of their nodes: an ipBlock names those"
            : "no policy governs them; protect the node, or give up hostNetwork";
  }

  // The most frequent slip of all: a dash too many.
  void CheckOr(const NetworkPolicy& policy, Direction direction, size_t rule) {
    const auto& peers = RulesOf(policy, direction)[rule].peers;
    for (size_t j = 1; j < peers.size(); ++j) {
      const PolicyPeer& first = peers[j - 1];
      const PolicyPeer& second = peers[j];
      const bool is_pair = first.namespace_selector && !first.pod_selector && second.pod_selector &&
                           !second.namespace_selector && !second.ip_block;
      const bool is_turned = first.pod_selector && !first.namespace_selector &&
                             second.namespace_selector && !second.pod_selector;
      if (!is_pair && !is_turned) continue;
      const PolicyPeer& ns = is_pair ? first : second;
      const PolicyPeer& pods = is_pair ? second : first;
      Finding& finding = reporter_.Add(
          Id::kPeersOr, policy, PeerField(direction, rule, j),
          "every pod of the namespaces with " + Quoted(*ns.namespace_selector) + ", or pods with " +
              Quoted(*pods.pod_selector) + " of namespace " + policy.ns);
      finding.suggestion =
          "if pods with these labels in those namespaces are meant, both selectors belong to one "
          "item: take away the second dash";
    }
  }

  std::vector<const Labels*> LabelsIn(const std::string& ns) const {
    std::vector<const Labels*> out;
    for (const uint32_t group : facts_.PodsIn(ns, {})) out.push_back(pod_labels_[group]);
    return out;
  }
  std::vector<const Labels*> LabelsIn(const LabelSelector& namespaces) const {
    std::vector<const Labels*> out;
    for (const uint32_t group : facts_.PodsOf(namespaces, {})) out.push_back(pod_labels_[group]);
    return out;
  }

  template <typename Policy>
  void Suggest(Finding& finding, const Policy& policy, const std::string& field,
               const LabelSelector& selector, const std::vector<const Labels*>& candidates) {
    const std::optional<Almost> almost = FindAlmost(selector, candidates);
    if (!almost) return;
    finding.field = field + "." + almost->field;
    finding.position = PositionOf(policy, finding.field);
    if (!almost->suggestion.empty()) finding.suggestion = "there is " + almost->suggestion;
  }

  void SuggestNamespace(Finding& finding, const LabelSelector& selector) {
    const Groups& elsewhere = facts_.PodsOf({}, selector);
    if (elsewhere.empty()) return;
    const std::string& ns = facts_.groups()[elsewhere.front()].ns->name;
    finding.suggestion = "pods of namespace " + ns +
                         " have these labels; a namespaceSelector in the same item reaches them: "
                         "kubernetes.io/metadata.name: " +
                         ns;
  }

  const Facts& facts_;
  Reporter& reporter_;
  std::vector<const Labels*> ns_labels_;
  std::vector<const Labels*> pod_labels_;  // by group
};

}  // namespace

void CheckSelectors(const Facts& facts, Reporter& reporter) {
  const Snapshot& snapshot = facts.snapshot();
  SelectorChecks checks(facts, reporter);
  for (size_t p = 0; p < snapshot.policies().size(); ++p) {
    checks.Check(snapshot.policies()[p], {.cluster = false, .policy = p});
  }
  if (!facts.knows_pods()) return;
  for (size_t p = 0; p < snapshot.cluster_policies().size(); ++p) {
    checks.Check(snapshot.cluster_policies()[p], {.cluster = true, .policy = p});
  }
}

}  // namespace npf::lint
