#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "compile/address_tables.h"
#include "compile/perfect_hash.h"

namespace npf {
namespace {

using resolve::Endpoint;
using resolve::Region;
using resolve::ResolvedPolicy;

struct Interval {  // from `first` to the next one's
  IpAddress first;
  uint32_t address_class;
};

// Sweeps over all addresses once; the innermost region around an address gives its class.
class Sweep {
 public:
  explicit Sweep(const ResolvedPolicy& policy) {
    for (const Region& region : policy.regions) {
      if (region.prefix.address.family == Family::kIpv6) regions_.push_back(region);
    }
    std::sort(regions_.begin(), regions_.end(),
              [](const Region& a, const Region& b) { return a.prefix < b.prefix; });
  }

  std::vector<Interval> Run() {
    out_.push_back({IpAddress{.family = Family::kIpv6}, 0});
    for (const Region& region : regions_) {
      LeaveBefore(&region.prefix.address);
      around_.push_back(region);
      Begin(region.prefix.address, region.address_class);
    }
    LeaveBefore(nullptr);
    const auto alike = [](const Interval& a, const Interval& b) {
      return a.address_class == b.address_class;
    };
    out_.erase(std::unique(out_.begin(), out_.end(), alike), out_.end());
    return std::move(out_);
  }

 private:
  // Leaves the regions that end before an address; all of them before none.
  void LeaveBefore(const IpAddress* address) {
    while (!around_.empty()) {
      const IpAddress last = LastAddress(around_.back().prefix);
      if (address != nullptr && last >= *address) return;
      around_.pop_back();
      const IpAddress next = NextAddress(last);
      const bool was_the_end = next < last;
      if (!was_the_end) Begin(next, around_.empty() ? 0 : around_.back().address_class);
    }
  }

  void Begin(const IpAddress& first, uint32_t address_class) {
    if (out_.back().first == first) out_.pop_back();
    out_.push_back({first, address_class});
  }

  std::vector<Region> regions_;
  std::vector<Region> around_;  // the innermost one last
  std::vector<Interval> out_;
};

// Intervals by upper halves, and by lower halves where one is cut further.
class Halves {
 public:
  explicit Halves(std::span<const Interval> intervals) {
    for (size_t i = 0; i < intervals.size();) {
      const uint64_t high = intervals[i].first.halves()[0];
      size_t end = i + 1;
      while (end < intervals.size() && intervals[end].first.halves()[0] == high) ++end;
      Add(high, intervals.subspan(i, end - i));
      i = end;
    }
    Resume(~uint64_t{0});
  }

  void Write(ImageWriter& writer) const {
    writer.Put(layout::kV6Highs, highs_);
    writer.Put(layout::kV6Intervals, intervals_);
    writer.Put(layout::kV6Segments, segments_);
    writer.Put(layout::kV6Lows, lows_);
    writer.Put(layout::kV6LowClasses, low_classes_);
  }

 private:
  // The intervals that begin within one upper half.
  void Add(uint64_t high, std::span<const Interval> within) {
    if (high != 0) Resume(high - 1);
    const bool from_start = within[0].first.halves()[1] == 0;
    if (from_start && within.size() == 1) {
      Begin(high, within[0].address_class << 1);
    } else {
      Begin(high, static_cast<uint32_t>(segments_.size() - 1) << 1 | 1);
      if (!from_start) BeginLow(0, class_now_);
      for (const Interval& interval : within) {
        BeginLow(interval.first.halves()[1], interval.address_class);
      }
      segments_.push_back(static_cast<uint32_t>(lows_.size()));
    }
    class_now_ = within.back().address_class;
  }

  // Behind an upper half that is cut, what held at its end goes on, where `last` is beyond it.
  void Resume(uint64_t last) {
    if (intervals_.empty() || (intervals_.back() & 1) == 0 || highs_.back() >= last) return;
    Begin(highs_.back() + 1, class_now_ << 1);
  }

  void Begin(uint64_t high, uint32_t interval) {
    highs_.push_back(high);
    intervals_.push_back(interval);
  }
  void BeginLow(uint64_t low, uint32_t address_class) {
    lows_.push_back(low);
    low_classes_.push_back(address_class);
  }

  std::vector<uint64_t> highs_;
  std::vector<uint32_t> intervals_;
  std::vector<uint32_t> segments_ = {0};
  std::vector<uint64_t> lows_;
  std::vector<uint32_t> low_classes_;
  uint32_t class_now_ = 0;  // at the end of what was added
};

absl::Status BuildV6Places(const ResolvedPolicy& policy, ImageWriter& writer) {
  std::vector<const Endpoint*> keys;
  for (const Endpoint& endpoint : policy.endpoints) {
    if (endpoint.address.family == Family::kIpv6) keys.push_back(&endpoint);
  }
  const auto hash = [&](size_t i, uint32_t seed) {
    uint64_t halves[2];
    std::memcpy(halves, keys[i]->address.bytes.data(), sizeof halves);
    return layout::Hash(halves[0], halves[1], seed);
  };
  const absl::StatusOr<PerfectHash> perfect = MakePerfectHash(keys.size(), hash);
  if (!perfect.ok()) return perfect.status();
  std::vector<layout::V6Place> places(perfect->place_count, {{}, layout::kNone});
  for (size_t i = 0; i < keys.size(); ++i) {
    layout::V6Place& place = places[perfect->places[i]];
    std::memcpy(place.key, keys[i]->address.bytes.data(), sizeof place.key);
    place.address_class = keys[i]->address_class;
  }
  writer.Put(layout::kV6Pilots, perfect->pilots);
  writer.Put(layout::kV6Places, places);
  writer.header.v6_hash_seed = perfect->seed;
  return absl::OkStatus();
}

}  // namespace

absl::Status BuildV6Tables(const ResolvedPolicy& policy, ImageWriter& writer) {
  Halves(Sweep(policy).Run()).Write(writer);
  return BuildV6Places(policy, writer);
}

}  // namespace npf
