#include <algorithm>
#include <cstring>

#include "packet/frame.h"
#include "packet/joined.h"
#include "packet/quoted.h"

namespace npf {
namespace packet {

Reason CheckFragment(const Walk& walk, const FragmentPlace& place) {
  if (place.payload == 0) return Reason::kFragmentBad;
  if (place.more && place.payload % 8 != 0) return Reason::kFragmentBad;
  if (place.header_bytes + place.offset + place.payload > 65535) return Reason::kFragmentOversize;
  // A fragment at 8 would overwrite, or bring, the flags of a TCP header (RFC 3128).
  const bool tiny = place.protocol == kProtocolTcp && place.offset == 8;
  if (tiny && !walk.options.header_in_parts) return Reason::kFragmentTiny;
  return Reason::kPolicy;
}

void NoteFragment(Walk& walk, const FragmentPlace& place, uint32_t id) {
  walk.parsed.fragment = true;
  walk.parsed.fragment_more = place.more;
  walk.parsed.fragment_begin = static_cast<uint16_t>(place.offset / 8);
  walk.parsed.fragment_end = static_cast<uint16_t>((place.offset + place.payload + 7) / 8);
  walk.parsed.fragment_protocol = place.protocol;
  walk.parsed.fragment_id = id;
  walk.parsed.fragment_at = static_cast<uint16_t>(walk.offset);
  walk.parsed.fragment_bytes = static_cast<uint16_t>(place.payload);
}

bool EqualAddresses(const FlowKey& key) { return std::memcmp(key.src, key.dst, 16) == 0; }

bool HasUnspecifiedSource(const FlowKey& key) {
  return std::all_of(key.src, key.src + 16, [](uint8_t byte) { return byte == 0; });
}

void JudgeLaterFragment(Walk& walk, uint8_t protocol) {
  if (walk.options.overlays != nullptr && DenyFragmentOfTunnel(walk, protocol)) return;
  // No client without an address sends fragments (A85).
  if (HasUnspecifiedSource(walk.parsed.key)) return walk.Deny(Reason::kMartian);
  // Its first fragment may be a land packet; every reading must be allowed.
  if (EqualAddresses(walk.parsed.key)) return walk.Deny(Reason::kLand);
  walk.parsed.later_fragment = true;
  walk.parsed.l4_offset = static_cast<uint16_t>(walk.offset);
  walk.parsed.key.protocol = kProtocolUnknown;
  walk.Judge();
}

ParsedPacket ParseQuoted(const PacketView& frame, const ParsedPacket& error) noexcept {
  // As long as the quoted header says: it is rarely quoted whole.
  constexpr uint32_t kLongest = 40 + 65535;
  const PacketView view{.data = frame.data + error.quoted_offset,
                        .length = error.quoted_bytes,
                        .wire_length = kLongest};
  const ParseOptions options{.link = LinkLayer::kRawIp, .checksums = Checksums::kIgnore};
  ParsedPacket parsed;
  Walk walk{.frame = Frame(view), .options = options, .parsed = parsed, .quoted = true};
  ParseLink(walk);
  if (parsed.key.family != error.key.family) walk.Deny(Reason::kIcmpMismatch);
  return parsed;
}

ParsedPacket ParseJoined(const JoinedDatagram& datagram, const ParseOptions& options) noexcept {
  ParsedPacket parsed;
  parsed.key = datagram.key;
  parsed.key.src_port = 0;
  parsed.key.dst_port = 0;
  parsed.network = datagram.network;
  parsed.captured_short = datagram.transport.length < datagram.transport.wire_length;
  Walk walk{.frame = Frame(datagram.transport),
            .options = options,
            .parsed = parsed,
            .protocol = datagram.key.protocol,
            .fragment_header = datagram.key.family == 6};
  ParseTransport(walk);
  return parsed;
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
