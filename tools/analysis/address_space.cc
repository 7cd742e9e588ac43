#include "analysis/address_space.h"

#include <algorithm>

#include "analysis/addresses.h"
#include "program/view.h"

namespace npf::analysis {

AddressSpace::AddressSpace(const Program& program) {
  const ProgramView& view = program.view();
  const auto classes = view.Section<layout::ClassRecord>(layout::kClasses);
  const auto add = [&](const AddressRange& range, uint32_t address_class) {
    const auto kind = static_cast<layout::AddressKind>(classes[address_class].kind);
    segments_.push_back({range, address_class, kind});
  };
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    for (const ClassRun& run : RunsOf(program, family)) add(run.range, run.address_class);
  }
  for (const layout::Endpoint& endpoint : view.Section<layout::Endpoint>(layout::kEndpoints)) {
    const IpAddress address = AddressOf(endpoint);
    add({address, address}, endpoint.address_class);
  }
  std::sort(segments_.begin(), segments_.end(),
            [](const Segment& a, const Segment& b) { return a.range < b.range; });
}

std::vector<Segment> AddressSpace::SegmentsOf(const AddressSet& set) const {
  std::vector<Segment> found;
  for (const AddressRange& range : set.ranges()) {
    auto at = std::upper_bound(
        segments_.begin(), segments_.end(), range.first,
        [](const IpAddress& first, const Segment& s) { return first < s.range.first; });
    for (--at; at != segments_.end() && at->range.first <= range.last; ++at) {
      Segment part = *at;
      part.range.first = std::max(part.range.first, range.first);
      part.range.last = std::min(part.range.last, range.last);
      found.push_back(part);
    }
  }
  return found;
}

AddressSet AddressSpace::All() const {
  AddressSet set;
  for (const Segment& segment : segments_) set.Add(segment.range);
  return set;
}

AddressSet AddressSpace::OfKind(layout::AddressKind kind) const {
  AddressSet set;
  for (const Segment& segment : segments_) {
    if (segment.kind == kind) set.Add(segment.range);
  }
  return set;
}

}  // namespace npf::analysis
