// Both ends of a packet in words, as they are hashed and held against a flow's.
#ifndef NPF_CONNTRACK_ENDS_H_
#define NPF_CONNTRACK_ENDS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "conntrack/flow.h"
#include "conntrack/keyed_hash.h"
#include "npf/flow.h"

namespace npf::conntrack {

inline uint64_t Word(const void* object, size_t at = 0) {
  uint64_t word;
  std::memcpy(&word, static_cast<const std::byte*>(object) + at, sizeof word);
  return word;
}

// `high` and `low` are the halves of the addresses; `rest` has the ports, protocol and family, as
// Flow has them.
struct Ends {
  uint64_t high[2];
  uint64_t low[2];
  uint64_t rest;

  Ends Reversed() const {
    const uint64_t ports = (rest >> 16 & 0xffff) | (rest << 16 & 0xffff0000);
    return {{high[1], high[0]}, {low[1], low[0]}, (rest & ~uint64_t{0xffffffff}) | ports};
  }
};
static_assert(offsetof(FlowKey, src_port) == offsetof(Flow, port));
static_assert(offsetof(FlowKey, protocol) == offsetof(Flow, protocol));
static_assert(offsetof(FlowKey, family) == offsetof(Flow, family));
inline constexpr uint64_t kRestMask = ~uint64_t{0} >> 16;

// Echo requests and replies bear one identifier, whichever way they go: it stands for both ports.
inline Ends EndsOf(const FlowKey& key) {
  uint64_t rest = Word(&key, offsetof(FlowKey, src_port)) & kRestMask;
  if (IsIcmp(key.protocol)) {
    rest = (rest & ~uint64_t{0xffff0000}) | uint64_t{key.src_port} << 16;
  }
  return {{Word(key.src), Word(key.dst)}, {Word(key.src, 8), Word(key.dst, 8)}, rest};
}

// Of TCP or UDP over IPv4: the lower halves are zero, and so is what the key does not use.
inline Ends PlainEndsOf(const FlowKey& key) {
  return {{Word(key.src), Word(key.dst)}, {0, 0}, Word(&key, offsetof(FlowKey, src_port))};
}

// Likewise. Where the flow's family is that of `ends`, its addresses are no longer than theirs.
inline uint64_t PlainDifference(const Flow& flow, const Ends& ends) {
  const uint64_t rest = Word(&flow, offsetof(Flow, port));
  return (Word(flow.address[0]) ^ ends.high[0]) | (Word(flow.address[1]) ^ ends.high[1]) |
         ((rest ^ ends.rest) & kRestMask);
}

// 0 where `ends` are the flow's, the first of them as the one that began.
inline uint64_t Difference(const Flow& flow, const Ends& ends) {
  const uint64_t rest = Word(&flow, offsetof(Flow, port));
  return (Word(flow.address[0]) ^ ends.high[0]) | (Word(flow.address[0], 8) ^ ends.low[0]) |
         (Word(flow.address[1]) ^ ends.high[1]) | (Word(flow.address[1], 8) ^ ends.low[1]) |
         ((rest ^ ends.rest) & kRestMask);
}

// The same for both directions.
inline uint64_t HashOf(const Ends& ends, const Secret& secret) {
  const auto end = [&](size_t i) {
    const uint64_t port = ends.rest >> (16 * i) & 0xffff;
    return Folded(ends.high[i] ^ secret[0], (ends.low[i] + port) ^ secret[1]);
  };
  return Folded((end(0) + end(1)) ^ secret[1], (ends.rest >> 32 ^ secret[0]) | 1);
}

}  // namespace npf::conntrack

#endif  // NPF_CONNTRACK_ENDS_H_
