#include "resolve/prefix_forest.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace npf::resolve {
void PrefixForest::AddBlock(uint32_t atom, const IpPrefix& cidr,
                            const std::vector<IpPrefix>& excepts) {
  events_[cidr].begins.push_back(atom);
  for (const IpPrefix& except : excepts) events_[except].excepts.push_back(atom);
}

void PrefixForest::AddService(const IpPrefix& prefix) { events_[prefix].service = true; }
void PrefixForest::AddPodRange(const IpPrefix& prefix) { events_[prefix].pod_range = true; }

uint32_t PrefixForest::InternSet(std::vector<uint32_t> blocks) {
  const auto [found, inserted] =
      set_ids_.try_emplace(std::move(blocks), static_cast<uint32_t>(block_sets_.size()));
  if (inserted) block_sets_.push_back(found->first);
  return found->second;
}

absl::Status PrefixForest::Build(size_t entries_max) {
  InternSet({});
  events_[IpPrefix{}];
  events_[IpPrefix{{Family::kIpv6, {}}, 0}];
  std::vector<uint32_t> path;
  std::vector<AddressKind> kinds;  // the strongest kind so far, by region
  size_t entries = 0;
  for (auto& [prefix, events] : events_) {
    while (!path.empty() && !regions_[path.back()].prefix.Contains(prefix)) path.pop_back();
    RegionInfo region{.prefix = prefix};
    std::vector<uint32_t> blocks = std::move(events.begins);
    if (!path.empty()) {
      region.parent = path.back();
      region.kind = regions_[path.back()].kind;
      const auto& inherited = block_sets_[regions_[path.back()].block_set];
      blocks.insert(blocks.end(), inherited.begin(), inherited.end());
    }
    std::sort(blocks.begin(), blocks.end());
    std::sort(events.excepts.begin(), events.excepts.end());
    std::vector<uint32_t> kept;
    std::set_difference(blocks.begin(), blocks.end(), events.excepts.begin(), events.excepts.end(),
                        std::back_inserter(kept));
    if (events.pod_range && region.kind == AddressKind::kExternal) {
      region.kind = AddressKind::kUnknownPod;
    }
    if (events.service) region.kind = AddressKind::kService;
    entries += kept.size();
    if (entries > entries_max) {
      return absl::ResourceExhaustedError("ipBlocks overlap too much: nested in each other");
    }
    region.block_set = InternSet(std::move(kept));
    path.push_back(static_cast<uint32_t>(regions_.size()));
    regions_.push_back(region);
  }
  events_.clear();
  CutIntervals();
  return absl::OkStatus();
}

// Walks the regions in address order; where a region ends, its parent goes on.
void PrefixForest::CutIntervals() {
  std::vector<uint32_t> open;
  const auto close_until = [&](const IpPrefix* next) {
    while (!open.empty() && (next == nullptr || !regions_[open.back()].prefix.Contains(*next))) {
      const IpAddress last = LastAddress(regions_[open.back()].prefix);
      open.pop_back();
      if (open.empty() || last == LastAddress(regions_[open.back()].prefix)) continue;
      intervals_.push_back(
          {NextAddress(last), LastAddress(regions_[open.back()].prefix), open.back()});
    }
  };
  for (uint32_t i = 0; i < regions_.size(); ++i) {
    const IpPrefix& prefix = regions_[i].prefix;
    close_until(&prefix);
    if (!open.empty()) {
      if (intervals_.back().first == prefix.address) {
        intervals_.pop_back();
      } else {
        intervals_.back().last = PreviousAddress(prefix.address);
      }
    }
    intervals_.push_back({prefix.address, LastAddress(prefix), i});
    open.push_back(i);
  }
  close_until(nullptr);
}

const PrefixForest::RegionInfo& PrefixForest::Find(const IpAddress& address) const {
  const auto after = std::upper_bound(
      intervals_.begin(), intervals_.end(), address,
      [](const IpAddress& wanted, const Interval& interval) { return wanted < interval.first; });
  return regions_[std::prev(after)->region];
}

}  // namespace npf::resolve
