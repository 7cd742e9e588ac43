// From bytes to a flow key, without reading past the end of what was captured.
//
// Every packet stands alone here: what a fragment's datagram or a segment's connection was is for
// the engine (npf/worker.h). Where several reasons apply, the one that is found first on the way
// from the link inwards is given; docs/reasons.md states the order.
#ifndef NPF_PACKET_H_
#define NPF_PACKET_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "npf/flow.h"
#include "npf/verdict.h"

namespace npf {

// How a frame begins. The numbers are this library's own; capture readers map link types to them.
enum class LinkLayer : uint8_t { kEthernet, kRawIp, kLinuxSll, kLinuxSll2, kNull, kLoop };

// No reading of a later fragment's ports is certain, so it is judged as a protocol that no rule
// with ports can name: only rules without ports allow it.
inline constexpr uint8_t kProtocolUnknown = 255;

inline constexpr uint8_t kTcpWindowScaleMax = 14;
inline constexpr uint8_t kNoTcpWindowScale = 255;

// `length` bytes at `data` were captured of a frame that was `wire_length` bytes on the wire.
struct PacketView {
  const uint8_t* data = nullptr;
  uint32_t length = 0;
  uint32_t wire_length = 0;
};

class Overlays;

enum class Checksums : uint8_t { kVerify, kIpOnly, kIgnore };

struct ParseOptions {
  LinkLayer link = LinkLayer::kEthernet;
  bool vlan = true;  // look through up to two tags; else tagged frames are denied
  Checksums checksums = Checksums::kVerify;
  const Overlays* overlays = nullptr;  // tunnels that are looked into (npf/overlay.h); null: none
  // A caller joins fragments: a TCP or SCTP header may go on in the next one. A first fragment that
  // has not all of it is still denied as kFragmentTiny, its ports unread, and the next one is a
  // later fragment like any other.
  bool header_in_parts = false;
};

enum class ParseOutcome : uint8_t {
  kJudge,  // `key` is to be judged by policy
  kPass,   // link control: allowed without policy, `reason` says why
  kDeny,   // cannot be judged, `reason` says why
};

// Of what came out of a tunnel, everything here is about the inner packet, unless said otherwise.
struct ParsedPacket {
  // Set as far as the packet was understood; family 0 where no addresses were found. A later
  // fragment has protocol 255 (kProtocolUnknown), an ICMP echo its identifier as src_port.
  FlowKey key{};
  ParseOutcome outcome = ParseOutcome::kDeny;
  Reason reason = Reason::kMalformed;
  uint8_t tcp_flags = 0;
  uint32_t tcp_sequence = 0;
  uint32_t tcp_acknowledgement = 0;  // meaningful where the flag is set
  uint32_t tcp_length = 0;           // of sequence space: data, SYN and FIN
  uint16_t tcp_window = 0;           // as in the header, not scaled
  // Of a SYN: the shift that it offers (RFC 7323), at most kTcpWindowScaleMax, which also stands
  // for options that were not captured; kNoTcpWindowScale where it offers none.
  uint8_t tcp_window_scale = kNoTcpWindowScale;
  uint8_t sctp_chunk = 0;  // type of the first one
  uint8_t sctp_chunk_flags = 0;
  bool sctp_known = false;         // what is said of SCTP was captured
  uint32_t sctp_tag = 0;           // verification tag
  uint32_t sctp_initiate_tag = 0;  // of INIT and INIT ACK
  uint8_t icmp_type = 0;
  bool ports_known = false;  // key.src_port and key.dst_port come from the packet
  // What a receiver without state would open a connection for: TCP SYN, SCTP INIT, everything of
  // protocols without such a mark; but no echo reply.
  bool starts_connection = false;
  bool later_fragment = false;  // judged without ports (certainty rule)
  // Of a part of a datagram, the first one too: which datagram, and which part of its payload in
  // units of eight bytes.
  bool fragment = false;
  uint32_t fragment_id = 0;
  uint16_t fragment_begin = 0;
  uint16_t fragment_end = 0;
  bool fragment_more = false;     // others come behind it
  uint8_t fragment_protocol = 0;  // what its header says; of IPv6, fragments may differ in it
  uint16_t fragment_at = 0;       // where its payload is, from the start of the frame
  uint16_t fragment_bytes = 0;    // of its payload, on the wire
  bool captured_short = false;    // captured fewer bytes than were on the wire
  // The overlay that it came through: 1 + its place in ParseOptions::overlays; 0: no tunnel.
  uint8_t overlay = 0;
  // The network that the addresses are of, a context of connections and datagrams; 0: untagged, not
  // in a tunnel. Bits 0 to 11 and 16 to 27: the identifiers of the last tag and of the one before
  // it. Of what came out of a tunnel also bits 12 to 15: `overlay`; and where identifiers tell
  // networks apart, bit 28: there is one; bits 32 to 63: it.
  uint64_t network = 0;
  uint16_t quoted_offset = 0;  // from the start of the frame, of what an ICMP error quotes
  uint16_t quoted_bytes = 0;   // captured of it; 0: it is no error, or quotes nothing
  uint16_t l3_offset = 0;      // from the start of the frame
  uint16_t l4_offset = 0;
  uint32_t tunnel_id = 0;        // VNI or key of the tunnel
  uint16_t outer_l3_offset = 0;  // of the tunnel's own IP header, from the start of the frame
  bool tunnel_has_id = false;    // of GRE, the header has a key
};

ParsedPacket ParsePacket(const PacketView& packet, const ParseOptions& options) noexcept;
void ParsePackets(std::span<const PacketView> packets, const ParseOptions& options,
                  std::span<ParsedPacket> parsed) noexcept;

}  // namespace npf

#endif  // NPF_PACKET_H_
