#include "testing/coverage.h"

#include <cstdio>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace npf::testing {
namespace {

constexpr std::array<std::string_view, kFeatureCount> kFeatureNames = {"matchLabels",
                                                                       "In",
                                                                       "NotIn",
                                                                       "Exists",
                                                                       "DoesNotExist",
                                                                       "empty label value",
                                                                       "selector {}",
                                                                       "metadata.name label",
                                                                       "podSelector peer",
                                                                       "namespaceSelector peer",
                                                                       "both selectors",
                                                                       "ipBlock IPv4",
                                                                       "ipBlock IPv6",
                                                                       "except",
                                                                       "several excepts",
                                                                       "0.0.0.0/0 or ::/0",
                                                                       "from/to absent",
                                                                       "ports absent",
                                                                       "protocol absent",
                                                                       "port absent",
                                                                       "numeric port",
                                                                       "endPort",
                                                                       "named port",
                                                                       "SCTP",
                                                                       "types default Ingress",
                                                                       "types default both",
                                                                       "types [Ingress]",
                                                                       "types [Egress]",
                                                                       "types both",
                                                                       "no rules (deny all)",
                                                                       "rule {} (allow all)",
                                                                       "spec.podSelector absent"};

FeatureSet Bit(Feature feature) { return FeatureSet{1} << static_cast<int>(feature); }

FeatureSet FeaturesOf(const LabelSelector& selector) {
  FeatureSet features = 0;
  if (selector == LabelSelector{}) features |= Bit(Feature::kEmptySelector);
  for (const auto& [key, value] : selector.match_labels) {
    features |= Bit(Feature::kMatchLabels);
    if (value.empty()) features |= Bit(Feature::kEmptyValue);
    if (key == "kubernetes.io/metadata.name") features |= Bit(Feature::kNamespaceNameLabel);
  }
  for (const LabelRequirement& requirement : selector.match_expressions) {
    if (requirement.op == "In") features |= Bit(Feature::kIn);
    if (requirement.op == "NotIn") features |= Bit(Feature::kNotIn);
    if (requirement.op == "Exists") features |= Bit(Feature::kExists);
    if (requirement.op == "DoesNotExist") features |= Bit(Feature::kDoesNotExist);
    for (const std::string& value : requirement.values) {
      if (value.empty()) features |= Bit(Feature::kEmptyValue);
    }
    if (requirement.key == "kubernetes.io/metadata.name") {
      features |= Bit(Feature::kNamespaceNameLabel);
    }
  }
  return features;
}

FeatureSet FeaturesOf(const PolicyPeer& peer) {
  FeatureSet features = 0;
  if (peer.pod_selector) features |= FeaturesOf(*peer.pod_selector);
  if (peer.namespace_selector) features |= FeaturesOf(*peer.namespace_selector);
  if (peer.pod_selector && peer.namespace_selector) {
    features |= Bit(Feature::kBothSelectorsPeer);
  } else if (peer.pod_selector) {
    features |= Bit(Feature::kPodSelectorPeer);
  } else if (peer.namespace_selector) {
    features |= Bit(Feature::kNamespaceSelectorPeer);
  }
  if (!peer.ip_block) return features;
  const std::string& cidr = peer.ip_block->cidr;
  const bool ipv6 = cidr.find(':') != std::string::npos;
  features |= Bit(ipv6 ? Feature::kBlockIpv6 : Feature::kBlockIpv4);
  if (cidr.ends_with("/0")) features |= Bit(Feature::kWholeFamily);
  if (!peer.ip_block->except.empty()) features |= Bit(Feature::kExcept);
  if (peer.ip_block->except.size() > 1) features |= Bit(Feature::kNestedExcept);
  return features;
}

FeatureSet FeaturesOf(const PolicyPort& port) {
  FeatureSet features = 0;
  if (!port.protocol) features |= Bit(Feature::kProtocolAbsent);
  if (port.protocol == "SCTP") features |= Bit(Feature::kSctp);
  if (port.end_port) features |= Bit(Feature::kEndPort);
  if (!port.port) return features | Bit(Feature::kPortAbsent);
  const bool named = std::holds_alternative<std::string>(*port.port);
  return features | Bit(named ? Feature::kNamedPort : Feature::kNumericPort);
}

template <typename Visitor>
void ForEachFeature(FeatureSet features, Visitor visit) {
  for (size_t i = 0; i < kFeatureCount; ++i) {
    if ((features >> i & 1) != 0) visit(i);
  }
}

FeatureSet TypesFeature(const NetworkPolicy& policy) {
  if (policy.policy_types.empty()) {
    return Bit(policy.egress.empty() ? Feature::kTypesDefaultIngress : Feature::kTypesDefaultBoth);
  }
  bool ingress = false;
  bool egress = false;
  for (const std::string& type : policy.policy_types) {
    ingress |= type == "Ingress";
    egress |= type == "Egress";
  }
  if (ingress && egress) return Bit(Feature::kTypesBoth);
  return Bit(ingress ? Feature::kTypesIngress : Feature::kTypesEgress);
}

}  // namespace

void PrintReport(const std::string& title, const std::string& table) {
  std::printf("== report: %s\n%s== end of report\n", title.c_str(), table.c_str());
}

FeatureSet FeaturesOf(const PolicyRule& rule) {
  FeatureSet features = 0;
  if (rule.peers.empty()) features |= Bit(Feature::kPeersAbsent);
  if (rule.ports.empty()) features |= Bit(Feature::kPortsAbsent);
  if (rule.peers.empty() && rule.ports.empty()) features |= Bit(Feature::kAllowAll);
  for (const PolicyPeer& peer : rule.peers) features |= FeaturesOf(peer);
  for (const PolicyPort& port : rule.ports) features |= FeaturesOf(port);
  return features;
}

FeatureSet FeaturesOf(const NetworkPolicy& policy) {
  FeatureSet features = TypesFeature(policy);
  if (!policy.pod_selector_given) features |= Bit(Feature::kPodSelectorAbsent);
  features |= FeaturesOf(policy.pod_selector);
  if (policy.ingress.empty() && policy.egress.empty()) features |= Bit(Feature::kDenyAll);
  for (const PolicyRule& rule : policy.ingress) features |= FeaturesOf(rule);
  for (const PolicyRule& rule : policy.egress) features |= FeaturesOf(rule);
  return features;
}

void Coverage::StartCluster(const Snapshot& snapshot) {
  snapshot_ = &snapshot;
  tiers_.StartCluster(snapshot);
  policies_.assign(snapshot.policies().size(), {});
  for (size_t i = 0; i < policies_.size(); ++i) {
    policies_[i].allowed_by_rule[0].resize(snapshot.policies()[i].ingress.size());
    policies_[i].allowed_by_rule[1].resize(snapshot.policies()[i].egress.size());
  }
}

void Coverage::CountDirection(Direction direction, const reference::DirectionAnswer& answer) {
  tiers_.Count(direction, answer);
  for (const size_t policy : answer.isolating) ++policies_[policy].judged;
  for (const reference::RuleReference& reference : answer.allowing) {
    auto& by_rule = policies_[reference.policy].allowed_by_rule[static_cast<size_t>(direction)];
    ++by_rule[reference.rule];
  }
}

void Coverage::Count(const AskedQuestion& asked, const reference::Answer& answer) {
  ++questions_;
  if (answer.allowed) ++allowed_;
  if (IsBoundary(asked.edges)) ++boundary_questions_;
  for (EdgeSet edges = asked.edges; edges != 0; edges &= edges - 1) {
    ++edges_[static_cast<size_t>(__builtin_ctzll(edges))];
  }
  const size_t reason = static_cast<size_t>(answer.reason);
  if (reason < reasons_.size()) ++reasons_[reason];
  CountDirection(Direction::kIngress, answer.ingress);
  CountDirection(Direction::kEgress, answer.egress);
}

void Coverage::FinishCluster() {
  ++clusters_;
  tiers_.FinishCluster();
  for (size_t i = 0; i < policies_.size(); ++i) {
    const NetworkPolicy& policy = snapshot_->policies()[i];
    ForEachFeature(FeaturesOf(policy), [&](size_t feature) {
      ++written_[feature];
      judged_[feature] += policies_[i].judged;
    });
    const std::vector<PolicyRule>* rules[] = {&policy.ingress, &policy.egress};
    for (size_t direction = 0; direction < 2; ++direction) {
      for (size_t rule = 0; rule < rules[direction]->size(); ++rule) {
        ForEachFeature(FeaturesOf((*rules[direction])[rule]), [&](size_t feature) {
          allowing_[feature] += policies_[i].allowed_by_rule[direction][rule];
        });
      }
    }
  }
}

std::vector<std::string> Coverage::NeverReached() const {
  std::vector<std::string> result = tiers_.NeverReached();
  for (size_t i = 0; i < kFeatureCount; ++i) {
    if (judged_[i] == 0) result.emplace_back(kFeatureNames[i]);
  }
  for (size_t i = 0; i < kEdgeCount; ++i) {
    if (edges_[i] == 0) result.emplace_back(Name(static_cast<Edge>(i)));
  }
  for (size_t i = 0; i < reasons_.size(); ++i) {
    const Reason reason = static_cast<Reason>(i);
    if (reasons_[i] == 0) result.emplace_back(Name(reason));
  }
  return result;
}

std::string Coverage::Table() const {
  std::string text = absl::StrFormat(
      "%d clusters, %d decisions, %.1f%% allowed, %.1f%% on a boundary\n"
      "%-26s %12s %14s %14s\n",
      clusters_, questions_,
      100.0 * static_cast<double>(allowed_) / static_cast<double>(questions_),
      100.0 * static_cast<double>(boundary_questions_) / static_cast<double>(questions_),
      "field or operator", "policies", "it judged", "it allowed");
  for (size_t i = 0; i < kFeatureCount; ++i) {
    absl::StrAppendFormat(&text, "%-26s %12d %14d %14d\n", std::string(kFeatureNames[i]),
                          written_[i], judged_[i], allowing_[i]);
  }
  text += tiers_.Table();
  absl::StrAppendFormat(&text, "%-26s %12s\n", "edge", "decisions");
  for (size_t i = 0; i < kEdgeCount; ++i) {
    absl::StrAppendFormat(&text, "%-26s %12d\n", std::string(Name(static_cast<Edge>(i))),
                          edges_[i]);
  }
  absl::StrAppendFormat(&text, "%-26s %12s\n", "reason", "decisions");
  for (size_t i = 0; i < reasons_.size(); ++i) {
    absl::StrAppendFormat(&text, "%-26s %12d\n", std::string(Name(static_cast<Reason>(i))),
                          reasons_[i]);
  }
  return text;
}

}  // namespace npf::testing
