// The packet that an ICMP error quotes: its header and at least eight bytes behind it (RFC 792; RFC
// 4443, 2.4).
#ifndef NPF_PACKET_QUOTED_H_
#define NPF_PACKET_QUOTED_H_

#include "npf/packet.h"

namespace npf::packet {

// Reads what `error`, parsed from `frame`, quotes; error.quoted_bytes is not 0. The outcome is
// kJudge where addresses and ports are known. Of TCP the sequence number is told, and no flags:
// they need not be there. Checksums are as routers left them and are not looked at.
ParsedPacket ParseQuoted(const PacketView& frame, const ParsedPacket& error) noexcept;

}  // namespace npf::packet

#endif  // NPF_PACKET_QUOTED_H_
