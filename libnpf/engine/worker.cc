// The pipeline of npf/worker.h.
//
// A batch goes through it in steps, so that what one step asks of memory has arrived when the next
// one wants it:
//
//   parse, hash ─► buckets of the index ─► flows ─► Classify what is not known ─► settle, in order
//
// The first three run kLag packets behind each other, so that memory is asked at an even pace.
// Settling is packet by packet, because a packet may be the answer to one that came just before it
// in the same batch; what is found at once, and has nobody before it who waits, is settled at once.
// Classification is a pure function of the key, so that it may run ahead: a key whose connection is
// not known when the batch begins is classified with the others, and the verdict is used where it
// still is not known when the packet's turn comes.
#include "npf/worker.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "conntrack/flow_table.h"
#include "conntrack/prefetch.h"
#include "conntrack/reassembly.h"
#include "engine/outright.h"
#include "engine/spoofing.h"
#include "engine/tracked.h"
#include "engine/worker_impl.h"
#include "npf/opaque.h"
#include "packet/plain.h"
#include "packet/quoted.h"
#include "packet/sctp_chunks.h"
#include "packet/tcp_flags.h"

namespace npf {
namespace {

using conntrack::Flow;
using conntrack::FlowSide;
using conntrack::FlowState;
using conntrack::FlowTable;
using conntrack::FoundFlow;
using conntrack::Reassembly;
using conntrack::Step;
using packet::PlainReader;

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

}  // namespace

Verdict Worker::Impl::ClassifyOne(const FlowKey& key) const {
  Verdict verdict{};
  Classify(program_, options_.classify, {&key, 1}, {&verdict, 1});
  return verdict;
}

// Whether what was allowed before still is, once policy has changed; one that was taken over from
// another process is judged again in any case. If it is not, judgement.verdict says why.
inline bool Worker::Impl::IsStillAllowed(Flow& flow, Judgement& judgement) const {
  return flow.generation == options_.classify.generation || IsAllowedAgain(flow, judgement);
}

bool Worker::Impl::IsAllowedAgain(Flow& flow, Judgement& judgement) const {
  if (options_.established_keep && flow.generation != 0) return true;
  const Verdict verdict = ClassifyOne(conntrack::KeyOf(flow));
  flow.generation = verdict.generation;
  flow.reason = verdict.reason & 7;
  if (verdict.allowed == 0) judgement.verdict = verdict;
  return verdict.allowed != 0;
}

inline void Worker::Impl::Follow(const FoundFlow& found, Judgement& judgement) {
  const Step step = flows_->Follow(found, judgement.packet);
  if (step == Step::kOutOfWindow) DenyOutright(Reason::kTcpWindow, judgement);
  if (step == Step::kWrongTag) DenyOutright(Reason::kSctpTag, judgement);
}

// It asks for nothing of its own.
inline void Worker::Impl::SettleEstablished(const FoundFlow& found, Judgement& judgement) {
  judgement.reply = found.is_reply != 0;
  if (!IsStillAllowed(*found.flow, judgement)) [[unlikely]]
    return flows_->Erase(found);
  AllowWith(*found.flow, Reason::kEstablished, judgement);
  Follow(found, judgement);
}

void Worker::Impl::SettleKnown(const FoundFlow& found, Judgement& judgement) {
  SettleEstablished(found, judgement);
}

void Worker::Impl::ProcessBatch(std::span<const Frame> frames, uint64_t now_ns,
                                std::span<Judgement> judgements) {
  constexpr size_t kSweptBuckets = 4;
  now_ns_ = std::max(now_ns_, now_ns);
  if (flows_.has_value()) {
    flows_->Advance(now_ns_);
    flows_->Sweep(kSweptBuckets);
  }
  LookAhead(frames, judgements);
  for (size_t i = settled_; i < frames.size(); ++i) {
    if ((established_ >> i & 1) != 0 && flows_->Holds(found_[i])) {
      SettleKnown(found_[i], judgements[i]);
    } else {
      Settle({frames[i], hashes_[i], found_[i], ahead_[i], judgements[i]});
    }
  }
}

// What is not read in one straight line. True: it is tracked.
bool Worker::Impl::BeginOther(const Frame& frame, Judgement& judgement) {
  judgement.packet = ParsePacket(frame.packet, {.link = frame.link,
                                                .vlan = options_.vlan,
                                                .checksums = options_.checksums,
                                                .overlays = options_.overlays,
                                                .header_in_parts = reassembly_.has_value()});
  if (options_.sources != nullptr || options_.opaque_deny) Refuse(frame, judgement.packet);
  return flows_.has_value() && IsTracked(judgement.packet);
}

// Plain is what is read in one straight line, is not refused and is no SYN.
inline void Worker::Impl::Begin(size_t i, const Frame& frame, Judgement& judgement) {
  ParsedPacket& packet = judgement.packet;
  judgement.reply = false;
  judgement.flow_reason = Reason::kPolicy;
  judgement.held = 0;
  if (frame.link == LinkLayer::kEthernet && options_.overlays == nullptr &&
      plain_reader_.Read(frame.packet, packet.key)) [[likely]] {
    PlainReader::Describe(frame.packet, packet);
    const bool syn = (packet.tcp_flags & packet::kTcpSyn) != 0;
    if (syn) [[unlikely]]
      packet::DescribeSyn(frame.packet, packet);
    if (options_.sources != nullptr || options_.opaque_deny) [[unlikely]] {
      Refuse(frame, packet);
      if (packet.outcome != ParseOutcome::kJudge) return;
    }
    if (!flows_.has_value()) return;
    plain_ |= uint64_t{!syn} << i;
    hashes_[i] = flows_->HashOfPlain(packet.key);
  } else {
    if (!BeginOther(frame, judgement)) return;
    hashes_[i] = flows_->HashOf(packet.key);
  }
  tracked_ |= uint64_t{1} << i;
  flows_->PrefetchBucket(hashes_[i]);
}

inline void Worker::Impl::LookFor(size_t i, Judgement& judgement) {
  if ((plain_ >> i & 1) != 0) [[likely]] {
    found_[i] = flows_->FindPlain(judgement.packet.key, hashes_[i], guesses_[i]);
    if (found_[i].flow != nullptr) [[likely]] {
      // Nothing before it waits: neither need it.
      if (settled_ == i) {
        ++settled_;
        return SettleEstablished(found_[i], judgement);
      }
      established_ |= uint64_t{1} << i;
      ahead_[i] = nullptr;
      return;
    }
  } else if ((tracked_ >> i & 1) != 0) {
    found_[i] = flows_->Find(judgement.packet.key, hashes_[i], guesses_[i]);
  }
  LookForOther(i, judgement.packet);
}

// What is not established, as far as is known, is classified ahead.
void Worker::Impl::LookForOther(size_t i, const ParsedPacket& packet) {
  ahead_[i] = nullptr;
  const bool known = (tracked_ >> i & 1) != 0 && found_[i].flow != nullptr;
  if (known || packet.outcome != ParseOutcome::kJudge) return;
  keys_[unknown_] = packet.key;
  ahead_[i] = &verdicts_[unknown_++];
}

// What a packet is refused for beside what it says itself. Of sources, a fragment that is refused
// already is asked, too: it may be held for its datagram all the same.
void Worker::Impl::Refuse(const Frame& frame, ParsedPacket& packet) const {
  if (packet.outcome == ParseOutcome::kDeny && !packet.fragment) return;
  Reason fault = Reason::kPolicy;
  if (options_.sources != nullptr) fault = CheckSource(*options_.sources, frame, packet);
  const bool judged = packet.outcome == ParseOutcome::kJudge;
  if (fault == Reason::kPolicy && judged && options_.opaque_deny && IsOpaque(packet)) {
    fault = Reason::kOpaque;
  }
  if (fault == Reason::kPolicy) return;
  packet.outcome = ParseOutcome::kDeny;
  packet.reason = fault;
}

void Worker::Impl::LookAhead(std::span<const Frame> frames, std::span<Judgement> judgements) {
  constexpr size_t kLag = 24;
  const size_t count = frames.size();
  tracked_ = plain_ = established_ = 0;
  unknown_ = settled_ = 0;
  for (size_t step = 0; step < count + 2 * kLag; ++step) {
    if (step + kLag < count) conntrack::PrefetchToRead(frames[step + kLag].packet.data);
    if (step < count) Begin(step, frames[step], judgements[step]);
    if (const size_t i = step - kLag; i < count && (tracked_ >> i & 1) != 0) {
      guesses_[i] = flows_->Approach(hashes_[i]);
    }
    if (const size_t i = step - 2 * kLag; i < count) LookFor(i, judgements[i]);
  }
  if (settled_ == count) return;
  if (flows_.has_value()) {
    flows_->Watch();
    flows_->PrefetchRoom(unknown_);
  }
  Classify(program_, options_.classify, {keys_.data(), unknown_}, {verdicts_.data(), unknown_});
  if (flows_.has_value()) flows_->PrefetchVictims();
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
    const FoundFlow found = flows_->Recall(passing.found, packet.key, passing.hash);
    if (found.flow != nullptr) return SettleFlow(found, passing.judgement);
  }
  SettleFirst(passing);
}

// The others of a first fragment that the parser refuses are denied with it (A2). Where another
// first one is known, that one stands: this one reaches nobody. Nor does one from elsewhere count.
void Worker::Impl::NoteRefused(const Judgement& judgement) {
  const ParsedPacket& packet = judgement.packet;
  if (packet.fragment_begin != 0 || packet.reason == Reason::kSpoofed) return;
  if (datagrams_->Find(packet, now_ns_) != nullptr) return;
  KeepDatagram(packet.key, judgement);
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

// Likewise of a datagram; `verdict` is then the new one.
bool Worker::Impl::IsStillAllowed(const FlowKey& first, Verdict& verdict) const {
  if (verdict.generation == options_.classify.generation || options_.established_keep) return true;
  verdict = ClassifyOne(first);
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
    return Remember(judgement.verdict, flows_->HashOf(packet.key), FlowSide::kForward, judgement);
  }
  SettleKnown(found, judgement);
}

// Of a connection's first packet. Where there is no room, the verdict says so.
void Worker::Impl::Remember(const Verdict& verdict, uint64_t hash, FlowSide side,
                            Judgement& judgement) {
  Reason refusal;
  const FoundFlow found =
      flows_->Insert(judgement.packet, hash, side, static_cast<Reason>(verdict.reason),
                     verdict.generation, refusal);
  if (found.flow != nullptr) return;
  ++(refusal == Reason::kSourceFull ? source_full_ : table_full_);
  DenyOutright(refusal, judgement);
}

// No connection is known.
void Worker::Impl::SettleFirst(const Passing& passing) {
  Judgement& judgement = passing.judgement;
  const ParsedPacket& packet = judgement.packet;
  const Verdict verdict = passing.ahead != nullptr ? *passing.ahead : ClassifyOne(packet.key);
  judgement.verdict = verdict;
  if (packet.later_fragment && verdict.allowed == 0) {
    judgement.verdict.reason = static_cast<uint8_t>(Reason::kFragmentNoFirst);
  }
  if (!flows_.has_value() || !IsTracked(packet) || NeedsNoState(verdict)) return;
  if (!packet.starts_connection) return SettleMidstream(verdict, passing.hash, judgement);
  if (verdict.allowed != 0) Remember(verdict, passing.hash, FlowSide::kForward, judgement);
}

// A packet that no connection begins with. Which end began it is not known, so that either may have
// (A61).
void Worker::Impl::SettleMidstream(const Verdict& verdict, uint64_t hash, Judgement& judgement) {
  const ParsedPacket& packet = judgement.packet;
  if (!options_.midstream_allow || AnswersOrEnds(packet)) {
    return DenyOutright(Reason::kNoState, judgement);
  }
  if (verdict.allowed != 0) return Remember(verdict, hash, FlowSide::kForward, judgement);
  const Verdict reverse_verdict = ClassifyOne(Reversed(packet.key));
  if (reverse_verdict.allowed == 0) return;
  judgement.reply = true;
  judgement.verdict = reverse_verdict;
  Remember(reverse_verdict, hash, FlowSide::kReply, judgement);
}

size_t Worker::Impl::List(uint32_t& part, std::span<KnownConnection, 384> connections) const {
  using State = KnownConnection::State;
  size_t count = 0;
  if (!flows_.has_value()) return count;
  flows_->ForEach(part, [&](const Flow& flow) {
    const State state = conntrack::IsOpening(flow.state)        ? State::kOpening
                        : flow.state == FlowState::kEstablished ? State::kEstablished
                                                                : State::kClosing;
    connections[count++] = {conntrack::KeyOf(flow), state, flow.generation};
  });
  return count;
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
TakenOver Worker::Adopt(std::span<const std::byte> memory, uint64_t now_ns) {
  return impl_->Adopt(memory, now_ns);
}
size_t Worker::FlowsBytes(size_t flows_max) { return FlowTable::BytesFor(flows_max); }
size_t Worker::List(uint32_t& part, std::span<KnownConnection, 384> connections) const {
  return impl_->List(part, connections);
}
void Worker::SetSources(const SourceBindings* sources) { impl_->SetSources(sources); }
uint32_t Worker::generation() const { return impl_->generation(); }
WorkerCounts Worker::counts() const { return impl_->counts(); }
std::span<const Release> Worker::released() const { return impl_->released(); }
void Worker::GiveUp(uint64_t ticket) { impl_->GiveUp(ticket); }

}  // namespace npf
