#include "conntrack/tcp.h"

#include <algorithm>

#include "conntrack/tcp_window.h"
#include "packet/tcp_flags.h"

namespace npf::conntrack {
namespace {

using packet::kTcpAck;
using packet::kTcpFin;
using packet::kTcpRst;
using packet::kTcpSyn;

constexpr uint32_t kWindowMax = 1 << 30;

void SetScale(Flow& flow, size_t side, uint32_t scale) {
  const uint32_t others = flow.scales & 0xf0u >> (4 * side);
  flow.scales = static_cast<uint8_t>(others | scale << (4 * side));
}

// RFC 7323, 2.2: windows are scaled where both SYNs have said so, and that of a SYN never is.
void NegotiateScales(Flow& flow) {
  const bool scaled = ScaleOf(flow, 0) != kNoScale && ScaleOf(flow, 1) != kNoScale;
  for (const size_t side : {size_t{0}, size_t{1}}) {
    if (!scaled) {
      SetScale(flow, side, kNoScale);
      continue;
    }
    const uint32_t unit = 1u << ScaleOf(flow, side);
    flow.window[side] = static_cast<uint16_t>((flow.window[side] + unit - 1) / unit);
  }
}

// The numbers of a side that was not heard before.
void HearSide(Flow& flow, size_t side, const ParsedPacket& packet) {
  const bool syn = Has(packet, kTcpSyn);
  flow.next[side] = EndOf(packet);
  flow.acked[side] = packet.tcp_sequence;
  flow.window[side] = packet.tcp_window;
  // What was taken up in the middle may have any scale.
  const bool offers = packet.tcp_window_scale <= kTcpWindowScaleMax;
  const uint32_t offered = offers ? packet.tcp_window_scale : kNoScale;
  SetScale(flow, side, syn ? offered : kTcpWindowScaleMax);
  Hear(flow, side);
  if (syn && IsHeard(flow, 1 - side)) NegotiateScales(flow);
}

// Whether something of `side` is acknowledged that was not before.
bool IsNews(const Flow& flow, size_t side, uint32_t acknowledgement) {
  return AreWithin(flow.acked[side] + 1, UnderWay(flow, side), acknowledgement, 1);
}

// RFC 9293, 3.10.4: who has answered may end before it is confirmed. One side alone ends nothing.
void NoteFin(Flow& flow, size_t side) {
  if (flow.state == FlowState::kAnswered) flow.state = FlowState::kAnsweredEnded;
  if (IsOpening(flow.state)) return;
  const FlowState mine = side == 0 ? FlowState::kEndedFirst : FlowState::kEndedOther;
  if (flow.state == FlowState::kEstablished) {
    flow.state = mine;
  } else if (flow.state != mine) {
    flow.state = FlowState::kClosed;
  }
}

// The side that began has acknowledged the other's SYN.
void Confirm(Flow& flow) {
  if (!IsAnswered(flow.state)) return;
  const bool ended = flow.state == FlowState::kAnsweredEnded;
  flow.state = ended ? FlowState::kEndedOther : FlowState::kEstablished;
}

// A SYN without ACK. Policy has been asked about one that goes against its connection's direction.
Step FollowSyn(Flow& flow, size_t side, const ParsedPacket& packet) {
  if (flow.state != FlowState::kOpening) return Step::kGoesOn;
  // Again, maybe with other numbers; or without the data that it had, which may have arrived.
  const bool same = IsHeard(flow, side) && flow.acked[side] == packet.tcp_sequence;
  const uint32_t before = same ? UnderWay(flow, side) : 0;
  HearSide(flow, side, packet);
  flow.next[side] = flow.acked[side] + std::max(before, UnderWay(flow, side));
  if (side == 1) flow.state = FlowState::kAnswered;  // both open at once (A67)
  return Step::kGoesOn;
}

Step FollowSynAck(Flow& flow, size_t side, const ParsedPacket& packet) {
  const size_t other = 1 - side;
  if (!IsHeard(flow, other)) return Step::kOutOfWindow;
  const bool news = IsNews(flow, other, packet.tcp_acknowledgement);
  if (!IsHeard(flow, side)) {
    // Sent again, for want of the confirmation: of the middle, it says nothing.
    if (flow.state == FlowState::kMidstream) return Step::kGoesOn;
    if (!news) return Step::kOutOfWindow;
    HearSide(flow, side, packet);
    flow.acked[other] = packet.tcp_acknowledgement;
    flow.state = FlowState::kAnswered;
    return Step::kGoesOn;
  }
  if (!Fits(flow, side, packet)) return Step::kOutOfWindow;
  if (side == 0 && news) Confirm(flow);
  Note(flow, side, packet);
  return Step::kGoesOn;
}

Step FollowRst(const Flow& flow, size_t side, const ParsedPacket& packet) {
  const size_t other = 1 - side;
  if (!IsHeard(flow, side)) {
    if (flow.state == FlowState::kMidstream) return Step::kGoesOn;
    // RFC 9293, 3.10.7.3: it refuses the SYN that it acknowledges.
    const bool refuses = Has(packet, kTcpAck) && IsNews(flow, other, packet.tcp_acknowledgement);
    return refuses ? Step::kEnds : Step::kOutOfWindow;
  }
  const uint32_t sequence = packet.tcp_sequence;
  if (sequence == flow.next[side]) return Step::kEnds;
  if (!IsHeard(flow, other)) return Step::kGoesOn;
  if (sequence == flow.acked[side]) return Step::kEnds;
  return IsInWindow(flow, side, sequence, 0) ? Step::kGoesOn : Step::kOutOfWindow;
}

// The first segment of the side that has not been heard, and no SYN.
Step FollowUnheard(Flow& flow, size_t side, const ParsedPacket& packet) {
  const size_t other = 1 - side;
  if (flow.state != FlowState::kMidstream) {
    // Only its receiver can tell an old connection's end from a new one's: it asks (RFC 5961, 4).
    const bool asks = side == 1 && packet.tcp_length == 0;
    return asks ? Step::kGoesOn : Step::kOutOfWindow;
  }
  HearSide(flow, side, packet);
  flow.acked[other] = packet.tcp_acknowledgement;
  // Where no window is so large (RFC 7323, 2.3), what was heard was not all, or not of this end.
  if (UnderWay(flow, other) > kWindowMax) flow.next[other] = packet.tcp_acknowledgement;
  flow.state = FlowState::kEstablished;
  if (Has(packet, kTcpFin)) NoteFin(flow, side);
  return Step::kGoesOn;
}

}  // namespace

void BeginTcp(Flow& flow, size_t side, const ParsedPacket& packet) {
  flow.state = Has(packet, kTcpSyn) ? FlowState::kOpening : FlowState::kMidstream;
  HearSide(flow, side, packet);
}

Step FollowTcpEvent(Flow& flow, size_t side, const ParsedPacket& packet) {
  if (Has(packet, kTcpRst)) return FollowRst(flow, side, packet);
  if (Has(packet, kTcpSyn)) {
    return Has(packet, kTcpAck) ? FollowSynAck(flow, side, packet) : FollowSyn(flow, side, packet);
  }
  if (!IsHeard(flow, side)) return FollowUnheard(flow, side, packet);
  if (flow.state == FlowState::kOpening) return Step::kOutOfWindow;  // before any answer
  const size_t other = 1 - side;
  if (IsHeard(flow, other) && !Fits(flow, side, packet)) return Step::kOutOfWindow;
  if (IsAnswered(flow.state) && side == 0) {
    // The other side's SYN is not acknowledged yet: who cannot do it has not seen it.
    if (!IsNews(flow, other, packet.tcp_acknowledgement)) return Step::kOutOfWindow;
    Confirm(flow);
  }
  Note(flow, side, packet);
  if (Has(packet, kTcpFin)) NoteFin(flow, side);
  return Step::kGoesOn;
}

bool HasInFlight(const Flow& flow, size_t side, uint32_t sequence) {
  if (!IsHeard(flow, side)) return true;
  // An error may be on its way while acknowledgements overtake it.
  constexpr uint32_t kLateBytes = 1 << 16;
  return AreWithin(flow.acked[side] - kLateBytes, uint64_t{UnderWay(flow, side)} + kLateBytes,
                   sequence, 0);
}

}  // namespace npf::conntrack
