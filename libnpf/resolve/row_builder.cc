#include "resolve/row_builder.h"

#include <algorithm>
#include <span>

namespace npf::resolve {

RowBuilder::RowBuilder(PortSpace& ports, const ResolveLimits& limits, ResolvedPolicy& out)
    : ports_(ports), limits_(limits), out_(out) {
  InternDecision({BitsetTable::kAll, BitsetTable::kNothing, false});  // open (R2)
}

uint32_t RowBuilder::InternDecision(const Decision& decision) {
  const auto [found, inserted] =
      decision_ids_.try_emplace(decision, static_cast<uint32_t>(out_.decisions.size()));
  if (inserted) out_.decisions.push_back(decision);
  return found->second;
}

void RowBuilder::IndexAtoms() {
  atom_first_.assign(out_.atoms.size() + 1, 0);
  for (const AddressClass& c : out_.classes) {
    for (const uint32_t atom : c.atoms) ++atom_first_[atom + 1];
  }
  for (size_t i = 1; i < atom_first_.size(); ++i) atom_first_[i] += atom_first_[i - 1];
  atom_classes_.resize(atom_first_.back());
  std::vector<uint32_t> next(atom_first_.begin(), atom_first_.end() - 1);
  for (uint32_t c = 0; c < out_.classes.size(); ++c) {
    for (const uint32_t atom : out_.classes[c].atoms) atom_classes_[next[atom]++] = c;
  }
  policies_of_atom_.resize(out_.atoms.size());
  for (uint32_t p = 0; p < out_.policies.size(); ++p) {
    policies_of_atom_[out_.policies[p].subject_atom].push_back(p);
  }
}

std::span<const uint32_t> RowBuilder::ClassesOf(uint32_t atom) const {
  return std::span(atom_classes_)
      .subspan(atom_first_[atom], atom_first_[atom + 1] - atom_first_[atom]);
}

bool RowBuilder::IsEveryPod(uint32_t atom) const {
  return out_.atoms[atom].kind == AtomKind::kPods && ClassesOf(atom).size() == out_.pod_class_count;
}

void RowBuilder::CountCosts() {
  for (const Policy& policy : out_.policies) {
    Cost cost{.subject_classes = ClassesOf(policy.subject_atom).size()};
    for (const Rule& rule : policy.rules) {
      for (const RulePeer& peer : rule.peers) cost.row_entries += ClassesOf(peer.atom).size();
    }
    cost.row_entries *= std::max<size_t>(cost.subject_classes, 1);
    costs_.push_back(cost);
  }
}

absl::Status RowBuilder::Build() {
  IndexAtoms();
  CountCosts();
  bits_.resize(out_.classes.size());
  stamp_.resize(out_.classes.size(), 0);
  for (auto& rows : out_.row_of_class) rows.assign(out_.pod_class_count, kNone);
  for (uint32_t c = 0; c < out_.pod_class_count; ++c) {
    std::array<std::vector<Item>, 2> items;
    std::array<bool, 2> isolated{};
    for (const uint32_t atom : out_.classes[c].atoms) {
      for (const uint32_t p : policies_of_atom_[atom]) {
        const Policy& policy = out_.policies[p];
        for (const size_t d : {kIngress, kEgress}) isolated[d] |= policy.isolates[d];
        for (const Rule& rule : policy.rules) {
          const uint32_t ports =
              rule.direction == kIngress
                  ? ports_.Resolve(rule.port_list, out_.classes[c].port_signature)  // R26
                  : rule.port_list;
          if (rule.peers.empty()) items[rule.direction].push_back({kNone, ports});
          for (const RulePeer& peer : rule.peers) {
            items[rule.direction].push_back({peer.atom, ports});
          }
        }
      }
    }
    for (const size_t d : {kIngress, kEgress}) {
      if (isolated[d]) out_.row_of_class[d][c] = RowFor(d, std::move(items[d]));
    }
    if (entry_count_ > limits_.entries_max) {
      return absl::ResourceExhaustedError("the policies tell too many pairs of peers apart");
    }
  }
  return absl::OkStatus();
}

uint32_t RowBuilder::RowFor(size_t direction, std::vector<Item> items) {
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  std::vector<uint32_t> key;
  key.reserve(items.size() * 2);
  for (const Item& item : items) key.insert(key.end(), {item.atom, item.ports});
  const auto [found, inserted] = row_ids_[direction].try_emplace(std::move(key), 0);
  if (!inserted) return found->second;
  found->second = static_cast<uint32_t>(out_.rows.size());
  out_.rows.push_back(MakeRow(direction, items));
  entry_count_ += out_.rows.back().entries.size();
  return found->second;
}

// R27: an egress rule's named port has the number that the destination pod gives it; a destination
// that is no pod has no names (signature 0).
uint32_t RowBuilder::PortsFor(size_t direction, uint32_t ports, uint32_t peer_class) {
  if (direction == kIngress) return ports;
  return ports_.Resolve(ports, out_.classes[peer_class].port_signature);
}

void RowBuilder::AddTo(uint32_t peer_class, uint32_t bitset) {
  if (stamp_[peer_class] != stamp_now_) {
    stamp_[peer_class] = stamp_now_;
    bits_[peer_class] = BitsetTable::kNothing;
    touched_.push_back(peer_class);
  }
  bits_[peer_class] = ports_.bitsets().Union(bits_[peer_class], bitset);
}

void RowBuilder::Contribute(size_t direction, const Item& item) {
  BitsetTable& bitsets = ports_.bitsets();
  const bool any_peer = item.atom == kNone;
  const bool by_pod = direction == kEgress && ports_.HasNames(item.ports);
  if (any_peer || (IsEveryPod(item.atom) && !by_pod)) {
    const uint32_t plain =
        direction == kIngress ? item.ports : ports_.Resolve(item.ports, /*signature=*/0);
    base_pod_ = bitsets.Union(base_pod_, plain);
    if (any_peer) base_other_ = bitsets.Union(base_other_, plain);
    if (!by_pod) return;
    for (uint32_t c = 0; c < out_.pod_class_count; ++c) {
      if (out_.classes[c].port_signature != 0) AddTo(c, PortsFor(direction, item.ports, c));
    }
    return;
  }
  for (const uint32_t c : ClassesOf(item.atom)) AddTo(c, PortsFor(direction, item.ports, c));
}

// Where most peers of a side share another decision than the base, that one becomes the default.
void RowBuilder::ChooseDefault(uint32_t first_class, uint32_t end_class, uint32_t& side_default,
                               Row& row) {
  const auto begin = std::lower_bound(touched_.begin(), touched_.end(), first_class);
  const auto end = std::lower_bound(begin, touched_.end(), end_class);
  const auto touched = static_cast<size_t>(end - begin);
  const uint32_t base = side_default;
  size_t best_count = (end_class - first_class) - touched;
  if (touched > best_count) {
    absl::flat_hash_map<uint32_t, size_t> counts;
    counts[base] = best_count;
    for (auto it = begin; it != end; ++it) ++counts[bits_[*it]];
    for (const auto& [decision, count] : counts) {
      if (count > best_count || (count == best_count && decision < side_default)) {
        side_default = decision;
        best_count = count;
      }
    }
  }
  if (side_default == base) {
    for (auto it = begin; it != end; ++it) {
      if (bits_[*it] != base) row.entries.push_back({*it, bits_[*it]});
    }
    return;
  }
  for (uint32_t c = first_class; c < end_class; ++c) {
    const uint32_t decision = stamp_[c] == stamp_now_ ? bits_[c] : base;
    if (decision != side_default) row.entries.push_back({c, decision});
  }
}

Row RowBuilder::MakeRow(size_t direction, const std::vector<Item>& items) {
  ++stamp_now_;
  touched_.clear();
  base_pod_ = base_other_ = BitsetTable::kNothing;
  for (const Item& item : items) Contribute(direction, item);
  std::sort(touched_.begin(), touched_.end());
  BitsetTable& bitsets = ports_.bitsets();
  const auto decide = [&](uint32_t bitset) {
    return InternDecision({bitset, BitsetTable::kNothing, true});
  };
  for (const uint32_t c : touched_) {
    const uint32_t base = c < out_.pod_class_count ? base_pod_ : base_other_;
    bits_[c] = decide(bitsets.Union(bits_[c], base));
  }
  Row row{.default_pod = decide(base_pod_), .default_other = decide(base_other_), .entries = {}};
  const auto class_count = static_cast<uint32_t>(out_.classes.size());
  ChooseDefault(0, out_.pod_class_count, row.default_pod, row);
  ChooseDefault(out_.pod_class_count, class_count, row.default_other, row);
  return row;
}

}  // namespace npf::resolve
