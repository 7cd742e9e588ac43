#include "npf/overlay_flags.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <string_view>
#include <utility>

#include "npf/address.h"
#include "npf/diagnostics.h"
#include "npf/protocol.h"

namespace npf::tools {
namespace {

constexpr std::array<OverlayKind, 5> kKinds = {OverlayKind::kVxlan, OverlayKind::kGeneve,
                                               OverlayKind::kGre, OverlayKind::kIpip,
                                               OverlayKind::k6in4};

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string Listed(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) text.append(text.empty() ? "" : ", ").append(word);
  return text;
}

std::vector<std::string_view> KeysOf(OverlayKind kind) {
  switch (kind) {
    case OverlayKind::kVxlan:
      return {"endpoints", "port", "vni", "network"};
    case OverlayKind::kGeneve:
      return {"endpoints", "port", "vni", "network", "critical"};
    case OverlayKind::kGre:
      return {"endpoints", "key", "network"};
    case OverlayKind::kIpip:
    case OverlayKind::k6in4:
      return {"endpoints"};
  }
  return {};
}

std::optional<OverlayKind> ParseKind(std::string_view text) {
  const auto* const found =
      std::find_if(kKinds.begin(), kKinds.end(), [&](OverlayKind k) { return Name(k) == text; });
  return found == kKinds.end() ? std::nullopt : std::optional(*found);
}

// "7" or "0x7".
std::optional<uint32_t> ParseHexOrDecimal(std::string_view text, uint32_t max) {
  if (!text.starts_with("0x")) return ParseNumber(text, max);
  text.remove_prefix(2);
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

class OverlayParser {
 public:
  OverlayParser(size_t number, std::vector<std::string>& faults)
      : name_("--overlay " + std::to_string(number)), faults_(faults) {}

  // Where it is not known what was meant, the spec is one that nothing is wrong with, so that the
  // others can be looked at with it.
  OverlaySpec Parse(std::string_view text) {
    const std::vector<std::string_view> parts = Split(text, ',');
    const std::optional<OverlayKind> kind = ParseKind(parts[0]);
    if (!kind.has_value()) {
      Fault("must begin with vxlan, geneve, gre, ipip or 6in4", parts[0]);
      return {.kind = OverlayKind::kIpip, .endpoints = {IpPrefix{}}};
    }
    spec_.kind = *kind;
    name_.append(" (").append(parts[0]).append(")");
    std::set<std::string_view> seen;
    for (size_t i = 1; i < parts.size(); ++i) {
      const size_t equals = parts[i].find('=');
      const std::string_view key = parts[i].substr(0, equals);
      const std::vector<std::string_view> keys = KeysOf(*kind);
      if (equals == std::string_view::npos ||
          std::find(keys.begin(), keys.end(), key) == keys.end()) {
        Fault("takes KEY=VALUE with " + Listed(keys), parts[i]);
      } else if (!seen.insert(key).second) {
        Fault(std::string(key) + ": stands twice", parts[i]);
      } else {
        ParseValue(key, parts[i].substr(equals + 1));
      }
    }
    if (seen.contains("endpoints") && spec_.endpoints.empty()) spec_.endpoints = {IpPrefix{}};
    return std::move(spec_);
  }

 private:
  void Fault(const std::string& what, std::string_view found) {
    faults_.push_back(name_ + ": " + what + " (found \"" + EscapeForMessage(found) + "\")");
  }

  void ParseValue(std::string_view key, std::string_view value) {
    if (key == "port") return ParsePort(value);
    if (key == "network") return ParseNetwork(value);
    for (const std::string_view item : Split(value, '+')) {
      if (key == "endpoints") {
        ParseEndpoint(item);
      } else if (key == "critical") {
        ParseCritical(item);
      } else {
        ParseIdentifiers(key, item);
      }
    }
  }

  void ParsePort(std::string_view value) {
    const auto port = ParseNumber(value, 65535);
    if (!port.has_value() || *port == 0) {
      return Fault("port: must be a number from 1 to 65535", value);
    }
    spec_.port = static_cast<uint16_t>(*port);
  }

  void ParseNetwork(std::string_view value) {
    if (value != "by-id" && value != "one") return Fault("network: must be by-id or one", value);
    spec_.network_by_identifier = value == "by-id";
  }

  void ParseEndpoint(std::string_view item) {
    if (const auto address = ParseIpAddress(item)) {
      spec_.endpoints.push_back({*address, static_cast<uint8_t>(address->bit_count())});
      return;
    }
    const ParsedPrefix parsed = ParseIpPrefix(item);
    if (parsed.fault != PrefixFault::kNone) {
      return Fault("endpoints: must be addresses or blocks, as 192.168.0.0/24+fd00::/64", item);
    }
    if (parsed.host_bits_set) {
      return Fault("endpoints: has bits beyond its length; the block is " + ToString(parsed.prefix),
                   item);
    }
    spec_.endpoints.push_back(parsed.prefix);
  }

  void ParseIdentifiers(std::string_view key, std::string_view item) {
    const uint32_t max = MaxIdentifier(spec_.kind);
    const size_t dash = item.find('-');
    const auto first = ParseNumber(item.substr(0, dash), max);
    const auto last =
        dash == std::string_view::npos ? first : ParseNumber(item.substr(dash + 1), max);
    if (!first.has_value() || !last.has_value() || *first > *last) {
      return Fault(std::string(key) + ": must be numbers or ranges from 0 to " +
                       std::to_string(max) + ", as 1-100+4096",
                   item);
    }
    spec_.identifiers.push_back({*first, *last});
  }

  void ParseCritical(std::string_view item) {
    const size_t colon = item.find(':');
    const auto option_class = ParseHexOrDecimal(item.substr(0, colon), 0xffff);
    const auto type = colon == std::string_view::npos
                          ? std::nullopt
                          : ParseHexOrDecimal(item.substr(colon + 1), 0xff);
    if (!option_class.has_value() || !type.has_value() || *type < 0x80) {
      return Fault("critical: must be CLASS:TYPE with a type from 0x80 on, as 0x0102:0x80", item);
    }
    spec_.critical_options.push_back(
        {static_cast<uint16_t>(*option_class), static_cast<uint8_t>(*type)});
  }

  std::string name_;
  std::vector<std::string>& faults_;
  OverlaySpec spec_;
};

}  // namespace

std::optional<Overlays> ParseOverlays(const std::vector<std::string>& texts,
                                      std::vector<std::string>& faults) {
  if (texts.empty()) return std::nullopt;
  std::vector<OverlaySpec> specs;
  specs.reserve(texts.size());
  for (const std::string& text : texts) {
    specs.push_back(OverlayParser(specs.size() + 1, faults).Parse(text));
  }
  absl::StatusOr<Overlays> overlays = Overlays::Make(specs);
  if (!overlays.ok()) {
    const std::string text(overlays.status().message());
    for (const std::string_view fault : Split(text, '\n')) {
      faults.push_back("--" + std::string(fault));
    }
  }
  if (!faults.empty()) return std::nullopt;
  return *std::move(overlays);
}

}  // namespace npf::tools
