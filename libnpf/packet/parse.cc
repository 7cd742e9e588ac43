#include <cstring>

#include "packet/frame.h"

namespace npf {
namespace packet {

Reason CheckFragment(const FragmentPlace& place) {
  if (place.payload == 0) return Reason::kFragmentBad;
  if (place.more && place.payload % 8 != 0) return Reason::kFragmentBad;
  if (place.header_bytes + place.offset + place.payload > 65535) return Reason::kFragmentOversize;
  // A fragment at 8 would overwrite, or bring, the flags of a TCP header (RFC 3128).
  if (place.protocol == kProtocolTcp && place.offset == 8) return Reason::kFragmentTiny;
  return Reason::kPolicy;
}

bool EqualAddresses(const FlowKey& key) { return std::memcmp(key.src, key.dst, 16) == 0; }

void JudgeLaterFragment(Walk& walk) {
  // Its first fragment may be a land packet; every reading must be allowed.
  if (EqualAddresses(walk.parsed.key)) return walk.Deny(Reason::kLand);
  walk.parsed.later_fragment = true;
  walk.parsed.key.protocol = kProtocolUnknown;
  walk.Judge();
}

}  // namespace packet

ParsedPacket ParsePacket(const PacketView& view, const ParseOptions& options) noexcept {
  ParsedPacket parsed;
  parsed.captured_short = view.length < view.wire_length;
  packet::Walk walk{.frame = packet::Frame(view), .options = options, .parsed = parsed};
  packet::ParseLink(walk);
  return parsed;
}

void ParsePackets(std::span<const PacketView> packets, const ParseOptions& options,
                  std::span<ParsedPacket> parsed) noexcept {
  for (size_t i = 0; i < packets.size(); ++i) parsed[i] = ParsePacket(packets[i], options);
}

}  // namespace npf
