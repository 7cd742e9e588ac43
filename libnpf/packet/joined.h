// A datagram that came in fragments, as a packet.
#ifndef NPF_PACKET_JOINED_H_
#define NPF_PACKET_JOINED_H_

#include "npf/packet.h"

namespace npf::packet {

struct JoinedDatagram {
  FlowKey key{};  // of its first fragment: addresses and protocol
  uint64_t network = 0;
  PacketView transport;  // of the whole datagram, as much of its beginning as is known
};

// What ParsePacket would say of it, had it come in one packet whose IP header has nothing wrong.
// Lengths are held against the whole datagram. It is no tunnel: what may be one of an overlay is
// denied in fragments. Offsets are from the start of `transport`.
ParsedPacket ParseJoined(const JoinedDatagram& datagram, const ParseOptions& options) noexcept;

}  // namespace npf::packet

#endif  // NPF_PACKET_JOINED_H_
