#include "resolve/row_builder.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace npf::resolve {
RowBuilder::RowBuilder(PortSpace& ports, const ResolveLimits& limits, ResolvedPolicy& out)
    : ports_(ports),
      limits_(limits),
      out_(out),
      classes_(out.atoms, out.classes, out.pod_class_count),
      additive_(ports, out, classes_),
      ordered_(ports, out) {
  InternDecision({BitsetTable::kAll, BitsetTable::kNothing, false});  // open (R2)
  group_sizes_.resize(out_.peer_group_count, 0);
  for (const uint32_t group : out_.peer_group) ++group_sizes_[group];
  policies_of_atom_.resize(out_.atoms.size());
  for (uint32_t p = 0; p < out_.policies.size(); ++p) {
    const Policy& policy = out_.policies[p];
    policies_of_atom_[policy.subject_atom].push_back(p);
    for (const Rule& rule : policy.rules) {
      tier_ingress_has_names_ |= policy.tier != Tier::kNetworkPolicy &&
                                 rule.direction == kIngress && ports_.HasNames(rule.port_list);
    }
  }
}

uint32_t RowBuilder::InternDecision(const Decision& decision) {
  const auto [found, inserted] =
      decision_ids_.try_emplace(decision, static_cast<uint32_t>(out_.decisions.size()));
  if (inserted) out_.decisions.push_back(decision);
  return found->second;
}

void RowBuilder::CountCosts() {
  for (const Policy& policy : out_.policies) {
    Cost cost{.policy = policy.name, .subject_classes = classes_.Of(policy.subject_atom).size()};
    for (const Rule& rule : policy.rules) {
      for (const RulePeer& peer : rule.peers) cost.row_entries += classes_.Of(peer.atom).size();
    }
    cost.row_entries *= std::max<size_t>(cost.subject_classes, 1);
    costs_.push_back(std::move(cost));
  }
}

absl::Status RowBuilder::Build() {
  CountCosts();
  for (auto& rows : out_.row_of_class) rows.assign(out_.pod_class_count, kNone);
  for (uint32_t c = 0; c < out_.pod_class_count; ++c) {
    std::array<Gathered, 2> gathered;
    Gather(out_.classes[c], gathered);
    for (const size_t d : {kIngress, kEgress}) {
      out_.row_of_class[d][c] = RowFor(d, out_.classes[c], std::move(gathered[d]));
    }
    if (entry_count_ + additive_.entry_count() + ordered_.entry_count() > limits_.entries_max) {
      return absl::ResourceExhaustedError("the policies tell too many pairs of peers apart");
    }
  }
  return absl::OkStatus();
}

std::vector<uint32_t> RowBuilder::PoliciesOf(const AddressClass& subject) const {
  std::vector<uint32_t> selecting;
  for (const uint32_t atom : subject.atoms) {
    selecting.insert(selecting.end(), policies_of_atom_[atom].begin(),
                     policies_of_atom_[atom].end());
  }
  std::sort(selecting.begin(), selecting.end());
  return selecting;
}

void RowBuilder::Gather(const AddressClass& subject, std::array<Gathered, 2>& out) {
  for (const uint32_t p : PoliciesOf(subject)) {
    const Policy& policy = out_.policies[p];
    if (policy.tier != Tier::kNetworkPolicy) {
      for (const size_t d : {kIngress, kEgress}) {
        auto& tier = policy.tier == Tier::kAdmin ? out[d].admin : out[d].baseline;
        if (policy.governs[d]) tier.push_back(p);
      }
      continue;
    }
    for (const size_t d : {kIngress, kEgress}) out[d].isolated |= policy.governs[d];
    for (const Rule& rule : policy.rules) {
      const uint32_t ports = rule.direction == kIngress
                                 ? ports_.Resolve(rule.port_list, subject.port_signature)  // R26
                                 : rule.port_list;
      auto& items = out[rule.direction].items;
      if (rule.peers.empty()) items.push_back({kNone, ports});
      for (const RulePeer& peer : rule.peers) items.push_back({peer.atom, ports});
    }
  }
}

uint32_t RowBuilder::RowFor(size_t direction, const AddressClass& subject, Gathered gathered) {
  const bool by_names = direction == kIngress && tier_ingress_has_names_;
  const uint32_t signature = by_names ? subject.port_signature : 0;
  Maps maps;
  maps.admin = ordered_.Intern(direction, gathered.admin, signature);
  maps.baseline = ordered_.Intern(direction, gathered.baseline, signature);
  if (gathered.isolated) maps.policies = additive_.Intern(direction, std::move(gathered.items));
  if (maps == Maps()) return kNone;
  const auto [found, inserted] =
      row_ids_[direction].try_emplace(maps, static_cast<uint32_t>(out_.rows.size()));
  if (inserted) {
    out_.rows.push_back(MakeRow(maps));
    entry_count_ += out_.rows.back().entries.size();
  }
  return found->second;
}

uint32_t RowBuilder::Decide(uint32_t admin, bool isolated, uint32_t allowed, uint32_t baseline) {
  // Where NetworkPolicies isolate, Baseline is not asked.
  const std::array<uint32_t, 3> question = {admin, isolated ? allowed : kNone,
                                            isolated ? kNone : baseline};
  const uint32_t hash =
      question[0] * 0x9e3779b1u ^ question[1] * 0x85ebca6bu ^ question[2] * 0xc2b2ae35u;
  Decided& known = decided_[hash >> 20];
  if (known.question != question) {
    known = {question, InternDecision(WorkOut(ordered_.outcome(admin), isolated, allowed,
                                              ordered_.outcome(baseline)))};
  }
  return known.decision;
}

// R80, R84: Admin decides first; what it leaves is the NetworkPolicies' where they isolate the
// subject in this direction, else Baseline's; what is left then is allowed.
Decision RowBuilder::WorkOut(const OrderedRules::Outcome& admin, bool isolated, uint32_t allowed,
                             const OrderedRules::Outcome& baseline) {
  BitsetTable& bitsets = ports_.bitsets();
  const uint32_t left = bitsets.Difference(BitsetTable::kAll, admin.decided);
  if (isolated) {
    return {bitsets.Union(admin.allowed, bitsets.Intersection(left, allowed)), admin.decided, true};
  }
  const uint32_t denied = bitsets.Difference(baseline.decided, baseline.allowed);
  return {bitsets.Union(admin.allowed, bitsets.Difference(left, denied)),
          bitsets.Union(admin.decided, bitsets.Intersection(left, baseline.decided)), false};
}

uint32_t RowBuilder::DecideFor(const Maps& maps, uint32_t group, uint32_t allowed) {
  const auto outcome = [&](uint32_t map) {
    return map == kNone ? OrderedRules::kSilent : ordered_.map(map)[group];
  };
  return Decide(outcome(maps.admin), maps.policies != kNone, allowed, outcome(maps.baseline));
}

uint32_t RowBuilder::InternDefaults(std::vector<uint32_t> by_group) {
  const auto [found, inserted] =
      defaults_ids_.try_emplace(std::move(by_group), static_cast<uint32_t>(out_.defaults.size()));
  if (inserted) {
    out_.defaults.push_back(found->first);
    entry_count_ += out_.peer_group_count;
  }
  return found->second;
}

// What peers come to that no NetworkPolicy of the subject names.
uint32_t RowBuilder::DefaultsOf(const Maps& maps) {
  const bool isolated = maps.policies != kNone;
  const uint32_t pod = isolated ? additive_.map(maps.policies).pod : kNone;
  const uint32_t other = isolated ? additive_.map(maps.policies).other : kNone;
  const auto [found, inserted] =
      defaults_of_.try_emplace(std::array{maps.admin, maps.baseline, pod, other}, 0);
  if (!inserted) return found->second;
  std::vector<uint32_t> by_group(out_.peer_group_count);
  for (uint32_t group = 0; group < by_group.size(); ++group) {
    by_group[group] = DecideFor(maps, group, group < ordered_.pod_group_count() ? pod : other);
  }
  return found->second = InternDefaults(std::move(by_group));
}

Row RowBuilder::MakeRow(const Maps& maps) {
  Row row{.defaults = DefaultsOf(maps), .entries = {}};
  if (maps.policies == kNone) return row;
  entries_.clear();
  for (const auto& [c, allowed] : additive_.map(maps.policies).entries) {
    entries_.push_back({c, DecideFor(maps, out_.peer_group[c], allowed)});
  }
  OutvoteDefaults(row);
  const std::vector<uint32_t>& defaults = out_.defaults[row.defaults];
  const auto differs = [&](const RowEntry& entry) {
    return entry.decision != defaults[out_.peer_group[entry.peer_class]];
  };
  row.entries.reserve(
      static_cast<size_t>(std::count_if(entries_.begin(), entries_.end(), differs)));
  std::copy_if(entries_.begin(), entries_.end(), std::back_inserter(row.entries), differs);
  return row;
}

// A decision that most classes of a group share becomes the group's default: found by majority
// vote, as only one can be.
void RowBuilder::OutvoteDefaults(Row& row) {
  votes_.assign(out_.peer_group_count, {});
  for (const RowEntry& entry : entries_) {
    Vote& vote = votes_[out_.peer_group[entry.peer_class]];
    if (vote.lead == 0) vote.decision = entry.decision;
    vote.lead += vote.decision == entry.decision ? 1 : -1;
  }
  for (const RowEntry& entry : entries_) {
    Vote& vote = votes_[out_.peer_group[entry.peer_class]];
    vote.count += vote.decision == entry.decision ? 1 : 0;
  }
  std::vector<uint32_t> defaults = out_.defaults[row.defaults];
  bool outvoted = false;
  for (size_t group = 0; group < votes_.size(); ++group) {
    votes_[group].wins =
        votes_[group].count * 2 > group_sizes_[group] && votes_[group].decision != defaults[group];
    outvoted |= votes_[group].wins;
  }
  if (!outvoted) return;
  NameOutvoted(defaults);
  for (size_t group = 0; group < votes_.size(); ++group) {
    if (votes_[group].wins) defaults[group] = votes_[group].decision;
  }
  row.defaults = InternDefaults(std::move(defaults));
}

// Classes that kept the old default of an outvoted group have to be named from now on.
void RowBuilder::NameOutvoted(const std::vector<uint32_t>& old_defaults) {
  const size_t named = entries_.size();
  size_t next = 0;
  for (uint32_t c = 0; c < out_.peer_group.size(); ++c) {
    if (next < named && entries_[next].peer_class == c) {
      ++next;
    } else if (votes_[out_.peer_group[c]].wins) {
      entries_.push_back({c, old_defaults[out_.peer_group[c]]});
    }
  }
  std::inplace_merge(
      entries_.begin(), entries_.begin() + static_cast<ptrdiff_t>(named), entries_.end(),
      [](const RowEntry& a, const RowEntry& b) { return a.peer_class < b.peer_class; });
}

}  // namespace npf::resolve
