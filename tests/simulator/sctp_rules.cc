// SCTP between its ends, by RFC 9260: "the receiver of an SCTP packet MUST ensure that the value in
// the Verification Tag field matches its own tag" (8.5).
//
//     Endpoint A                                          Endpoint Z
//     INIT [I-Tag=Tag_A]                    ------>                          kOpening
//                                           <------  INIT ACK [Veri Tag=Tag_A, I-Tag=Tag_Z]
//                                                                            kAnswered
//     COOKIE ECHO [Veri Tag=Tag_Z]          ------>                          kEstablished
//                                           <------  COOKIE ACK              (figure 4)
//
// An association that exists may begin anew (5.2): the tags of the new handshake come into force
// with its COOKIE ECHO, and until then the old ones hold.
#include "simulator/connection.h"

namespace npf::simulator {
namespace {

Effect TakeInit(Connection& connection, int side, const Wire& wire) {
  SctpEnd& mine = connection.sctp[side];
  if (connection.phase == Phase::kOpening) {
    mine.tag = wire.initiate_tag;
  } else {
    mine.coming = wire.initiate_tag;
  }
  return Effect::kGoesOn;
}

// It bears the tag of the INIT that it answers.
Effect TakeInitAck(Connection& connection, int side, const Wire& wire) {
  SctpEnd& mine = connection.sctp[side];
  const SctpEnd& other = connection.sctp[1 - side];
  if (other.coming == wire.tag) {
    mine.coming = wire.initiate_tag;
    return Effect::kGoesOn;
  }
  if (other.tag != wire.tag) return Effect::kRefused;
  if (connection.phase != Phase::kOpening) return Effect::kGoesOn;
  mine.tag = wire.initiate_tag;
  connection.phase = Phase::kAnswered;
  return Effect::kGoesOn;
}

// ABORT and SHUTDOWN COMPLETE bear the receiver's tag or, with the T bit, the sender's own (8.5.1).
Effect TakeEnd(const Connection& connection, int side, const Wire& wire) {
  const SctpEnd& owner = connection.sctp[wire.reflected ? side : 1 - side];
  if (owner.tag == wire.tag) return Effect::kEnds;
  // It refuses a handshake that is under way (8.4, 5.1.1): the association stays as it is.
  if (wire.chunk == kAbort && owner.coming == wire.tag) return Effect::kGoesOn;
  if (owner.tag.has_value()) return Effect::kRefused;
  return connection.phase == Phase::kMidstream ? Effect::kGoesOn : Effect::kRefused;
}

bool FinishesRestart(const Connection& connection, int side, const Wire& wire) {
  return wire.chunk == kCookieEcho && connection.sctp[side].coming.has_value() &&
         connection.sctp[1 - side].coming == wire.tag;
}

}  // namespace

void BeginSctp(Connection& connection, int side, const Wire& wire) {
  if (wire.chunk == kInit) {
    connection.phase = Phase::kOpening;
    connection.sctp[side].tag = wire.initiate_tag;
  } else {
    connection.phase = Phase::kMidstream;
    connection.sctp[1 - side].tag = wire.tag;
  }
}

Effect TakeSctp(Connection& connection, int side, const Wire& wire) {
  SctpEnd& other = connection.sctp[1 - side];
  if (wire.chunk == kInit) return TakeInit(connection, side, wire);
  if (wire.chunk == kInitAck) return TakeInitAck(connection, side, wire);
  if (wire.chunk == kAbort || wire.chunk == kShutdownComplete) {
    return TakeEnd(connection, side, wire);
  }
  if (FinishesRestart(connection, side, wire)) {
    for (SctpEnd& end : connection.sctp) end = {.tag = end.coming, .coming = {}};
    connection.phase = Phase::kEstablished;
    return Effect::kGoesOn;
  }
  if (!other.tag.has_value()) {
    if (connection.phase != Phase::kMidstream) return Effect::kRefused;
    other.tag = wire.tag;
    if (connection.sctp[side].tag.has_value()) connection.phase = Phase::kEstablished;
    return Effect::kGoesOn;
  }
  if (other.tag != wire.tag) return Effect::kRefused;
  if (connection.phase == Phase::kAnswered && side == 0) connection.phase = Phase::kEstablished;
  return Effect::kGoesOn;
}

// The tag that the receiver wants or will want to see, or the zero of an INIT.
bool MayBearTag(const Connection& connection, int side, uint32_t tag) {
  const SctpEnd& other = connection.sctp[1 - side];
  return tag == 0 || !other.tag.has_value() || other.tag == tag || other.coming == tag;
}

}  // namespace npf::simulator
