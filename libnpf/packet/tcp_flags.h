// Control bits of a TCP header (RFC 9293, 3.1).
#ifndef NPF_PACKET_TCP_FLAGS_H_
#define NPF_PACKET_TCP_FLAGS_H_

#include <cstdint>

namespace npf::packet {

inline constexpr uint8_t kTcpFin = 0x01;
inline constexpr uint8_t kTcpSyn = 0x02;
inline constexpr uint8_t kTcpRst = 0x04;
inline constexpr uint8_t kTcpAck = 0x10;
inline constexpr uint8_t kTcpUrg = 0x20;

}  // namespace npf::packet

#endif  // NPF_PACKET_TCP_FLAGS_H_
