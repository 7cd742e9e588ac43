// Which connections are known.
//
// Policy is about the first packet of a connection, in its direction; replies are allowed because
// the connection is (R39). So the first packet that policy allows leaves an entry here, and
// whatever bears the same 5-tuple afterwards, either way round, belongs to it until it has been
// idle for too long.
//
// The key of an entry is the 5-tuple with its two ends in a fixed order, so that one look-up serves
// both directions; the entry remembers which end began. ICMP echo has its identifier in place of
// the ports, other protocols have none.
//
//   heads_   [h] ──► entry ──► entry        chains by hash (secretly keyed: nobody can aim at one)
//   entries_ one array of `capacity`, never grown; free ones form a list
//   queues_  one list for each idle time, least recently used first: what has expired stands at
//            its front, so that making room looks at a few entries only
//
// Time comes from the caller, nanoseconds of whatever clock the packets bear, and is taken never to
// go backwards. All operations take constant time; nothing allocates after construction. Not
// thread-safe: one table for each thread that judges.
//
// A RST ends a connection only where it stands exactly where its receiver waits (RFC 5961): at the
// end of what its sender has sent, or at what the receiver has acknowledged last. Another one
// passes and changes nothing.
//
// What this table does not do yet: it does not check windows, so that forged data with the right
// 5-tuple passes as the connection's; and it does not check SCTP verification tags. Fragments are
// fragment_table.h's.
#ifndef NPF_CONNTRACK_FLOW_TABLE_H_
#define NPF_CONNTRACK_FLOW_TABLE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "conntrack/keyed_hash.h"
#include "npf/flow.h"
#include "npf/packet.h"
#include "npf/verdict.h"

namespace npf::conntrack {

struct Flow {
  FlowKey key{};      // as its first packet had it
  Verdict verdict{};  // of its first packet, or of the last time it was judged again
  uint64_t expires_ns = 0;

 private:
  friend class FlowTable;
  uint32_t chain = 0;  // next in the hash chain, or in the free list
  uint32_t newer = 0;  // neighbours in the queue
  uint32_t older = 0;
  uint32_t hash = 0;
  uint8_t queue = 0;
  // TCP, by side: 0 is the one that began. Bits of the masks likewise.
  std::array<uint32_t, 2> next_sequence{};
  std::array<uint32_t, 2> acknowledged{};
  uint8_t sequence_known = 0;
  uint8_t acknowledged_known = 0;
  uint8_t fins = 0;
  bool answered = false;
};

enum class FlowSide : uint8_t { kNone, kForward, kReply };

struct FoundFlow {
  Flow* flow = nullptr;
  FlowSide side = FlowSide::kNone;
};

class FlowTable {
 public:
  // Idle times. RFC 5382 asks for 2 h 4 min for established TCP.
  static constexpr uint64_t kSecondNs = 1'000'000'000;
  static constexpr uint64_t kTcpOpeningNs = 120 * kSecondNs;
  static constexpr uint64_t kTcpEstablishedNs = (2 * 3600 + 4 * 60) * kSecondNs;
  static constexpr uint64_t kTcpClosingNs = 120 * kSecondNs;
  static constexpr uint64_t kIcmpNs = 30 * kSecondNs;
  static constexpr uint64_t kOtherNs = 300 * kSecondNs;  // UDP, SCTP, protocols without ports

  // `capacity` is at least 1 and below 2^32 - 1; about 130 bytes each.
  explicit FlowTable(size_t capacity);

  // The flow that `key` belongs to and that has not expired.
  FoundFlow Find(const FlowKey& key, uint64_t now_ns);

  // A flow for `key`, which must not be found; expired ones make room. Null where all are alive.
  Flow* Insert(const FlowKey& key, const Verdict& verdict, uint64_t now_ns);

  // A packet of `found` passed: renews its idle time and follows TCP's end. Afterwards the flow may
  // be gone (RST).
  void Update(const FoundFlow& found, const ParsedPacket& packet, uint64_t now_ns);

  void Erase(Flow& flow);

  // Whether a packet with this sequence number may be under way from the side that `found` names;
  // of protocols other than TCP any may. An ICMP error about another one was guessed (RFC 5927, 4).
  bool HasInFlight(const FoundFlow& found, uint32_t sequence) const;

  // Whether the flow is ending, so that a SYN begins a new one in its place (A68).
  bool IsEnding(const Flow& flow) const { return flow.fins != 0; }

  size_t size() const { return size_; }
  size_t capacity() const { return entries_.size() - 1; }

 private:
  enum Queue : uint8_t { kTcpOpening, kTcpEstablished, kTcpClosing, kIcmp, kOther, kQueues };
  static uint64_t IdleNs(uint8_t queue);
  static bool RstEnds(const Flow& flow, size_t side, const ParsedPacket& packet);
  static uint8_t FollowTcp(Flow& flow, size_t side, const ParsedPacket& packet);

  uint32_t IndexOf(const Flow& flow) const {
    return static_cast<uint32_t>(&flow - entries_.data());
  }
  uint32_t HashOf(const FlowKey& key) const;
  bool EvictExpired(uint64_t now_ns);
  void Enqueue(Flow& flow, uint8_t queue, uint64_t now_ns);
  void Dequeue(Flow& flow);

  struct QueueEnds {
    uint32_t oldest = 0;
    uint32_t newest = 0;
  };
  std::vector<Flow> entries_;    // [0] is nobody
  std::vector<uint32_t> heads_;  // a power of two of them
  std::array<QueueEnds, kQueues> queues_;
  uint32_t free_ = 0;
  size_t size_ = 0;
  Secret secret_;
};

}  // namespace npf::conntrack

#endif  // NPF_CONNTRACK_FLOW_TABLE_H_
