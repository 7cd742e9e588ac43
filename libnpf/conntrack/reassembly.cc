#include "conntrack/reassembly.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace npf::conntrack {
namespace {

constexpr uint32_t kDatagramBytesMax = 65535;

// What counts in the length that the whole datagram's header states: all of an IPv4 header; of
// IPv6, the extension headers before the Fragment header.
uint32_t CountedHeaders(const ParsedPacket& first) {
  constexpr uint32_t kUncountedV6 = 40 + 8;
  const auto headers = static_cast<uint32_t>(first.fragment_at - first.l3_offset);
  return first.key.family == 4 ? headers : headers - kUncountedV6;
}

}  // namespace

bool Reassembly::Takes(const ParsedPacket& packet) {
  if (!packet.fragment) return false;
  if (packet.outcome == ParseOutcome::kJudge) return true;
  // Its extension headers end where its payload begins, so that nothing but the transport header
  // can go on in another fragment (RFC 7112; A26).
  return packet.reason == Reason::kFragmentTiny && packet.fragment_begin == 0 &&
         packet.l4_offset == packet.fragment_at;
}

Reassembly::Taken Reassembly::Take(const ParsedPacket& fragment, const PacketView& frame,
                                   uint64_t now_ns) {
  gone_count_ = 0;
  Datagram* datagram = table_.Find(fragment, now_ns);
  NoteDropped();
  if (datagram == nullptr) {
    datagram = table_.Begin(fragment, now_ns);
    NoteDropped();
    if (datagram == nullptr) return {.reason = Reason::kFragmentIncomplete};
    const uint32_t place = table_.PlaceOf(*datagram);
    held_[place] = Held{.ticket = ++begun_ * held_.size() + place};
  }
  Held& held = held_[table_.PlaceOf(*datagram)];
  if (held.ticket == 0) {
    return {.reason =
                datagram->poisoned() ? Reason::kFragmentOverlap : Reason::kFragmentIncomplete};
  }
  if (!datagram->Cover(fragment)) {
    Refuse(Reason::kFragmentOverlap, held);
    return {.reason = Reason::kFragmentOverlap};
  }
  Note(fragment, frame, held);
  if (datagram->complete() && held.headers + held.end > kDatagramBytesMax) {
    datagram->Poison();
    Refuse(Reason::kFragmentOversize, held);
    return {.reason = Reason::kFragmentOversize};
  }
  return {.ticket = held.ticket, .complete = datagram->complete()};
}

// Keeps what the fragment has of the transport header. Behind extension headers all of it is in the
// first fragment. What others have is then further on by the length of these, so that a gap tells
// it from the header's own bytes.
void Reassembly::Note(const ParsedPacket& fragment, const PacketView& frame, Held& held) {
  const uint32_t begin = fragment.fragment_begin * 8u;
  if (!fragment.fragment_more) held.end = begin + fragment.fragment_bytes;
  if (begin == 0) NoteFirst(fragment, held);
  if (begin >= kHeadBytes) return;
  const uint32_t at = begin == 0 ? fragment.l4_offset : fragment.fragment_at;
  const uint32_t sent = fragment.fragment_at + uint32_t{fragment.fragment_bytes};
  const uint32_t captured = std::min(sent, frame.length);
  if (captured <= at) return;
  const size_t count = std::min<size_t>(captured - at, kHeadBytes - begin);
  std::memcpy(held.head.data() + begin, frame.data + at, count);
  held.head_known |= (count == kHeadBytes ? ~uint64_t{0} : (uint64_t{1} << count) - 1) << begin;
}

void Reassembly::NoteFirst(const ParsedPacket& first, Held& held) {
  held.key = first.key;
  held.network = first.network;
  held.headers = CountedHeaders(first);
  held.transport = static_cast<uint32_t>(first.l4_offset - first.fragment_at);
}

bool Reassembly::Expire(uint64_t now_ns) {
  gone_count_ = 0;
  const bool more = table_.DropExpired(now_ns);
  NoteDropped();
  return more;
}

void Reassembly::NoteDropped() {
  for (const uint32_t place : table_.dropped()) {
    if (held_[place].ticket != 0) Refuse(Reason::kFragmentIncomplete, held_[place]);
  }
}

void Reassembly::Refuse(Reason reason, Held& held) {
  gone_[gone_count_++] = {held.ticket, reason};
  held.ticket = 0;
}

packet::JoinedDatagram Reassembly::Joined(uint64_t ticket) const {
  const Held& held = held_[PlaceOf(ticket)];
  const uint32_t bytes = held.end - held.transport;
  const auto known = static_cast<uint32_t>(std::countr_one(held.head_known));
  return {.key = held.key,
          .network = held.network,
          .transport = {
              .data = held.head.data(), .length = std::min(known, bytes), .wire_length = bytes}};
}

void Reassembly::Finish(uint64_t ticket) {
  const size_t place = PlaceOf(ticket);
  held_[place].ticket = 0;
  table_.Erase(table_.At(static_cast<uint32_t>(place)));
}

void Reassembly::GiveUp(uint64_t ticket) {
  Held& held = held_[PlaceOf(ticket)];
  if (held.ticket == ticket) held.ticket = 0;
}

}  // namespace npf::conntrack
