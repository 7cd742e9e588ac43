#include "conntrack/flow_table.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

namespace npf::conntrack {
namespace {

constexpr uint8_t kTcpFin = 0x01;
constexpr uint8_t kTcpRst = 0x04;
constexpr uint8_t kTcpAck = 0x10;

// Both directions of a flow give the same one.
struct UnorderedKey {
  std::array<uint64_t, 5> words{};
  bool operator==(const UnorderedKey&) const = default;
};

uint64_t Word(const uint8_t* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, 8);
  return word;
}

struct End {
  uint64_t high, low;
  uint16_t port;
  auto operator<=>(const End&) const = default;
};

// Echo requests and replies bear one identifier, whichever way they go.
bool PortIsOfFlow(uint8_t protocol) {
  return protocol == kProtocolIcmp || protocol == kProtocolIcmpv6;
}

UnorderedKey Unordered(const FlowKey& key) {
  const uint16_t dst_port = PortIsOfFlow(key.protocol) ? key.src_port : key.dst_port;
  End first{Word(key.src), Word(key.src + 8), key.src_port};
  End second{Word(key.dst), Word(key.dst + 8), dst_port};
  if (second < first) std::swap(first, second);
  const uint64_t rest = uint64_t{first.port} << 32 | uint64_t{second.port} << 16 |
                        uint64_t{key.protocol} << 8 | key.family;
  return {{first.high, first.low, second.high, second.low, rest}};
}

bool SameDirection(const FlowKey& a, const FlowKey& b) {
  const bool ports =
      PortIsOfFlow(a.protocol) || (a.src_port == b.src_port && a.dst_port == b.dst_port);
  return ports && std::memcmp(a.src, b.src, 16) == 0 && std::memcmp(a.dst, b.dst, 16) == 0;
}

}  // namespace

FlowTable::FlowTable(size_t capacity) : entries_(capacity + 1), secret_(NewSecret()) {
  heads_.resize(std::bit_ceil(capacity));
  for (uint32_t i = 1; i <= capacity; ++i) {
    entries_[i].chain = free_;
    free_ = i;
  }
}

uint64_t FlowTable::IdleNs(uint8_t queue) {
  static constexpr std::array<uint64_t, kQueues> kIdleNs = {kTcpOpeningNs, kTcpEstablishedNs,
                                                            kTcpClosingNs, kIcmpNs, kOtherNs};
  return kIdleNs[queue];
}

uint32_t FlowTable::HashOf(const FlowKey& key) const {
  return KeyedHash(Unordered(key).words, secret_);
}

FoundFlow FlowTable::Find(const FlowKey& key, uint64_t now_ns) {
  const uint32_t hash = HashOf(key);
  const UnorderedKey wanted = Unordered(key);
  for (uint32_t i = heads_[hash & (heads_.size() - 1)]; i != 0; i = entries_[i].chain) {
    Flow& flow = entries_[i];
    if (flow.hash != hash || Unordered(flow.key) != wanted) continue;
    if (flow.expires_ns <= now_ns) {
      Erase(flow);
      return {};
    }
    return {&flow, SameDirection(flow.key, key) ? FlowSide::kForward : FlowSide::kReply};
  }
  return {};
}

bool FlowTable::EvictExpired(uint64_t now_ns) {
  for (const QueueEnds& ends : queues_) {
    if (ends.oldest != 0 && entries_[ends.oldest].expires_ns <= now_ns) {
      Erase(entries_[ends.oldest]);
      return true;
    }
  }
  return false;
}

Flow* FlowTable::Insert(const FlowKey& key, const Verdict& verdict, uint64_t now_ns) {
  if (free_ == 0 && !EvictExpired(now_ns)) return nullptr;
  const uint32_t index = free_;
  Flow& flow = entries_[index];
  free_ = flow.chain;
  ++size_;
  flow.key = key;
  flow.verdict = verdict;
  flow.sequence_known = 0;
  flow.acknowledged_known = 0;
  flow.fins = 0;
  flow.answered = false;
  flow.hash = HashOf(key);
  uint32_t& head = heads_[flow.hash & (heads_.size() - 1)];
  flow.chain = head;
  head = index;
  const bool icmp = key.protocol == kProtocolIcmp || key.protocol == kProtocolIcmpv6;
  Enqueue(flow, key.protocol == kProtocolTcp ? kTcpOpening : (icmp ? kIcmp : kOther), now_ns);
  return &flow;
}

bool FlowTable::RstEnds(const Flow& flow, size_t side, const ParsedPacket& packet) {
  const size_t other = 1 - side;
  if ((flow.sequence_known >> side & 1) == 0) return true;
  if (packet.tcp_sequence == flow.next_sequence[side]) return true;
  return (flow.acknowledged_known >> other & 1) != 0 &&
         packet.tcp_sequence == flow.acknowledged[other];
}

bool FlowTable::HasInFlight(const FoundFlow& found, uint32_t sequence) const {
  const Flow& flow = *found.flow;
  const size_t side = found.side == FlowSide::kReply ? 1 : 0;
  if (flow.key.protocol != kProtocolTcp || (flow.sequence_known >> side & 1) == 0) return true;
  // An error may be on its way while acknowledgements overtake it.
  constexpr int32_t kLateBytes = 1 << 16;
  const auto behind = static_cast<int32_t>(flow.next_sequence[side] - sequence);
  if (behind < 0) return false;
  const size_t other = 1 - side;
  if ((flow.acknowledged_known >> other & 1) == 0) return true;
  return static_cast<int32_t>(sequence - flow.acknowledged[other]) >= -kLateBytes;
}

// Notes what a segment says, and returns the queue that the flow belongs to now.
uint8_t FlowTable::FollowTcp(Flow& flow, size_t side, const ParsedPacket& packet) {
  const auto bit = static_cast<uint8_t>(1u << side);
  const uint32_t end = packet.tcp_sequence + packet.tcp_length;
  // Sequence numbers wrap: the later one is less than half the space ahead.
  const bool later = static_cast<int32_t>(end - flow.next_sequence[side]) > 0;
  if ((flow.sequence_known & bit) == 0 || later) flow.next_sequence[side] = end;
  flow.sequence_known |= bit;
  if (packet.tcp_flags & kTcpAck) {
    flow.acknowledged[side] = packet.tcp_acknowledgement;
    flow.acknowledged_known |= bit;
  }
  if (packet.tcp_flags & kTcpFin) flow.fins |= bit;
  uint8_t queue = flow.queue;
  // Established once the side that began has spoken again after an answer.
  if (queue == kTcpOpening && side == 0 && flow.answered && !packet.starts_connection) {
    queue = kTcpEstablished;
  }
  flow.answered = flow.answered || side == 1;
  return flow.fins == 3 ? uint8_t{kTcpClosing} : queue;
}

void FlowTable::Update(const FoundFlow& found, const ParsedPacket& packet, uint64_t now_ns) {
  Flow& flow = *found.flow;
  uint8_t queue = flow.queue;
  if (flow.key.protocol == kProtocolTcp) {
    const size_t side = found.side == FlowSide::kReply ? 1 : 0;
    if (packet.tcp_flags & kTcpRst) {
      if (RstEnds(flow, side, packet)) Erase(flow);
      return;
    }
    queue = FollowTcp(flow, side, packet);
  }
  Dequeue(flow);
  Enqueue(flow, queue, now_ns);
}

void FlowTable::Erase(Flow& flow) {
  const uint32_t index = IndexOf(flow);
  uint32_t* link = &heads_[flow.hash & (heads_.size() - 1)];
  while (*link != index) link = &entries_[*link].chain;
  *link = flow.chain;
  Dequeue(flow);
  flow.chain = free_;
  free_ = index;
  --size_;
}

void FlowTable::Enqueue(Flow& flow, uint8_t queue, uint64_t now_ns) {
  QueueEnds& ends = queues_[queue];
  flow.queue = queue;
  flow.expires_ns = now_ns + IdleNs(queue);
  flow.newer = 0;
  flow.older = ends.newest;
  if (ends.newest != 0) entries_[ends.newest].newer = IndexOf(flow);
  ends.newest = IndexOf(flow);
  if (ends.oldest == 0) ends.oldest = ends.newest;
}

void FlowTable::Dequeue(Flow& flow) {
  QueueEnds& ends = queues_[flow.queue];
  (flow.older != 0 ? entries_[flow.older].newer : ends.oldest) = flow.newer;
  (flow.newer != 0 ? entries_[flow.newer].older : ends.newest) = flow.older;
}

}  // namespace npf::conntrack
