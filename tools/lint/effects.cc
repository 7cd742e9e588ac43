#include "lint/effects.h"

#include <algorithm>
#include <bit>
#include <set>
#include <tuple>

#include "resolve/port_space.h"
#include "resolve/resolve.h"

namespace npf::lint {
namespace {

using resolve::BitsetTable;
using resolve::kEgress;
using resolve::kIngress;
using resolve::PortClasses;

constexpr size_t kSharesMax = 20'000'000;

size_t IndexOf(Direction direction) {
  return direction == Direction::kIngress ? kIngress : kEgress;
}

}  // namespace

std::unique_ptr<Effects> Effects::Make(const Snapshot& snapshot, std::string& why_not) {
  std::unique_ptr<Effects> effects(new Effects(snapshot));
  std::vector<resolve::Cost> costs;
  absl::StatusOr<resolve::ResolvedPolicy> resolved = resolve::Resolve(snapshot, {}, costs);
  if (!resolved.ok()) {
    why_not = std::string(resolved.status().message());
    return nullptr;
  }
  effects->resolved_ = *std::move(resolved);
  effects->bits_ = effects->resolved_.bitsets;
  effects->NumberRules();
  if (!effects->MakeScopes()) {
    why_not = "the policies tell more than " + std::to_string(kSharesMax) +
              " triples of subject, peer and rule apart";
    return nullptr;
  }
  effects->NoteSites();
  for (const resolve::Endpoint& endpoint : effects->resolved_.endpoints) {
    if (endpoint.pod != nullptr) {
      effects->class_of_pod_.try_emplace(endpoint.pod, endpoint.address_class);
    }
  }
  return effects;
}

void Effects::NumberRules() {
  for (const resolve::Policy& policy : resolved_.policies) {
    if (policy.tier == resolve::Tier::kAdmin) ++admin_count_;
  }
  atom_classes_.emplace(resolved_.atoms, resolved_.classes, resolved_.pod_class_count);
  policies_of_.resize(resolved_.pod_class_count);
  rule_numbers_.resize(resolved_.policies.size());
  for (uint32_t p = 0; p < resolved_.policies.size(); ++p) {
    const resolve::Policy& policy = resolved_.policies[p];
    for (const uint32_t c : ClassesOf(policy.subject_atom)) {
      if (IsPod(c)) policies_of_[c].push_back(p);
    }
    if (policy.tier != resolve::Tier::kNetworkPolicy) continue;
    for (const resolve::Rule& rule : policy.rules) {
      rule_numbers_[p].push_back(static_cast<uint32_t>(rules_.size()));
      rules_.push_back(
          {.policy = SnapshotIndex(p),
           .direction = rule.direction == kIngress ? Direction::kIngress : Direction::kEgress,
           .rule = rule.index});
    }
  }
}

bool Effects::MakeScopes() {
  // Policies that isolate, named ports, row.
  using Key = std::tuple<std::vector<uint32_t>, uint32_t, uint32_t>;
  size_t shares = 0;
  for (const Direction direction : {Direction::kIngress, Direction::kEgress}) {
    const size_t d = IndexOf(direction);
    std::map<Key, std::vector<uint32_t>> subjects;
    for (uint32_t c = 0; c < resolved_.pod_class_count; ++c) {
      std::vector<uint32_t> isolating;
      for (const uint32_t p : policies_of_[c]) {
        const resolve::Policy& policy = resolved_.policies[p];
        if (policy.tier == resolve::Tier::kNetworkPolicy && policy.governs[d]) {
          isolating.push_back(p);
        }
      }
      if (isolating.empty()) continue;
      const uint32_t signature = d == kIngress ? resolved_.classes[c].port_signature : 0;
      subjects[{std::move(isolating), signature, resolved_.row_of_class[d][c]}].push_back(c);
    }
    for (auto& [key, classes] : subjects) {
      Scope scope{.direction = direction, .subjects = std::move(classes), .peers = {}};
      shares += Fill(scope, std::get<0>(key));
      if (shares > kSharesMax) return false;
      scopes_.push_back(std::move(scope));
    }
  }
  return true;
}

size_t Effects::Fill(Scope& scope, const std::vector<uint32_t>& policies) {
  const size_t d = IndexOf(scope.direction);
  const uint32_t own_signature = resolved_.classes[scope.subjects.front()].port_signature;
  std::map<uint32_t, std::vector<Share>> by_class;
  size_t count = 0;
  const auto add = [&](const resolve::Rule& rule, uint32_t number, uint32_t peer, uint32_t c) {
    const uint32_t bits =
        PortsOf(rule, d == kIngress ? own_signature : resolved_.classes[c].port_signature);
    if (bits == BitsetTable::kNothing) return;
    by_class[c].push_back({.rule = number, .peer = peer, .bits = bits});
    ++count;
  };
  for (const uint32_t p : policies) {
    const resolve::Policy& policy = resolved_.policies[p];
    for (size_t r = 0; r < policy.rules.size(); ++r) {
      const resolve::Rule& rule = policy.rules[r];
      if (rule.direction != d) continue;
      const uint32_t number = rule_numbers_[p][r];
      if (rule.peers.empty()) {
        for (uint32_t c = 0; c < resolved_.classes.size(); ++c) add(rule, number, kNone, c);
      }
      for (const resolve::RulePeer& peer : rule.peers) {
        for (const uint32_t c : ClassesOf(peer.atom)) add(rule, number, peer.index, c);
      }
    }
    if (count > kSharesMax) return count;
  }
  scope.peers.assign(std::make_move_iterator(by_class.begin()),
                     std::make_move_iterator(by_class.end()));
  return count;
}

void Effects::NoteSites() {
  sites_.resize(rules_.size());
  for (uint32_t s = 0; s < scopes_.size(); ++s) {
    for (uint32_t i = 0; i < scopes_[s].peers.size(); ++i) {
      for (const Share& share : scopes_[s].peers[i].second) {
        std::vector<Site>& sites = sites_[share.rule];
        const bool known = !sites.empty() && sites.back().scope == s && sites.back().peer == i;
        if (!known) sites.push_back({.scope = s, .peer = i});
      }
    }
  }
}

std::optional<uint32_t> Effects::Find(const RuleKey& key) const {
  const auto found = std::lower_bound(rules_.begin(), rules_.end(), key);
  if (found == rules_.end() || *found != key) return std::nullopt;
  return static_cast<uint32_t>(found - rules_.begin());
}

// Admin policies, then NetworkPolicies, then Baseline; each in the order of the Snapshot.
size_t Effects::ResolvedIndex(bool cluster, size_t policy) const {
  if (!cluster) return admin_count_ + policy;
  return policy < admin_count_ ? policy : policy + snapshot_.policies().size();
}

const resolve::Decision& Effects::DecisionOf(Direction direction, uint32_t subject,
                                             uint32_t peer) const {
  const uint32_t number = resolved_.row_of_class[IndexOf(direction)][subject];
  if (number == kNone) return resolved_.decisions[0];
  const resolve::Row& row = resolved_.rows[number];
  const auto entry = std::lower_bound(
      row.entries.begin(), row.entries.end(), peer,
      [](const resolve::RowEntry& e, uint32_t wanted) { return e.peer_class < wanted; });
  if (entry != row.entries.end() && entry->peer_class == peer) {
    return resolved_.decisions[entry->decision];
  }
  return resolved_.decisions[resolved_.defaults[row.defaults][resolved_.peer_group[peer]]];
}

uint32_t Effects::PortsOf(const resolve::Rule& rule, uint32_t signature) const {
  if (rule.port_list == resolve::PortSpace::kAllPorts) return BitsetTable::kAll;
  const auto [known, inserted] = port_sets_.try_emplace({rule.port_list, signature}, 0);
  if (!inserted) return known->second;
  std::vector<uint32_t> words(bits_.word_count(), 0);
  const auto add = [&](uint8_t protocol, uint32_t first, uint32_t last) {
    for (const PortClasses::Segment& segment : resolved_.port_classes.segments) {
      if (resolve::kProtocolNumbers[segment.protocol_index] != protocol) continue;
      if (segment.first < first || segment.first > last) continue;
      words[segment.port_class / 32] |= uint32_t{1} << (segment.port_class % 32);
    }
  };
  for (const resolve::RulePort& port : rule.ports) {
    const uint8_t protocol = resolve::kProtocolNumbers[port.range.protocol_index];
    if (port.name.empty()) {
      add(protocol, port.range.first, port.range.last);
      continue;
    }
    for (const resolve::NamedPort& named : resolved_.port_signatures[signature]) {
      if (named.name == port.name && named.protocol == protocol) {
        add(protocol, named.port, named.port);
      }
    }
  }
  return known->second = bits_.Intern(std::move(words));
}

uint32_t Effects::PortClassOf(uint8_t protocol, uint16_t port) const {
  uint32_t found = 0;
  for (const PortClasses::Segment& segment : resolved_.port_classes.segments) {
    if (resolve::kProtocolNumbers[segment.protocol_index] == protocol && segment.first <= port) {
      found = segment.port_class;
    }
  }
  return found;
}

bool Effects::Has(uint32_t bitset, uint32_t port_class) const {
  return (bits_.Get(bitset)[port_class / 32] >> (port_class % 32) & 1) != 0;
}

std::pair<uint8_t, uint16_t> Effects::ExampleOf(uint32_t bitset) const {
  for (const PortClasses::Segment& segment : resolved_.port_classes.segments) {
    if (Has(bitset, segment.port_class)) {
      return {resolve::kProtocolNumbers[segment.protocol_index], segment.first};
    }
  }
  return {kProtocolIcmp, 0};
}

std::optional<std::pair<IpAddress, IpAddress>> Effects::PairOf(uint32_t a, uint32_t b) const {
  for (size_t family = 0; family < 2; ++family) {
    for (const IpAddress& one : resolved_.classes[a].representatives[family]) {
      for (const IpAddress& other : resolved_.classes[b].representatives[family]) {
        if (one != other) return std::pair(one, other);
      }
    }
  }
  return std::nullopt;
}

std::vector<uint32_t> Effects::ClassesIn(const IpPrefix& prefix) const {
  std::set<uint32_t> found;
  const resolve::Region* around = nullptr;  // the longest that holds the prefix
  for (const resolve::Region& region : resolved_.regions) {
    if (prefix.Contains(region.prefix)) found.insert(region.address_class);
    if (!region.prefix.Contains(prefix)) continue;
    if (around == nullptr || around->prefix.length < region.prefix.length) around = &region;
  }
  if (around != nullptr) found.insert(around->address_class);
  for (const resolve::Endpoint& endpoint : resolved_.endpoints) {
    if (prefix.Contains(endpoint.address)) found.insert(endpoint.address_class);
  }
  return {found.begin(), found.end()};
}

std::optional<uint32_t> Effects::ClassOf(const Pod& pod) const {
  const auto found = class_of_pod_.find(&pod);
  if (found == class_of_pod_.end()) return std::nullopt;
  return found->second;
}

std::vector<size_t> Effects::Isolating(Direction direction, uint32_t subject) const {
  std::vector<size_t> out;
  for (const uint32_t p : policies_of_[subject]) {
    const resolve::Policy& policy = resolved_.policies[p];
    if (policy.tier == resolve::Tier::kNetworkPolicy && policy.governs[IndexOf(direction)]) {
      out.push_back(SnapshotIndex(p));
    }
  }
  return out;
}

}  // namespace npf::lint
