#include "npf/sources.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"

namespace npf {
namespace {

// Sorted, and with all alternatives of a prefix together.
using ByPrefix = std::map<IpPrefix, std::vector<SourceBinding>>;

// What is wrong with bindings, a line each.
std::string FaultsOf(std::span<const SourceBinding> bindings) {
  std::string text;
  const auto add = [&](size_t index, const std::string& what) {
    if (!text.empty()) text += '\n';
    text += "source binding " + std::to_string(index + 1) + " (" +
            ToString(bindings[index].source) + "): " + what;
  };
  for (size_t i = 0; i < bindings.size(); ++i) {
    const IpPrefix& source = bindings[i].source;
    const int bits = source.address.bit_count();
    if (source.length > bits) add(i, "is longer than " + std::to_string(bits) + " bits");
    if (bindings[i].ethernet && ((*bindings[i].ethernet)[0] & 1) != 0) {
      add(i, "names a group of Ethernet addresses, which sends nothing");
    }
  }
  return text;
}

// With what is bound to nothing unless somebody binds it: no part of ::/0, or of 0.0.0.0/0.
ByPrefix Gathered(std::span<const SourceBinding> bindings) {
  ByPrefix by_prefix;
  for (const SourceBinding& binding : bindings) {
    by_prefix[Masked(binding.source)].push_back(binding);
  }
  for (const std::string_view free : {"0.0.0.0/0", "0.0.0.0/32", "::/128", "fe80::/10"}) {
    by_prefix.try_emplace(ParseIpPrefix(free).prefix);
  }
  return by_prefix;
}

}  // namespace

uint64_t SourceBindings::NumberOf(const uint8_t* ethernet) {
  uint64_t number = 0;
  std::memcpy(&number, ethernet, std::tuple_size_v<EthernetAddress>);
  return number;
}

SourceBindings::AddressNumber SourceBindings::NumberOf(uint8_t family, const uint8_t* address) {
  if (family == 4) {
    uint32_t number;
    std::memcpy(&number, address, sizeof number);
    return uint64_t{0xffff} << 32 | __builtin_bswap32(number);
  }
  uint64_t halves[2];
  std::memcpy(halves, address, sizeof halves);
  return static_cast<AddressNumber>(__builtin_bswap64(halves[0])) << 64 |
         __builtin_bswap64(halves[1]);
}

absl::StatusOr<SourceBindings> SourceBindings::Make(std::span<const SourceBinding> bindings) {
  if (bindings.size() > kBindingsMax) {
    return absl::InvalidArgumentError(std::to_string(bindings.size()) +
                                      " source bindings; at most " + std::to_string(kBindingsMax));
  }
  std::string faults = FaultsOf(bindings);
  if (!faults.empty()) return absl::InvalidArgumentError(faults);
  SourceBindings made;
  std::vector<Region> regions;
  for (const auto& [prefix, alternatives] : Gathered(bindings)) {
    if (alternatives.size() > kAlternativesMax) {
      return absl::InvalidArgumentError(
          ToString(prefix) + " has " + std::to_string(alternatives.size()) +
          " source bindings; at most " + std::to_string(kAlternativesMax));
    }
    const auto family = static_cast<uint8_t>(prefix.address.family);
    regions.push_back({.first = NumberOf(family, FirstAddress(prefix).bytes.data()),
                       .last = NumberOf(family, LastAddress(prefix).bytes.data()),
                       .range = static_cast<uint32_t>(made.alternatives_.size() << kCountBits |
                                                      alternatives.size())});
    for (const SourceBinding& one : alternatives) {
      made.alternatives_.push_back(
          {.ethernet = one.ethernet ? NumberOf(one.ethernet->data()) : kAnyEthernet,
           .port = one.port});
    }
  }
  made.Cut(std::move(regions));
  return made;
}

// Regions are nested or apart. Goes over all addresses once; the innermost one around an address is
// the last of those that have begun and not ended.
void SourceBindings::Cut(std::vector<Region> regions) {
  std::sort(regions.begin(), regions.end(), [](const Region& a, const Region& b) {
    return a.first != b.first ? a.first < b.first : a.last > b.last;
  });
  std::vector<Region> around;
  const auto leave_before = [&](AddressNumber next) {
    while (!around.empty() && around.back().last < next) {
      const AddressNumber behind = around.back().last + 1;
      around.pop_back();
      Begin(behind, around.empty() ? 0 : around.back().range);
    }
  };
  Begin(0, 0);
  for (const Region& region : regions) {
    leave_before(region.first);
    around.push_back(region);
    Begin(region.first, region.range);
  }
  leave_before(~AddressNumber{0});
}

void SourceBindings::Begin(AddressNumber first, uint32_t range) {
  if (firsts_.empty() || firsts_.back() != first) {
    firsts_.push_back(first);
    ranges_.push_back(range);
  } else {
    ranges_.back() = range;
  }
}

bool SourceBindings::MayCome(uint8_t family, const uint8_t* source, uint16_t port,
                             uint64_t ethernet) const {
  const AddressNumber wanted = NumberOf(family, source);
  size_t at = 0;
  for (size_t count = firsts_.size(); count > 1;) {
    const size_t half = count / 2;
    at += half & -size_t{firsts_[at + half] <= wanted};
    count -= half;
  }
  const uint32_t count = ranges_[at] & ((1u << kCountBits) - 1);
  const Alternative* const alternatives = alternatives_.data() + (ranges_[at] >> kCountBits);
  for (uint32_t i = 0; i < count; ++i) {
    const Alternative& one = alternatives[i];
    const bool port_fits = one.port == kAnyPort || one.port == port;
    const bool ethernet_fits =
        one.ethernet == kAnyEthernet || one.ethernet == ethernet || ethernet == kAnyEthernet;
    if (port_fits && ethernet_fits) return true;
  }
  return count == 0;
}

}  // namespace npf
