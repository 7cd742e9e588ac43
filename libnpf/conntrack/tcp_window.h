// What a segment may be about, and what it tells of its connection: see tcp.h.
#ifndef NPF_CONNTRACK_TCP_WINDOW_H_
#define NPF_CONNTRACK_TCP_WINDOW_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "conntrack/flow.h"
#include "npf/packet.h"
#include "packet/tcp_flags.h"

namespace npf::conntrack {

inline constexpr uint32_t kNoScale = 15;  // in the flow: this side's windows are not scaled

inline bool Has(const ParsedPacket& packet, uint8_t flag) { return (packet.tcp_flags & flag) != 0; }

// By how much `a` is ahead of `b`: sequence numbers wrap.
inline int32_t Ahead(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b); }

// Of a segment in fragments, the first one does not tell: it may be as long as a datagram.
inline uint32_t EndOf(const ParsedPacket& packet) {
  constexpr uint32_t kDatagramBytes = 65'535;
  return packet.tcp_sequence + (packet.fragment ? kDatagramBytes : packet.tcp_length);
}

inline uint32_t ScaleOf(const Flow& flow, size_t side) { return flow.scales >> (4 * side) & 15; }

// The largest window that `side` has offered. A closed one is probed with a byte.
inline uint32_t WindowOf(const Flow& flow, size_t side) {
  const uint32_t scale = ScaleOf(flow, side);
  const uint32_t window = uint32_t{flow.window[side]} << (scale == kNoScale ? 0 : scale);
  return std::max(window, uint32_t{1});
}

// Whether `count` numbers from `first` on are among the `span` from `begin` on. Wider than the
// numbers, so that nothing is behind and ahead at once.
inline bool AreWithin(uint32_t begin, uint64_t span, uint32_t first, uint32_t count) {
  return uint64_t{first - begin} + count <= span;
}

inline uint32_t UnderWay(const Flow& flow, size_t side) {
  return flow.next[side] - flow.acked[side];
}

// What `side` may send. It has heard of no acknowledgement that is further back than a window, for
// what it had sent by then ended in that window.
inline bool IsInWindow(const Flow& flow, size_t side, uint32_t first, uint32_t count) {
  const uint32_t window = WindowOf(flow, 1 - side);
  return AreWithin(flow.acked[side] - window, uint64_t{2} * window, first, count);
}

// Both sides are heard.
inline bool Fits(const Flow& flow, size_t side, const ParsedPacket& packet) {
  if (!IsInWindow(flow, side, packet.tcp_sequence, packet.tcp_length)) return false;
  if (!Has(packet, packet::kTcpAck)) return true;
  const size_t other = 1 - side;
  const uint32_t window = WindowOf(flow, side);
  return AreWithin(flow.acked[other] - window, uint64_t{UnderWay(flow, other)} + window,
                   packet.tcp_acknowledgement, 0);
}

// What a segment that fits says.
inline void Note(Flow& flow, size_t side, const ParsedPacket& packet) {
  const size_t other = 1 - side;
  const uint32_t end = EndOf(packet);
  const uint32_t next = flow.next[side];
  flow.next[side] = Ahead(end, next) > 0 ? end : next;
  if (Has(packet, packet::kTcpAck)) {
    const uint32_t acked = flow.acked[other];
    const uint32_t acknowledged = packet.tcp_acknowledgement;
    flow.acked[other] = Ahead(acknowledged, acked) > 0 ? acknowledged : acked;
  }
  if (!Has(packet, packet::kTcpSyn)) {
    flow.window[side] = std::max(flow.window[side], packet.tcp_window);
  }
}

}  // namespace npf::conntrack

#endif  // NPF_CONNTRACK_TCP_WINDOW_H_
