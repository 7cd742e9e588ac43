#include "resolve/additive_rules.h"

#include <algorithm>
#include <utility>

namespace npf::resolve {

uint32_t AdditiveRules::Intern(size_t direction, std::vector<Item> items) {
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  std::vector<uint32_t> key;
  key.reserve(items.size() * 2);
  for (const Item& item : items) key.insert(key.end(), {item.atom, item.ports});
  const auto [found, inserted] =
      ids_[direction].try_emplace(std::move(key), static_cast<uint32_t>(maps_.size()));
  if (inserted) {
    maps_.push_back(Work(direction, items));
    entry_count_ += maps_.back().entries.size();
  }
  return found->second;
}

// What everybody is allowed comes first, so that it is done once for classes that nobody names.
AdditiveRules::Map AdditiveRules::Work(size_t direction, const std::vector<Item>& items) {
  states_.Begin(policy_.classes.size(), policy_.pod_class_count, BitsetTable::kNothing);
  for (const Item& item : items) {
    if (CoversPods(item)) AddEveryPod(direction, item);
  }
  for (const Item& item : items) {
    if (CoversPods(item)) continue;
    for (const uint32_t c : classes_.Of(item.atom)) {
      Add(states_.At(c), ports_.OnPeer(direction, item.ports, policy_.classes[c].port_signature));
    }
  }
  return states_.Take();
}

void AdditiveRules::AddEveryPod(size_t direction, const Item& item) {
  const uint32_t plain = ports_.OnPeer(direction, item.ports, /*signature=*/0);
  states_.ForPods([&](uint32_t& allowed) { Add(allowed, plain); });
  if (item.atom == kNone) states_.ForOthers([&](uint32_t& allowed) { Add(allowed, plain); });
  if (direction == kIngress || !ports_.HasNames(item.ports)) return;
  for (uint32_t c = 0; c < policy_.pod_class_count; ++c) {
    const uint32_t signature = policy_.classes[c].port_signature;
    if (signature != 0) Add(states_.At(c), ports_.OnPeer(direction, item.ports, signature));
  }
}

}  // namespace npf::resolve
