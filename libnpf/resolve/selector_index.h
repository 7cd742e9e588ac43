// Distinct label selectors, and which of them match a set of labels (R10, R11, R13).
//
// A selector is found through one of its requirements that needs a label to be present: an
// equality, the values of an In, or the key of an Exists. Only selectors that are anchored at a
// label that is there are then matched in full; selectors that demand no presence are matched
// against everything.
#ifndef NPF_RESOLVE_SELECTOR_INDEX_H_
#define NPF_RESOLVE_SELECTOR_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "npf/model.h"

namespace npf::resolve {

std::string TextOf(const LabelSelector& selector);  // "app=web,tier in (a,b),!canary"; "" for {}

class SelectorIndex {
 public:
  uint32_t Intern(const LabelSelector& selector);  // equal up to order of its parts: equal number
  std::vector<uint32_t> Find(const Labels& labels) const;
  const LabelSelector& selector(uint32_t id) const { return selectors_[id]; }
  size_t size() const { return selectors_.size(); }
  // Keys that any selector speaks of: no other label decides anything.
  const absl::flat_hash_set<std::string>& keys() const { return keys_; }

 private:
  struct Hash {
    size_t operator()(const LabelSelector& selector) const;
  };
  uint32_t InternCanonical(const LabelSelector& selector);
  void Anchor(uint32_t id);

  std::vector<LabelSelector> selectors_;
  absl::flat_hash_map<LabelSelector, uint32_t, Hash> ids_;
  absl::flat_hash_set<std::string> keys_;
  absl::flat_hash_map<std::pair<std::string, std::string>, std::vector<uint32_t>> by_label_;
  absl::flat_hash_map<std::string, std::vector<uint32_t>> by_key_;
  std::vector<uint32_t> unanchored_;
};

}  // namespace npf::resolve

#endif  // NPF_RESOLVE_SELECTOR_INDEX_H_
