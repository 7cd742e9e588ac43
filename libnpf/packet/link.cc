// From the start of the frame to the network layer.
#include "packet/frame.h"

namespace npf::packet {
namespace {

constexpr uint32_t kEthernetBytes = 14;
constexpr uint32_t kSllBytes = 16;
constexpr uint32_t kSll2Bytes = 20;
constexpr uint32_t kTagBytes = 4;
constexpr int kTagsMax = 2;
// Smaller values of the type field are the length of an LLC frame.
constexpr uint16_t kEthertypeMin = 0x0600;
constexpr uint32_t kArpBytes = 28;

bool IsTag(uint16_t ethertype) {
  return ethertype == 0x8100 || ethertype == 0x88a8 || ethertype == 0x9100;
}

// Of these devices the protocol field of a cooked header says nothing about what follows: Frame
// Relay, 802.11 with radiotap, Netlink.
bool HasOwnProtocols(uint16_t device) { return device == 770 || device == 803 || device == 824; }

// Only ARP for IPv4 over six-byte hardware addresses: requests and replies (A88).
void ParseArp(Walk& walk) {
  const Frame& frame = walk.frame;
  if (!frame.OnWire(walk.offset, kArpBytes) || !frame.Has(walk.offset, 8)) {
    return walk.Deny(Reason::kTruncated);
  }
  const uint16_t operation = frame.U16(walk.offset + 6);
  const bool well_formed = frame.U16(walk.offset + 2) == kEthertypeIpv4 &&
                           frame.U8(walk.offset + 4) == 6 && frame.U8(walk.offset + 5) == 4 &&
                           (operation == 1 || operation == 2);
  if (!well_formed) return walk.Deny(Reason::kMalformed);
  walk.PassLinkControl();
}

// `ethertype` is of what stands at walk.offset.
void ParseTagged(Walk& walk, uint16_t ethertype) {
  for (int tags = 0; IsTag(ethertype); ++tags) {
    if (!walk.options.vlan) return walk.Deny(Reason::kVlanOff);
    if (tags == kTagsMax) return walk.Deny(Reason::kVlanDepth);
    if (!walk.frame.Has(walk.offset, kTagBytes)) return walk.Deny(Reason::kTruncated);
    constexpr uint16_t kVlanIdentifier = 0xfff;
    const uint64_t network = walk.parsed.network;
    const uint32_t tag = walk.frame.U16(walk.offset) & kVlanIdentifier;
    walk.parsed.network = (network & ~kTagBits) | (network & kVlanIdentifier) << 16 | tag;
    ethertype = walk.frame.U16(walk.offset + 2);
    walk.offset += kTagBytes;
  }
  ParseNetwork(walk, ethertype);
}

// At a place that is constant where it is the frame's own header, which costs less.
inline void ParseEthernetAt(Walk& walk, uint32_t at) {
  if (!walk.frame.Has(at, kEthernetBytes)) return walk.Deny(Reason::kTruncated);
  walk.offset = at + kEthernetBytes;
  ParseTagged(walk, walk.frame.U16(at + 12));
}

// A Linux cooked header: `bytes` long, with the protocol and the device type at these offsets.
void ParseCooked(Walk& walk, uint32_t bytes, uint32_t protocol_at, uint32_t device_at) {
  if (!walk.frame.Has(0, bytes)) return walk.Deny(Reason::kTruncated);
  if (HasOwnProtocols(walk.frame.U16(device_at))) return walk.Deny(Reason::kEthertype);
  walk.offset = bytes;
  ParseTagged(walk, walk.frame.U16(protocol_at));
}

void ParseRaw(Walk& walk) {
  if (!walk.frame.Has(0, 1)) return walk.Deny(Reason::kTruncated);
  switch (walk.frame.U8(0) >> 4) {
    case 4:
      return ParseNetwork(walk, kEthertypeIpv4);
    case 6:
      return ParseNetwork(walk, kEthertypeIpv6);
    default:
      return walk.Deny(Reason::kMalformed);
  }
}

// The address family of the system that captured, in its byte order (kNull) or network order.
void ParseLoopback(Walk& walk) {
  if (!walk.frame.Has(0, 4)) return walk.Deny(Reason::kTruncated);
  uint32_t family = walk.frame.U32(0);
  if (walk.options.link == LinkLayer::kNull && family > 0xffff) family = __builtin_bswap32(family);
  walk.offset = 4;
  switch (family) {
    case 2:
      return ParseNetwork(walk, kEthertypeIpv4);
    case 10:  // Linux
    case 24:  // NetBSD, OpenBSD
    case 28:  // FreeBSD
    case 30:  // macOS
      return ParseNetwork(walk, kEthertypeIpv6);
    default:
      return walk.Deny(Reason::kEthertype);
  }
}

}  // namespace

void ParseNetwork(Walk& walk, uint16_t ethertype) {
  walk.parsed.l3_offset = static_cast<uint16_t>(walk.offset);
  switch (ethertype) {
    case kEthertypeIpv4:
      return ParseIpv4(walk);
    case kEthertypeIpv6:
      return ParseIpv6(walk);
    case kEthertypeArp:
      return ParseArp(walk);
    default:
      return walk.Deny(ethertype < kEthertypeMin ? Reason::kLlc : Reason::kEthertype);
  }
}

void ParseEthernet(Walk& walk) { ParseEthernetAt(walk, walk.offset); }

void ParseLink(Walk& walk) {
  switch (walk.options.link) {
    case LinkLayer::kEthernet:
      return ParseEthernetAt(walk, 0);
    case LinkLayer::kLinuxSll:
      return ParseCooked(walk, kSllBytes, 14, 2);
    case LinkLayer::kLinuxSll2:
      return ParseCooked(walk, kSll2Bytes, 0, 8);
    case LinkLayer::kRawIp:
      return ParseRaw(walk);
    case LinkLayer::kNull:
    case LinkLayer::kLoop:
      return ParseLoopback(walk);
  }
}

}  // namespace npf::packet
