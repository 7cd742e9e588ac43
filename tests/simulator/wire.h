// A packet as the simulator and the model speak of it: what its sender meant, in plain fields. The
// model never sees a frame, and the engine never sees this.
#ifndef NPF_TESTS_SIMULATOR_WIRE_H_
#define NPF_TESTS_SIMULATOR_WIRE_H_

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "npf/worker.h"

namespace npf::simulator {

enum TcpFlag : uint8_t { kFin = 1, kSyn = 2, kRst = 4, kPush = 8, kAck = 16 };
enum Chunk : uint8_t {
  kData = 0,
  kInit = 1,
  kInitAck = 2,
  kAbort = 6,
  kError = 9,
  kCookieEcho = 10,
  kCookieAck = 11,
  kShutdownComplete = 14,
};
enum class Icmp : uint8_t { kRequest, kReply, kError, kTimestamp };

inline constexpr int kNoScale = -1;
inline constexpr uint8_t kHosts = 8;  // their addresses are 10.0.0.N+1 and fd00::N+1

// The exact 5-tuple. Echo has its identifier as both ports, other ICMP has zeros.
struct Key {
  uint8_t family = 4;
  uint8_t protocol = kProtocolTcp;
  uint8_t src = 0;  // hosts
  uint8_t dst = 0;
  uint16_t src_port = 0;
  uint16_t dst_port = 0;
  auto operator<=>(const Key&) const = default;
  Key Reversed() const { return {family, protocol, dst, src, dst_port, src_port}; }
};

// Which bytes of the datagram's payload, the transport header counted, this packet has.
struct Part {
  uint32_t begin = 0;  // of eight
  uint32_t end = 0;
  bool more = false;
  uint16_t id = 0;
  bool operator==(const Part&) const = default;
};

struct Wire {
  Key key;
  // TCP
  uint8_t flags = 0;
  uint32_t sequence = 0;
  uint32_t acknowledgement = 0;
  uint16_t window = 0;
  int scale = kNoScale;  // of a SYN
  uint32_t data = 0;     // bytes behind the transport header
  // SCTP
  uint8_t chunk = kData;
  bool reflected = false;  // T
  uint32_t tag = 0;
  uint32_t initiate_tag = 0;
  // ICMP
  Icmp icmp = Icmp::kRequest;
  std::shared_ptr<const Wire> quoted;  // in an error, with eight bytes of transport

  std::optional<Part> part;  // no fragment
  uint16_t vlan = 0;         // 0: none
  bool raw = false;          // without a link header; then without a VLAN, too

  bool Has(uint8_t flag) const { return (flags & flag) != 0; }
  bool IsLaterFragment() const { return part.has_value() && part->begin != 0; }
  bool IsEcho() const {
    return IsIcmp() && (icmp == Icmp::kRequest || icmp == Icmp::kReply) && !IsLaterFragment();
  }
  // "What a receiver without state would open a connection for" (npf/packet.h).
  bool Starts() const;
  // Of a protocol whose packets say whether they begin a connection, one that does.
  bool SaysItStarts() const;
  bool IsIcmp() const { return key.protocol == kProtocolIcmp || key.protocol == kProtocolIcmpv6; }
};

uint32_t TransportHeaderBytes(const Wire& wire);
std::string ToString(const Key& key);
std::string ToString(const Wire& wire);

// The frame of a packet, of which the headers were captured.
struct BuiltFrame {
  std::array<uint8_t, 256> bytes;
  uint32_t length = 0;
  uint32_t wire_length = 0;
  LinkLayer link = LinkLayer::kRawIp;

  Frame view() const { return {.packet = {bytes.data(), length, wire_length}, .link = link}; }
};
void Build(const Wire& wire, BuiltFrame& frame);

}  // namespace npf::simulator

#endif  // NPF_TESTS_SIMULATOR_WIRE_H_
