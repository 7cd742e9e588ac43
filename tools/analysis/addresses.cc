#include "analysis/addresses.h"

#include <algorithm>
#include <utility>

#include "program/view.h"

namespace npf::analysis {
namespace {

IpAddress V6At(uint64_t high, uint64_t low) {
  IpAddress address;
  address.family = Family::kIpv6;
  for (size_t i = 0; i < 8; ++i) {
    address.bytes[i] = static_cast<uint8_t>(high >> (56 - 8 * i));
    address.bytes[8 + i] = static_cast<uint8_t>(low >> (56 - 8 * i));
  }
  return address;
}

// Where runs begin, in order: a class holds from there to the next.
struct Begin {
  IpAddress first;
  uint32_t address_class = 0;
};

void AddBegin(const IpAddress& first, uint32_t address_class, std::vector<Begin>& begins) {
  if (!begins.empty() && begins.back().address_class == address_class) return;
  begins.push_back({first, address_class});
}

// Walks the trie that classifies, 16 then 8 then 8 bits.
template <typename Entry, typename Leaf>
std::vector<Begin> V4Begins(const ProgramView& view) {
  const auto top = view.Section<Entry>(layout::kV4Top);
  const auto mid = view.Section<Entry>(layout::kV4Mid);
  const auto leaf = view.Section<Leaf>(layout::kV4Leaf);
  const auto next = [](Entry entry, uint32_t byte) {
    return (entry >> layout::kV4BaseShift) + (byte & (entry & layout::kV4Mask));
  };
  std::vector<Begin> begins;
  for (uint32_t high = 0; high < 65536; ++high) {
    const Entry to_mid = top[(high >> 8) | (high & 0xff) << 8];
    const uint32_t mids = (to_mid & layout::kV4Mask) != 0 ? 256 : 1;
    for (uint32_t third = 0; third < mids; ++third) {
      const Entry to_leaf = mid[next(to_mid, third)];
      const uint32_t leaves = (to_leaf & layout::kV4Mask) != 0 ? 256 : 1;
      for (uint32_t fourth = 0; fourth < leaves; ++fourth) {
        AddBegin(IpAddress::V4(high << 16 | third << 8 | fourth),
                 static_cast<uint32_t>(leaf[next(to_leaf, fourth)]), begins);
      }
    }
  }
  return begins;
}

std::vector<Begin> V6Begins(const ProgramView& view) {
  const auto highs = view.Section<uint64_t>(layout::kV6Highs);
  const auto intervals = view.Section<uint32_t>(layout::kV6Intervals);
  const auto segments = view.Section<uint32_t>(layout::kV6Segments);
  const auto lows = view.Section<uint64_t>(layout::kV6Lows);
  const auto low_classes = view.Section<uint32_t>(layout::kV6LowClasses);
  std::vector<Begin> begins;
  for (size_t i = 0; i < highs.size(); ++i) {
    if ((intervals[i] & 1) == 0) {
      AddBegin(V6At(highs[i], 0), intervals[i] >> 1, begins);
      continue;
    }
    const uint32_t segment = intervals[i] >> 1;
    for (uint32_t low = segments[segment]; low < segments[segment + 1]; ++low) {
      AddBegin(V6At(highs[i], lows[low]), low_classes[low], begins);
    }
  }
  return begins;
}

std::vector<Begin> BeginsOf(const ProgramView& view, Family family) {
  if (family == Family::kIpv6) return V6Begins(view);
  if (view.header().v4_entry_bytes == 8) return V4Begins<uint64_t, uint32_t>(view);
  if (view.header().leaf_bytes == 4) return V4Begins<uint32_t, uint32_t>(view);
  return V4Begins<uint32_t, uint16_t>(view);
}

IpAddress LastOf(Family family) { return LastAddress({{family, {}}, 0}); }

// Addresses of pods and nodes, in order.
std::vector<IpAddress> Endpoints(const ProgramView& view, Family family) {
  std::vector<IpAddress> addresses;
  for (const layout::Endpoint& endpoint : view.Section<layout::Endpoint>(layout::kEndpoints)) {
    if (endpoint.family != static_cast<uint8_t>(family)) continue;
    addresses.push_back(AddressOf(endpoint));
  }
  return addresses;
}

void AddRun(const AddressRange& range, uint32_t address_class, std::vector<ClassRun>& runs) {
  if (range.last < range.first) return;
  runs.push_back({range, address_class});
}

void AppendPrefixes(const AddressRanges& set, std::vector<IpPrefix>& out) {
  for (const AddressRange& range : set) {
    const std::vector<IpPrefix> prefixes = ToPrefixes(range);
    out.insert(out.end(), prefixes.begin(), prefixes.end());
  }
}

// The smallest prefix that both are in.
IpPrefix Around(const IpAddress& a, const IpAddress& b) {
  IpPrefix prefix{a, static_cast<uint8_t>(a.bit_count())};
  while (!Masked(prefix).Contains(b)) --prefix.length;
  return Masked(prefix);
}

CidrList ListOf(const AddressRanges& set) {
  CidrList list;
  AppendPrefixes(set, list.cidrs);
  const IpPrefix around = Around(set.front().first, set.back().last);
  AddressRanges rest;
  IpAddress next = FirstAddress(around);
  for (const AddressRange& range : set) {
    if (range.first > next) rest.push_back({next, PreviousAddress(range.first)});
    next = NextAddress(range.last);
  }
  if (set.back().last < LastAddress(around)) rest.push_back({next, LastAddress(around)});
  std::vector<IpPrefix> except;
  AppendPrefixes(rest, except);
  if (except.size() + 1 < list.cidrs.size()) return {{around}, std::move(except)};
  return list;
}

}  // namespace

IpAddress AddressOf(const layout::Endpoint& endpoint) {
  IpAddress address{static_cast<Family>(endpoint.family), {}};
  std::copy_n(endpoint.address, 16, address.bytes.begin());
  return address;
}

std::vector<ClassRun> RunsOf(const Program& program, Family family) {
  const std::vector<Begin> begins = BeginsOf(program.view(), family);
  const std::vector<IpAddress> endpoints = Endpoints(program.view(), family);
  std::vector<ClassRun> runs;
  auto endpoint = endpoints.begin();
  for (size_t i = 0; i < begins.size(); ++i) {
    IpAddress first = begins[i].first;
    const bool is_last = i + 1 == begins.size();
    const IpAddress last = is_last ? LastOf(family) : PreviousAddress(begins[i + 1].first);
    bool exhausted = false;
    for (; endpoint != endpoints.end() && *endpoint <= last; ++endpoint) {
      if (*endpoint > first) {
        AddRun({first, PreviousAddress(*endpoint)}, begins[i].address_class, runs);
      }
      exhausted = *endpoint == last;
      first = NextAddress(*endpoint);
    }
    if (!exhausted) AddRun({first, last}, begins[i].address_class, runs);
  }
  return runs;
}

std::vector<CidrList> ToCidrs(const AddressRanges& set) {
  std::vector<CidrList> lists;
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    AddressRanges of_family;
    for (const AddressRange& range : set) {
      if (range.first.family == family) of_family.push_back(range);
    }
    if (!of_family.empty()) lists.push_back(ListOf(of_family));
  }
  return lists;
}

std::string ToString(const CidrList& list) {
  const auto join = [](const std::vector<IpPrefix>& prefixes) {
    std::string text;
    for (const IpPrefix& prefix : prefixes) {
      if (!text.empty()) text += ", ";
      text += prefix.length == prefix.address.bit_count() ? npf::ToString(prefix.address)
                                                          : npf::ToString(prefix);
    }
    return text;
  };
  return join(list.cidrs) + (list.except.empty() ? "" : " except " + join(list.except));
}

}  // namespace npf::analysis
