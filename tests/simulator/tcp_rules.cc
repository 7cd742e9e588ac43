// TCP between its ends, by RFC 9293, 7323, 5961 and 7413.
//
//     TCP Peer A                                           TCP Peer B
//  1.  CLOSED                                               LISTEN
//  2.  SYN-SENT    --> <SEQ=100><CTL=SYN>               --> SYN-RECEIVED       kOpening
//  3.  ESTABLISHED <-- <SEQ=300><ACK=101><CTL=SYN,ACK>  <-- SYN-RECEIVED       kAnswered
//  4.  ESTABLISHED --> <SEQ=101><ACK=301><CTL=ACK>      --> ESTABLISHED        kEstablished
//                                                     (RFC 9293, figure 6)
#include <algorithm>

#include "simulator/connection.h"

namespace npf::simulator {
namespace {

// "MAX: 2^30": no more than 14 (RFC 7323, 2.3). What began unseen may have any.
constexpr int kScaleMax = 14;
constexpr uint32_t kDatagramBytes = 65535;

// The number that is meant, where it is within 2^31 of `near`.
int64_t Unwrap(uint32_t number, int64_t near) {
  return near + static_cast<int32_t>(number - static_cast<uint32_t>(near));
}

// SEG.LEN counts data, SYN and FIN. Of a segment in fragments, as far as the first one goes.
int64_t LengthOf(const Wire& wire) {
  const uint32_t data =
      wire.part.has_value() ? wire.part->end - TransportHeaderBytes(wire) : wire.data;
  return int64_t{data} + (wire.Has(kSyn) ? 1 : 0) + (wire.Has(kFin) ? 1 : 0);
}

// Behind the segment; of one in fragments, behind the longest that it may be.
int64_t EndOf(const Wire& wire, int64_t sequence) {
  return sequence + (wire.part.has_value() ? kDatagramBytes : LengthOf(wire));
}

// A window of zero is probed with a byte (RFC 9293, 3.8.6.1).
int64_t WindowOf(const TcpSide& side) { return std::max<int64_t>(side.window, 1); }

// "both sides MUST send Window Scale options in their <SYN> segments to enable window scaling in
// either direction"; the window of a SYN itself is never scaled (RFC 7323, 2.2). What is known of
// windows is whole units of the scale.
void AgreeOnScales(Connection& connection) {
  TcpSide* const sides = connection.tcp;
  const bool both = sides[0].scale != kNoScale && sides[1].scale != kNoScale;
  for (TcpSide* const side : {&sides[0], &sides[1]}) {
    if (!both) side->scale = kNoScale;
    const uint32_t unit = both ? 1u << side->scale : 1;
    side->window = (side->window + unit - 1) / unit * unit;
  }
}

void HearSyn(Connection& connection, int side, const Wire& wire) {
  TcpSide& mine = connection.tcp[side];
  mine = {.heard = true, .window = wire.window, .scale = std::min(wire.scale, kScaleMax)};
  mine.acked = wire.sequence;
  mine.next = EndOf(wire, mine.acked);
  if (connection.tcp[1 - side].heard) AgreeOnScales(connection);
}

void HearInTheMiddle(Connection& connection, int side, const Wire& wire) {
  TcpSide& mine = connection.tcp[side];
  mine = {.heard = true, .window = uint32_t{wire.window} << kScaleMax, .scale = kScaleMax};
  mine.acked = wire.sequence;
  mine.next = EndOf(wire, mine.acked);
}

// The first number from `low` on that may be meant.
int64_t From(int64_t low, uint32_t number) {
  return low + static_cast<uint32_t>(number - static_cast<uint32_t>(low));
}

// RFC 9293, 3.10.7.4: a segment is acceptable where it is in the receive window. From outside, that
// ends where the largest window ends that was offered, beyond what was acknowledged. What was sent
// may come again: as SND.NXT =< SND.UNA + SND.WND, a sender whose SND.UNA were further back could
// not have sent what has been acknowledged since.
bool IsInWindow(const Connection& connection, int side, uint32_t sequence, int64_t length) {
  const TcpSide& mine = connection.tcp[side];
  const int64_t window = WindowOf(connection.tcp[1 - side]);
  return From(mine.acked - window, sequence) + length <= mine.acked + window;
}

// "((SND.UNA - MAX.SND.WND) <= SEG.ACK <= SND.NXT)" (RFC 5961, 5.2); the sender is the other side.
bool MayAcknowledge(const Connection& connection, int side, const Wire& wire) {
  const TcpSide& other = connection.tcp[1 - side];
  const int64_t lowest = other.acked - WindowOf(connection.tcp[side]);
  return From(lowest, wire.acknowledgement) <= other.next;
}

bool IsAcceptable(const Connection& connection, int side, const Wire& wire) {
  return IsInWindow(connection, side, wire.sequence, LengthOf(wire)) &&
         (!wire.Has(kAck) || MayAcknowledge(connection, side, wire));
}

// "SND.UNA < SEG.ACK =< SND.NXT": something is acknowledged that was not before.
bool AcknowledgesMore(const Connection& connection, int side, const Wire& wire) {
  const TcpSide& other = connection.tcp[1 - side];
  return From(other.acked + 1, wire.acknowledgement) <= other.next;
}

// What is only heard from one side acknowledges nothing; its numbers are known modulo 2^32.
void Shorten(TcpSide& side) {
  constexpr int64_t kTurn = int64_t{1} << 32;
  while (side.next - side.acked >= kTurn) side.acked += kTurn;
}

void Learn(Connection& connection, int side, const Wire& wire) {
  TcpSide& mine = connection.tcp[side];
  TcpSide& other = connection.tcp[1 - side];
  const int64_t end = EndOf(wire, Unwrap(wire.sequence, mine.next));
  // Numbers that are further apart than 2^31 have no order.
  mine.next = std::max(mine.next, Unwrap(static_cast<uint32_t>(end), mine.next));
  if (!other.heard) Shorten(mine);
  if (wire.Has(kAck) && other.heard) {
    other.acked = std::max(other.acked, Unwrap(wire.acknowledgement, other.acked));
  }
  if (wire.Has(kSyn)) return;
  const int shift = mine.scale == kNoScale ? 0 : mine.scale;
  mine.window = std::max(mine.window, uint32_t{wire.window} << shift);
}

// RFC 5961, 4: "If the SYN bit is set, irrespective of the sequence number, TCP MUST send an ACK":
// whoever is connected asks, so that a SYN may pass and says nothing.
Effect TakeSyn(Connection& connection, int side, const Wire& wire) {
  if (connection.phase != Phase::kOpening) return Effect::kGoesOn;
  const TcpSide before = connection.tcp[side];
  HearSyn(connection, side, wire);
  // The same SYN again may lack the data that it had at first (RFC 7413, 4.2.2).
  TcpSide& mine = connection.tcp[side];
  if (before.heard && before.acked == mine.acked) mine.next = std::max(mine.next, before.next);
  // Simultaneous open (RFC 9293, figure 7).
  if (side == 1) connection.phase = Phase::kAnswered;
  return Effect::kGoesOn;
}

Effect TakeSynAck(Connection& connection, int side, const Wire& wire) {
  if (!connection.tcp[1 - side].heard) return Effect::kRefused;  // an answer to nothing
  if (connection.tcp[side].heard) {
    if (!IsAcceptable(connection, side, wire)) return Effect::kRefused;
    const bool confirms = side == 0 && AcknowledgesMore(connection, side, wire);
    if (connection.phase == Phase::kAnswered && confirms) connection.phase = Phase::kEstablished;
    Learn(connection, side, wire);
    return Effect::kGoesOn;
  }
  // Again, because its confirmation was lost; the connection is older than what is known of it.
  if (connection.phase == Phase::kMidstream) return Effect::kGoesOn;
  // "If SEG.ACK =< ISS or SEG.ACK > SND.NXT, send a reset": it does not answer this SYN.
  if (!AcknowledgesMore(connection, side, wire)) return Effect::kRefused;
  HearSyn(connection, side, wire);
  TcpSide& other = connection.tcp[1 - side];
  other.acked = Unwrap(wire.acknowledgement, other.next);
  connection.phase = Phase::kAnswered;
  return Effect::kGoesOn;
}

// RFC 5961, 3.2: exactly at RCV.NXT it resets; elsewhere in the window it is asked about.
Effect TakeRst(const Connection& connection, int side, const Wire& wire) {
  const TcpSide& mine = connection.tcp[side];
  const bool other_heard = connection.tcp[1 - side].heard;
  if (!mine.heard) {
    if (connection.phase == Phase::kMidstream) return Effect::kGoesOn;
    // In SYN-SENT, "the RST is acceptable if the ACK field acknowledges the SYN".
    const bool refuses = wire.Has(kAck) && AcknowledgesMore(connection, side, wire);
    return refuses ? Effect::kEnds : Effect::kRefused;
  }
  if (wire.sequence == static_cast<uint32_t>(mine.next)) return Effect::kEnds;
  if (!other_heard) return Effect::kGoesOn;
  if (wire.sequence == static_cast<uint32_t>(mine.acked)) return Effect::kEnds;
  return IsInWindow(connection, side, wire.sequence, 0) ? Effect::kGoesOn : Effect::kRefused;
}

// The first of this side, and it is no SYN.
Effect TakeUnheard(Connection& connection, int side, const Wire& wire) {
  if (connection.phase != Phase::kMidstream) {
    // An old connection's end that asks about the SYN (RFC 5961, 4); it has no data for a stranger.
    return side == 1 && LengthOf(wire) == 0 ? Effect::kGoesOn : Effect::kRefused;
  }
  TcpSide& other = connection.tcp[1 - side];
  HearInTheMiddle(connection, side, wire);
  other.acked = Unwrap(wire.acknowledgement, other.next);
  // No window is larger than 2^30 (RFC 7323, 2.3): what is further away was not all, or was forged.
  const int64_t under_way = other.next - other.acked;
  if (under_way < 0 || under_way > int64_t{1} << 30) other.next = other.acked;
  connection.phase = Phase::kEstablished;
  connection.fin[side] = wire.Has(kFin);
  return Effect::kGoesOn;
}

}  // namespace

void BeginTcp(Connection& connection, int side, const Wire& wire) {
  if (wire.Has(kSyn)) {
    connection.phase = Phase::kOpening;
    HearSyn(connection, side, wire);
  } else {
    connection.phase = Phase::kMidstream;
    HearInTheMiddle(connection, side, wire);
  }
}

Effect TakeTcp(Connection& connection, int side, const Wire& wire) {
  if (wire.Has(kRst)) return TakeRst(connection, side, wire);
  if (wire.Has(kSyn)) {
    return wire.Has(kAck) ? TakeSynAck(connection, side, wire) : TakeSyn(connection, side, wire);
  }
  if (!connection.tcp[side].heard) return TakeUnheard(connection, side, wire);
  if (connection.phase == Phase::kOpening) return Effect::kRefused;  // before any answer
  const bool other_heard = connection.tcp[1 - side].heard;
  if (other_heard && !IsAcceptable(connection, side, wire)) return Effect::kRefused;
  if (connection.phase == Phase::kAnswered && side == 0) {
    // Who cannot acknowledge the other's SYN has not seen it.
    if (!AcknowledgesMore(connection, side, wire)) return Effect::kRefused;
    connection.phase = Phase::kEstablished;
  }
  Learn(connection, side, wire);
  if (wire.Has(kFin) && connection.phase != Phase::kMidstream) connection.fin[side] = true;
  return Effect::kGoesOn;
}

bool MayBeUnderWay(const Connection& connection, int side, uint32_t sequence) {
  // Acknowledgements may overtake an error.
  constexpr int64_t kLateBytes = 65536;
  const TcpSide& mine = connection.tcp[side];
  if (!mine.heard) return true;
  return From(mine.acked - kLateBytes, sequence) <= mine.next;
}

}  // namespace npf::simulator
