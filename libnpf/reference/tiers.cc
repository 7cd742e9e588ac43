#include "reference/tiers.h"

#include <algorithm>
#include <cctype>

#include "reference/switched_on.h"

namespace npf::reference {
namespace {

// R87: "Exact (case-insensitive, optional trailing dot)".
std::string PlainName(std::string name) {
  if (name.ends_with('.')) name.pop_back();
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

// R89: "a peer with no known field"; an item of `protocols` that says nothing is as unknown.
bool IsUnderstood(const ClusterRule& rule) {
  for (const ClusterPeer& peer : rule.peers) {
    if (!peer.pods && !peer.nodes && !peer.networks && !peer.domain_names) return false;
  }
  if (!rule.ports) return true;
  return std::none_of(rule.ports->begin(), rule.ports->end(), [](const ClusterPort& port) {
    return port.form == ClusterPort::Form::kNothing;
  });
}

// `namespaces: {}`.
bool SelectsEveryNamespace(const std::optional<ClusterPods>& pods) {
  return pods && !pods->pod_selector && pods->namespace_selector == LabelSelector{};
}

}  // namespace

ClusterTiers::ClusterTiers(const Snapshot& snapshot, const ObjectLabels& labels, Mutation mutation)
    : snapshot_(snapshot), mutation_(mutation) {
  GatherNodes();
  GatherPolicies(labels);
}

bool ClusterTiers::Is(Mutation mutation) const { return SwitchedOn(mutation, mutation_); }

void ClusterTiers::GatherNodes() {
  for (const Node& node : snapshot_.nodes()) {
    // R86: "matches IPs in node.status.addresses". One that two Nodes claim is the first one's.
    for (const std::string& text : node.addresses) {
      if (const auto address = ReadAddress(text)) node_at_.emplace(*address, &node);
    }
  }
}

// R81: "ascending priority (lower first)". R83: "(priority, name)", then the kind.
bool ClusterTiers::ComesBefore(const ClusterPolicy& a, const ClusterPolicy& b) const {
  const int64_t priority_a = a.priority.value_or(0);  // R91: a Baseline of v1alpha1 has none
  const int64_t priority_b = b.priority.value_or(0);
  if (priority_a != priority_b && !Is(Mutation::kPriorityIgnored)) return priority_a < priority_b;
  if (a.name != b.name) {
    return Is(Mutation::kEqualPriorityLaterNameFirst) ? a.name > b.name : a.name < b.name;
  }
  return a.kind < b.kind;
}

void ClusterTiers::GatherPolicies(const ObjectLabels& labels) {
  for (const ClusterPolicy& object : snapshot_.cluster_policies()) {
    Policy policy{&object, PodsOf(object.subject, labels), ReadRules(object.ingress, labels),
                  ReadRules(object.egress, labels)};
    // R11: an empty selector selects everything.
    if (Is(Mutation::kEmptySubjectSelectsNothing) && SelectsEveryNamespace(object.subject)) {
      policy.subjects.assign(policy.subjects.size(), false);
    }
    // R80: each tier has its own order. v1alpha1: "ANP=Admin tier, BANP=Baseline tier".
    const Tier tier = object.tier == "Baseline" ? Tier::kBaseline : Tier::kAdmin;
    order_[tier].push_back(policies_.size());
    policies_.push_back(std::move(policy));
  }
  for (auto& [tier, indexes] : order_) {
    std::sort(indexes.begin(), indexes.end(), [&](size_t a, size_t b) {
      return ComesBefore(*policies_[a].object, *policies_[b].object);
    });
  }
}

std::vector<ClusterTiers::Rule> ClusterTiers::ReadRules(const std::vector<ClusterRule>& rules,
                                                        const ObjectLabels& labels) const {
  std::vector<Rule> result;
  for (const ClusterRule& rule : rules) {
    result.push_back({&rule, {}});
    for (const ClusterPeer& peer : rule.peers) {
      result.back().peers.push_back(ReadPeer(peer, labels));
    }
  }
  return result;
}

ClusterTiers::Peer ClusterTiers::ReadPeer(const ClusterPeer& object,
                                          const ObjectLabels& labels) const {
  Peer peer{&object, PodsOf(object.pods, labels), {}, {}, {}};
  if (object.nodes) peer.nodes = AddressesOfNodes(*object.nodes);
  if (object.nodes && Is(Mutation::kNodesMatchPodLabels)) {
    peer.pods = PodsOf(ClusterPods{LabelSelector{}, object.nodes}, labels);
  }
  if (object.networks) {
    for (const std::string& text : *object.networks) {
      if (const auto cidr = ReadCidr(text)) peer.networks.push_back(*cidr);
    }
  }
  if (object.domain_names) peer.names = AddressesOfNames(*object.domain_names);
  return peer;
}

// By index of the Snapshot's pods. Nothing given selects nothing: a subject with no known field.
std::vector<bool> ClusterTiers::PodsOf(const std::optional<ClusterPods>& pods,
                                       const ObjectLabels& labels) const {
  std::vector<bool> result;
  for (size_t i = 0; i < snapshot_.pods().size(); ++i) {
    if (!pods) {
      result.push_back(false);
      continue;
    }
    const LabelMap& of_namespace = labels.of_namespace.at(snapshot_.pods()[i].ns);
    const bool namespace_matches =
        SelectorMatches(pods->namespace_selector, of_namespace, mutation_);
    // R85: "namespaces: {} = all pods of all namespaces; pods: {namespaceSelector, podSelector}
    // ANDed".
    if (!pods->pod_selector) {
      result.push_back(namespace_matches);
      continue;
    }
    const bool pod_matches = SelectorMatches(pods->pod_selector, labels.of_pod[i], mutation_);
    result.push_back(Is(Mutation::kClusterSelectorsOred) ? namespace_matches || pod_matches
                                                         : namespace_matches && pod_matches);
  }
  return result;
}

// R86: "nodes (label selector over Node; matches IPs in node.status.addresses)".
std::set<IpAddress> ClusterTiers::AddressesOfNodes(const LabelSelector& selector) const {
  std::set<IpAddress> result;
  if (Is(Mutation::kNodesMatchNothing) || Is(Mutation::kNodesMatchPodLabels)) return result;
  for (const auto& [address, node] : node_at_) {
    if (SelectorMatches(selector, ToMap(node->labels), mutation_)) result.insert(address);
  }
  return result;
}

std::set<IpAddress> ClusterTiers::AddressesOfNames(const std::vector<std::string>& patterns) const {
  std::set<IpAddress> result;
  for (const NameAddress& resolved : snapshot_.resolved_names()) {
    for (const std::string& pattern : patterns) {
      if (NameMatches(pattern, resolved.name)) result.insert(resolved.address);
    }
  }
  return result;
}

bool ClusterTiers::NameMatches(const std::string& pattern, const std::string& name) const {
  const std::string wanted = Is(Mutation::kDomainCaseCounts) ? pattern : PlainName(pattern);
  const std::string actual = PlainName(name);
  // R87: "Exact".
  if (!wanted.starts_with("*.")) return actual == wanted;
  // R87: "*. prefix = one or more whole labels, not the apex."
  const std::string behind = wanted.substr(1);  // ".example.com"
  if (Is(Mutation::kWildcardMatchesApex) && actual == behind.substr(1)) return true;
  if (actual.size() <= behind.size() || !actual.ends_with(behind)) return false;
  const std::string before = actual.substr(0, actual.size() - behind.size());
  return before.find('.') == std::string::npos || !Is(Mutation::kWildcardIsOneLabel);
}

std::optional<ClusterTiers::Decision> ClusterTiers::Decide(Tier tier, Direction direction,
                                                           const Question& question,
                                                           const Side& src, const Side& dst) const {
  const bool ingress = direction == Direction::kIngress;
  const Side& subject = ingress ? dst : src;
  const auto found = order_.find(tier);
  if (found == order_.end()) return std::nullopt;
  for (const size_t index : found->second) {
    const Policy& policy = policies_[index];
    if (!policy.subjects[subject.pod_index]) continue;
    // R94: without rules in a direction, nothing is said of it.
    const std::vector<Rule>& rules = ingress ? policy.ingress : policy.egress;
    // R81: "within an object rule order. First rule matching peer AND ports decides."
    for (size_t turn = 0; turn < rules.size(); ++turn) {
      const size_t rule = Is(Mutation::kRulesReversed) ? rules.size() - 1 - turn : turn;
      const auto action = ActionOf(rules[rule], direction, question, src, dst);
      if (action) return Decision{*action, {index, rule}};
    }
    // R81: "No match in a policy => continue. No implicit isolation from CNP."
    if (!rules.empty() && Is(Mutation::kClusterPolicyIsolates)) {
      return Decision{Action::kDeny, {index, 0}};
    }
  }
  return std::nullopt;
}

// Nothing where the rule does not match.
std::optional<ClusterTiers::Action> ClusterTiers::ActionOf(const Rule& rule, Direction direction,
                                                           const Question& question,
                                                           const Side& src, const Side& dst) const {
  // R82; "Allow" was "renamed Accept".
  const std::string& said = rule.object->action;
  const bool accept = said == "Accept" || said == "Allow";
  const Action action = accept ? Action::kAccept : said == "Pass" ? Action::kPass : Action::kDeny;
  const bool ignored = (accept && Is(Mutation::kUnknownPeerIgnoredByAccept)) ||
                       (!accept && Is(Mutation::kUnknownPeerIgnoredByDeny));
  if (!IsUnderstood(*rule.object) && !ignored) return FailClosed(action);
  if (!RuleMatches(rule, direction, question, src, dst)) return std::nullopt;
  return action;
}

// R89: "Accept rules match nothing, Deny/Pass rules become Deny all."
std::optional<ClusterTiers::Action> ClusterTiers::FailClosed(Action said) const {
  if (said == Action::kAccept) return std::nullopt;
  if (said == Action::kPass && Is(Mutation::kUnknownPassPasses)) return Action::kPass;
  return Action::kDeny;
}

bool ClusterTiers::RuleMatches(const Rule& rule, Direction direction, const Question& question,
                               const Side& src, const Side& dst) const {
  const Side& other = direction == Direction::kIngress ? src : dst;
  return PeersMatch(rule, other) && PortsMatch(*rule.object, direction, question, src, dst);
}

// R93: "from/to MinItems 1": any of them.
bool ClusterTiers::PeersMatch(const Rule& rule, const Side& other) const {
  return std::any_of(rule.peers.begin(), rule.peers.end(),
                     [&](const Peer& peer) { return PeerMatches(peer, other); });
}

bool ClusterTiers::PeerMatches(const Peer& peer, const Side& other) const {
  // R85, R52: pods of the pod network only. R86: "external/node sources can never match".
  if (other.pod != nullptr && peer.pods[other.pod_index]) return true;
  if (Is(Mutation::kNamespacesMatchOutside) && SelectsEveryNamespace(peer.object->pods))
    return true;
  // R86: nodes; an address that a pod holds is the pod's.
  if (other.kind == AddressKind::kNode && peer.nodes.contains(other.address)) return true;
  // R86: "networks (match pod IPs too and ICMP)". R32: families are separate.
  const bool by_networks = other.pod == nullptr || !Is(Mutation::kNetworksIgnorePods);
  for (const Cidr& network : peer.networks) {
    if (by_networks && Covers(network, other.address)) return true;
  }
  // R87: domainNames, by the addresses that the names stand for.
  return peer.names.contains(other.address);
}

bool ClusterTiers::PortsMatch(const ClusterRule& rule, Direction direction,
                              const Question& question, const Side& src, const Side& dst) const {
  const bool has_ports = !ProtocolName(question.protocol).empty();
  // R88, R92: "protocols absent = everything incl. ICMP." An empty list of v1alpha1 is as absent.
  if (!rule.ports || rule.ports->empty()) {
    return has_ports || !Is(Mutation::kAbsentPortsExcludeIcmp);
  }
  // R92: "rules without protocols match ICMP", the others do not.
  if (!has_ports) return false;
  const bool on_source = direction == Direction::kEgress && Is(Mutation::kTierNamedPortOnSource);
  // R88: one of the items is enough.
  return std::any_of(rule.ports->begin(), rule.ports->end(), [&](const ClusterPort& port) {
    return PortMatches(port, question, on_source ? src : dst);
  });
}

// R88, by the form of the item. R25: port 0 is in no range and has no name, but is of its protocol.
bool ClusterTiers::PortMatches(const ClusterPort& port, const Question& question,
                               const Side& named_on) const {
  const bool same_protocol = port.protocol == ProtocolName(question.protocol);
  const int64_t number = question.dst_port;
  switch (port.form) {
    case ClusterPort::Form::kAll:
      return same_protocol;
    case ClusterPort::Form::kNumber:
      return same_protocol && number == port.first;
    case ClusterPort::Form::kRange:
      return same_protocol && port.first <= number && number <= port.last &&
             !(number == port.last && Is(Mutation::kRangeEndExclusive));
    case ClusterPort::Form::kNamed:
      return NamedPortMatches(port.name, question, named_on);
    case ClusterPort::Form::kNothing:  // R89
    case ClusterPort::Form::kSeveral:  // refused by validation
      return false;
  }
  return false;
}

bool ClusterTiers::NamedPortMatches(const std::string& name, const Question& question,
                                    const Side& named_on) const {
  // R27: "A destination that is not a pod has no names => does not match."
  if (named_on.pod == nullptr || question.dst_port == 0) return false;
  // R88: "any protocol of that name": the container port's own.
  const std::string protocol = ProtocolName(question.protocol);
  if (protocol != "TCP" && Is(Mutation::kNamedPortIsTcp)) return false;
  const std::vector<ContainerPort>& ports = named_on.pod->ports;
  return std::any_of(ports.begin(), ports.end(), [&](const ContainerPort& port) {
    return port.name == name && port.protocol == protocol && port.port == question.dst_port;
  });
}

}  // namespace npf::reference
