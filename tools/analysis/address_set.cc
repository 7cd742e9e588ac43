#include "analysis/address_set.h"

#include <algorithm>

namespace npf::analysis {
namespace {

// Whether `next` begins within `range` or right behind it.
bool Joins(const AddressRange& range, const AddressRange& next) {
  if (range.last.family != next.first.family) return false;
  const IpAddress after = NextAddress(range.last);
  return next.first <= range.last || (after > range.last && next.first == after);
}

// What is left of `range` without `hole`, which overlaps it: what stands before is added to `out`,
// what stands behind stays. False where nothing does.
bool CutOut(AddressRange& range, const AddressRange& hole, std::vector<AddressRange>& out) {
  if (hole.first > range.first) out.push_back({range.first, PreviousAddress(hole.first)});
  if (hole.last >= range.last) return false;
  range.first = NextAddress(hole.last);
  return true;
}

}  // namespace

std::vector<IpPrefix> ToPrefixes(const AddressRange& range) {
  std::vector<IpPrefix> prefixes;
  for (IpAddress at = range.first;;) {
    IpPrefix prefix{at, static_cast<uint8_t>(at.bit_count())};
    while (prefix.length > 0) {
      IpPrefix wider = Masked({at, static_cast<uint8_t>(prefix.length - 1)});
      if (wider.address != at || LastAddress(wider) > range.last) break;
      prefix = wider;
    }
    prefixes.push_back(prefix);
    if (LastAddress(prefix) == range.last) return prefixes;
    at = NextAddress(LastAddress(prefix));
  }
}

std::string ToString(const AddressRange& range) {
  if (IsSingle(range)) return npf::ToString(range.first);
  const std::vector<IpPrefix> prefixes = ToPrefixes(range);
  if (prefixes.size() == 1) return npf::ToString(prefixes[0]);
  return npf::ToString(range.first) + "-" + npf::ToString(range.last);
}

void AddressSet::Add(const AddressRange& range) {
  ranges_.push_back(range);
  normal_ = false;
}

void AddressSet::Add(const AddressSet& other) {
  ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
  normal_ = false;
}

void AddressSet::Subtract(const AddressSet& other) {
  const AddressRanges& holes = other.ranges();
  AddressRanges left;
  size_t from = 0;
  for (AddressRange range : ranges()) {
    while (from < holes.size() && holes[from].last < range.first) ++from;
    bool some = true;
    for (size_t i = from; some && i < holes.size() && holes[i].first <= range.last; ++i) {
      some = CutOut(range, holes[i], left);
    }
    if (some) left.push_back(range);
  }
  ranges_ = std::move(left);
}

const AddressRanges& AddressSet::ranges() const {
  Normalise();
  return ranges_;
}

void AddressSet::Normalise() const {
  if (normal_) return;
  normal_ = true;
  std::sort(ranges_.begin(), ranges_.end());
  size_t kept = 0;
  for (size_t i = 0; i < ranges_.size(); ++i) {
    if (kept > 0 && Joins(ranges_[kept - 1], ranges_[i])) {
      ranges_[kept - 1].last = std::max(ranges_[kept - 1].last, ranges_[i].last);
    } else {
      ranges_[kept++] = ranges_[i];
    }
  }
  ranges_.resize(kept);
}

}  // namespace npf::analysis
