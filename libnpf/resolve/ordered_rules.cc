#include "resolve/ordered_rules.h"

#include <algorithm>
#include <utility>

namespace npf::resolve {

OrderedRules::OrderedRules(PortSpace& ports, ResolvedPolicy& policy)
    : ports_(ports), policy_(policy), members_({}, {}, 0) {
  InternOutcome(Outcome());
  MakeGroups();
}

void OrderedRules::MakeGroups() {
  std::vector<bool> named(policy_.atoms.size(), false);
  bool by_ports = false;
  for (const Policy& policy : policy_.policies) {
    if (policy.tier == Tier::kNetworkPolicy) continue;
    for (const Rule& rule : policy.rules) {
      for (const RulePeer& peer : rule.peers) named[peer.atom] = true;
      by_ports |= rule.direction == kEgress && ports_.HasNames(rule.port_list);
    }
  }
  NumberGroups(named, by_ports);
  policy_.peer_group_count = group_count();
  members_ = AtomClasses(policy_.atoms, groups_, pod_group_count_);
}

void OrderedRules::NumberGroups(const std::vector<bool>& named, bool by_ports) {
  // A pod and another address are never of one group.
  absl::flat_hash_map<std::pair<bool, std::vector<uint32_t>>, uint32_t> ids;
  for (uint32_t c = 0; c < policy_.classes.size(); ++c) {
    const bool is_pod = c < policy_.pod_class_count;
    AddressClass group;
    if (by_ports) group.port_signature = policy_.classes[c].port_signature;
    for (const uint32_t atom : policy_.classes[c].atoms) {
      if (named[atom]) group.atoms.push_back(atom);
    }
    std::vector<uint32_t> key = group.atoms;
    key.push_back(group.port_signature);
    const auto [found, inserted] =
        ids.try_emplace({is_pod, std::move(key)}, static_cast<uint32_t>(groups_.size()));
    policy_.peer_group.push_back(found->second);
    if (!inserted) continue;
    groups_.push_back(std::move(group));
    if (is_pod) ++pod_group_count_;
  }
}

OrderedRules::Map OrderedRules::Expand(const PeerMap<uint32_t>& touched) const {
  Map map(groups_.size(), touched.other);
  std::fill_n(map.begin(), pod_group_count_, touched.pod);
  for (const auto& [group, number] : touched.entries) map[group] = number;
  return map;
}

uint32_t OrderedRules::Intern(size_t direction, const std::vector<uint32_t>& policies,
                              uint32_t signature) {
  if (policies.empty()) return kNone;
  std::vector<uint32_t> key = policies;
  key.push_back(signature);
  key.push_back(static_cast<uint32_t>(direction));
  const auto [found, inserted] =
      ids_.try_emplace(std::move(key), static_cast<uint32_t>(maps_.size()));
  if (!inserted) return found->second;
  states_.Begin(groups_.size(), pod_group_count_, kSilent);
  for (const uint32_t p : policies) {
    for (const Rule& rule : policy_.policies[p].rules) {
      if (rule.direction == direction) Apply(rule, signature);
    }
  }
  maps_.push_back(Expand(states_.Take()));
  return found->second;
}

uint32_t OrderedRules::InternOutcome(const Outcome& outcome) {
  const auto [found, inserted] =
      outcome_ids_.try_emplace(outcome, static_cast<uint32_t>(outcomes_.size()));
  if (inserted) outcomes_.push_back(outcome);
  return found->second;
}

void OrderedRules::BeginRule() { after_.assign(outcomes_.size(), kNone); }

uint32_t OrderedRules::After(uint32_t outcome, Action action, uint32_t ports) {
  if (outcome >= after_.size()) return outcome;  // made by this rule: it has nothing left for it
  if (after_[outcome] == kNone) after_[outcome] = WorkOutAfter(outcome, action, ports);
  return after_[outcome];
}

uint32_t OrderedRules::WorkOutAfter(uint32_t number, Action action, uint32_t ports) {
  BitsetTable& bitsets = ports_.bitsets();
  Outcome outcome = outcomes_[number];
  const uint32_t matched = bitsets.Intersection(outcome.left, ports);
  if (matched == BitsetTable::kNothing) return number;
  outcome.left = bitsets.Difference(outcome.left, matched);
  if (action != Action::kPass) outcome.decided = bitsets.Union(outcome.decided, matched);
  if (action == Action::kAllow) outcome.allowed = bitsets.Union(outcome.allowed, matched);
  return InternOutcome(outcome);
}

bool OrderedRules::CoversPods(const Rule& rule) const {
  return rule.peers.empty() ||
         std::any_of(rule.peers.begin(), rule.peers.end(),
                     [&](const RulePeer& peer) { return members_.IsEveryPod(peer.atom); });
}

// Named ports are the destination's (R26, R27): the subject's own for ingress, each peer's for
// egress.
void OrderedRules::Apply(const Rule& rule, uint32_t signature) {
  const bool ingress = rule.direction == kIngress;
  const uint32_t plain = ports_.Resolve(rule.port_list, ingress ? signature : 0);
  const bool by_peer = !ingress && ports_.HasNames(rule.port_list);
  BeginRule();
  const auto apply_plain = [&](uint32_t& outcome) { outcome = After(outcome, rule.action, plain); };
  const auto apply_to_group = [&](uint32_t g) {
    uint32_t& outcome = states_.At(g);
    if (!by_peer) return apply_plain(outcome);
    const uint32_t ports = ports_.Resolve(rule.port_list, groups_[g].port_signature);
    outcome = WorkOutAfter(outcome, rule.action, ports);
  };
  const bool every_pod = CoversPods(rule);
  if (every_pod && by_peer) {
    for (uint32_t g = 0; g < pod_group_count_; ++g) apply_to_group(g);
  } else if (every_pod) {
    states_.ForPods(apply_plain);
  }
  if (rule.peers.empty()) states_.ForOthers(apply_plain);
  // A group that two peers name finds nothing left the second time.
  for (const RulePeer& peer : rule.peers) {
    if (members_.IsEveryPod(peer.atom)) continue;
    for (const uint32_t g : members_.Of(peer.atom)) {
      if (!every_pod || g >= pod_group_count_) apply_to_group(g);
    }
  }
}

}  // namespace npf::resolve
