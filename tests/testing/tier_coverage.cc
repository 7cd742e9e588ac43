#include "testing/tier_coverage.h"

#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace npf::testing {
namespace {

using reference::Tier;
using FeatureSet = uint64_t;

constexpr std::array<std::string_view, kTierFeatureCount> kFeatureNames = {
    "ClusterNetworkPolicy",
    "AdminNetworkPolicy",
    "BaselineAdminNetworkPolicy",
    "tier Admin",
    "tier Baseline",
    "equal priority",
    "subject namespaces",
    "subject pods",
    "action Accept",
    "action Deny",
    "action Pass",
    "second rule or later",
    "namespaces peer",
    "pods peer",
    "nodes peer",
    "networks peer, IPv4",
    "networks peer, IPv6",
    "domainNames peer",
    "domainNames *.",
    "peer of an unknown kind",
    "protocols absent",
    "ports []",
    "all of a protocol",
    "port number",
    "port range",
    "named port of a tier",
    "port of an unknown kind"};

FeatureSet Bit(TierFeature feature) { return FeatureSet{1} << static_cast<int>(feature); }

FeatureSet FeaturesOf(const ClusterPeer& peer) {
  FeatureSet features = 0;
  if (peer.pods) {
    features |=
        Bit(peer.pods->pod_selector ? TierFeature::kPodsPeer : TierFeature::kNamespacesPeer);
  }
  if (peer.nodes) features |= Bit(TierFeature::kNodesPeer);
  if (peer.networks) {
    for (const std::string& cidr : *peer.networks) {
      const bool ipv6 = cidr.find(':') != std::string::npos;
      features |= Bit(ipv6 ? TierFeature::kNetworksIpv6Peer : TierFeature::kNetworksIpv4Peer);
    }
  }
  if (peer.domain_names) {
    for (const std::string& name : *peer.domain_names) {
      features |= Bit(name.starts_with("*.") ? TierFeature::kWildcardNamesPeer
                                             : TierFeature::kDomainNamesPeer);
    }
  }
  return features == 0 ? Bit(TierFeature::kUnknownPeer) : features;
}

FeatureSet FeaturesOf(const ClusterPort& port) {
  switch (port.form) {
    case ClusterPort::Form::kAll:
      return Bit(TierFeature::kAllPorts);
    case ClusterPort::Form::kNumber:
      return Bit(TierFeature::kPortNumber);
    case ClusterPort::Form::kRange:
      return Bit(TierFeature::kPortRange);
    case ClusterPort::Form::kNamed:
      return Bit(TierFeature::kNamedPort);
    default:
      return Bit(TierFeature::kUnknownPort);
  }
}

FeatureSet FeaturesOf(const ClusterRule& rule) {
  FeatureSet features = Bit(TierFeature::kAccept);
  if (rule.action == "Deny") features = Bit(TierFeature::kDeny);
  if (rule.action == "Pass") features = Bit(TierFeature::kPass);
  for (const ClusterPeer& peer : rule.peers) features |= FeaturesOf(peer);
  if (!rule.ports) return features | Bit(TierFeature::kPortsAbsent);
  if (rule.ports->empty()) features |= Bit(TierFeature::kPortsEmpty);
  for (const ClusterPort& port : *rule.ports) features |= FeaturesOf(port);
  return features;
}

// Of the policy beside its rules.
FeatureSet FeaturesOf(const ClusterPolicy& policy) {
  FeatureSet features =
      Bit(policy.tier == "Baseline" ? TierFeature::kBaseline : TierFeature::kAdmin);
  switch (policy.kind) {
    case ClusterPolicyKind::kClusterNetworkPolicy:
      features |= Bit(TierFeature::kClusterNetworkPolicy);
      break;
    case ClusterPolicyKind::kAdminNetworkPolicy:
      features |= Bit(TierFeature::kAdminNetworkPolicy);
      break;
    case ClusterPolicyKind::kBaselineAdminNetworkPolicy:
      features |= Bit(TierFeature::kBaselineAdminNetworkPolicy);
      break;
  }
  if (!policy.subject) return features;
  return features | Bit(policy.subject->pod_selector ? TierFeature::kSubjectPods
                                                     : TierFeature::kSubjectNamespaces);
}

template <typename Visitor>
void ForEachFeature(FeatureSet features, Visitor visit) {
  for (size_t i = 0; i < kTierFeatureCount; ++i) {
    if ((features >> i & 1) != 0) visit(i);
  }
}

}  // namespace

void TierCoverage::StartCluster(const Snapshot& snapshot) {
  snapshot_ = &snapshot;
  decided_by_rule_.assign(snapshot.cluster_policies().size(), {});
  for (size_t i = 0; i < decided_by_rule_.size(); ++i) {
    decided_by_rule_[i][0].resize(snapshot.cluster_policies()[i].ingress.size());
    decided_by_rule_[i][1].resize(snapshot.cluster_policies()[i].egress.size());
  }
}

size_t TierCoverage::PathOf(const reference::DirectionAnswer& answer) const {
  size_t path = static_cast<size_t>(answer.tier) * 2 + (answer.allowed ? 1 : 0);
  for (const reference::RuleReference& rule : answer.passed) {
    const bool baseline = snapshot_->cluster_policies()[rule.policy].tier == "Baseline";
    path |= baseline ? size_t{16} : size_t{8};
  }
  return path;
}

std::string TierCoverage::PathName(size_t path) {
  static constexpr std::array<const char*, 4> kTiers = {"Admin", "NetworkPolicy", "Baseline",
                                                        "nobody"};
  const Tier tier = static_cast<Tier>(path / 2 % 4);
  const bool allowed = path % 2 != 0;
  const bool passed_admin = (path & 8) != 0;
  const bool passed_baseline = (path & 16) != 0;
  if ((passed_admin && tier == Tier::kAdmin) || (passed_baseline && tier != Tier::kNone) ||
      (tier == Tier::kNone && !allowed)) {
    return "";
  }
  return absl::StrCat(passed_admin ? "Pass, " : "", passed_baseline ? "Baseline Pass, " : "",
                      kTiers[static_cast<size_t>(tier)], allowed ? " allows" : " denies");
}

void TierCoverage::Count(Direction direction, const reference::DirectionAnswer& answer) {
  ++paths_[PathOf(answer)];
  const auto count = [&](const reference::RuleReference& rule) {
    ++decided_by_rule_[rule.policy][static_cast<size_t>(direction)][rule.rule];
  };
  if (answer.decided_by) count(*answer.decided_by);
  for (const reference::RuleReference& rule : answer.passed) count(rule);
}

void TierCoverage::FinishCluster() {
  const std::vector<ClusterPolicy>& policies = snapshot_->cluster_policies();
  for (size_t i = 0; i < policies.size(); ++i) {
    FeatureSet of_policy = FeaturesOf(policies[i]);
    if (i > 0 && policies[i - 1].tier == policies[i].tier &&
        policies[i - 1].priority == policies[i].priority) {
      of_policy |= Bit(TierFeature::kEqualPriority);
    }
    const std::vector<ClusterRule>* rules[] = {&policies[i].ingress, &policies[i].egress};
    for (size_t direction = 0; direction < 2; ++direction) {
      for (size_t rule = 0; rule < rules[direction]->size(); ++rule) {
        FeatureSet features = of_policy | FeaturesOf((*rules[direction])[rule]);
        if (rule > 0) features |= Bit(TierFeature::kLaterRule);
        ForEachFeature(features, [&](size_t feature) {
          ++written_[feature];
          decided_[feature] += decided_by_rule_[i][direction][rule];
        });
      }
    }
  }
}

std::vector<std::string> TierCoverage::NeverReached() const {
  std::vector<std::string> result;
  for (size_t i = 0; i < kTierFeatureCount; ++i) {
    if (decided_[i] == 0) result.emplace_back(kFeatureNames[i]);
  }
  for (size_t i = 0; i < kPathCount; ++i) {
    if (paths_[i] == 0 && !PathName(i).empty()) result.push_back(PathName(i));
  }
  return result;
}

std::string TierCoverage::Table() const {
  std::string text =
      absl::StrFormat("%-40s %12s %14s\n", "of cluster-wide rules", "rules", "they decided");
  for (size_t i = 0; i < kTierFeatureCount; ++i) {
    absl::StrAppendFormat(&text, "%-40s %12d %14d\n", std::string(kFeatureNames[i]), written_[i],
                          decided_[i]);
  }
  absl::StrAppendFormat(&text, "%-40s %12s\n", "path of a direction", "directions");
  for (size_t i = 0; i < kPathCount; ++i) {
    if (PathName(i).empty()) continue;
    absl::StrAppendFormat(&text, "%-40s %12d\n", PathName(i), paths_[i]);
  }
  return text;
}

}  // namespace npf::testing
