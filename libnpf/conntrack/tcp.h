// TCP as seen from between its ends.
//
// A receiver takes what lies in its window (RFC 9293, 3.10.7.4). From outside, the window is not
// known exactly; what bounds it is: nothing ends beyond what the other side has acknowledged, plus
// the largest window that it has ever offered; nothing begins further back than that window behind
// what was acknowledged; and an acknowledgement lies between what was acknowledged before, less the
// largest window (RFC 5961, 5.2), and what was sent.
//
//   acked[s] - window    acked[s]        next[s]       acked[s] + window
//   ──┬──────────────────────┼──────────────┼───────────────┼──────  sequence numbers of side s
//     └ sent again           └ may be lost  └ new data      └ nothing beyond
//
// A SYN into an established connection passes and changes nothing: its receiver asks the sender
// whether it means it, and the answer, a RST, stands exactly where it must (RFC 5961, 4; A69). A
// RST ends a connection only where it stands exactly where its receiver waits (RFC 5961, 3).
#ifndef NPF_CONNTRACK_TCP_H_
#define NPF_CONNTRACK_TCP_H_

#include "conntrack/flow.h"
#include "conntrack/tcp_window.h"
#include "npf/packet.h"
#include "packet/tcp_flags.h"

namespace npf::conntrack {

// The first segment of a flow, from `side`: a SYN, or any that is taken up in the middle.
void BeginTcp(Flow& flow, size_t side, const ParsedPacket& packet);

// A segment of the handshake or of the end.
Step FollowTcpEvent(Flow& flow, size_t side, const ParsedPacket& packet);

// Whether a segment is neither of the handshake nor of the end, as nearly all are.
inline bool IsMiddle(const Flow& flow, const ParsedPacket& packet) {
  constexpr uint8_t kEvents = packet::kTcpSyn | packet::kTcpFin | packet::kTcpRst;
  return !Has(packet, kEvents) && flow.state == FlowState::kEstablished && flow.heard == 3;
}

// Such a one. False: it is out of the window.
inline bool FollowMiddle(Flow& flow, size_t side, const ParsedPacket& packet) {
  if (!Fits(flow, side, packet)) return false;
  Note(flow, side, packet);
  return true;
}

// Any segment from `side`. What does not pass changes nothing.
inline Step FollowTcp(Flow& flow, size_t side, const ParsedPacket& packet) {
  if (!IsMiddle(flow, packet)) return FollowTcpEvent(flow, side, packet);
  return FollowMiddle(flow, side, packet) ? Step::kGoesOn : Step::kOutOfWindow;
}

// Whether a segment with this sequence number may be under way from `side` (RFC 5927, 4).
bool HasInFlight(const Flow& flow, size_t side, uint32_t sequence);

}  // namespace npf::conntrack

#endif  // NPF_CONNTRACK_TCP_H_
