#include "conntrack/sctp.h"

#include "packet/sctp_chunks.h"

namespace npf::conntrack {
namespace {

constexpr uint8_t kReflected = 1;  // the T bit: the packet bears its sender's tag (RFC 9260, 8.5.1)

bool Waits(const Flow& flow, size_t side) { return (flow.scales >> side & 1) != 0; }
void Await(Flow& flow, size_t side, uint32_t tag) {
  flow.acked[side] = tag;
  flow.scales = static_cast<uint8_t>(flow.scales | 1u << side);
}

void TakeTag(Flow& flow, size_t side, uint32_t tag) {
  flow.next[side] = tag;
  Hear(flow, side);
}

// The second handshake is done, whatever became of the first one.
void Settle(Flow& flow) {
  for (const size_t side : {size_t{0}, size_t{1}}) TakeTag(flow, side, flow.acked[side]);
  flow.scales = 0;
  flow.state = FlowState::kEstablished;
}

// Of a flow that is opening, the INIT that is sent again counts; of another one, its tag waits.
Step FollowInit(Flow& flow, size_t side, const ParsedPacket& packet) {
  if (flow.state == FlowState::kOpening) {
    TakeTag(flow, side, packet.sctp_initiate_tag);
  } else {
    Await(flow, side, packet.sctp_initiate_tag);
  }
  return Step::kGoesOn;
}

Step FollowInitAck(Flow& flow, size_t side, const ParsedPacket& packet) {
  const size_t other = 1 - side;
  if (Waits(flow, other) && packet.sctp_tag == flow.acked[other]) {
    Await(flow, side, packet.sctp_initiate_tag);
    return Step::kGoesOn;
  }
  if (!IsHeard(flow, other) || packet.sctp_tag != flow.next[other]) return Step::kWrongTag;
  if (flow.state == FlowState::kOpening) {
    TakeTag(flow, side, packet.sctp_initiate_tag);
    flow.state = FlowState::kAnswered;
  }
  return Step::kGoesOn;
}

// An end of the association: it bears the receiver's tag, or the sender's own where it says so. An
// ABORT that refuses another handshake bears the tag of that (RFC 9260, 8.4), and ends nothing
// else.
Step FollowEnd(const Flow& flow, size_t side, const ParsedPacket& packet) {
  const size_t whose = (packet.sctp_chunk_flags & kReflected) != 0 ? side : 1 - side;
  if (IsHeard(flow, whose) && packet.sctp_tag == flow.next[whose]) return Step::kEnds;
  const bool refuses = packet.sctp_chunk == packet::kSctpAbort && Waits(flow, whose) &&
                       packet.sctp_tag == flow.acked[whose];
  const bool may_be = !IsHeard(flow, whose) && flow.state == FlowState::kMidstream;
  return refuses || may_be ? Step::kGoesOn : Step::kWrongTag;
}

}  // namespace

void BeginSctp(Flow& flow, size_t side, const ParsedPacket& packet) {
  flow.state = FlowState::kMidstream;
  if (!packet.sctp_known) return;
  if (packet.sctp_chunk == packet::kSctpInit) {
    flow.state = FlowState::kOpening;
    TakeTag(flow, side, packet.sctp_initiate_tag);
  } else {
    TakeTag(flow, 1 - side, packet.sctp_tag);
  }
}

Step FollowSctp(Flow& flow, size_t side, const ParsedPacket& packet) {
  if (!packet.sctp_known) return Step::kGoesOn;
  const size_t other = 1 - side;
  const uint8_t chunk = packet.sctp_chunk;
  if (chunk == packet::kSctpInit) return FollowInit(flow, side, packet);
  if (chunk == packet::kSctpInitAck) return FollowInitAck(flow, side, packet);
  if (chunk == packet::kSctpAbort || chunk == packet::kSctpShutdownComplete)
    return FollowEnd(flow, side, packet);
  if (chunk == packet::kSctpCookieEcho && Waits(flow, 0) && Waits(flow, 1) &&
      packet.sctp_tag == flow.acked[other]) {
    Settle(flow);
    return Step::kGoesOn;
  }
  if (!IsHeard(flow, other)) {
    if (flow.state != FlowState::kMidstream) return Step::kWrongTag;
    TakeTag(flow, other, packet.sctp_tag);
    if (IsHeard(flow, side)) flow.state = FlowState::kEstablished;
    return Step::kGoesOn;
  }
  if (packet.sctp_tag != flow.next[other]) return Step::kWrongTag;
  if (flow.state == FlowState::kAnswered && side == 0) flow.state = FlowState::kEstablished;
  return Step::kGoesOn;
}

bool BearsTag(const Flow& flow, size_t side, uint32_t tag) {
  const size_t other = 1 - side;
  return tag == 0 || !IsHeard(flow, other) || tag == flow.next[other] ||
         (Waits(flow, other) && tag == flow.acked[other]);
}

}  // namespace npf::conntrack
