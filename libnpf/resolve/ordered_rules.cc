#include "resolve/ordered_rules.h"

#include <algorithm>
#include <utility>

namespace npf::resolve {

uint32_t OrderedRules::Intern(size_t direction, const std::vector<uint32_t>& policies,
                              uint32_t signature) {
  if (policies.empty()) return kNone;
  std::vector<uint32_t> key = policies;
  key.push_back(signature);
  key.push_back(static_cast<uint32_t>(direction));
  const auto [found, inserted] =
      ids_.try_emplace(std::move(key), static_cast<uint32_t>(maps_.size()));
  if (!inserted) return found->second;
  states_.Begin(policy_.classes.size(), policy_.pod_class_count, Outcome());
  for (const uint32_t p : policies) {
    for (const Rule& rule : policy_.policies[p].rules) {
      if (rule.direction == direction) Apply(rule, signature);
    }
  }
  maps_.push_back(states_.Take());
  entry_count_ += maps_.back().entries.size();
  return found->second;
}

void OrderedRules::ApplyTo(Outcome& outcome, Action action, uint32_t ports) {
  BitsetTable& bitsets = ports_.bitsets();
  const uint32_t matched = bitsets.Intersection(outcome.left, ports);
  if (matched == BitsetTable::kNothing) return;
  outcome.left = bitsets.Difference(outcome.left, matched);
  if (action == Action::kPass) return;
  outcome.decided = bitsets.Union(outcome.decided, matched);
  if (action == Action::kAllow) outcome.allowed = bitsets.Union(outcome.allowed, matched);
}

bool OrderedRules::CoversPods(const Rule& rule) const {
  return rule.peers.empty() ||
         std::any_of(rule.peers.begin(), rule.peers.end(),
                     [&](const RulePeer& peer) { return classes_.IsEveryPod(peer.atom); });
}

// Named ports are the destination's (R26, R27): the subject's own for ingress, each peer's for
// egress.
void OrderedRules::Apply(const Rule& rule, uint32_t signature) {
  const bool ingress = rule.direction == kIngress;
  const uint32_t plain = ports_.Resolve(rule.port_list, ingress ? signature : 0);
  const bool by_peer = !ingress && ports_.HasNames(rule.port_list);
  const auto apply_to_class = [&](uint32_t c) {
    const uint32_t ports =
        by_peer ? ports_.Resolve(rule.port_list, policy_.classes[c].port_signature) : plain;
    ApplyTo(states_.At(c), rule.action, ports);
  };
  const auto apply_plain = [&](Outcome& outcome) { ApplyTo(outcome, rule.action, plain); };
  const bool every_pod = CoversPods(rule);
  if (every_pod && by_peer) {
    for (uint32_t c = 0; c < policy_.pod_class_count; ++c) apply_to_class(c);
  } else if (every_pod) {
    states_.ForPods(apply_plain);
  }
  if (rule.peers.empty()) states_.ForOthers(apply_plain);
  // A class that two peers name finds nothing left the second time.
  for (const RulePeer& peer : rule.peers) {
    if (classes_.IsEveryPod(peer.atom)) continue;
    for (const uint32_t c : classes_.Of(peer.atom)) {
      if (!every_pod || c >= policy_.pod_class_count) apply_to_class(c);
    }
  }
}

}  // namespace npf::resolve
