// What becomes of fragments: they follow their first one, or are held until all have come.
#include "conntrack/fragment_table.h"
#include "conntrack/reassembly.h"
#include "engine/outright.h"
#include "engine/tracked.h"
#include "engine/worker_impl.h"

namespace npf {

using conntrack::Datagram;
using conntrack::FoundFlow;
using conntrack::FragmentTable;
using conntrack::Reassembly;

// A first fragment is judged as a whole packet is, and what comes of it is kept for the others.
// Where the datagram has one already, nobody knows which one its receiver takes (A5, A9).
void Worker::Impl::SettleFirstFragment(const Passing& passing) {
  Judgement& judgement = passing.judgement;
  const ParsedPacket& packet = judgement.packet;
  if (Datagram* const known = datagrams_->Find(packet, now_ns_); known != nullptr) {
    known->Poison();
    return DenyOutright(Reason::kFragmentOverlap, judgement);
  }
  SettleWhole(passing);
  // Policy was asked about what began the connection, and that is this one where it says so (A67).
  const bool of_other = judgement.reply && !SaysItStarts(packet);
  KeepDatagram(of_other ? Reversed(packet.key) : packet.key, judgement);
}

// `judgement` is of a first fragment whose datagram is not known yet.
void Worker::Impl::KeepDatagram(const FlowKey& judged, const Judgement& judgement) {
  Datagram* const datagram = datagrams_->Begin(judgement.packet, now_ns_);
  if (datagram == nullptr) return;
  datagram->Cover(judgement.packet);
  datagram->judged = judged;
  datagram->verdict = judgement.verdict;
  datagram->reply = judgement.reply;
  datagram->flow_reason = judgement.flow_reason;
}

// False where no first fragment is known: policy decides, without ports.
bool Worker::Impl::SettleLaterFragment(Judgement& judgement) {
  Datagram* const datagram = datagrams_->Find(judgement.packet, now_ns_);
  if (datagram == nullptr) return false;
  if (datagram->verdict.allowed == 0) {
    DenyOutright(Reason::kFragmentFirstDenied, judgement);
    return true;
  }
  if (!datagram->Cover(judgement.packet)) {
    DenyOutright(Reason::kFragmentOverlap, judgement);
    return true;
  }
  if (!IsStillAllowed(datagram->judged, datagram->verdict)) {  // A12
    judgement.verdict = datagram->verdict;
    return true;
  }
  judgement.verdict = datagram->verdict;
  judgement.reply = datagram->reply;
  judgement.flow_reason = datagram->flow_reason;
  if (datagram->complete()) datagrams_->Erase(*datagram);
  return true;
}

// Whatever comes of it, a fragment is held first, the one that completes its datagram too: so the
// caller has one way to treat them, and they leave in the order in which they came.
void Worker::Impl::SettleHeld(const Passing& passing) {
  Judgement& judgement = passing.judgement;
  if (releases_->room() < Reassembly::kGoneMax) {
    return DenyOutright(Reason::kFragmentIncomplete, judgement);
  }
  const Reassembly::Taken taken =
      reassembly_->Take(judgement.packet, passing.frame.packet, now_ns_);
  ReleaseGone();
  judgement.held = taken.ticket;
  DenyOutright(taken.reason, judgement);
  if (taken.complete) SettleJoined(taken.ticket);
}

// A datagram that is complete is one packet, which comes now.
void Worker::Impl::SettleJoined(uint64_t ticket) {
  const packet::JoinedDatagram joined = reassembly_->Joined(ticket);
  const Frame frame{.packet = joined.transport};
  Judgement judgement{.packet = packet::ParseJoined(joined, {.checksums = options_.checksums})};
  const FlowKey& key = judgement.packet.key;
  const bool tracked = IsTracked(judgement.packet);
  const uint64_t hash = tracked ? flows_->HashOf(key) : 0;
  const FoundFlow found = tracked ? flows_->Find(key, hash) : FoundFlow{};
  Settle({frame, hash, found, nullptr, judgement});
  releases_->Add({.ticket = ticket,
                  .verdict = judgement.verdict,
                  .key = key,
                  .reply = judgement.reply,
                  .flow_reason = judgement.flow_reason});
  reassembly_->Finish(ticket);
}

void Worker::Impl::ReleaseGone() {
  for (const Reassembly::Gone& gone : reassembly_->gone()) {
    releases_->Add(
        {.ticket = gone.ticket, .verdict = Outright(false, gone.reason, options_.classify)});
  }
}

void Worker::Impl::ReleaseExpired(uint64_t now_ns, bool all) {
  if (!reassembly_.has_value()) return;
  now_ns_ = std::max(now_ns_, now_ns);
  releases_->Clear();
  constexpr size_t kRounds = kBatch / FragmentTable::kExpiredAtATime;
  bool more = true;
  for (size_t i = 0; more && (all || i < kRounds); ++i) {
    more = reassembly_->Expire(now_ns_);
    ReleaseGone();
  }
}

}  // namespace npf
