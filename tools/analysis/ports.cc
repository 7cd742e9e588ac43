#include "analysis/ports.h"

#include <algorithm>
#include <utility>

#include "program/view.h"

namespace npf::analysis {
namespace {

constexpr std::array<std::string_view, 3> kProtocolNames = {"TCP", "UDP", "SCTP"};

PortSet Complement(const PortSet& set) {
  PortSet rest;
  uint32_t next = 0;
  for (const PlaceRange& range : set) {
    if (range.first > next) rest.push_back({next, range.first - 1});
    next = range.last + 1;
  }
  if (next <= kWithoutPorts) rest.push_back({next, kWithoutPorts});
  return rest;
}

PortSet Intersect(const PortSet& a, const PortSet& b) {
  PortSet both;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end();) {
    const uint32_t first = std::max(i->first, j->first);
    const uint32_t last = std::min(i->last, j->last);
    if (first <= last) both.push_back({first, last});
    if (i->last < j->last) {
      ++i;
    } else {
      ++j;
    }
  }
  return both;
}

PortSet Unite(const PortSet& a, const PortSet& b) {
  PortSet all;
  std::vector<PlaceRange> ranges;
  std::merge(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(ranges));
  for (const PlaceRange& range : ranges) Append(range, all);
  return all;
}

std::string PortsText(const PortSet& set) {
  std::string text;
  std::string_view open;  // the protocol whose list goes on
  for (const ProtocolRange& range : Ranges(set)) {
    if (range.protocol == 0) {
      text += text.empty() ? "other protocols" : "; other protocols";
      continue;
    }
    const auto index = static_cast<size_t>(
        std::find(kPortProtocols.begin(), kPortProtocols.end(), range.protocol) -
        kPortProtocols.begin());
    const std::string_view name = kProtocolNames[index];
    const bool whole = range.first == 0 && range.last == kPortsEach - 1;
    if (open == name) {
      text += ',';
    } else {
      text += text.empty() ? "" : "; ";
      text += name;
      text += whole ? "" : " ";
      open = name;
    }
    if (whole) continue;
    text += std::to_string(range.first);
    if (range.last != range.first) text += "-" + std::to_string(range.last);
  }
  return text;
}

}  // namespace

void Append(PlaceRange range, PortSet& set) {
  if (!set.empty() && set.back().last + 1 >= range.first) {
    set.back().last = std::max(set.back().last, range.last);
  } else {
    set.push_back(range);
  }
}

std::vector<ProtocolRange> Ranges(const PortSet& set) {
  std::vector<ProtocolRange> ranges;
  for (PlaceRange left : set) {
    while (left.first <= left.last && left.first < kWithoutPorts) {
      const uint32_t index = left.first / kPortsEach;
      const uint32_t last = std::min(left.last, (index + 1) * kPortsEach - 1);
      ranges.push_back({kPortProtocols[index], static_cast<uint16_t>(left.first % kPortsEach),
                        static_cast<uint16_t>(last % kPortsEach)});
      left.first = last + 1;
    }
    if (left.last == kWithoutPorts) ranges.push_back({});
  }
  return ranges;
}

uint32_t PlaceOf(uint8_t protocol, uint16_t port) {
  const auto found = std::find(kPortProtocols.begin(), kPortProtocols.end(), protocol);
  if (found == kPortProtocols.end()) return kWithoutPorts;
  return static_cast<uint32_t>(found - kPortProtocols.begin()) * kPortsEach + port;
}

ProtocolRange PortAt(uint32_t place, Family family) {
  if (place >= kWithoutPorts) {
    return {family == Family::kIpv4 ? kProtocolIcmp : kProtocolIcmpv6, 0, 0};
  }
  const auto port = static_cast<uint16_t>(place % kPortsEach);
  return {kPortProtocols[place / kPortsEach], port, port};
}

std::string ToString(const PortSet& set) {
  if (set.empty()) return "none";
  const PortSet rest = Complement(set);
  if (rest.empty()) return "all";
  if (Ranges(rest).size() < Ranges(set).size() && set.back().last == kWithoutPorts) {
    return "all except " + PortsText(rest);
  }
  return PortsText(set);
}

PortSets::PortSets() {
  Intern({});
  Intern({{0, kWithoutPorts}});
}

PortSetId PortSets::Intern(PortSet set) {
  std::vector<uint32_t> key;
  key.reserve(2 * set.size());
  for (const PlaceRange& range : set) key.insert(key.end(), {range.first, range.last});
  const auto [found, inserted] =
      ids_.try_emplace(std::move(key), static_cast<PortSetId>(sets_.size()));
  if (inserted) sets_.push_back(std::move(set));
  return found->second;
}

PortSetId PortSets::Combine(Operation operation, PortSetId a, PortSetId b) {
  const auto [found, inserted] =
      known_[static_cast<size_t>(operation)].try_emplace(uint64_t{a} << 32 | b, kNone);
  if (!inserted) return found->second;
  PortSet result;
  if (operation == Operation::kIntersection) result = Intersect(Get(a), Get(b));
  if (operation == Operation::kDifference) result = Intersect(Get(a), Complement(Get(b)));
  if (operation == Operation::kUnion) result = Unite(Get(a), Get(b));
  return found->second = Intern(std::move(result));
}

PortSetId PortSets::Intersection(PortSetId a, PortSetId b) {
  if (a == kAll || a == b) return b;
  if (b == kAll) return a;
  if (a == kNone || b == kNone) return kNone;
  return Combine(Operation::kIntersection, std::min(a, b), std::max(a, b));
}

PortSetId PortSets::Difference(PortSetId a, PortSetId b) {
  if (a == kNone || a == b || b == kAll) return kNone;
  if (b == kNone) return a;
  return Combine(Operation::kDifference, a, b);
}

PortSetId PortSets::Union(PortSetId a, PortSetId b) {
  if (a == kNone || a == b) return b;
  if (b == kNone) return a;
  if (a == kAll || b == kAll) return kAll;
  return Combine(Operation::kUnion, std::min(a, b), std::max(a, b));
}

PortClassPlaces::PortClassPlaces(const Program& program) {
  const ProgramView& view = program.view();
  const auto protocols = view.Section<layout::Protocol>(layout::kProtocols);
  const auto class_at = [&](uint32_t index) -> uint32_t {
    return view.header().port_class_bytes == 1 ? view.Section<uint8_t>(layout::kPortIndex)[index]
                                               : view.Section<uint16_t>(layout::kPortIndex)[index];
  };
  const auto add = [&](PlaceRange places, uint32_t port_class) {
    if (!runs_.empty() && runs_.back().port_class == port_class) {
      runs_.back().places.last = places.last;
    } else {
      runs_.push_back({places, port_class});
    }
  };
  for (uint32_t i = 0; i < kPortProtocols.size(); ++i) {
    const layout::Protocol& protocol = protocols[kPortProtocols[i]];
    const uint32_t first = i * kPortsEach;
    if (protocol.mask == 0) {
      add({first, first + kPortsEach - 1}, class_at(protocol.base));
      continue;
    }
    for (uint32_t port = 0; port < kPortsEach; ++port) {
      add({first + port, first + port}, class_at(protocol.base + (port & protocol.mask)));
    }
  }
  add({kWithoutPorts, kWithoutPorts}, layout::kNoPortClass);
}

PortSet PortClassPlaces::Of(std::span<const uint32_t> class_bits) const {
  PortSet set;
  for (const Run& run : runs_) {
    if (TestBit(class_bits, run.port_class)) Append(run.places, set);
  }
  return set;
}

}  // namespace npf::analysis
