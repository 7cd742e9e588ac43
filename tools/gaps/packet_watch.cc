#include "gaps/packet_watch.h"

#include <algorithm>

#include "packet/quoted.h"

namespace npf::gaps {
namespace {

constexpr uint8_t kSyn = 0x02;
constexpr uint8_t kRst = 0x04;
constexpr uint8_t kAck = 0x10;

constexpr uint8_t kSctpInit = 1;
constexpr uint8_t kSctpInitAck = 2;
constexpr uint8_t kSctpAbort = 6;
constexpr uint8_t kSctpCookieAck = 11;

// What a capture of several interfaces has twice is no second try: those come after 200 ms and
// more.
constexpr uint64_t kRetryNs = 100'000'000;
constexpr uint32_t kHalf = uint32_t{1} << 31;

bool IsEcho(const ParsedPacket& parsed, bool reply) {
  const bool v6 = parsed.key.protocol == kProtocolIcmpv6;
  return parsed.icmp_type == (reply ? (v6 ? 129 : 0) : (v6 ? 128 : 8));
}

bool IsUnreachable(const ParsedPacket& parsed) {
  return parsed.icmp_type == (parsed.key.protocol == kProtocolIcmpv6 ? 1 : 3);
}

// Of a destination that is unreachable: nobody has the port, or speaks the protocol.
bool SaysNobodyListens(const ParsedPacket& parsed, uint8_t code) {
  return parsed.key.protocol == kProtocolIcmpv6 ? code == 4 : code == 2 || code == 3;
}

bool SentBy(const FlowKey& key, const IpAddress& address) { return SourceOf(key) == address; }

// Notes the data of one end, and whether this packet acknowledges the other's.
void FollowData(Live& live, const ParsedPacket& parsed, bool reply) {
  SentData& own = live.sent[reply ? 1 : 0];
  const SentData& other = live.sent[reply ? 0 : 1];
  if (parsed.tcp_length > 0) {
    if (!own.any) own = {true, parsed.tcp_sequence, parsed.tcp_sequence};
    const uint32_t end = parsed.tcp_sequence + parsed.tcp_length;
    if (end - own.begin < kHalf && end - own.begin > own.end - own.begin) own.end = end;
  }
  if ((parsed.tcp_flags & kAck) == 0 || !other.any) return;
  const uint32_t acked = parsed.tcp_acknowledgement - other.begin;
  if (acked > 0 && acked <= other.end - other.begin) live.facts |= kFactDataAcked;
}

// Whether `ack` acknowledges a SYN, whose next number is `next`, and nothing that was not sent: a
// late packet of an earlier connection between the same ports has other numbers.
bool Acknowledges(uint32_t ack, uint32_t next, const SentData& sent) {
  if (ack == next) return true;
  return sent.any && sent.end - next < kHalf && ack - next <= sent.end - next;
}

// What an ACK says of an opening that was seen, or of its answer.
void FollowHandshake(Live& live, const ParsedPacket& parsed, bool reply) {
  if ((parsed.tcp_flags & kAck) == 0) return;
  const uint32_t ack = parsed.tcp_acknowledgement;
  if (reply) {
    const bool answers = live.Has(kFactOpened) && Acknowledges(ack, live.opening + 1, live.sent[0]);
    if (answers) live.facts |= kFactAnswered;
  } else if (live.syn_ack_seen) {
    if (Acknowledges(ack, live.answer_next, live.sent[1])) live.facts |= kFactCompleted;
  } else if (live.Has(kFactOpened) && parsed.tcp_sequence - (live.opening + 1) < kHalf) {
    live.facts |= live.Has(kFactAnswered) ? kFactCompleted : kFactOpenerAcks;
  }
}

}  // namespace

WatchCounts PacketWatch::counts() const {
  WatchCounts counts = counts_;
  counts.left_out = table_.left_out();
  return counts;
}

void PacketWatch::Count(Live& live, const Packet& packet) {
  ++live.packets;
  if (packet.reply) ++live.replies;
  live.first_ns = std::min(live.first_ns, packet.time_ns);
  live.last_ns = std::max(live.last_ns, packet.time_ns);
  if (packet.reply || live.Has(kFactAtPod)) return;
  switch (where_is_(packet.place, DestinationOf(live.key), packet.time_ns)) {
    case Nearness::kPod:
      live.facts |= kFactAtPod;
      break;
    case Nearness::kNode:
      live.facts |= kFactAtNode;
      break;
    case Nearness::kElsewhere:
      break;
  }
}

void PacketWatch::Add(const PacketView& frame, const ParsedPacket& parsed, uint64_t time_ns,
                      size_t place) {
  ++counts_.packets;
  if (parsed.outcome == ParseOutcome::kPass) {
    ++counts_.control;
    return;
  }
  if (parsed.outcome == ParseOutcome::kDeny) {
    ++counts_.unread;
    return;
  }
  if (parsed.later_fragment) {
    ++counts_.fragments;
    return;
  }
  Packet packet{parsed, parsed.key, time_ns, place};
  Live* live = nullptr;
  if (parsed.key.protocol == kProtocolTcp) {
    live = Tcp(packet);
  } else if (parsed.key.protocol == kProtocolSctp) {
    live = Sctp(packet);
  } else if (!IsIcmp(parsed.key.protocol)) {
    live = Datagram(packet);
  } else if (IsEcho(parsed, false) || IsEcho(parsed, true)) {
    live = Echo(packet);
  } else {
    return IcmpError(frame, parsed, time_ns, place);
  }
  if (live == nullptr) return;
  packet.reply = !SameDirection(live->key, packet.key);
  Count(*live, packet);
}

bool PacketWatch::IsRepeated(const Live& live, const Packet& packet) const {
  return live.opening_place == packet.place && packet.time_ns >= live.opening_ns + kRetryNs;
}

Live* PacketWatch::Tcp(Packet& packet) {
  const uint8_t flags = packet.parsed.tcp_flags;
  if ((flags & (kSyn | kRst | kAck)) == kSyn) return TcpSyn(packet);
  if ((flags & kRst) != 0) return TcpReset(packet);
  Live* live = (flags & kSyn) != 0 ? TcpSynAck(packet) : Middle(packet);
  if (live == nullptr) return nullptr;
  const bool reply = !SameDirection(live->key, packet.key);
  if ((flags & kSyn) == 0) FollowHandshake(*live, packet.parsed, reply);
  if ((flags & kSyn) == 0) FollowData(*live, packet.parsed, reply);
  return live;
}

Live* PacketWatch::TcpSyn(const Packet& packet) {
  const uint32_t sequence = packet.parsed.tcp_sequence;
  Live* live = table_.Find(packet.key);
  const bool same_way = live != nullptr && SameDirection(live->key, packet.key);
  if (same_way && live->Has(kFactOpened) && live->opening == sequence) {
    if (IsRepeated(*live, packet)) live->facts |= kFactRepeated;
    return live;
  }
  // Its answer came first, by another clock.
  const bool is_answered = same_way && !live->Has(kFactOpened) && live->Has(kFactAnswerSeen) &&
                           live->answer_ack == sequence + 1;
  if (is_answered) {
    live->facts |= kFactAnswered;
    live->opener = Opener::kSeen;
  } else {
    live = table_.Begin(packet.key, packet.time_ns);
    if (live == nullptr) return nullptr;
  }
  live->facts |= kFactOpened;
  live->opening = sequence;
  live->opening_ns = packet.time_ns;
  live->opening_place = packet.place;
  return live;
}

Live* PacketWatch::TcpSynAck(const Packet& packet) {
  const ParsedPacket& parsed = packet.parsed;
  Live* live = table_.Find(packet.key);
  if (live != nullptr && live->Has(kFactOpened)) {
    const bool answers =
        !SameDirection(live->key, packet.key) && parsed.tcp_acknowledgement == live->opening + 1;
    if (!answers) return live;  // of an earlier connection, or of an opening from both ends
    live->facts |= kFactAnswered;
  } else if (live == nullptr || !live->Has(kFactAnswerSeen) ||
             live->answer_ack != parsed.tcp_acknowledgement) {
    live = table_.Begin(Reversed(packet.key), packet.time_ns);
    if (live == nullptr) return nullptr;
    live->facts |= kFactAnswerSeen;
  }
  live->syn_ack_seen = true;
  live->answer_ack = parsed.tcp_acknowledgement;
  live->answer_next = parsed.tcp_sequence + 1;
  return live;
}

Live* PacketWatch::TcpReset(const Packet& packet) {
  Live* live = table_.Find(packet.key);
  if (live == nullptr) {
    ++counts_.stray;
    return nullptr;
  }
  const bool refuses = live->Has(kFactOpened) && !live->Has(kFactAnswered) &&
                       !SameDirection(live->key, packet.key) &&
                       (packet.parsed.tcp_flags & kAck) != 0 &&
                       packet.parsed.tcp_acknowledgement == live->opening + 1;
  if (refuses) Refuse(*live, SourceOf(packet.key), packet.time_ns, packet.place);
  return live;
}

void PacketWatch::Refuse(Live& live, const IpAddress& by, uint64_t time_ns, size_t place) {
  const bool at_pod = where_is_(place, by, time_ns) == Nearness::kPod;
  live.facts |= at_pod ? kFactRefusedAtPod : kFactRefused;
}

Live* PacketWatch::Middle(const Packet& packet) {
  if (Live* live = table_.Find(packet.key)) return live;
  Live* live = table_.BeginByPorts(packet.key, packet.time_ns);
  if (live != nullptr) live->facts |= kFactMiddle;
  return live;
}

Live* PacketWatch::SctpInit(const Packet& packet) {
  const uint32_t tag = packet.parsed.sctp_initiate_tag;
  Live* live = table_.Find(packet.key);
  if (live != nullptr && live->Has(kFactOpened) && live->opening == tag &&
      SameDirection(live->key, packet.key)) {
    if (IsRepeated(*live, packet)) live->facts |= kFactRepeated;
    return live;
  }
  live = table_.Begin(packet.key, packet.time_ns);
  if (live == nullptr) return nullptr;
  live->facts |= kFactOpened;
  live->opening = tag;
  live->opening_ns = packet.time_ns;
  live->opening_place = packet.place;
  return live;
}

Live* PacketWatch::Sctp(Packet& packet) {
  const ParsedPacket& parsed = packet.parsed;
  if (!parsed.sctp_known) return Middle(packet);
  if (parsed.sctp_chunk == kSctpInit) return SctpInit(packet);
  Live* live = table_.Find(packet.key);
  if (live == nullptr && parsed.sctp_chunk == kSctpAbort) {
    ++counts_.stray;
    return nullptr;
  }
  if (live == nullptr) return Middle(packet);
  const bool of_opening = live->Has(kFactOpened) && !SameDirection(live->key, packet.key) &&
                          parsed.sctp_tag == live->opening;
  if (!of_opening) return live;
  if (parsed.sctp_chunk == kSctpInitAck || parsed.sctp_chunk == kSctpCookieAck) {
    live->facts |= kFactAnswered;
  } else if (parsed.sctp_chunk == kSctpAbort && !live->Has(kFactAnswered)) {
    Refuse(*live, SourceOf(packet.key), packet.time_ns, packet.place);
  }
  return live;
}

// UDP, and everything that has no ports.
Live* PacketWatch::Datagram(Packet& packet) {
  Live* live = table_.Find(packet.key);
  if (live == nullptr || packet.time_ns > live->last_ns + ConnectionTable::kIdleNs) {
    live = table_.BeginByPorts(packet.key, packet.time_ns);
    if (live == nullptr) return nullptr;
  }
  if (SameDirection(live->key, packet.key)) {
    live->facts |= kFactOpened;
  } else {
    live->facts |= live->Has(kFactOpened) ? kFactAnswered : kFactAnswerSeen;
  }
  return live;
}

Live* PacketWatch::Echo(Packet& packet) {
  // The identifier stands for both ports, so that both directions are one connection.
  packet.key.dst_port = packet.key.src_port;
  const bool request = IsEcho(packet.parsed, false);
  const FlowKey key = request ? packet.key : Reversed(packet.key);
  Live* live = table_.Find(key);
  const bool known = live != nullptr && SameDirection(live->key, key) &&
                     packet.time_ns <= live->last_ns + ConnectionTable::kIdleNs;
  if (!known) {
    live = table_.Begin(key, packet.time_ns);
    if (live == nullptr) return nullptr;
    live->has_ports = false;
    live->opening_ns = packet.time_ns;
    live->opening_place = packet.place;
  }
  if (!request) {
    live->facts |= live->Has(kFactOpened) ? kFactAnswered : kFactAnswerSeen;
  } else if (live->Has(kFactOpened)) {
    if (IsRepeated(*live, packet)) live->facts |= kFactRepeated;
  } else {
    live->facts |= kFactOpened;
  }
  return live;
}

void PacketWatch::IcmpError(const PacketView& frame, const ParsedPacket& parsed, uint64_t time_ns,
                            size_t place) {
  if (!IsUnreachable(parsed) || parsed.quoted_bytes == 0) {
    ++counts_.stray;
    return;
  }
  ParsedPacket quoted = packet::ParseQuoted(frame, parsed);
  if (IsIcmp(quoted.key.protocol)) quoted.key.dst_port = quoted.key.src_port;
  Live* live = quoted.outcome == ParseOutcome::kJudge ? table_.Find(quoted.key) : nullptr;
  if (live == nullptr || !SameDirection(live->key, quoted.key)) {
    ++counts_.stray;
    return;
  }
  ++live->packets;
  ++live->replies;
  live->last_ns = std::max(live->last_ns, time_ns);
  const uint8_t code = frame.data[parsed.l4_offset + 1u];
  if (SaysNobodyListens(parsed, code) && SentBy(parsed.key, DestinationOf(live->key))) {
    Refuse(*live, SourceOf(parsed.key), time_ns, place);
  } else {
    live->facts |= kFactRejected;
  }
}

}  // namespace npf::gaps
