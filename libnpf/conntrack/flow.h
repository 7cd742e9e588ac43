// What is known of a connection, in one line: see docs/decisions/connections.md.
#ifndef NPF_CONNTRACK_FLOW_H_
#define NPF_CONNTRACK_FLOW_H_

#include <cstddef>
#include <cstdint>

#include "npf/flow.h"
#include "npf/verdict.h"

namespace npf::conntrack {

enum class FlowState : uint8_t {
  kOpening,        // only the side that began has been heard
  kAnswered,       // TCP, SCTP: the other has answered, and waits for a confirmation
  kAnsweredEnded,  // TCP: and has sent its FIN already
  kMidstream,      // TCP, SCTP: begun in the middle, one side heard
  kEstablished,
  kEndedFirst,  // TCP: the side that began has sent its FIN
  kEndedOther,  // TCP: the other has
  kClosed,      // TCP: both have
};

// Openings make room for others (A71).
constexpr bool IsOpening(FlowState state) { return state < FlowState::kEstablished; }
// The side that began has not confirmed the answer yet.
constexpr bool IsAnswered(FlowState state) {
  return state == FlowState::kAnswered || state == FlowState::kAnsweredEnded;
}

// Sides: 0 began, 1 is the other. The address of IPv4 stands in the first four bytes; the rest is
// zero. ICMP echo has its identifier as both ports.
struct alignas(64) Flow {
  uint8_t address[2][16];
  uint16_t port[2];
  uint8_t protocol;
  uint8_t family;
  FlowState state : 3;  // each number is one
  uint8_t reason : 3;   // Reason: what policy said of the first packet
  uint8_t heard : 2;    // a bit for each side whose numbers below are known
  uint8_t scales;       // TCP: window scales, of side 0 in the lower half. SCTP: see sctp.h
  uint32_t generation;  // of the policy that judged it last; 0: before it was taken over
  // TCP: behind the last byte that this side has sent. SCTP: the tag that it wants to see.
  uint32_t next[2];
  // TCP: behind the last byte of this side that the other has acknowledged. SCTP: a tag to come.
  uint32_t acked[2];
  // TCP: the largest that this side has offered, to be shifted by its scale once both are heard;
  // what a SYN offered is rounded up.
  uint16_t window[2];
};
static_assert(sizeof(Flow) == 64);
static_assert(static_cast<uint8_t>(Reason::kServiceAddress) < 8);

inline bool IsHeard(const Flow& flow, size_t side) { return (flow.heard >> side & 1) != 0; }
inline void Hear(Flow& flow, size_t side) {
  flow.heard = static_cast<uint8_t>((flow.heard | 1u << side) & 3);
}

// What a packet does to its connection.
enum class Step : uint8_t {
  kGoesOn,
  kEnds,         // it passes, and is the last one
  kOutOfWindow,  // TCP: it does not pass, and changes nothing
  kWrongTag,     // SCTP: likewise
};

}  // namespace npf::conntrack

#endif  // NPF_CONNTRACK_FLOW_H_
