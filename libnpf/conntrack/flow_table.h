// Which connections are known.
//
// Policy is about the first packet of a connection, in its direction; replies are allowed because
// the connection is (R39). So the first packet that policy allows leaves a flow here, and whatever
// bears the same 5-tuple afterwards, either way round, belongs to it, if its end can have sent it,
// until the flow has been idle for too long.
//
//   flow_index.h    hash ─► slots, when they expire      tcp.h    windows, handshake, end
//   flow.h          slot ─► ends, state, numbers         sctp.h   tags
//   slots.h         what makes room first, free slots    source_counts.h   who has opened how many
//
// docs/decisions/connections.md says why it is built so.
//
// Time comes from the caller, nanoseconds of whatever clock the packets bear; where it goes
// backwards it stands. A flow expires when it has been idle for the time of its state, rounded up
// to ticks of 2^24 ns, and a tick; ticks count from the first time that is told, and anew after a
// pause that no flow outlives. What has expired is not found, but counts against every bound until
// a sweep has passed over it. Every operation takes bounded time, but for a jump of days, after
// which the whole table is swept; nothing allocates after construction. Not thread-safe: one table
// for each thread that judges.
#ifndef NPF_CONNTRACK_FLOW_TABLE_H_
#define NPF_CONNTRACK_FLOW_TABLE_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "conntrack/ends.h"
#include "conntrack/flow.h"
#include "conntrack/flow_index.h"
#include "conntrack/keyed_hash.h"
#include "conntrack/marks.h"
#include "conntrack/slots.h"
#include "conntrack/source_counts.h"
#include "conntrack/tcp.h"
#include "npf/packet.h"

namespace npf::conntrack {

enum class FlowSide : uint8_t { kForward, kReply };

// Small enough to be returned in registers.
struct FoundFlow {
  Flow* flow = nullptr;
  uint32_t slot : 31 = 0;
  uint32_t is_reply : 1 = 0;
  FlowIndex::Place place{};  // until the next Insert

  FlowSide side() const { return is_reply != 0 ? FlowSide::kReply : FlowSide::kForward; }
};
static_assert(sizeof(FoundFlow) == 16);

struct FlowTableOptions {
  size_t capacity = size_t{1} << 18;  // 1 to 2^29; about 110 bytes each
  size_t openings_max = 0;            // 0: a quarter of the capacity, and at least one
  size_t per_source_max = 0;          // likewise
  std::optional<Secret> secret;       // of the hash, for who measures it; none: a new one
};

struct Adopted {
  size_t flows = 0;
  size_t refused = 0;        // not sound, expired, or no room
  std::string_view problem;  // why nothing at all was taken over; empty: it was
};

class FlowTable {
 public:
  // Idle times. RFC 5382, REQ-5: at least 2 h 4 min for established TCP, 4 min for what begins or
  // ends. RFC 4787, REQ-5: 5 min for UDP.
  static constexpr uint64_t kSecondNs = 1'000'000'000;
  static constexpr uint64_t kTcpTransitoryNs = 240 * kSecondNs;
  static constexpr uint64_t kTcpEstablishedNs = (2 * 3600 + 4 * 60) * kSecondNs;
  static constexpr uint64_t kIcmpNs = 30 * kSecondNs;
  static constexpr uint64_t kOtherNs = 300 * kSecondNs;  // UDP, SCTP, protocols without ports
  static constexpr uint32_t kTickShift = 24;

  explicit FlowTable(const FlowTableOptions& options);
  // In the caller's memory of BytesFor(capacity) bytes at least, aligned to 64, which it
  // overwrites: a later process can Adopt() it.
  FlowTable(const FlowTableOptions& options, std::span<std::byte> memory);
  static size_t BytesFor(size_t capacity);

  // The time of what follows.
  void Advance(uint64_t now_ns);

  uint64_t HashOf(const FlowKey& key) const { return conntrack::HashOf(EndsOf(key), secret_); }
  uint64_t HashOfPlain(const FlowKey& key) const {
    return conntrack::HashOf(PlainEndsOf(key), secret_);
  }
  // Two steps ahead of Find: asks memory for the bucket, and, once it is there, for the flow that
  // is most likely meant.
  void PrefetchBucket(uint64_t hash) const { index_.Prefetch(hash); }
  FlowIndex::Entry Approach(uint64_t hash) const {
    const FlowIndex::Entry guess = index_.Guess(hash);
    Prefetch(&flows_[guess.slot]);
    return guess;
  }

  // The flow that `key` belongs to and that has not expired. `hash` is HashOf(key); `guess`, what
  // Approach said of it, where nothing was inserted in between; what ended since is not found.
  FoundFlow Find(const FlowKey& key, uint64_t hash, FlowIndex::Entry guess) {
    const Ends ends = EndsOf(key);
    const uint64_t forward = Difference(flows_[guess.slot], ends);
    const uint64_t reverse = Difference(flows_[guess.slot], ends.Reversed());
    return Found(ends, hash, guess, forward, reverse);
  }
  // Of a packet of TCP or UDP over IPv4.
  FoundFlow FindPlain(const FlowKey& key, uint64_t hash, FlowIndex::Entry guess) {
    const Ends ends = PlainEndsOf(key);
    const uint64_t forward = PlainDifference(flows_[guess.slot], ends);
    const uint64_t reverse = PlainDifference(flows_[guess.slot], ends.Reversed());
    return Found(ends, hash, guess, forward, reverse);
  }
  FoundFlow Find(const FlowKey& key, uint64_t hash) { return Seek(EndsOf(key), hash); }

  // From here on, it is noted what begins and what ends. What Find() said since then still holds
  // where Holds() says so; Recall() looks again only where it does not.
  void Watch() {
    begun_.Clear();
    ended_.Clear();
  }
  bool Holds(const FoundFlow& found) const {  // of one that was found
    return !ended_.MayHave(found.slot) && index_.SlotAt(found.place) == found.slot;
  }
  FoundFlow Recall(const FoundFlow& found, const FlowKey& key, uint64_t hash) {
    const bool holds = found.flow != nullptr ? Holds(found) : !begun_.MayHave(MarkOf(hash));
    return holds ? found : Find(key, hash);
  }

  // How many entries of the index Find() looks at, at most.
  size_t EntriesLookedAt(uint64_t hash) const { return index_.EntriesLookedAt(hash); }

  // A flow for the first packet of a connection, which must not be found, and which goes against
  // its direction where `side` says so. `hash` is of its key, `reason` what policy said of it.
  // Where there is no room, flow is null and `refusal` kTableFull or kSourceFull.
  FoundFlow Insert(const ParsedPacket& packet, uint64_t hash, FlowSide side, Reason reason,
                   uint32_t generation, Reason& refusal);
  // Two steps ahead of up to `count` Inserts: asks memory for the flows that they write and those
  // that they drive out, and, once these are there, for what it takes to erase them.
  void PrefetchRoom(size_t count);
  void PrefetchVictims();

  // A packet of `found`: what it does to it. Where it passes, the idle time begins anew; where it
  // ends the flow, the flow is gone.
  Step Follow(const FoundFlow& found, const ParsedPacket& packet) {
    Flow& flow = *found.flow;
    if (flow.state != FlowState::kEstablished || flow.protocol == kProtocolSctp) {
      return FollowEvent(found, packet);
    }
    if (flow.protocol == kProtocolTcp) {
      if (!IsMiddle(flow, packet)) return FollowEvent(found, packet);
      if (!FollowMiddle(flow, found.is_reply, packet)) return Step::kOutOfWindow;
      Renew(found, TcpEstablishedTicks());
    } else {
      Renew(found, IdleTicks(flow));
    }
    return Step::kGoesOn;
  }

  void Erase(const FoundFlow& found);

  // Drops what has expired in the next `buckets` of the index.
  void Sweep(size_t buckets);

  // Takes the flows of a table whose memory this was over: of another capacity, maybe of a process
  // that is no more, maybe damaged. Each is as its memory says where that is sound, and has
  // generation 0. The time that was told last must be of the clock that the other table had.
  Adopted Adopt(std::span<const std::byte> memory);

  // Calls use(flow) for each that has not expired in up to 64 buckets from `bucket` on, which is 0
  // again after the last one.
  template <typename Use>
  void ForEach(uint32_t& bucket, Use use) const {
    const uint32_t end = std::min(bucket + 64, index_.bucket_count());
    for (; bucket < end; ++bucket) {
      const FlowBucket& entries = index_.bucket(bucket);
      for (uint32_t at = 0; at < FlowBucket::kPlaces; ++at) {
        if (entries.slot[at] == 0 || IsOver(entries.expires[at])) continue;
        use(flows_[entries.SlotAt(at)]);
      }
    }
    if (bucket == index_.bucket_count()) bucket = 0;
  }

  size_t size() const { return size_; }
  size_t openings() const { return openings_.count(); }
  size_t capacity() const { return capacity_; }

 private:
  struct Header;

  FoundFlow FoundAt(uint32_t slot, uint32_t is_reply, FlowIndex::Place place) {
    return {
        .flow = &flows_[slot], .slot = slot & 0x7fffffff, .is_reply = is_reply & 1, .place = place};
  }
  static constexpr uint32_t TicksOf(uint64_t idle_ns) {
    return static_cast<uint32_t>((idle_ns + (1u << kTickShift) - 1) >> kTickShift) + 1;
  }
  static constexpr uint32_t TcpEstablishedTicks() { return TicksOf(kTcpEstablishedNs); }
  static uint32_t IdleTicks(const Flow& flow) {
    constexpr uint32_t kIcmp = TicksOf(kIcmpNs), kOther = TicksOf(kOtherNs);
    if (flow.protocol != kProtocolTcp) return IsIcmp(flow.protocol) ? kIcmp : kOther;
    const bool transitory = IsOpening(flow.state) || flow.state == FlowState::kClosed;
    return transitory ? TicksOf(kTcpTransitoryNs) : TcpEstablishedTicks();
  }
  void Renew(const FoundFlow& found, uint32_t idle_ticks) {
    uint32_t& expires = index_.bucket(found.place.bucket).expires[found.place.at];
    const uint32_t renewed = tick_ + idle_ticks;
    if (expires != renewed) expires = renewed;
  }
  // `forward` and `reverse` are 0 where the guess is the one, as seen from its one end or other; it
  // may have ended since. Which way a packet goes cannot be foreseen: one branch for both.
  FoundFlow Found(const Ends& ends, uint64_t hash, FlowIndex::Entry guess, uint64_t forward,
                  uint64_t reverse) {
    const bool ended = index_.SlotAt(guess.place) != guess.slot;
    if (std::min(forward, reverse) != 0 || ended || IsOver(index_.ExpiresAt(guess.place)))
        [[unlikely]] {
      return Seek(ends, hash);
    }
    return FoundAt(guess.slot, forward != 0 ? 1 : 0, guess.place);
  }
  static uint64_t MarkOf(uint64_t hash) { return hash >> 32; }
  Step FollowEvent(const FoundFlow& found, const ParsedPacket& packet);
  FoundFlow Seek(const Ends& ends, uint64_t hash);
  uint64_t SourceHash(const Flow& flow) const;
  bool IsOver(uint32_t expires) const { return static_cast<int32_t>(expires - tick_) <= 0; }
  bool MakeRoom();
  void EraseOldestOpening();
  FoundFlow Put(const Flow& flow, uint64_t hash, uint32_t expires, Reason& refusal);
  static bool IsSound(const Flow& flow);
  bool AdoptFlow(Flow flow, uint32_t ticks_left);

  size_t capacity_;
  size_t openings_max_;
  size_t per_source_max_;
  struct Release {
    size_t bytes;
    void operator()(std::byte* memory) const;
  };
  using Memory = std::unique_ptr<std::byte, Release>;
  static Memory Allocate(size_t bytes);
  Memory own_;  // null: the caller's
  Header* header_;
  FlowIndex index_;
  Flow* flows_;     // [0] is nobody
  Slots openings_;  // and which slots are free
  SourceCounts sources_;
  Secret secret_;
  size_t size_ = 0;
  Marks begun_;  // by hash, since Watch()
  Marks ended_;  // by slot
  // The oldest openings, as PrefetchRoom() found them. A hash is only where to look first.
  static constexpr size_t kVictims = 64;
  struct Victim {
    uint32_t slot;
    uint64_t hash;
  };
  std::array<Victim, kVictims> victims_;
  size_t victim_count_ = 0;
  size_t next_victim_ = 0;
  uint32_t tick_ = 0;
  uint32_t swept_ = 0;  // the next bucket
};

// The key of the connection's first packet.
FlowKey KeyOf(const Flow& flow);

// Whether the side that `found` names can have sent what an ICMP error quotes: a sequence number
// that may be under way (RFC 5927, 4), the tag that the other side wants.
bool MayHaveSent(const FoundFlow& found, const ParsedPacket& quoted);

// Of the two addresses, in either order.
uint32_t PairHash(const FlowKey& key, uint64_t secret);

}  // namespace npf::conntrack

#endif  // NPF_CONNTRACK_FLOW_TABLE_H_
