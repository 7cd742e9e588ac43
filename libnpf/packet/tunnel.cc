// Tunnels of configured overlays: which packets are some, their headers, and the way inwards.
//
// A tunnel's outer packet is not judged, so nothing about it may be in doubt: who sends it to whom,
// which network it is of, and where the inner packet begins. Bits that are reserved today may move
// that beginning tomorrow, and a receiver that knows them reads another packet than we do: they
// must be zero, although some of the RFCs tell receivers to look away.
#include <bit>

#include "npf/overlay.h"
#include "packet/checksum.h"
#include "packet/frame.h"

namespace npf::packet {
namespace {

constexpr uint32_t kUdpHeaderBytes = 8;

struct TunnelHeader {
  bool has_id = false;
  uint32_t id = 0;
  uint16_t inner = kEthertypeBridged;  // Ethertype of what follows
  uint32_t options = 0;                // Geneve: where they begin; walk.offset is where they end
};

// Each goes past a header at walk.offset; kPolicy: nothing is wrong with it.

bool Lacks(const Walk& walk, uint32_t bytes) {
  return !walk.frame.OnWire(walk.offset, bytes) || !walk.frame.Has(walk.offset, bytes);
}

// RFC 7348, 5: the I flag alone, 24 reserved bits, VNI, eight reserved bits.
Reason ReadVxlan(Walk& walk, TunnelHeader& header) {
  constexpr uint32_t kBytes = 8;
  constexpr uint32_t kFlagIdentifier = 0x08000000;
  if (Lacks(walk, kBytes)) return Reason::kTruncated;
  const uint32_t flags = walk.frame.U32(walk.offset);
  const uint32_t identifier = walk.frame.U32(walk.offset + 4);
  if ((flags & kFlagIdentifier) == 0) return Reason::kTunnelNoIdentifier;
  if (flags != kFlagIdentifier || identifier % 256 != 0) return Reason::kTunnelFlags;
  header.has_id = true;
  header.id = identifier / 256;
  walk.offset += kBytes;
  return Reason::kPolicy;
}

// RFC 8926, 3.4. Options are looked at where it is known whose they are.
Reason ReadGeneve(Walk& walk, TunnelHeader& header) {
  constexpr uint32_t kBytes = 8;
  constexpr uint8_t kFlagControl = 0x80;
  constexpr uint8_t kReservedFlags = 0x3f;
  if (Lacks(walk, kBytes)) return Reason::kTruncated;
  const Frame& frame = walk.frame;
  const uint32_t at = walk.offset;
  const uint32_t option_bytes = uint32_t{frame.U8(at)} % 64 * 4;
  if (frame.U8(at) / 64 != 0) return Reason::kTunnelVersion;
  if ((frame.U8(at + 1) & kFlagControl) != 0) return Reason::kTunnelControl;
  if ((frame.U8(at + 1) & kReservedFlags) != 0 || frame.U8(at + 7) != 0) {
    return Reason::kTunnelFlags;
  }
  if (!frame.OnWire(at + kBytes, option_bytes)) return Reason::kTunnelOption;
  if (!frame.Has(at + kBytes, option_bytes)) return Reason::kTruncated;
  header.inner = frame.U16(at + 2);
  header.has_id = true;
  header.id = frame.U32(at + 4) / 256;
  header.options = at + kBytes;
  walk.offset = at + kBytes + option_bytes;
  return Reason::kPolicy;
}

// RFC 8926, 3.5, whether or not the header says that any is critical. Their bytes are captured, a
// multiple of four, and 252 at most.
Reason CheckGeneveOptions(const Walk& walk, const Overlays& overlays, size_t index,
                          uint32_t begin) {
  const uint32_t end = walk.offset;
  for (uint32_t at = begin; at < end;) {
    const GeneveOption option{.option_class = walk.frame.U16(at), .type = walk.frame.U8(at + 2)};
    const uint8_t length = walk.frame.U8(at + 3);
    const uint32_t bytes = 4 + uint32_t{length} % 32 * 4;
    if (length / 32 != 0) return Reason::kTunnelFlags;
    if (bytes > end - at) return Reason::kTunnelOption;
    const bool critical = option.type >= 0x80;
    if (critical && !overlays.KnowsOption(index, option)) return Reason::kTunnelCritical;
    at += bytes;
  }
  return Reason::kPolicy;
}

// RFC 2784, with the key and the sequence number of RFC 2890.
Reason ReadGre(Walk& walk, TunnelHeader& header) {
  constexpr uint32_t kBytes = 4;
  constexpr uint16_t kFlagChecksum = 0x8000, kFlagRouting = 0x4000, kFlagKey = 0x2000;
  constexpr uint16_t kFlagSequence = 0x1000, kVersion = 0x0007, kReserved = 0x0ff8;
  if (Lacks(walk, kBytes)) return Reason::kTruncated;
  const Frame& frame = walk.frame;
  const uint32_t at = walk.offset;
  const uint16_t flags = frame.U16(at);
  if ((flags & kVersion) != 0) return Reason::kTunnelVersion;
  if ((flags & kFlagRouting) != 0) return Reason::kTunnelRouting;
  if ((flags & kReserved) != 0) return Reason::kTunnelFlags;
  const bool has_checksum = (flags & kFlagChecksum) != 0;
  const uint32_t key_at = at + kBytes + (has_checksum ? 4 : 0);
  header.has_id = (flags & kFlagKey) != 0;
  header.inner = frame.U16(at + 2);
  const uint32_t end = key_at + (header.has_id ? 4 : 0) + ((flags & kFlagSequence) != 0 ? 4 : 0);
  if (Lacks(walk, end - at)) return Reason::kTruncated;
  if (has_checksum) {
    if (frame.U16(at + 6) != 0) return Reason::kTunnelFlags;
    const uint32_t covered = frame.WireFrom(at);
    const bool verify = walk.options.checksums == Checksums::kVerify && frame.Has(at, covered);
    if (verify && InternetChecksum(frame.At(at), covered) != 0) return Reason::kTunnelChecksum;
  }
  if (header.has_id) header.id = frame.U32(key_at);
  walk.offset = end;
  return Reason::kPolicy;
}

Reason ReadHeader(Walk& walk, OverlayKind kind, TunnelHeader& header) {
  switch (kind) {
    case OverlayKind::kVxlan:
      return ReadVxlan(walk, header);
    case OverlayKind::kGeneve:
      return ReadGeneve(walk, header);
    case OverlayKind::kGre:
      return ReadGre(walk, header);
    case OverlayKind::kIpip:
      header.inner = kEthertypeIpv4;
      return Reason::kPolicy;
    case OverlayKind::k6in4:
      header.inner = kEthertypeIpv6;
      return Reason::kPolicy;
  }
  return Reason::kTunnelProtocol;
}

// The first one of `connecting` that has the header's identifier; kOverlaysMax: none.
size_t Choose(const Overlays& overlays, uint32_t connecting, const TunnelHeader& header) {
  for (; connecting != 0; connecting &= connecting - 1) {
    const auto index = static_cast<size_t>(std::countr_zero(connecting));
    if (!overlays.HasIdentifiers(index)) return index;
    if (header.has_id && overlays.HasIdentifier(index, header.id)) return index;
  }
  return Overlays::kOverlaysMax;
}

// From here on, everything is about the inner packet.
void GoInside(Walk& walk, const Overlays& overlays, size_t index, const TunnelHeader& header) {
  static_assert(Overlays::kOverlaysMax < 16, "four bits of ParsedPacket::network");
  const ParsedPacket outer = walk.parsed;
  ParsedPacket& inner = walk.parsed;
  inner = {};
  inner.captured_short = outer.captured_short;
  inner.overlay = static_cast<uint8_t>(index + 1);
  inner.tunnel_has_id = header.has_id;
  inner.tunnel_id = header.id;
  inner.outer_l3_offset = outer.l3_offset;
  inner.network = uint64_t{inner.overlay} << kOverlayShift;
  if (header.has_id && overlays.NetworkByIdentifier(index)) {
    inner.network |= kIdentifierBit | uint64_t{header.id} << kIdentifierShift;
  }
  walk.protocol = 0;
  walk.hop_limit = 0;
  walk.fragment_header = false;
  walk.router_alert = false;
  if (header.inner == kEthertypeBridged) return ParseEthernet(walk);
  ParseNetwork(walk, header.inner);
}

// Of a packet between endpoints of the overlays `connecting`, which are all of one kind.
void LookInto(Walk& walk, uint32_t connecting) {
  const Overlays& overlays = *walk.options.overlays;
  if (walk.protocol == kProtocolUdp) {
    walk.frame.EndAt(walk.offset + walk.frame.U16(walk.offset + 4));
    walk.offset += kUdpHeaderBytes;
  }
  const OverlayKind kind = overlays.kind(static_cast<size_t>(std::countr_zero(connecting)));
  TunnelHeader header;
  const Reason header_fault = ReadHeader(walk, kind, header);
  if (header_fault != Reason::kPolicy) return walk.Deny(header_fault);
  const size_t index = Choose(overlays, connecting, header);
  if (index == Overlays::kOverlaysMax) {
    return walk.Deny(header.has_id ? Reason::kTunnelIdentifier : Reason::kTunnelNoIdentifier);
  }
  if (kind == OverlayKind::kGeneve) {
    const Reason option_fault = CheckGeneveOptions(walk, overlays, index, header.options);
    if (option_fault != Reason::kPolicy) return walk.Deny(option_fault);
  }
  const bool known = header.inner == kEthertypeBridged || header.inner == kEthertypeIpv4 ||
                     header.inner == kEthertypeIpv6;
  if (!known) return walk.Deny(Reason::kTunnelProtocol);
  GoInside(walk, overlays, index, header);
}

}  // namespace

bool ParseTunnel(Walk& walk) {
  const Overlays& overlays = *walk.options.overlays;
  ParsedPacket& outer = walk.parsed;
  const uint32_t speaking = overlays.Speaking(walk.protocol, outer.key.dst_port);
  if (speaking == 0) return false;
  const uint32_t connecting = overlays.Connecting(speaking, outer.key);
  if (outer.overlay != 0) {
    walk.Deny(Reason::kTunnelNested);
  } else if (UnspecifiedSourceIsWrong(outer.key)) {
    walk.Deny(Reason::kMartian);
  } else if (EqualAddresses(outer.key)) {
    walk.Deny(Reason::kLand);
  } else if (connecting == 0) {
    walk.Deny(Reason::kTunnelEndpoint);
  } else if (walk.first_fragment) {
    walk.Deny(Reason::kTunnelFragment);
  } else {
    LookInto(walk, connecting);
  }
  return true;
}

// The first fragment is denied wherever a whole packet would be, so that no datagram is complete
// without what is denied here. Of UDP, whose later fragments have no port, this goes beyond that
// between endpoints: there, most are tunnels.
bool DenyFragmentOfTunnel(Walk& walk, uint8_t protocol) {
  const Overlays& overlays = *walk.options.overlays;
  const uint32_t speaking = overlays.SpeakingOnAnyPort(protocol);
  if (speaking == 0) return false;
  const bool inside = walk.parsed.overlay != 0;
  const bool connects = overlays.Connecting(speaking, walk.parsed.key) != 0;
  if (protocol == kProtocolUdp && (inside || !connects)) return false;
  walk.Deny(inside     ? Reason::kTunnelNested
            : connects ? Reason::kTunnelFragment
                       : Reason::kTunnelEndpoint);
  return true;
}

}  // namespace npf::packet
