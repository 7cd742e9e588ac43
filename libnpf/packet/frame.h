// How a frame becomes a flow key.
//
// The parser walks inwards, one file a layer, and stops at the first thing that makes a verdict by
// policy impossible:
//
//   parse.cc      Ethernet · Linux cooked · raw · BSD loopback      link.cc
//                   └ VLAN tags (two at most) ─ ARP ─ LLC
//   ipv4.cc       header · options · fragment      ipv6.cc   header · extension headers · fragment
//                   └──────────────┬───────────────────────────┘
//   transport.cc  TCP · UDP · SCTP · ICMP · anything else
//   icmpv6.cc     neighbour discovery and multicast listener discovery
//   tunnel.cc     VXLAN · Geneve · GRE · IP in IP of configured overlays, and then once more from
//                 link.cc or ipv4.cc or ipv6.cc on, about the inner packet
//
// Two lengths count. The *wire* length is what a receiver had: header fields are held against it.
// The *captured* length is what we have: bytes are read within it only. A cut packet is refused
// only where a byte is missing that the verdict needs. Offsets are 32 bits wide and only ever grow
// by at most 2,048 a step, so that no sum of lengths wraps.
//
// The certainty rule decides every doubtful case: a packet may be allowed only if it would be
// allowed under every reading that a receiver could make of it. So ports are read only where they
// surely are, an unknown header ends the walk as "a protocol without ports", and whatever receivers
// are known to disagree about (overlong chains, routing headers, nested fragments) is refused.
//
// Invariants: no read outside [data, data + captured); no allocation; no exception; the result
// depends on nothing but the arguments.
#ifndef NPF_PACKET_FRAME_H_
#define NPF_PACKET_FRAME_H_

#include <algorithm>
#include <cstdint>

#include "npf/packet.h"

namespace npf::packet {

inline constexpr uint16_t kEthertypeIpv4 = 0x0800;
inline constexpr uint16_t kEthertypeArp = 0x0806;
inline constexpr uint16_t kEthertypeIpv6 = 0x86dd;
inline constexpr uint16_t kEthertypeBridged = 0x6558;  // Ethernet, as tunnels name it

// ParsedPacket::network.
inline constexpr uint64_t kTagBits = 0x0fff'0fff;
inline constexpr int kOverlayShift = 12;
inline constexpr uint64_t kIdentifierBit = uint64_t{1} << 28;
inline constexpr int kIdentifierShift = 32;

// A frame's bytes, with a wire end that moves inwards as headers state how long they are.
class Frame {
 public:
  explicit Frame(const PacketView& view)
      : data_(view.data), captured_(view.length), wire_(std::max(view.wire_length, view.length)) {}

  // `count` bytes at `offset` were on the wire; were captured.
  bool OnWire(uint32_t offset, uint32_t count) const {
    return offset <= wire_ && count <= wire_ - offset;
  }
  bool Has(uint32_t offset, uint32_t count) const {
    return offset <= captured_ && count <= captured_ - offset;
  }
  uint32_t wire() const { return wire_; }
  uint32_t captured() const { return captured_; }
  uint32_t WireFrom(uint32_t offset) const { return wire_ - offset; }  // needs OnWire(offset, 0)

  // Everything from `end` on is padding.
  void EndAt(uint32_t end) {
    wire_ = std::min(wire_, end);
    captured_ = std::min(captured_, end);
  }

  // These need Has().
  const uint8_t* At(uint32_t offset) const { return data_ + offset; }
  uint8_t U8(uint32_t offset) const { return data_[offset]; }
  uint16_t U16(uint32_t offset) const {
    return static_cast<uint16_t>(data_[offset] << 8 | data_[offset + 1]);
  }
  uint32_t U32(uint32_t offset) const {
    return uint32_t{U16(offset)} << 16 | uint32_t{U16(offset + 2)};
  }

 private:
  const uint8_t* data_;
  uint32_t captured_;
  uint32_t wire_;
};

// What the layers hand inwards.
struct Walk {
  Frame frame;
  const ParseOptions& options;
  ParsedPacket& parsed;
  uint32_t offset = 0;           // of the next header
  uint8_t protocol = 0;          // of the header at `offset`, once an IP header was read
  uint8_t hop_limit = 0;         // IPv4: time to live
  bool first_fragment = false;   // more fragments follow this one
  bool fragment_header = false;  // an IPv6 Fragment header was seen, even an atomic one
  bool router_alert = false;     // a Hop-by-Hop header says that routers look at MLD
  bool quoted = false;           // in an ICMP error: cut behind eight bytes of transport

  void Deny(Reason reason) const {
    parsed.outcome = ParseOutcome::kDeny;
    parsed.reason = reason;
  }
  void Judge() const {
    parsed.outcome = ParseOutcome::kJudge;
    parsed.reason = Reason::kPolicy;
  }
  void PassLinkControl() const {
    parsed.outcome = ParseOutcome::kPass;
    parsed.reason = Reason::kLinkControl;
  }
  // A header of `wire_bytes` at `offset`, of which the first `needed` are read. False: denied. What
  // a first fragment lacks is in the next one (A4, A26); what the capture lacks nobody can tell.
  bool Require(uint32_t wire_bytes, uint32_t needed) const {
    const bool sent = frame.OnWire(offset, wire_bytes);
    if (sent && frame.Has(offset, needed)) return true;
    Deny(first_fragment && !sent ? Reason::kFragmentTiny : Reason::kTruncated);
    return false;
  }
};

// Each ends the walk with a verdict in walk.parsed, or calls the next layer.
void ParseLink(Walk& walk);
void ParseEthernet(Walk& walk);  // a header at walk.offset
void ParseNetwork(Walk& walk, uint16_t ethertype);
void ParseIpv4(Walk& walk);
void ParseIpv6(Walk& walk);
void ParseTransport(Walk& walk);
void ParseIcmpv6Control(Walk& walk);  // types 130 to 137 and 143; needs 8 bytes on the wire

// What is here is of the protocol of an overlay of walk.options.overlays, which is not null: it is
// looked into, or denied. False: it is of none, and nothing was done. walk.offset is that of the
// transport header; of UDP, ports and length are known to be good.
bool ParseTunnel(Walk& walk);
// The same of a later fragment, of which nobody can tell what is in it; `protocol` is what its
// header says. False: no tunnel's, as far as anybody cares.
bool DenyFragmentOfTunnel(Walk& walk, uint8_t protocol);

// A fragment that is not the first of its datagram: judged without ports (A3, R44). `protocol` is
// what its header says.
void JudgeLaterFragment(Walk& walk, uint8_t protocol);

// The rules of a fragment's place in its datagram. `header_bytes` is what stands before the
// fragment in the whole datagram, counted in its length. kPolicy: nothing is wrong.
struct FragmentPlace {
  uint32_t offset = 0;  // bytes
  bool more = false;
  uint32_t payload = 0;  // bytes on the wire
  uint32_t header_bytes = 0;
  uint8_t protocol = 0;
};
Reason CheckFragment(const Walk& walk, const FragmentPlace& place);
// Tells which part of which datagram the packet is; walk.offset is that of its payload.
void NoteFragment(Walk& walk, const FragmentPlace& place, uint32_t id);

// The unspecified source is a DHCP client's that looks for a server, or nobody's (A85).
bool UnspecifiedSourceIsWrong(const FlowKey& key);
bool EqualAddresses(const FlowKey& key);
bool HasUnspecifiedSource(const FlowKey& key);
bool IsLinkLocalV6(const uint8_t* address);
bool IsUnspecifiedV6(const uint8_t* address);

}  // namespace npf::packet

#endif  // NPF_PACKET_FRAME_H_
