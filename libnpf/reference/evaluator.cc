#include "reference/evaluator.h"

#include <algorithm>

#include "reference/switched_on.h"

namespace npf::reference {
namespace {

constexpr char kNamespaceNameLabel[] = "kubernetes.io/metadata.name";

bool Wants(DirectionMask mask, DirectionMask direction) {
  return (static_cast<int>(mask) & static_cast<int>(direction)) != 0;
}

bool Covered(const std::vector<Cidr>& blocks, const IpAddress& address) {
  return std::any_of(blocks.begin(), blocks.end(),
                     [&](const Cidr& block) { return Covers(block, address); });
}

bool IsClusterWide(Tier tier) { return tier == Tier::kAdmin || tier == Tier::kBaseline; }

// Whether a cluster-wide tier decided the whole: it denied a direction, or both are allowed and it
// allowed one of them.
bool TierDecided(const Answer& answer) {
  for (const DirectionAnswer* direction : {&answer.ingress, &answer.egress}) {
    if (direction->allowed == answer.allowed && IsClusterWide(direction->tier)) return true;
  }
  return false;
}

// A packet that is allowed or refused as a whole; a direction that was not asked for stays allowed.
Answer Whole(bool allowed, Reason reason, DirectionMask directions) {
  Answer answer;
  answer.allowed = allowed;
  answer.reason = reason;
  answer.ingress.allowed = allowed || !Wants(directions, DirectionMask::kIngress);
  answer.egress.allowed = allowed || !Wants(directions, DirectionMask::kEgress);
  return answer;
}

}  // namespace

Evaluator::Evaluator(const Snapshot& snapshot, EvaluatorOptions options)
    : snapshot_(snapshot), options_(options) {
  GatherNamespaces();
  GatherPods();
  GatherOtherAddresses();
  GatherPolicies();
  tiers_.emplace(snapshot_, labels_, options_.mutation);
}

bool Evaluator::Is(Mutation mutation) const { return SwitchedOn(mutation, options_.mutation); }

void Evaluator::GatherNamespaces() {
  for (const Namespace& object : snapshot_.namespaces()) {
    LabelMap labels = ToMap(object.labels);
    // R12: "Every namespace carries label kubernetes.io/metadata.name=<name>. If input Namespace
    // objects lack it, inject it (overwrite a differing value)."
    labels[kNamespaceNameLabel] = object.name;
    if (Is(Mutation::kNoMetadataNameLabel)) labels.erase(kNamespaceNameLabel);
    labels_.of_namespace[object.name] = labels;
  }
}

bool Evaluator::HasPodNetworkAddress(const Pod& pod) const {
  // A workload template stands for pods that have no address yet, but where one was assumed.
  if (!pod.owner_kind.empty() && !pod.address_assumed) return false;
  // R50: "Pods in phase Succeeded/Failed are ignored entirely (IP may be reused)".
  const bool completed = pod.phase == PodPhase::kSucceeded || pod.phase == PodPhase::kFailed;
  if (completed && !Is(Mutation::kCompletedPodsMatch)) return false;
  // R52: "hostNetwork pods are not selected as subject nor as peer. Their IPs must never enter the
  // pod map."
  return !pod.host_network || Is(Mutation::kHostNetworkPodsMatch);
}

// R51: "Two live pods with one IP: prefer non-terminating, then newest creationTimestamp, then
// name".
bool Evaluator::WinsAddressOver(const Pod& pod, const Pod& other) const {
  if (pod.terminating != other.terminating) {
    return Is(Mutation::kTerminatingDuplicateWins) ? pod.terminating : other.terminating;
  }
  if (pod.creation_timestamp != other.creation_timestamp) {
    return (pod.creation_timestamp > other.creation_timestamp) != Is(Mutation::kOlderDuplicateWins);
  }
  return std::pair(pod.ns, pod.name) < std::pair(other.ns, other.name);
}

void Evaluator::GatherPods() {
  const std::vector<Pod>& pods = snapshot_.pods();
  for (size_t i = 0; i < pods.size(); ++i) {
    labels_.of_pod.push_back(ToMap(pods[i].labels));
    if (!HasPodNetworkAddress(pods[i])) continue;
    // R49: "all status.podIPs map to the pod". R53: without an address, nothing to map.
    for (const std::string& text : pods[i].ips) {
      const std::optional<IpAddress> address = ReadAddress(text);
      if (!address) continue;
      const auto [entry, is_new] = pod_at_.emplace(*address, i);
      if (!is_new && WinsAddressOver(pods[i], pods[entry->second])) entry->second = i;
    }
  }
}

// An address that two nodes claim is the first one's, Node objects before hostNetwork pods: no node
// is exempt (R37) on another's word.
void Evaluator::GatherOtherAddresses() {
  for (const Node& node : snapshot_.nodes()) {
    // R55: "all InternalIP/ExternalIP in status.addresses".
    for (const std::string& text : node.addresses) {
      if (const auto address = ReadAddress(text)) node_at_.emplace(*address, node.name);
    }
    for (const std::string& text : node.pod_cidrs) {
      if (const auto block = ReadCidr(text)) pod_blocks_.push_back(*block);
    }
  }
  for (const Pod& pod : snapshot_.pods()) {
    // R52: hostNetwork pods: "their traffic is node-IP traffic"; R50 leaves out the completed ones.
    if (!pod.host_network || !pod.owner_kind.empty()) continue;
    if (pod.phase == PodPhase::kSucceeded || pod.phase == PodPhase::kFailed) continue;
    for (const std::string& text : pod.ips) {
      if (const auto address = ReadAddress(text)) node_at_.emplace(*address, pod.node_name);
    }
  }
  for (const Service& service : snapshot_.services()) {
    for (const std::string& text : service.cluster_ips) {
      if (const auto address = ReadAddress(text)) service_addresses_.insert(*address);
    }
  }
  for (const IpPrefix& block : snapshot_.service_cidrs()) {
    service_blocks_.push_back({block.address, block.length});
  }
  for (const IpPrefix& block : snapshot_.pod_cidrs()) {
    pod_blocks_.push_back({block.address, block.length});
  }
}

bool Evaluator::Isolates(const NetworkPolicy& policy, Direction direction) const {
  const std::vector<std::string>& types = policy.policy_types;
  if (Is(Mutation::kIsolatesBothDirections)) return true;
  // R7: "policyTypes defaulting when the list is absent/null/empty: always Ingress, plus Egress iff
  // len(egress) > 0."
  if (types.empty() || Is(Mutation::kPolicyTypesIgnored)) {
    if (direction == Direction::kIngress) return true;
    if (Is(Mutation::kPolicyTypesNeverAddEgress)) return false;
    if (Is(Mutation::kPolicyTypesAlwaysBoth)) return true;
    return !policy.egress.empty();
  }
  // R8: "Rules for a direction not in policyTypes are ignored. Duplicated entries are harmless."
  const char* wanted = direction == Direction::kIngress ? "Ingress" : "Egress";
  return std::find(types.begin(), types.end(), wanted) != types.end();
}

void Evaluator::GatherPolicies() {
  isolation_.resize(snapshot_.pods().size());
  for (const NetworkPolicy& object : snapshot_.policies()) {
    const size_t index = policies_.size();
    policies_.push_back(
        {&object, ReadRules(object, object.ingress), ReadRules(object, object.egress)});
    for (size_t i = 0; i < isolation_.size(); ++i) {
      // R9: "Policies never select pods of another namespace"; an absent podSelector was loaded as
      // an empty one: "{}, null or absent = all pods of the policy's namespace".
      if (snapshot_.pods()[i].ns != object.ns) continue;
      if (!SelectorMatches(object.pod_selector, labels_.of_pod[i], options_.mutation)) continue;
      // R1: "Isolation is per pod and per direction."
      if (Isolates(object, Direction::kIngress)) isolation_[i].ingress.push_back(index);
      if (Isolates(object, Direction::kEgress)) isolation_[i].egress.push_back(index);
    }
  }
}

std::vector<Evaluator::Rule> Evaluator::ReadRules(const NetworkPolicy& policy,
                                                  const std::vector<PolicyRule>& rules) {
  std::vector<Rule> result;
  for (const PolicyRule& rule : rules) {
    result.push_back({&rule, {}});
    for (const PolicyPeer& object : rule.peers) {
      Peer peer{&object, {}, std::nullopt, {}};
      for (const Pod& pod : snapshot_.pods()) {
        peer.pods.push_back(SelectorsSelect(policy, object, pod));
      }
      if (object.ip_block) {
        peer.cidr = ReadCidr(object.ip_block->cidr);
        for (const std::string& text : object.ip_block->except) {
          if (const auto block = ReadCidr(text)) peer.except.push_back(*block);
        }
      }
      result.back().peers.push_back(std::move(peer));
    }
  }
  return result;
}

bool Evaluator::SelectorsSelect(const NetworkPolicy& policy, const PolicyPeer& peer,
                                const Pod& pod) const {
  const size_t pod_index = static_cast<size_t>(&pod - snapshot_.pods().data());
  const bool own_namespace = pod.ns == policy.ns;
  const bool pod_matches =
      SelectorMatches(peer.pod_selector, labels_.of_pod[pod_index], options_.mutation);
  const bool namespace_matches =
      SelectorMatches(peer.namespace_selector, labels_.of_namespace.at(pod.ns), options_.mutation);
  if (Is(Mutation::kEmptyNamespaceSelectorExcludesOwn) &&
      peer.namespace_selector == LabelSelector{} && own_namespace) {
    return false;
  }
  // R16: "Both in one item: AND."
  if (peer.pod_selector && peer.namespace_selector) {
    if (Is(Mutation::kSelectorsOred)) return pod_matches || namespace_matches;
    return pod_matches && namespace_matches;
  }
  // R14: "podSelector only: pods of the policy's own namespace."
  if (peer.pod_selector) {
    return pod_matches && (own_namespace || Is(Mutation::kPodSelectorAllNamespaces));
  }
  // R15: "namespaceSelector only: all pods of matching namespaces; {} = all namespaces incl. own".
  if (peer.namespace_selector) return namespace_matches;
  return false;
}

AddressKind Evaluator::KindOf(const IpAddress& address) const {
  if (pod_at_.contains(address)) return AddressKind::kPod;
  if (node_at_.contains(address)) return AddressKind::kNode;
  if (service_addresses_.contains(address) || Covered(service_blocks_, address)) {
    return AddressKind::kServiceAddress;
  }
  if (Covered(pod_blocks_, address)) return AddressKind::kUnknownPod;
  return AddressKind::kExternal;
}

Side Evaluator::SideAt(const IpAddress& address) const {
  Side side{address, KindOf(address)};
  if (side.kind == AddressKind::kPod) {
    side.pod_index = pod_at_.at(address);
    side.pod = &snapshot_.pods()[side.pod_index];
  }
  return side;
}

Answer Evaluator::Evaluate(const Question& question, DirectionMask directions) const {
  if (question.src.family != question.dst.family) {
    return Whole(false, Reason::kMalformed, directions);
  }
  const Side src = SideAt(question.src);
  const Side dst = SideAt(question.dst);
  // R36: "Pod -> its own pod IP is never subject to policy (any tier), even under deny-all". A pod
  // has one address of each family, so its own IP is the equal one.
  if (src.pod != nullptr && src.address == dst.address && !Is(Mutation::kLoopbackJudged)) {
    return Whole(true, Reason::kLoopback, directions);
  }
  if (options_.deny_unknown_pod &&
      (src.kind == AddressKind::kUnknownPod || dst.kind == AddressKind::kUnknownPod)) {
    return Whole(false, Reason::kUnknownPod, directions);
  }
  Answer answer;
  // R4: "Pod->pod is allowed iff egress at source AND ingress at destination allow. A side that is
  // not a pod imposes no check of its own." R54: neither end a pod: nothing is checked.
  if (Wants(directions, DirectionMask::kEgress) && src.pod != nullptr &&
      !Is(Mutation::kEgressUnchecked)) {
    answer.egress = Judge(Direction::kEgress, question, src, dst);
  }
  if (Wants(directions, DirectionMask::kIngress) && dst.pod != nullptr &&
      !Is(Mutation::kIngressUnchecked)) {
    answer.ingress = Judge(Direction::kIngress, question, src, dst);
    // R80: "Accept on egress does not skip destination ingress".
    const bool accepted = answer.egress.allowed && answer.egress.tier == Tier::kAdmin;
    if (accepted && Is(Mutation::kAcceptOnEgressSkipsIngress)) answer.ingress.allowed = true;
  }
  // R37: "Ingress from the pod's own node is always allowed, any port/protocol, any IP of that
  // node. Overrides isolation, not CNP/ANP Deny".
  const bool liftable =
      answer.ingress.tier == Tier::kNetworkPolicy || Is(Mutation::kOwnNodeLiftsTierDeny);
  const bool exempt = !answer.ingress.allowed && liftable && FromOwnNode(src, dst);
  if (exempt) answer.ingress.allowed = true;
  answer.allowed = answer.ingress.allowed && answer.egress.allowed;
  answer.reason = ReasonFor(answer, src, dst, exempt);
  return answer;
}

Reason Evaluator::ReasonFor(const Answer& answer, const Side& src, const Side& dst,
                            bool exempt) const {
  const auto either_is = [&](AddressKind kind) { return src.kind == kind || dst.kind == kind; };
  const bool isolated = !answer.ingress.isolating.empty() || !answer.egress.isolating.empty();
  if (exempt && answer.allowed) return Reason::kLocalNode;
  if (either_is(AddressKind::kServiceAddress)) return Reason::kServiceAddress;
  if (TierDecided(answer)) return Reason::kTier;
  if (isolated) return Reason::kPolicy;
  if (either_is(AddressKind::kUnknownPod)) return Reason::kUnknownPod;
  return either_is(AddressKind::kPod) ? Reason::kNoPolicy : Reason::kNotAPod;
}

// R37, as far as such a packet can come by: on a node's wire or in the fabric, a packet that claims
// to come from the pod's own node does not.
bool Evaluator::FromOwnNode(const Side& src, const Side& dst) const {
  if (src.kind != AddressKind::kNode || dst.pod == nullptr) return false;
  if (options_.placement != Placement::kOffline && options_.placement != Placement::kPodPort) {
    return false;
  }
  if (Is(Mutation::kNoLocalNodeExemption)) return false;
  if (Is(Mutation::kEveryNodeExempt)) return true;
  return !dst.pod->node_name.empty() && node_at_.at(src.address) == dst.pod->node_name;
}

// R80: "Order per direction: Admin tier -> NetworkPolicy tier -> Baseline tier -> default allow.
// First final decision wins."
DirectionAnswer Evaluator::Judge(Direction direction, const Question& question, const Side& src,
                                 const Side& dst) const {
  DirectionAnswer answer = JudgeByNetworkPolicies(direction, question, src, dst);
  if (DecidedBy(Tier::kAdmin, direction, question, src, dst, answer)) return answer;
  if (Is(Mutation::kBaselineBeforeNetworkPolicy) &&
      DecidedBy(Tier::kBaseline, direction, question, src, dst, answer)) {
    return answer;
  }
  // R84: "if the pod is isolated in that direction the NP verdict is final (allow or deny), else
  // fall to Baseline. Per direction (R1)."
  const bool skipped = !answer.passed.empty() && Is(Mutation::kPassSkipsNetworkPolicy);
  if (skipped) answer.allowed = true;
  if (!answer.isolating.empty() && !skipped) {
    answer.tier = Tier::kNetworkPolicy;
    if (answer.allowed && Is(Mutation::kBaselineAlthoughIsolated)) {
      DecidedBy(Tier::kBaseline, direction, question, src, dst, answer);
    }
    return answer;
  }
  const Isolation& isolation = isolation_[(direction == Direction::kIngress ? dst : src).pod_index];
  const bool isolated_somehow = !isolation.ingress.empty() || !isolation.egress.empty();
  if (isolated_somehow && Is(Mutation::kNetworkPolicyFinalForBoth)) return answer;
  DecidedBy(Tier::kBaseline, direction, question, src, dst, answer);
  return answer;
}

// Asks one of the cluster-wide tiers; gives whether it decided.
bool Evaluator::DecidedBy(Tier tier, Direction direction, const Question& question, const Side& src,
                          const Side& dst, DirectionAnswer& answer) const {
  using Action = ClusterTiers::Action;
  const auto decision = tiers_->Decide(tier, direction, question, src, dst);
  if (!decision) return false;
  Action action = decision->action;
  if (action == Action::kPass && Is(Mutation::kPassAllows)) action = Action::kAccept;
  if (action == Action::kPass && tier == Tier::kBaseline && Is(Mutation::kBaselinePassDenies)) {
    action = Action::kDeny;
  }
  // R82: "Accept/Allow = final allow; Deny = final drop; Pass = skip the rest of this tier, go to
  // next tier (from Admin -> NP; from Baseline -> default allow)".
  if (action == Action::kPass) {
    answer.passed.push_back(decision->rule);
    return false;
  }
  answer.tier = tier;
  answer.allowed = action == Action::kAccept;
  answer.decided_by = decision->rule;
  return true;
}

// The NetworkPolicy tier, as if it stood alone.
DirectionAnswer Evaluator::JudgeByNetworkPolicies(Direction direction, const Question& question,
                                                  const Side& src, const Side& dst) const {
  const bool ingress = direction == Direction::kIngress;
  const Isolation& isolation = isolation_[ingress ? dst.pod_index : src.pod_index];
  DirectionAnswer answer;
  answer.isolating = ingress ? isolation.ingress : isolation.egress;
  // R2: "A non-isolated pod/direction allows everything".
  if (answer.isolating.empty()) return answer;
  // R3: "isolated traffic is allowed iff >=1 rule of >=1 applicable policy allows it." R5: no rules
  // allow nothing.
  bool allowed = false;
  for (const size_t policy : answer.isolating) {
    const std::vector<Rule>& rules = ingress ? policies_[policy].ingress : policies_[policy].egress;
    if (rules.empty() && Is(Mutation::kEmptyRulesAllow)) allowed = true;
    for (size_t rule = 0; rule < rules.size(); ++rule) {
      if (!RuleMatches(rules[rule], direction, question, src, dst)) continue;
      answer.allowing.push_back({policy, rule});
      allowed = true;
    }
  }
  answer.allowed = allowed;
  return answer;
}

// R20: "Rule matches iff peer part AND port part match". R6: a rule {} allows everything.
bool Evaluator::RuleMatches(const Rule& rule, Direction direction, const Question& question,
                            const Side& src, const Side& dst) const {
  const Side& other = direction == Direction::kIngress ? src : dst;
  return PeersMatch(rule, other) && PortsMatch(rule, direction, question, src, dst);
}

bool Evaluator::PeersMatch(const Rule& rule, const Side& other) const {
  // R18: "from/to absent, null or []: any peer, pods and non-pods."
  if (rule.peers.empty()) return !Is(Mutation::kEmptyPeersNobody);
  // R17: "Several items: OR."
  for (const Peer& peer : rule.peers) {
    // R19: "podSelector/namespaceSelector match only pod-network pods known to the system."
    if (other.pod != nullptr && peer.pods[other.pod_index]) return true;
    if (BlockMatches(peer, other)) return true;
    if (Is(Mutation::kExceptCutsWholeRule) && Covered(peer.except, other.address)) return false;
  }
  return false;
}

bool Evaluator::BlockMatches(const Peer& peer, const Side& other) const {
  if (!peer.cidr) return false;
  // R31: "ipBlock matches pod IPs too."
  if (other.pod != nullptr && Is(Mutation::kIpBlockIgnoresPods)) return false;
  if (peer.cidr->length == 0 && Is(Mutation::kFamiliesMixed)) return true;
  // R30: "Match iff IP in cidr and in none of except." R32: "Families are separate".
  if (!Covers(*peer.cidr, other.address)) return false;
  return Is(Mutation::kExceptIgnored) || !Covered(peer.except, other.address);
}

bool Evaluator::PortsMatch(const Rule& rule, Direction direction, const Question& question,
                           const Side& src, const Side& dst) const {
  const std::vector<PolicyPort>& ports = rule.object->ports;
  // R20: "ports absent/null/[] = all ports and all protocols (incl. SCTP, ICMP, others)."
  if (ports.empty()) return !Is(Mutation::kEmptyPortsNothing);
  // R41: ICMP and the like: "a protocol with no ports: matches only rules with no ports list".
  if (ProtocolName(question.protocol).empty()) return Is(Mutation::kOtherProtocolsMatchPorts);
  // R26, R27: a name is "resolved on the destination pod", in both directions.
  const bool on_source = direction == Direction::kEgress && Is(Mutation::kNamedPortOnSource);
  // R20: "ports items ORed".
  return std::any_of(ports.begin(), ports.end(), [&](const PolicyPort& port) {
    return PortMatches(port, question, on_source ? src : dst);
  });
}

bool Evaluator::PortMatches(const PolicyPort& port, const Question& question,
                            const Side& named_on) const {
  // R22: "protocol absent => TCP." R23: "TCP, UDP, SCTP are distinct".
  const bool any_protocol =
      (!port.protocol && Is(Mutation::kProtocolDefaultAny)) || Is(Mutation::kProtocolIgnored);
  if (port.protocol.value_or("TCP") != ProtocolName(question.protocol) && !any_protocol) {
    return false;
  }
  // R21: "Port field absent = every port of that protocol. The port is always the destination
  // port". R25: so port 0 matches too.
  if (!port.port) return true;
  if (const auto* name = std::get_if<std::string>(&*port.port)) {
    return NamedPortMatches(*name, question, named_on);
  }
  // R24: "endPort: inclusive range [port, endPort]". R25: port 0 is in no range, they begin at 1.
  const int64_t first = std::get<int64_t>(*port.port);
  int64_t last = port.end_port.value_or(first);
  if (Is(Mutation::kEndPortIgnored)) last = first;
  if (port.end_port && Is(Mutation::kEndPortExclusive)) last -= 1;
  return first <= question.dst_port && question.dst_port <= last;
}

bool Evaluator::NamedPortMatches(const std::string& name, const Question& question,
                                 const Side& named_on) const {
  if (Is(Mutation::kNamedPortNeverMatches)) return false;
  if (Is(Mutation::kPortZeroMatchesNamed) && question.dst_port == 0) return true;
  // R27: "A destination that is not a pod has no names => does not match." R25: no name is port 0.
  if (named_on.pod == nullptr || question.dst_port == 0) return false;
  for (const ContainerPort& port : named_on.pod->ports) {
    // R26: "same name AND same protocol AND packet port == containerPort." R28: "If a name occurs
    // several times in a pod, any of them matches."
    if (port.name != name) continue;
    if (port.protocol != ProtocolName(question.protocol) &&
        !Is(Mutation::kNamedPortIgnoresProtocol)) {
      continue;
    }
    if (port.port == question.dst_port || Is(Mutation::kNamedPortAnyNumber)) return true;
    if (Is(Mutation::kFirstOfEqualNamesOnly)) return false;
  }
  return false;
}

}  // namespace npf::reference
