// The pipeline of npf/worker.h.
//
// A batch goes through it in steps, so that what one step asks of memory has arrived when the next
// one wants it:
//
//   parse, hash ─► buckets of the index ─► flows ─► Classify what is not known ─► settle, in order
//
// Settling is packet by packet, because a packet may be the answer to one that came just before it
// in the same batch. Classification is a pure function of the key, so that it may run ahead: a key
// whose connection is not known when the batch begins is classified with the others, and the
// verdict is used where it still is not known when the packet's turn comes.
#include "npf/worker.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "conntrack/flow_table.h"
#include "conntrack/fragment_table.h"
#include "conntrack/reassembly.h"
#include "engine/outright.h"
#include "engine/releases.h"
#include "engine/spoofing.h"
#include "packet/plain.h"
#include "packet/quoted.h"
#include "packet/sctp_chunks.h"
#include "packet/tcp_flags.h"

namespace npf {
namespace {

using conntrack::Datagram;
using conntrack::Flow;
using conntrack::FlowSide;
using conntrack::FlowState;
using conntrack::FlowTable;
using conntrack::FoundFlow;
using conntrack::FragmentTable;
using conntrack::Reassembly;
using conntrack::Step;
using packet::PlainReader;

bool IsEcho(const ParsedPacket& packet) {
  const uint8_t type = packet.icmp_type;
  return packet.key.protocol == kProtocolIcmp ? type == 0 || type == 8 : type == 128 || type == 129;
}

// Packets that may belong to a connection. Of ICMP, only echo has one.
bool IsTracked(const ParsedPacket& packet) {
  return packet.outcome == ParseOutcome::kJudge && !packet.later_fragment &&
         (!IsIcmp(packet.key.protocol) || IsEcho(packet));
}

// Of a protocol whose packets say whether they begin a connection, one that does.
bool SaysItStarts(const ParsedPacket& packet) {
  const uint8_t protocol = packet.key.protocol;
  const bool marked = protocol == kProtocolTcp || protocol == kProtocolSctp || IsIcmp(protocol);
  return marked && packet.starts_connection;
}

// An answer to nothing, or what ends a connection: none begins so, in the middle either.
bool AnswersOrEnds(const ParsedPacket& packet) {
  if (packet.key.protocol == kProtocolSctp) {
    const uint8_t chunk = packet.sctp_chunk;
    return packet.sctp_known && (chunk == packet::kSctpInitAck || chunk == packet::kSctpAbort ||
                                 chunk == packet::kSctpShutdownComplete);
  }
  return IsIcmp(packet.key.protocol) ||
         (packet.tcp_flags & (packet::kTcpSyn | packet::kTcpRst)) != 0;
}

// These are allowed whatever came before (R36, R54), and need no memory of it.
bool NeedsNoState(const Verdict& verdict) {
  const auto reason = static_cast<Reason>(verdict.reason);
  return verdict.allowed != 0 && (reason == Reason::kNotAPod || reason == Reason::kLoopback);
}

FlowKey Reversed(const FlowKey& key) {
  FlowKey reversed = key;
  std::swap(reversed.src, reversed.dst);
  if (!IsIcmp(key.protocol)) std::swap(reversed.src_port, reversed.dst_port);
  return reversed;
}

}  // namespace

class Worker::Impl {
 public:
  Impl(Program program, const WorkerOptions& options)
      : program_(std::move(program)), options_(options), plain_({.checksums = options.checksums}) {
    options_.classify.generation = 1;
    if (options_.stateless) return;
    flows_.emplace(conntrack::FlowTableOptions{.capacity = options_.flows_max,
                                               .openings_max = options_.openings_max,
                                               .per_source_max = options_.flows_per_source_max});
    if (options_.fragments == Fragments::kTrack) {
      datagrams_.emplace(options_.datagrams_max);
    } else {
      reassembly_.emplace(options_.datagrams_max);
      releases_.emplace(options_.datagrams_max + kBatch + Reassembly::kGoneMax);
    }
  }

  // Before the batches of a call.
  void ReleaseExpired(uint64_t now_ns, bool all);
  void ProcessBatch(std::span<const Frame> frames, uint64_t now_ns,
                    std::span<Judgement> judgements);
  void Replace(Program program) {
    program_ = std::move(program);
    ++options_.classify.generation;
  }
  uint32_t generation() const { return options_.classify.generation; }
  WorkerCounts counts() const {
    if (!flows_.has_value()) return {};
    return {.flows = flows_->size(),
            .openings = flows_->openings(),
            .table_full = table_full_,
            .source_full = source_full_,
            .datagrams = reassembly_.has_value() ? reassembly_->size() : datagrams_->size()};
  }
  std::span<const Release> released() const {
    return releases_.has_value() ? releases_->all() : std::span<const Release>();
  }
  void GiveUp(uint64_t ticket) {
    if (reassembly_.has_value()) reassembly_->GiveUp(ticket);
  }

 private:
  // A packet on its way.
  struct Passing {
    const Frame& frame;
    uint64_t hash;           // of its flow, where it is tracked
    const FoundFlow& found;  // then, ahead of the batch
    const Verdict* ahead;    // or null
    Judgement& judgement;
  };

  void Parse(const Frame& frame, Judgement& judgement) const;
  void DenySpoofed(const Frame& frame, ParsedPacket& packet) const;
  void LookAhead(std::span<const Frame> frames, std::span<Judgement> judgements);
  void Settle(const Passing& passing);
  void SettleWhole(const Passing& passing);
  void SettleFirstFragment(const Passing& passing);
  void NoteRefused(const Judgement& judgement);
  void KeepDatagram(const FlowKey& judged, const Judgement& judgement);
  bool SettleLaterFragment(Judgement& judgement);
  void SettleHeld(const Passing& passing);
  void SettleJoined(uint64_t ticket);
  void ReleaseGone();
  bool SettleError(const Passing& passing);
  void SettleFlow(const FoundFlow& found, Judgement& judgement);
  void SettleFirst(const Verdict& verdict, Judgement& judgement);
  void SettleMidstream(const Verdict& verdict, Judgement& judgement);
  void Follow(const FoundFlow& found, Judgement& judgement);
  void Remember(const Verdict& verdict, FlowSide side, Judgement& judgement);
  Verdict ClassifyOne(const FlowKey& key) const;
  bool IsStillAllowed(const FlowKey& first, Verdict& verdict) const;
  bool IsStillAllowed(Flow& flow, Judgement& judgement) const;
  void DenyOutright(Reason reason, Judgement& judgement) const {
    judgement.verdict = Outright(false, reason, options_.classify);
  }
  void AllowWith(const Flow& flow, Reason reason, Judgement& judgement) const {
    judgement.flow_reason = static_cast<Reason>(flow.reason);
    judgement.verdict = Outright(true, reason, options_.classify);
    judgement.verdict.generation = flow.generation;
  }

  Program program_;
  WorkerOptions options_;
  PlainReader plain_;
  std::optional<FlowTable> flows_;          // with one of the next two, or none of the three
  std::optional<FragmentTable> datagrams_;  // Fragments::kTrack
  std::optional<Reassembly> reassembly_;    // kReassemble; then there are releases_
  std::optional<Releases> releases_;
  uint64_t now_ns_ = 0;
  uint64_t table_full_ = 0;
  uint64_t source_full_ = 0;
  // Of the batch.
  std::array<uint64_t, kBatch> hashes_;
  std::array<FoundFlow, kBatch> found_;
  uint64_t changes_ = 0;              // of the table, when they were found
  std::array<FlowKey, kBatch> keys_;  // of those that are classified ahead
  std::array<Verdict, kBatch> verdicts_;
  std::array<const Verdict*, kBatch> ahead_;
};

Verdict Worker::Impl::ClassifyOne(const FlowKey& key) const {
  Verdict verdict{};
  Classify(program_, options_.classify, {&key, 1}, {&verdict, 1});
  return verdict;
}

void Worker::Impl::ProcessBatch(std::span<const Frame> frames, uint64_t now_ns,
                                std::span<Judgement> judgements) {
  constexpr size_t kSweptBuckets = 4;
  now_ns_ = std::max(now_ns_, now_ns);
  if (flows_.has_value()) {
    flows_->Advance(now_ns_);
    flows_->Sweep(kSweptBuckets);
  }
  for (size_t i = 0; i < frames.size(); ++i) {
    Parse(frames[i], judgements[i]);
    if (options_.sources != nullptr) DenySpoofed(frames[i], judgements[i].packet);
    if (!flows_.has_value() || !IsTracked(judgements[i].packet)) continue;
    hashes_[i] = flows_->HashOf(judgements[i].packet.key);
    flows_->PrefetchBucket(hashes_[i]);
  }
  LookAhead(frames, judgements);
  for (size_t i = 0; i < frames.size(); ++i) {
    Settle({frames[i], hashes_[i], found_[i], ahead_[i], judgements[i]});
  }
}

// Plain frames are read in one straight line; SYNs have options that matter.
void Worker::Impl::Parse(const Frame& frame, Judgement& judgement) const {
  judgement.reply = false;
  judgement.flow_reason = Reason::kPolicy;
  judgement.held = 0;
  if (frame.link == LinkLayer::kEthernet && options_.overlays == nullptr &&
      plain_.Read(frame.packet, judgement.packet.key) && !PlainReader::IsSyn(frame.packet)) {
    return PlainReader::Describe(frame.packet, judgement.packet);
  }
  judgement.packet = ParsePacket(frame.packet, {.link = frame.link,
                                                .vlan = options_.vlan,
                                                .checksums = options_.checksums,
                                                .overlays = options_.overlays,
                                                .header_in_parts = reassembly_.has_value()});
}

// A fragment that is refused is asked, too: it may be held for its datagram all the same.
void Worker::Impl::DenySpoofed(const Frame& frame, ParsedPacket& packet) const {
  if (packet.outcome == ParseOutcome::kDeny && !packet.fragment) return;
  const Reason fault = CheckSource(*options_.sources, frame, packet);
  if (fault == Reason::kPolicy) return;
  packet.outcome = ParseOutcome::kDeny;
  packet.reason = fault;
}

void Worker::Impl::LookAhead(std::span<const Frame> frames, std::span<Judgement> judgements) {
  const auto is_tracked = [&](size_t i) {
    return flows_.has_value() && IsTracked(judgements[i].packet);
  };
  for (size_t i = 0; i < frames.size(); ++i) {
    if (is_tracked(i)) flows_->PrefetchFlow(hashes_[i]);
  }
  size_t count = 0;
  if (flows_.has_value()) changes_ = flows_->changes();
  for (size_t i = 0; i < frames.size(); ++i) {
    const ParsedPacket& packet = judgements[i].packet;
    ahead_[i] = nullptr;
    if (packet.outcome != ParseOutcome::kJudge) continue;
    if (is_tracked(i)) {
      found_[i] = flows_->Find(packet.key, hashes_[i]);
      if (found_[i].flow != nullptr) continue;
    }
    keys_[count] = packet.key;
    ahead_[i] = &verdicts_[count++];
  }
  Classify(program_, options_.classify, {keys_.data(), count}, {verdicts_.data(), count});
}

void Worker::Impl::Settle(const Passing& passing) {
  Judgement& judgement = passing.judgement;
  const ParsedPacket& packet = judgement.packet;
  if (reassembly_.has_value() && Reassembly::Takes(packet)) return SettleHeld(passing);
  if (packet.outcome != ParseOutcome::kJudge) {
    judgement.verdict =
        Outright(packet.outcome == ParseOutcome::kPass, packet.reason, options_.classify);
    if (datagrams_.has_value() && packet.fragment) NoteRefused(judgement);
    return;
  }
  if (flows_.has_value()) {
    if (packet.later_fragment && SettleLaterFragment(judgement)) return;
    if (packet.fragment && !packet.later_fragment) return SettleFirstFragment(passing);
    if (packet.quoted_bytes != 0 && SettleError(passing)) return;
  }
  SettleWhole(passing);
}

void Worker::Impl::SettleWhole(const Passing& passing) {
  const ParsedPacket& packet = passing.judgement.packet;
  if (flows_.has_value() && IsTracked(packet)) {
    const FoundFlow found =
        flows_->changes() == changes_ ? passing.found : flows_->Find(packet.key, passing.hash);
    if (found.flow != nullptr) return SettleFlow(found, passing.judgement);
  }
  SettleFirst(passing.ahead != nullptr ? *passing.ahead : ClassifyOne(packet.key),
              passing.judgement);
}

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

// The others of a first fragment that the parser refuses are denied with it (A2). Where another
// first one is known, that one stands: this one reaches nobody. Nor does one from elsewhere count.
void Worker::Impl::NoteRefused(const Judgement& judgement) {
  const ParsedPacket& packet = judgement.packet;
  if (packet.fragment_begin != 0 || packet.reason == Reason::kSpoofed) return;
  if (datagrams_->Find(packet, now_ns_) != nullptr) return;
  KeepDatagram(packet.key, judgement);
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

// An error about a known connection belongs to it (A76), where its receiver can have sent what it
// quotes. False where it quotes no known connection: policy decides.
bool Worker::Impl::SettleError(const Passing& passing) {
  Judgement& judgement = passing.judgement;
  const ParsedPacket& error = judgement.packet;
  const ParsedPacket quoted = packet::ParseQuoted(passing.frame.packet, error);
  if (!IsTracked(quoted) || quoted.quoted_bytes != 0) return false;
  const FoundFlow found = flows_->Find(quoted.key, flows_->HashOf(quoted.key));
  if (found.flow == nullptr) return false;
  if (std::memcmp(error.key.dst, quoted.key.src, sizeof quoted.key.src) != 0 ||
      !conntrack::MayHaveSent(found, quoted)) {
    DenyOutright(Reason::kIcmpMismatch, judgement);
    return true;
  }
  if (!IsStillAllowed(*found.flow, judgement)) {
    flows_->Erase(found);
    return true;
  }
  judgement.reply = found.is_reply == 0;
  AllowWith(*found.flow, Reason::kRelated, judgement);
  return true;
}

// Whether what was allowed before still is, once policy has changed; `verdict` is then the new one.
bool Worker::Impl::IsStillAllowed(const FlowKey& first, Verdict& verdict) const {
  if (verdict.generation == options_.classify.generation || options_.established_keep) return true;
  verdict = ClassifyOne(first);
  return verdict.allowed != 0;
}

// Likewise of a connection. One that was taken over from another process is judged again in any
// case.
bool Worker::Impl::IsStillAllowed(Flow& flow, Judgement& judgement) const {
  if (flow.generation == options_.classify.generation) return true;
  if (options_.established_keep && flow.generation != 0) return true;
  const Verdict verdict = ClassifyOne(conntrack::KeyOf(flow));
  flow.generation = verdict.generation;
  flow.reason = verdict.reason & 7;
  if (verdict.allowed == 0) judgement.verdict = verdict;
  return verdict.allowed != 0;
}

void Worker::Impl::SettleFlow(const FoundFlow& found, Judgement& judgement) {
  const ParsedPacket& packet = judgement.packet;
  Flow& flow = *found.flow;
  judgement.reply = found.is_reply != 0;
  const bool starts = SaysItStarts(packet);
  const bool replaces = starts && flow.state > FlowState::kEstablished;
  if (starts && (replaces || judgement.reply)) {
    // It asks for a connection of its own (A67, A68): policy decides about it, in its direction.
    judgement.verdict = ClassifyOne(packet.key);
    if (judgement.verdict.allowed == 0) return;
    if (!replaces) return Follow(found, judgement);
    judgement.reply = false;
    flows_->Erase(found);
    return Remember(judgement.verdict, FlowSide::kForward, judgement);
  }
  if (!IsStillAllowed(flow, judgement)) return flows_->Erase(found);
  AllowWith(flow, Reason::kEstablished, judgement);
  Follow(found, judgement);
}

void Worker::Impl::Follow(const FoundFlow& found, Judgement& judgement) {
  const Step step = flows_->Follow(found, judgement.packet);
  if (step == Step::kOutOfWindow) DenyOutright(Reason::kTcpWindow, judgement);
  if (step == Step::kWrongTag) DenyOutright(Reason::kSctpTag, judgement);
}

// Of a connection's first packet. Where there is no room, the verdict says so.
void Worker::Impl::Remember(const Verdict& verdict, FlowSide side, Judgement& judgement) {
  Reason refusal;
  const FoundFlow found = flows_->Insert(
      judgement.packet, side, static_cast<Reason>(verdict.reason), verdict.generation, refusal);
  if (found.flow != nullptr) return;
  ++(refusal == Reason::kSourceFull ? source_full_ : table_full_);
  DenyOutright(refusal, judgement);
}

// No connection is known.
void Worker::Impl::SettleFirst(const Verdict& verdict, Judgement& judgement) {
  const ParsedPacket& packet = judgement.packet;
  judgement.verdict = verdict;
  if (packet.later_fragment && verdict.allowed == 0) {
    judgement.verdict.reason = static_cast<uint8_t>(Reason::kFragmentNoFirst);
  }
  if (!flows_.has_value() || !IsTracked(packet) || NeedsNoState(verdict)) return;
  if (!packet.starts_connection) return SettleMidstream(verdict, judgement);
  if (verdict.allowed != 0) Remember(verdict, FlowSide::kForward, judgement);
}

// A packet that no connection begins with. Which end began it is not known, so that either may have
// (A61).
void Worker::Impl::SettleMidstream(const Verdict& verdict, Judgement& judgement) {
  const ParsedPacket& packet = judgement.packet;
  if (!options_.midstream_allow || AnswersOrEnds(packet)) {
    return DenyOutright(Reason::kNoState, judgement);
  }
  if (verdict.allowed != 0) return Remember(verdict, FlowSide::kForward, judgement);
  const Verdict reverse_verdict = ClassifyOne(Reversed(packet.key));
  if (reverse_verdict.allowed == 0) return;
  judgement.reply = true;
  judgement.verdict = reverse_verdict;
  Remember(reverse_verdict, FlowSide::kReply, judgement);
}

Worker::Worker(Program program, const WorkerOptions& options)
    : impl_(std::make_unique<Impl>(std::move(program), options)) {}
Worker::~Worker() = default;
Worker::Worker(Worker&&) noexcept = default;
Worker& Worker::operator=(Worker&&) noexcept = default;

void Worker::Process(std::span<const Frame> frames, uint64_t now_ns,
                     std::span<Judgement> judgements) noexcept {
  impl_->ReleaseExpired(now_ns, frames.empty());
  for (size_t begin = 0; begin < frames.size(); begin += kBatch) {
    const size_t count = std::min(kBatch, frames.size() - begin);
    impl_->ProcessBatch(frames.subspan(begin, count), now_ns, judgements.subspan(begin, count));
  }
}

void Worker::Replace(Program program) { impl_->Replace(std::move(program)); }
uint32_t Worker::generation() const { return impl_->generation(); }
WorkerCounts Worker::counts() const { return impl_->counts(); }
std::span<const Release> Worker::released() const { return impl_->released(); }
void Worker::GiveUp(uint64_t ticket) { impl_->GiveUp(ticket); }

}  // namespace npf
