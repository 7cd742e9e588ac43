#include "resolve/atoms.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "model/names.h"

namespace npf::resolve {
namespace {

std::string PodsText(const std::string& scope, const LabelSelector& pods) {
  const std::string text = TextOf(pods);
  return absl::StrCat(text.empty() ? "all pods" : absl::StrCat("pods with ", text), " in ", scope);
}

}  // namespace

AtomTable::AtomTable(const Snapshot& snapshot) : snapshot_(snapshot) {
  for (const Namespace& ns : snapshot.namespaces()) {
    ns_index_.emplace(ns.name, static_cast<uint32_t>(ns_index_.size()));
  }
}

std::pair<uint32_t, bool> AtomTable::Intern(const PodsKey& key) {
  const auto [found, inserted] = pod_atoms_.try_emplace(key, static_cast<uint32_t>(atoms_.size()));
  if (inserted) {
    const auto& [ns, ns_selector, pod_selector] = key;
    auto& scope = ns != kNone ? by_ns_[ns] : by_ns_selector_[ns_selector];
    scope.push_back({pod_selector, found->second});
  }
  return {found->second, inserted};
}

uint32_t AtomTable::InternPods(const std::string& ns, const LabelSelector& pods) {
  const auto [atom, inserted] = Intern({ns_index_.at(ns), kNone, pod_selectors_.Intern(pods)});
  if (inserted) {
    atoms_.push_back({AtomKind::kPods, PodsText(absl::StrCat("namespace ", ns), pods)});
  }
  return atom;
}

uint32_t AtomTable::InternPods(const LabelSelector& namespaces, const LabelSelector& pods) {
  const auto [atom, inserted] =
      Intern({kNone, ns_selectors_.Intern(namespaces), pod_selectors_.Intern(pods)});
  if (inserted) {
    const std::string scope = TextOf(namespaces);
    atoms_.push_back(
        {AtomKind::kPods,
         PodsText(scope.empty() ? "all namespaces" : absl::StrCat("namespaces with ", scope),
                  pods)});
  }
  return atom;
}

uint32_t AtomTable::InternBlock(const IpBlock& block) {
  // R33: host bits are masked; what cannot be read was refused by validation.
  const IpPrefix cidr = ParseIpPrefix(block.cidr).prefix;
  std::vector<IpPrefix> excepts;
  for (const std::string& text : block.except) excepts.push_back(ParseIpPrefix(text).prefix);
  std::sort(excepts.begin(), excepts.end());
  excepts.erase(std::unique(excepts.begin(), excepts.end()), excepts.end());
  const auto [found, inserted] =
      block_atoms_.try_emplace({cidr, excepts}, static_cast<uint32_t>(atoms_.size()));
  if (!inserted) return found->second;
  std::string text = ToString(cidr);
  for (size_t i = 0; i < excepts.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? " except " : ", ", ToString(excepts[i]));
  }
  atoms_.push_back({AtomKind::kIpBlock, std::move(text)});
  forest_.AddBlock(found->second, cidr, excepts);
  return found->second;
}

uint32_t AtomTable::InternNodes(const LabelSelector& nodes) {
  const uint32_t selector = node_selectors_.Intern(nodes);
  if (selector < node_atoms_.size()) return node_atoms_[selector];
  node_atoms_.push_back(static_cast<uint32_t>(atoms_.size()));
  const std::string text = TextOf(nodes);
  atoms_.push_back(
      {AtomKind::kNodes, text.empty() ? "all nodes" : absl::StrCat("nodes with ", text)});
  return node_atoms_.back();
}

uint32_t AtomTable::InternNames(const std::string& pattern) {
  const std::string canonical = model::CanonicalDomain(pattern);
  const auto [found, inserted] =
      name_atoms_.try_emplace(canonical, static_cast<uint32_t>(atoms_.size()));
  if (!inserted) return found->second;
  atoms_.push_back({AtomKind::kNames, absl::StrCat("the domain ", canonical)});
  std::set<IpAddress> addresses;
  for (const NameAddress& resolved : snapshot_.resolved_names()) {
    if (model::DomainCovers(canonical, resolved.name)) addresses.insert(resolved.address);
  }
  for (const IpAddress& address : addresses) {
    forest_.AddBlock(found->second, {address, static_cast<uint8_t>(address.bit_count())}, {});
  }
  return found->second;
}

uint32_t AtomTable::InternUnknown() {
  if (unknown_atom_ == kNone) {
    unknown_atom_ = static_cast<uint32_t>(atoms_.size());
    atoms_.push_back({AtomKind::kUnknown, "nothing that this version knows"});
  }
  return unknown_atom_;
}

std::vector<uint32_t> AtomTable::NodeAtomsOf(const Node& node) const {
  std::vector<uint32_t> atoms;
  for (const uint32_t selector : node_selectors_.Find(node.labels)) {
    atoms.push_back(node_atoms_[selector]);
  }
  std::sort(atoms.begin(), atoms.end());
  return atoms;
}

bool AtomTable::IsSelectedBy(const std::string& key, size_t place) {
  if (place == last_keys_.size()) {
    last_keys_.push_back({key, pod_selectors_.keys().contains(key)});
  } else if (last_keys_[place].key != key) {
    last_keys_[place] = {key, pod_selectors_.keys().contains(key)};
  }
  return last_keys_[place].is_selected_by;
}

uint32_t AtomTable::LabelSetOf(const Pod& pod) {
  projection_.clear();
  size_t place = 0;
  for (const auto& label : pod.labels) {
    if (!IsSelectedBy(label.first, place++)) continue;
    // With separators that no label can contain.
    projection_.append(label.first).push_back('\0');
    projection_.append(label.second).push_back('\0');
  }
  const auto known = label_set_ids_.find(projection_);
  if (known != label_set_ids_.end()) return known->second;
  const auto label_set = static_cast<uint32_t>(label_sets_.size());
  label_set_ids_.emplace(projection_, label_set);
  Labels projected;
  std::string text;
  for (const auto& [key, value] : pod.labels) {
    if (!pod_selectors_.keys().contains(key)) continue;
    projected.Set(key, value);
    absl::StrAppend(&text, text.empty() ? "" : ",", key, "=", value);
  }
  label_sets_.push_back({pod_selectors_.Find(projected)});
  label_texts_.push_back(std::move(text));
  return label_set;
}

const std::vector<uint32_t>& AtomTable::NamespaceSelectorsOf(uint32_t ns) {
  const auto [found, inserted] = ns_selectors_of_.try_emplace(ns);
  // A Snapshot gives every namespace its name as a label (R12).
  if (inserted) found->second = ns_selectors_.Find(snapshot_.namespaces()[ns].labels);
  return found->second;
}

uint32_t AtomTable::MatchAtoms(uint32_t ns, uint32_t label_set) {
  stamp_.resize(pod_selectors_.size(), 0);
  ++stamp_now_;
  for (const uint32_t selector : label_sets_[label_set].pod_selectors)
    stamp_[selector] = stamp_now_;
  std::vector<uint32_t> atoms;
  const auto take = [&](const auto& scopes, uint32_t scope) {
    const auto found = scopes.find(scope);
    if (found == scopes.end()) return;
    for (const Scoped& scoped : found->second) {
      if (stamp_[scoped.pod_selector] == stamp_now_) atoms.push_back(scoped.atom);
    }
  };
  take(by_ns_, ns);
  for (const uint32_t selector : NamespaceSelectorsOf(ns)) take(by_ns_selector_, selector);
  std::sort(atoms.begin(), atoms.end());
  const auto [found, inserted] =
      atom_set_ids_.try_emplace(std::move(atoms), static_cast<uint32_t>(atom_sets_.size()));
  if (inserted) atom_sets_.push_back(found->first);
  return found->second;
}

AtomTable::PodIdentity AtomTable::Identify(const Pod& pod) {
  if (last_ns_ == kNone || snapshot_.namespaces()[last_ns_].name != pod.ns) {
    last_ns_ = ns_index_.at(pod.ns);
  }
  const uint32_t ns = last_ns_;
  const uint32_t label_set = LabelSetOf(pod);
  const auto [found, inserted] = identities_.try_emplace(uint64_t{ns} << 32 | label_set, 0);
  if (inserted) found->second = MatchAtoms(ns, label_set);
  return {found->second, label_set};
}

}  // namespace npf::resolve
