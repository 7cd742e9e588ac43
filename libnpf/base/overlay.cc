// The cold half of npf/overlay.h: specs to a compiled set. What packets ask stands in
// packet/overlays.cc.
#include "npf/overlay.h"

#include <algorithm>
#include <string>

#include "absl/status/status.h"

namespace npf {
namespace {

constexpr uint8_t kProtocolIpip = 4;
constexpr uint8_t kProtocolIpv6 = 41;
constexpr uint8_t kProtocolGre = 47;

uint8_t ProtocolOf(OverlayKind kind) {
  switch (kind) {
    case OverlayKind::kVxlan:
    case OverlayKind::kGeneve:
      return kProtocolUdp;
    case OverlayKind::kGre:
      return kProtocolGre;
    case OverlayKind::kIpip:
      return kProtocolIpip;
    case OverlayKind::k6in4:
      return kProtocolIpv6;
  }
  return 0;
}

uint16_t PortOf(const OverlaySpec& spec) {
  return spec.port != 0 ? spec.port : DefaultPort(spec.kind);
}

bool IsCritical(const GeneveOption& option) { return option.type >= 0x80; }

// Gathers what is wrong.
class Faults {
 public:
  void Add(size_t index, const OverlaySpec& spec, const std::string& what) {
    if (!text_.empty()) text_ += '\n';
    text_ += "overlay " + std::to_string(index + 1) + " (";
    text_.append(Name(spec.kind)).append("): ").append(what);
  }
  // `what`: "has more than" ...
  void Limit(size_t index, const OverlaySpec& spec, size_t count, size_t max, const char* of) {
    if (count <= max) return;
    Add(index, spec,
        "has " + std::to_string(count) + " " + of + "; at most " + std::to_string(max));
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void CheckIdentifiers(size_t index, const OverlaySpec& spec, Faults& faults) {
  const uint32_t max = MaxIdentifier(spec.kind);
  if (!spec.identifiers.empty() && max == 0) return faults.Add(index, spec, "has no identifiers");
  for (const IdentifierRange& range : spec.identifiers) {
    const std::string text = std::to_string(range.first) + "-" + std::to_string(range.last);
    if (range.first > range.last) {
      faults.Add(index, spec, "identifiers " + text + " end before they begin");
    } else if (range.last > max) {
      faults.Add(index, spec, "identifiers " + text + " go beyond " + std::to_string(max));
    }
  }
}

void CheckOne(size_t index, const OverlaySpec& spec, Faults& faults) {
  if (spec.port != 0 && DefaultPort(spec.kind) == 0) faults.Add(index, spec, "has no port");
  if (spec.endpoints.empty()) faults.Add(index, spec, "needs endpoints");
  CheckIdentifiers(index, spec, faults);
  if (!spec.critical_options.empty() && spec.kind != OverlayKind::kGeneve) {
    faults.Add(index, spec, "has no options");
  } else if (!std::all_of(spec.critical_options.begin(), spec.critical_options.end(), IsCritical)) {
    faults.Add(index, spec, "an option of a type below 128 is not critical, and needs no mention");
  }
  faults.Limit(index, spec, spec.endpoints.size(), Overlays::kEndpointsMax, "endpoints");
  faults.Limit(index, spec, spec.identifiers.size(), Overlays::kIdentifiersMax,
               "ranges of identifiers");
  faults.Limit(index, spec, spec.critical_options.size(), Overlays::kCriticalOptionsMax,
               "critical options");
}

// A port can be read in one way only.
void CheckPorts(std::span<const OverlaySpec> specs, Faults& faults) {
  for (size_t i = 0; i < specs.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      const bool same = PortOf(specs[i]) != 0 && PortOf(specs[i]) == PortOf(specs[k]);
      if (!same || specs[i].kind == specs[k].kind) continue;
      faults.Add(i, specs[i],
                 "port " + std::to_string(PortOf(specs[i])) + " is that of overlay " +
                     std::to_string(k + 1) + ", which is of another kind");
    }
  }
}

// Joins ranges of `ranges`, which are sorted by their beginnings, where they overlap.
template <typename Range>
std::vector<Range> Joined(const std::vector<Range>& ranges) {
  std::vector<Range> joined;
  for (const Range& range : ranges) {
    if (joined.empty() || joined.back().last < range.first) {
      joined.push_back(range);
    } else {
      joined.back().last = std::max(joined.back().last, range.last);
    }
  }
  return joined;
}

}  // namespace

std::string_view Name(OverlayKind kind) {
  switch (kind) {
    case OverlayKind::kVxlan:
      return "vxlan";
    case OverlayKind::kGeneve:
      return "geneve";
    case OverlayKind::kGre:
      return "gre";
    case OverlayKind::kIpip:
      return "ipip";
    case OverlayKind::k6in4:
      return "6in4";
  }
  return "unknown";
}

uint16_t DefaultPort(OverlayKind kind) {
  if (kind == OverlayKind::kVxlan) return 4789;
  return kind == OverlayKind::kGeneve ? 6081 : 0;
}

uint32_t MaxIdentifier(OverlayKind kind) {
  if (kind == OverlayKind::kGre) return UINT32_MAX;
  return DefaultPort(kind) != 0 ? 0xffffff : 0;
}

Overlays::Entry Overlays::Compiled(const OverlaySpec& spec) {
  Entry entry;
  entry.kind = spec.kind;
  entry.protocol = ProtocolOf(spec.kind);
  entry.port = PortOf(spec);
  entry.network_by_identifier = spec.network_by_identifier;
  for (const IpPrefix& prefix : spec.endpoints) {
    const auto family = static_cast<uint8_t>(prefix.address.family);
    entry.endpoints.push_back({NumberOf(family, FirstAddress(prefix).bytes.data()),
                               NumberOf(family, LastAddress(prefix).bytes.data())});
  }
  std::sort(entry.endpoints.begin(), entry.endpoints.end(),
            [](const AddressRange& a, const AddressRange& b) { return a.first < b.first; });
  entry.endpoints = Joined(entry.endpoints);
  entry.identifiers = spec.identifiers;
  std::sort(entry.identifiers.begin(), entry.identifiers.end());
  entry.identifiers = Joined(entry.identifiers);
  std::copy(spec.critical_options.begin(), spec.critical_options.end(),
            entry.critical_options.begin());
  entry.critical_option_count = spec.critical_options.size();
  return entry;
}

absl::StatusOr<Overlays> Overlays::Make(std::span<const OverlaySpec> specs) {
  Faults faults;
  for (size_t i = 0; i < specs.size(); ++i) CheckOne(i, specs[i], faults);
  CheckPorts(specs, faults);
  if (specs.size() > kOverlaysMax) {
    faults.Add(kOverlaysMax, specs[kOverlaysMax],
               "is one too many; at most " + std::to_string(kOverlaysMax) + " overlays");
  }
  if (!faults.text().empty()) return absl::InvalidArgumentError(faults.text());
  Overlays overlays;
  for (const OverlaySpec& spec : specs) overlays.entries_[overlays.count_++] = Compiled(spec);
  return overlays;
}

}  // namespace npf
