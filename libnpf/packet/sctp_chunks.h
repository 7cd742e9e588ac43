// The types of SCTP chunks that say where an association begins and ends (RFC 9260, 3.2).
#ifndef NPF_PACKET_SCTP_CHUNKS_H_
#define NPF_PACKET_SCTP_CHUNKS_H_

#include <cstdint>

namespace npf::packet {

inline constexpr uint8_t kSctpInit = 1;
inline constexpr uint8_t kSctpInitAck = 2;
inline constexpr uint8_t kSctpAbort = 6;
inline constexpr uint8_t kSctpCookieEcho = 10;
inline constexpr uint8_t kSctpShutdownComplete = 14;

}  // namespace npf::packet

#endif  // NPF_PACKET_SCTP_CHUNKS_H_
