// The hot half of npf/overlay.h: what the parser asks about a packet.
#include "npf/overlay.h"

#include <algorithm>
#include <iterator>

namespace npf {

uint32_t Overlays::SpeakingOnAnyPort(uint8_t protocol) const {
  uint32_t speaking = 0;
  for (size_t i = 0; i < count_; ++i) {
    speaking |= (entries_[i].protocol == protocol ? 1u : 0u) << i;
  }
  return speaking;
}

uint32_t Overlays::Speaking(uint8_t protocol, uint16_t dst_port) const {
  uint32_t speaking = SpeakingOnAnyPort(protocol);
  if (protocol != kProtocolUdp) return speaking;
  for (size_t i = 0; i < count_; ++i) {
    if (entries_[i].port != dst_port) speaking &= ~(1u << i);
  }
  return speaking;
}

bool Overlays::Contains(const Entry& entry, const AddressNumber& address) {
  const auto after = std::upper_bound(
      entry.endpoints.begin(), entry.endpoints.end(), address,
      [](const AddressNumber& number, const AddressRange& range) { return number < range.first; });
  return after != entry.endpoints.begin() && address <= std::prev(after)->last;
}

uint32_t Overlays::Connecting(uint32_t candidates, const FlowKey& outer) const {
  const AddressNumber src = NumberOf(outer.family, outer.src);
  const AddressNumber dst = NumberOf(outer.family, outer.dst);
  uint32_t connecting = 0;
  for (size_t i = 0; i < count_; ++i) {
    const bool connects =
        (candidates >> i & 1) != 0 && Contains(entries_[i], src) && Contains(entries_[i], dst);
    connecting |= (connects ? 1u : 0u) << i;
  }
  return connecting;
}

bool Overlays::HasIdentifier(size_t index, uint32_t identifier) const {
  const std::vector<IdentifierRange>& ranges = entries_[index].identifiers;
  if (ranges.empty()) return true;
  const auto after = std::upper_bound(
      ranges.begin(), ranges.end(), identifier,
      [](uint32_t number, const IdentifierRange& range) { return number < range.first; });
  return after != ranges.begin() && identifier <= std::prev(after)->last;
}

bool Overlays::KnowsOption(size_t index, const GeneveOption& option) const {
  const Entry& entry = entries_[index];
  const auto end = entry.critical_options.begin() + entry.critical_option_count;
  return std::find(entry.critical_options.begin(), end, option) != end;
}

}  // namespace npf
