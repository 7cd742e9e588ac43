#include "resolve/row_builder.h"

#include <algorithm>
#include <span>

namespace npf::resolve {
namespace {

// Walks a map class by class. No map is a map of `absent`.
class Cursor {
 public:
  Cursor(const PeerMap<uint32_t>* map, uint32_t absent, uint32_t pod_class_count)
      : map_(map), absent_(absent), pod_class_count_(pod_class_count) {}

  uint32_t next() const {
    return map_ != nullptr && at_ < map_->entries.size() ? map_->entries[at_].first : kNone;
  }
  // Classes ascend from call to call.
  uint32_t Of(uint32_t c) {
    if (next() == c) return map_->entries[at_++].second;
    return Default(c < pod_class_count_);
  }
  uint32_t Default(bool pod) const {
    if (map_ == nullptr) return absent_;
    return pod ? map_->pod : map_->other;
  }

 private:
  const PeerMap<uint32_t>* map_;
  uint32_t absent_;
  uint32_t pod_class_count_;
  size_t at_ = 0;
};

}  // namespace

RowBuilder::RowBuilder(PortSpace& ports, const ResolveLimits& limits, ResolvedPolicy& out)
    : ports_(ports),
      limits_(limits),
      out_(out),
      classes_(out.atoms, out.classes, out.pod_class_count),
      additive_(ports, out, classes_),
      ordered_(ports, out) {
  InternDecision({BitsetTable::kAll, BitsetTable::kNothing, false});  // open (R2)
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

Row RowBuilder::MakeRow(const Maps& maps) {
  const bool isolated = maps.policies != kNone;
  const auto ordered = [&](uint32_t number) {
    return Cursor(number == kNone ? nullptr : &ordered_.map(number), OrderedRules::kSilent,
                  out_.pod_class_count);
  };
  auto admin = ordered(maps.admin);
  auto baseline = ordered(maps.baseline);
  Cursor policies(isolated ? &additive_.map(maps.policies) : nullptr, BitsetTable::kNothing,
                  out_.pod_class_count);
  const auto side_default = [&](bool pod) {
    return Decide(admin.Default(pod), isolated, policies.Default(pod), baseline.Default(pod));
  };
  Row row{.default_pod = side_default(true), .default_other = side_default(false), .entries = {}};
  entries_.clear();
  kept_.clear();
  while (true) {
    const uint32_t c = std::min({admin.next(), baseline.next(), policies.next()});
    if (c == kNone) break;
    const uint32_t of_admin = admin.Of(c);
    const uint32_t of_policies = policies.Of(c);
    entries_.emplace_back(c, Decide(of_admin, isolated, of_policies, baseline.Of(c)));
  }
  const auto class_count = static_cast<uint32_t>(out_.classes.size());
  ChooseDefault(0, out_.pod_class_count, row.default_pod);
  ChooseDefault(out_.pod_class_count, class_count, row.default_other);
  row.entries.assign(kept_.begin(), kept_.end());
  return row;
}

// Where most peers of a side share another decision than the side's, that one becomes the default.
void RowBuilder::ChooseDefault(uint32_t first_class, uint32_t end_class, uint32_t& side_default) {
  const auto before = [](const auto& entry, uint32_t c) { return entry.first < c; };
  const auto begin = std::lower_bound(entries_.begin(), entries_.end(), first_class, before);
  const auto end = std::lower_bound(begin, entries_.end(), end_class, before);
  const auto named = static_cast<size_t>(end - begin);
  const uint32_t base = side_default;
  size_t best_count = (end_class - first_class) - named;
  if (named > best_count) {
    counts_.resize(out_.decisions.size(), 0);
    counts_[base] = static_cast<uint32_t>(best_count);
    for (auto it = begin; it != end; ++it) ++counts_[it->second];
    best_count = counts_[base];
    for (auto it = begin; it != end; ++it) {
      const uint32_t count = counts_[it->second];
      if (count < best_count || (count == best_count && it->second >= side_default)) continue;
      side_default = it->second;
      best_count = count;
    }
    counts_[base] = 0;
    for (auto it = begin; it != end; ++it) counts_[it->second] = 0;
  }
  auto it = begin;
  const auto add = [&](uint32_t c, uint32_t decision) {
    if (decision != side_default) kept_.push_back({c, decision});
  };
  if (side_default == base) {
    for (; it != end; ++it) add(it->first, it->second);
    return;
  }
  for (uint32_t c = first_class; c < end_class; ++c) {
    add(c, it != end && it->first == c ? (it++)->second : base);
  }
}

}  // namespace npf::resolve
