// SCTP as seen from between its ends (RFC 9260).
//
// Each side chooses a tag when the association begins, in its INIT or INIT ACK, and every packet to
// it bears that tag (8.5). Whoever has not seen the handshake does not know it.
//
//   0 ── INIT, tag 0, "mine is A" ──────────►      next[0] = A
//     ◄── INIT ACK, tag A, "mine is B" ────── 1    next[1] = B, answered
//   0 ── COOKIE ECHO, tag B ────────────────►      established
//
// An end that has lost its state begins anew with the same ports (5.2): the tags of the second
// handshake wait in acked[] until a COOKIE ECHO bears them, and the old ones hold until then.
// Flow's `scales` has a bit for each side whose tag waits.
#ifndef NPF_CONNTRACK_SCTP_H_
#define NPF_CONNTRACK_SCTP_H_

#include "conntrack/flow.h"
#include "npf/packet.h"

namespace npf::conntrack {

// The first packet of a flow, from `side`: an INIT, or any that is taken up in the middle.
void BeginSctp(Flow& flow, size_t side, const ParsedPacket& packet);

// A packet from `side`. What does not pass changes nothing.
Step FollowSctp(Flow& flow, size_t side, const ParsedPacket& packet);

// Whether a packet from `side` may bear the tag: the other side's, also one that waits, or the 0 of
// an INIT.
bool BearsTag(const Flow& flow, size_t side, uint32_t tag);

}  // namespace npf::conntrack

#endif  // NPF_CONNTRACK_SCTP_H_
