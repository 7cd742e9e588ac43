// The pipeline of npf/engine.h.
//
// A batch is parsed first, then looked up and classified as far as that can be done together, and
// then settled packet by packet, because a packet may be the answer to one that came just before it
// in the same batch. Classification is a pure function of the key, so that it may run ahead: a key
// whose connection is not known when the batch begins is classified with the others, and the
// verdict is used where it still is not known when the packet's turn comes.
#include "npf/engine.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "conntrack/flow_table.h"
#include "conntrack/fragment_table.h"
#include "engine/outright.h"
#include "packet/quoted.h"

namespace npf {
namespace {

using conntrack::Datagram;
using conntrack::Flow;
using conntrack::FlowSide;
using conntrack::FlowTable;
using conntrack::FoundFlow;
using conntrack::FragmentTable;

constexpr uint8_t kTcpSyn = 0x02;
constexpr uint8_t kTcpRst = 0x04;

bool IsIcmp(const FlowKey& key) {
  return key.protocol == kProtocolIcmp || key.protocol == kProtocolIcmpv6;
}

bool IsEcho(const ParsedPacket& packet) {
  const uint8_t type = packet.icmp_type;
  return packet.key.protocol == kProtocolIcmp ? type == 0 || type == 8 : type == 128 || type == 129;
}

// Packets that may belong to a connection. Of ICMP, only echo has one.
bool IsTracked(const ParsedPacket& packet) {
  return packet.outcome == ParseOutcome::kJudge && !packet.later_fragment &&
         (!IsIcmp(packet.key) || IsEcho(packet));
}

// Of a protocol whose packets say whether they begin a connection, one that does.
bool SaysItStarts(const ParsedPacket& packet) {
  const uint8_t protocol = packet.key.protocol;
  const bool marked = protocol == kProtocolTcp || protocol == kProtocolSctp || IsIcmp(packet.key);
  return marked && packet.starts_connection;
}

// These are allowed whatever came before (R36, R54), and need no memory of it.
bool NeedsNoState(const Verdict& verdict) {
  const auto reason = static_cast<Reason>(verdict.reason);
  return verdict.allowed != 0 && (reason == Reason::kNotAPod || reason == Reason::kLoopback);
}

FlowKey Reversed(const FlowKey& key) {
  FlowKey reversed = key;
  std::swap(reversed.src, reversed.dst);
  if (!IsIcmp(key)) std::swap(reversed.src_port, reversed.dst_port);
  return reversed;
}

}  // namespace

class Engine::Impl {
 public:
  Impl(Program program, const EngineOptions& options)
      : program_(std::move(program)), options_(options) {
    options_.classify.generation = 1;
    if (options_.stateless) return;
    flows_.emplace(options_.flows_max);
    datagrams_.emplace(options_.datagrams_max);
  }

  void JudgeBatch(std::span<const Frame> frames, std::span<Judgement> judgements);
  void Replace(Program program) {
    program_ = std::move(program);
    ++options_.classify.generation;
  }
  uint32_t generation() const { return options_.classify.generation; }
  EngineCounts counts() const {
    return {.flows = flows_.has_value() ? flows_->size() : 0, .table_full = table_full_};
  }

 private:
  void Settle(const Frame& frame, const std::optional<Verdict>& ahead, Judgement& judgement);
  void SettleWhole(const Frame& frame, const std::optional<Verdict>& ahead, Judgement& judgement);
  void SettleFirstFragment(const Frame& frame, const std::optional<Verdict>& ahead,
                           Judgement& judgement);
  bool SettleLaterFragment(uint64_t now_ns, Judgement& judgement);
  bool SettleError(const Frame& frame, Judgement& judgement);
  void SettleFlow(const FoundFlow& found, uint64_t now_ns, Judgement& judgement);
  void SettleFirst(const Verdict& verdict, uint64_t now_ns, Judgement& judgement);
  void SettleMidstream(const Verdict& verdict, uint64_t now_ns, Judgement& judgement);
  void Remember(const FlowKey& key, const Verdict& verdict, uint64_t now_ns, Judgement& judgement);
  Verdict ClassifyOne(const FlowKey& key) const;
  bool IsStillAllowed(const FlowKey& first, Verdict& verdict) const;
  void DenyOutright(Reason reason, Judgement& judgement) const {
    judgement.verdict = Outright(false, reason, options_.classify);
  }

  Program program_;
  EngineOptions options_;
  std::optional<FlowTable> flows_;  // both or neither
  std::optional<FragmentTable> datagrams_;
  uint64_t table_full_ = 0;
};

Verdict Engine::Impl::ClassifyOne(const FlowKey& key) const {
  Verdict verdict{};
  Classify(program_, options_.classify, {&key, 1}, {&verdict, 1});
  return verdict;
}

void Engine::Impl::JudgeBatch(std::span<const Frame> frames, std::span<Judgement> judgements) {
  std::array<FlowKey, kBatch> keys;
  std::array<Verdict, kBatch> verdicts;
  std::array<uint8_t, kBatch> places{};  // of a key's packet in the batch
  std::array<std::optional<Verdict>, kBatch> ahead;
  size_t count = 0;
  for (size_t i = 0; i < frames.size(); ++i) {
    const ParseOptions parse{.link = frames[i].link,
                             .vlan = options_.vlan,
                             .checksums = options_.checksums,
                             .overlays = options_.overlays};
    judgements[i] = Judgement{.packet = ParsePacket(frames[i].packet, parse)};
    const ParsedPacket& packet = judgements[i].packet;
    if (packet.outcome != ParseOutcome::kJudge) continue;
    if (flows_.has_value() && IsTracked(packet) &&
        flows_->Find(packet.key, frames[i].time_ns).flow != nullptr) {
      continue;
    }
    keys[count] = packet.key;
    places[count++] = static_cast<uint8_t>(i);
  }
  Classify(program_, options_.classify, {keys.data(), count}, {verdicts.data(), count});
  for (size_t k = 0; k < count; ++k) ahead[places[k]] = verdicts[k];
  for (size_t i = 0; i < frames.size(); ++i) Settle(frames[i], ahead[i], judgements[i]);
}

void Engine::Impl::Settle(const Frame& frame, const std::optional<Verdict>& ahead,
                          Judgement& judgement) {
  const ParsedPacket& packet = judgement.packet;
  if (packet.outcome != ParseOutcome::kJudge) {
    judgement.verdict =
        Outright(packet.outcome == ParseOutcome::kPass, packet.reason, options_.classify);
    return;
  }
  if (flows_.has_value()) {
    if (packet.later_fragment && SettleLaterFragment(frame.time_ns, judgement)) return;
    if (packet.fragment && !packet.later_fragment) {
      return SettleFirstFragment(frame, ahead, judgement);
    }
    if (packet.quoted_bytes != 0 && SettleError(frame, judgement)) return;
  }
  SettleWhole(frame, ahead, judgement);
}

void Engine::Impl::SettleWhole(const Frame& frame, const std::optional<Verdict>& ahead,
                               Judgement& judgement) {
  const ParsedPacket& packet = judgement.packet;
  if (flows_.has_value() && IsTracked(packet)) {
    const FoundFlow found = flows_->Find(packet.key, frame.time_ns);
    if (found.flow != nullptr) return SettleFlow(found, frame.time_ns, judgement);
  }
  const Verdict verdict = ahead.has_value() ? *ahead : ClassifyOne(packet.key);
  SettleFirst(verdict, frame.time_ns, judgement);
}

// A first fragment is judged as a whole packet is, and what comes of it is kept for the others.
// Where the datagram has one already, nobody knows which one its receiver takes (A5, A9).
void Engine::Impl::SettleFirstFragment(const Frame& frame, const std::optional<Verdict>& ahead,
                                       Judgement& judgement) {
  const ParsedPacket& packet = judgement.packet;
  if (Datagram* const known = datagrams_->Find(packet, frame.time_ns); known != nullptr) {
    known->Poison();
    return DenyOutright(Reason::kFragmentOverlap, judgement);
  }
  SettleWhole(frame, ahead, judgement);
  Datagram* const datagram = datagrams_->Begin(packet, frame.time_ns);
  if (datagram == nullptr) return;
  datagram->Cover(packet);
  const FoundFlow found = IsTracked(packet) ? flows_->Find(packet.key, frame.time_ns) : FoundFlow{};
  datagram->judged = found.flow != nullptr ? found.flow->key : packet.key;
  datagram->verdict = judgement.verdict;
  datagram->reply = judgement.reply;
  datagram->flow_reason = judgement.flow_reason;
}

// False where no first fragment is known: policy decides, without ports.
bool Engine::Impl::SettleLaterFragment(uint64_t now_ns, Judgement& judgement) {
  Datagram* const datagram = datagrams_->Find(judgement.packet, now_ns);
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

// An error about a known connection belongs to it (A76), where its receiver can have sent what it
// quotes. False where it quotes no known connection: policy decides.
bool Engine::Impl::SettleError(const Frame& frame, Judgement& judgement) {
  const ParsedPacket& error = judgement.packet;
  const ParsedPacket quoted = packet::ParseQuoted(frame.packet, error);
  if (!IsTracked(quoted) || quoted.quoted_bytes != 0) return false;
  const FoundFlow found = flows_->Find(quoted.key, frame.time_ns);
  if (found.flow == nullptr) return false;
  if (std::memcmp(error.key.dst, quoted.key.src, sizeof quoted.key.src) != 0 ||
      !flows_->HasInFlight(found, quoted.tcp_sequence)) {
    DenyOutright(Reason::kIcmpMismatch, judgement);
    return true;
  }
  Flow& flow = *found.flow;
  if (!IsStillAllowed(flow.key, flow.verdict)) {
    judgement.verdict = flow.verdict;
    flows_->Erase(flow);
    return true;
  }
  judgement.reply = found.side == FlowSide::kForward;
  judgement.flow_reason = static_cast<Reason>(flow.verdict.reason);
  judgement.verdict = flow.verdict;
  judgement.verdict.reason = static_cast<uint8_t>(Reason::kRelated);
  return true;
}

// Whether what was allowed before still is, once policy has changed; `verdict` is then the new one.
bool Engine::Impl::IsStillAllowed(const FlowKey& first, Verdict& verdict) const {
  if (verdict.generation == options_.classify.generation || options_.established_keep) return true;
  verdict = ClassifyOne(first);
  return verdict.allowed != 0;
}

void Engine::Impl::SettleFlow(const FoundFlow& found, uint64_t now_ns, Judgement& judgement) {
  const ParsedPacket& packet = judgement.packet;
  Flow& flow = *found.flow;
  judgement.reply = found.side == FlowSide::kReply;
  const bool replaces = SaysItStarts(packet) && flows_->IsEnding(flow);
  if (replaces || (judgement.reply && SaysItStarts(packet))) {
    // It asks for a connection of its own (A67, A68): policy decides about it, in its direction.
    judgement.verdict = ClassifyOne(packet.key);
    if (judgement.verdict.allowed == 0) return;
    if (!replaces) return flows_->Update(found, packet, now_ns);
    judgement.reply = false;
    flows_->Erase(flow);
    Remember(packet.key, judgement.verdict, now_ns, judgement);
    return;
  }
  if (!IsStillAllowed(flow.key, flow.verdict)) {
    judgement.verdict = flow.verdict;
    flows_->Erase(flow);
    return;
  }
  judgement.flow_reason = static_cast<Reason>(flow.verdict.reason);
  judgement.verdict = flow.verdict;
  judgement.verdict.reason = static_cast<uint8_t>(Reason::kEstablished);
  flows_->Update(found, packet, now_ns);
}

// Of a connection's first packet. Where the table is full, the verdict says so.
void Engine::Impl::Remember(const FlowKey& key, const Verdict& verdict, uint64_t now_ns,
                            Judgement& judgement) {
  Flow* const flow = flows_->Insert(key, verdict, now_ns);
  if (flow == nullptr) {
    ++table_full_;
    return DenyOutright(Reason::kTableFull, judgement);
  }
  const FlowSide side = judgement.reply ? FlowSide::kReply : FlowSide::kForward;
  flows_->Update({flow, side}, judgement.packet, now_ns);
}

// No connection is known.
void Engine::Impl::SettleFirst(const Verdict& verdict, uint64_t now_ns, Judgement& judgement) {
  const ParsedPacket& packet = judgement.packet;
  judgement.verdict = verdict;
  if (packet.later_fragment && verdict.allowed == 0) {
    judgement.verdict.reason = static_cast<uint8_t>(Reason::kFragmentNoFirst);
  }
  if (!flows_.has_value() || !IsTracked(packet) || NeedsNoState(verdict)) return;
  if (!packet.starts_connection) return SettleMidstream(verdict, now_ns, judgement);
  if (verdict.allowed != 0) Remember(packet.key, verdict, now_ns, judgement);
}

// A packet that no connection begins with. Which end began it is not known, so that either may have
// (A61); but an answer to nothing, and what ends a connection, begins none.
void Engine::Impl::SettleMidstream(const Verdict& verdict, uint64_t now_ns, Judgement& judgement) {
  const ParsedPacket& packet = judgement.packet;
  const bool answer = IsIcmp(packet.key) || (packet.tcp_flags & (kTcpSyn | kTcpRst)) != 0;
  if (!options_.midstream_allow || answer) {
    return DenyOutright(Reason::kNoState, judgement);
  }
  if (verdict.allowed != 0) {
    Remember(packet.key, verdict, now_ns, judgement);
    return;
  }
  const FlowKey reversed = Reversed(packet.key);
  const Verdict reverse_verdict = ClassifyOne(reversed);
  if (reverse_verdict.allowed == 0) return;
  judgement.reply = true;
  judgement.verdict = reverse_verdict;
  Remember(reversed, reverse_verdict, now_ns, judgement);
}

Engine::Engine(Program program, const EngineOptions& options)
    : impl_(std::make_unique<Impl>(std::move(program), options)) {}
Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

void Engine::Judge(std::span<const Frame> frames, std::span<Judgement> judgements) noexcept {
  for (size_t begin = 0; begin < frames.size(); begin += kBatch) {
    const size_t count = std::min(kBatch, frames.size() - begin);
    impl_->JudgeBatch(frames.subspan(begin, count), judgements.subspan(begin, count));
  }
}

void Engine::Replace(Program program) { impl_->Replace(std::move(program)); }
uint32_t Engine::generation() const { return impl_->generation(); }
EngineCounts Engine::counts() const { return impl_->counts(); }

}  // namespace npf
