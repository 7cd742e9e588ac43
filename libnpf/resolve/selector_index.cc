#include "resolve/selector_index.h"

#include <algorithm>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/selector.h"

namespace npf::resolve {
std::string TextOf(const LabelSelector& selector) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : selector.match_labels) {
    parts.push_back(absl::StrCat(key, "=", value));
  }
  for (const LabelRequirement& r : selector.match_expressions) {
    if (r.op == "Exists") {
      parts.push_back(r.key);
    } else if (r.op == "DoesNotExist") {
      parts.push_back(absl::StrCat("!", r.key));
    } else {
      parts.push_back(absl::StrCat(r.key, r.op == "In" ? " in (" : " notin (",
                                   absl::StrJoin(r.values, ","), ")"));
    }
  }
  return absl::StrJoin(parts, ",");
}

size_t SelectorIndex::Hash::operator()(const LabelSelector& selector) const {
  size_t hash = 0;
  for (const auto& [key, value] : selector.match_labels) hash = absl::HashOf(hash, key, value);
  for (const LabelRequirement& r : selector.match_expressions) {
    hash = absl::HashOf(hash, r.key, r.op, r.values);
  }
  return hash;
}

uint32_t SelectorIndex::Intern(const LabelSelector& selector) {
  if (selector.match_expressions.empty()) return InternCanonical(selector);
  LabelSelector canonical = selector;
  for (LabelRequirement& r : canonical.match_expressions) {
    std::sort(r.values.begin(), r.values.end());
    r.values.erase(std::unique(r.values.begin(), r.values.end()), r.values.end());
  }
  std::sort(canonical.match_expressions.begin(), canonical.match_expressions.end());
  return InternCanonical(canonical);
}

uint32_t SelectorIndex::InternCanonical(const LabelSelector& selector) {
  const auto id = static_cast<uint32_t>(selectors_.size());
  const auto [found, inserted] = ids_.try_emplace(selector, id);
  if (!inserted) return found->second;
  for (const auto& [key, value] : selector.match_labels) keys_.insert(key);
  for (const LabelRequirement& r : selector.match_expressions) keys_.insert(r.key);
  selectors_.push_back(selector);
  Anchor(id);
  return id;
}

void SelectorIndex::Anchor(uint32_t id) {
  const LabelSelector& selector = selectors_[id];
  if (!selector.match_labels.empty()) {
    by_label_[*selector.match_labels.begin()].push_back(id);
    return;
  }
  const LabelRequirement* exists = nullptr;
  for (const LabelRequirement& r : selector.match_expressions) {
    if (r.op == "In") {
      for (const std::string& value : r.values) by_label_[{r.key, value}].push_back(id);
      return;
    }
    if (r.op == "Exists") exists = &r;
  }
  if (exists != nullptr) {
    by_key_[exists->key].push_back(id);
  } else {
    unanchored_.push_back(id);
  }
}

std::vector<uint32_t> SelectorIndex::Find(const Labels& labels) const {
  std::vector<uint32_t> found;
  const auto take = [&](const std::vector<uint32_t>& candidates) {
    for (const uint32_t id : candidates) {
      if (model::Matches(selectors_[id], labels)) found.push_back(id);
    }
  };
  take(unanchored_);
  for (const auto& label : labels) {
    if (const auto it = by_label_.find(label); it != by_label_.end()) take(it->second);
    if (const auto it = by_key_.find(label.first); it != by_key_.end()) take(it->second);
  }
  return found;
}

}  // namespace npf::resolve
