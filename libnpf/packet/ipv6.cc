// IPv6: header, extension headers, addresses, fragments.
#include <cstring>

#include "packet/frame.h"

namespace npf::packet {
namespace {

constexpr uint32_t kHeaderBytes = 40;
constexpr int kExtensionHeadersMax = 8;

constexpr uint8_t kHopByHop = 0;
constexpr uint8_t kRouting = 43;
constexpr uint8_t kFragment = 44;
constexpr uint8_t kAuthentication = 51;
constexpr uint8_t kNoNextHeader = 59;
constexpr uint8_t kDestinationOptions = 60;

constexpr uint8_t kOptionPad1 = 0;
constexpr uint8_t kOptionRouterAlert = 5;
constexpr uint8_t kOptionJumbo = 0xc2;
constexpr uint8_t kOptionHomeAddress = 0xc9;

// ::/96 with the exception of :: itself, and ::ffff:0:0/96 (A57). ::1 is among them.
bool EmbedsIpv4(const uint8_t* address) {
  static constexpr uint8_t kZero[12] = {};
  if (std::memcmp(address, kZero, 10) != 0 || IsUnspecifiedV6(address)) return false;
  const bool mapped = address[10] == 0xff && address[11] == 0xff;
  const bool compatible = address[10] == 0 && address[11] == 0;
  return mapped || compatible;
}

// The unspecified source of duplicate address detection is looked at again in icmpv6.cc.
bool IsMartian(const uint8_t* src, const uint8_t* dst) {
  return EmbedsIpv4(src) || EmbedsIpv4(dst) || src[0] == 0xff || IsUnspecifiedV6(dst);
}

// The option of two bytes that announces MLD, where it stands in a Hop-by-Hop header (RFC
// 2711, 2.1). `option` has at least as many bytes as its length says.
bool IsRouterAlert(const uint8_t* option) {
  return option[0] == kOptionRouterAlert && option[1] == 2 && option[2] == 0 && option[3] == 0;
}

// The options of one Hop-by-Hop or Destination Options header, all of it captured.
Reason CheckOptions(Walk& walk, uint32_t at, uint32_t end) {
  const Frame& frame = walk.frame;
  while (at < end) {
    const uint8_t type = frame.U8(at);
    if (type == kOptionPad1) {
      ++at;
      continue;
    }
    if (at + 2 > end || frame.U8(at + 1) > end - at - 2) return Reason::kExtensionBad;
    if (type == kOptionJumbo) return Reason::kJumbo;
    // The receiver would take the address in it for the source.
    if (type == kOptionHomeAddress) return Reason::kExtensionBad;
    if (walk.protocol == kHopByHop && IsRouterAlert(frame.At(at))) walk.router_alert = true;
    at += 2u + frame.U8(at + 1);
  }
  return Reason::kPolicy;
}

bool IsExtensionHeader(uint8_t protocol) {
  return protocol == kHopByHop || protocol == kRouting || protocol == kFragment ||
         protocol == kAuthentication || protocol == kDestinationOptions;
}

// Goes past the Fragment header at walk.offset. False: the walk has ended.
bool ReadFragmentHeader(Walk& walk, uint32_t l3_offset) {
  const uint32_t at = walk.offset;
  if (!walk.Require(8, 8)) return false;
  if (walk.fragment_header) {  // a datagram is split once (A24)
    walk.Deny(Reason::kFragmentBad);
    return false;
  }
  walk.fragment_header = true;
  const uint16_t field = walk.frame.U16(at + 2);
  walk.protocol = walk.frame.U8(at);
  walk.offset = at + 8;
  const FragmentPlace place{.offset = uint32_t{field} & 0xfff8u,
                            .more = (field & 1) != 0,
                            .payload = walk.frame.WireFrom(walk.offset),
                            .header_bytes = at - l3_offset - kHeaderBytes,
                            .protocol = walk.protocol};
  if (place.offset == 0 && !place.more) return true;  // atomic: a whole packet (RFC 6946)
  const Reason fault = CheckFragment(walk, place);
  if (fault != Reason::kPolicy) {
    walk.Deny(fault);
    return false;
  }
  NoteFragment(walk, place, walk.frame.U32(at + 4));
  if (place.offset != 0) {
    JudgeLaterFragment(walk, place.protocol);
    return false;
  }
  walk.first_fragment = true;
  return true;
}

// Goes past a header of options, a routing header or an AH at walk.offset. False: denied.
bool ReadExtensionHeader(Walk& walk) {
  const Frame& frame = walk.frame;
  const uint32_t at = walk.offset;
  if (!walk.Require(8, 2)) return false;
  const uint8_t type = walk.protocol;
  if (type == kRouting) {  // its last stop is not the header's destination (A29)
    walk.Deny(Reason::kSourceRoute);
    return false;
  }
  const uint32_t length_field = frame.U8(at + 1);
  const uint32_t bytes = type == kAuthentication ? (length_field + 2) * 4 : (length_field + 1) * 8;
  if (!walk.Require(bytes, type == kAuthentication ? 2 : bytes)) return false;
  Reason fault = Reason::kPolicy;
  if (type != kAuthentication) {
    fault = CheckOptions(walk, at + 2, at + bytes);
  } else if (bytes < 12 || bytes % 8 != 0) {  // RFC 4302, 2.2 and 3.3.3.2.1
    fault = Reason::kExtensionBad;
  }
  if (fault != Reason::kPolicy) {
    walk.Deny(fault);
    return false;
  }
  walk.protocol = frame.U8(at);
  walk.offset = at + bytes;
  return true;
}

// Walks to the first header that is no extension header. False: the walk has ended.
bool WalkExtensions(Walk& walk, uint32_t l3_offset) {
  for (int count = 0; IsExtensionHeader(walk.protocol); ++count) {
    if (count == kExtensionHeadersMax) {
      walk.Deny(Reason::kExtensionLimit);
      return false;
    }
    if (walk.protocol == kHopByHop && count != 0) {
      walk.Deny(Reason::kExtensionOrder);
      return false;
    }
    const bool goes_on = walk.protocol == kFragment ? ReadFragmentHeader(walk, l3_offset)
                                                    : ReadExtensionHeader(walk);
    if (!goes_on) return false;
  }
  return true;
}

// Version and payload length. False: denied.
bool ReadHeader(Walk& walk) {
  const Frame& frame = walk.frame;
  const uint32_t at = walk.offset;
  if (!frame.OnWire(at, kHeaderBytes) || !frame.Has(at, kHeaderBytes)) {
    walk.Deny(Reason::kTruncated);
    return false;
  }
  if (frame.U8(at) >> 4 != 6) {
    walk.Deny(Reason::kMalformed);
    return false;
  }
  const uint32_t payload = frame.U16(at + 4);
  const uint8_t next = frame.U8(at + 6);
  if (payload == 0 && next == kHopByHop) {  // the true length would be in a jumbo option
    walk.Deny(frame.OnWire(at, kHeaderBytes + 8) ? Reason::kJumbo : Reason::kTruncated);
    return false;
  }
  // How long a quoted packet was, nothing else says.
  const bool goes_on = !walk.quoted && frame.OnWire(at, kHeaderBytes + 1);
  if (payload == 0 && next != kNoNextHeader && goes_on) {
    walk.Deny(Reason::kMalformed);
    return false;
  }
  if (!frame.OnWire(at, kHeaderBytes + payload)) {
    walk.Deny(Reason::kTruncated);
    return false;
  }
  walk.frame.EndAt(at + kHeaderBytes + payload);
  return true;
}

}  // namespace

bool IsUnspecifiedV6(const uint8_t* address) {
  static constexpr uint8_t kZero[16] = {};
  return std::memcmp(address, kZero, 16) == 0;
}

bool IsLinkLocalV6(const uint8_t* address) {
  return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

void ParseIpv6(Walk& walk) {
  if (!ReadHeader(walk)) return;
  const uint32_t l3_offset = walk.offset;
  FlowKey& key = walk.parsed.key;
  key.family = 6;
  std::memcpy(key.src, walk.frame.At(l3_offset + 8), 16);
  std::memcpy(key.dst, walk.frame.At(l3_offset + 24), 16);
  walk.protocol = walk.frame.U8(l3_offset + 6);
  walk.hop_limit = walk.frame.U8(l3_offset + 7);
  key.protocol = walk.protocol;
  if (IsMartian(key.src, key.dst)) return walk.Deny(Reason::kMartian);

  walk.offset = l3_offset + kHeaderBytes;
  if (!WalkExtensions(walk, l3_offset)) return;
  key.protocol = walk.protocol;
  walk.parsed.l4_offset = static_cast<uint16_t>(walk.offset);
  ParseTransport(walk);
}

}  // namespace npf::packet
