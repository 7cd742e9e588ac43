// What a Worker is made of: see worker.cc for the way of a packet, worker_fragments.cc for that of
// a fragment.
#ifndef NPF_ENGINE_WORKER_IMPL_H_
#define NPF_ENGINE_WORKER_IMPL_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "conntrack/flow_table.h"
#include "conntrack/fragment_table.h"
#include "conntrack/reassembly.h"
#include "engine/outright.h"
#include "engine/releases.h"
#include "npf/worker.h"
#include "packet/plain.h"

namespace npf {

class Worker::Impl {
 public:
  Impl(Program program, const WorkerOptions& options)
      : program_(std::move(program)),
        options_(options),
        plain_reader_({.checksums = options.checksums}) {
    options_.classify.generation = 1;
    if (options_.stateless) return;
    flows_.emplace(conntrack::FlowTableOptions{.capacity = options_.flows_max,
                                               .openings_max = options_.openings_max,
                                               .per_source_max = options_.flows_per_source_max},
                   options_.flows_memory);
    if (options_.fragments == Fragments::kTrack) {
      datagrams_.emplace(options_.datagrams_max);
    } else {
      reassembly_.emplace(options_.datagrams_max);
      releases_.emplace(options_.datagrams_max + kBatch + conntrack::Reassembly::kGoneMax);
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
  void SetSources(const SourceBindings* sources) { options_.sources = sources; }
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
  TakenOver Adopt(std::span<const std::byte> memory, uint64_t now_ns) {
    if (!flows_.has_value()) return {.problem = "stateless"};
    now_ns_ = std::max(now_ns_, now_ns);
    flows_->Advance(now_ns_);
    const conntrack::Adopted adopted = flows_->Adopt(memory);
    return {.connections = adopted.flows, .refused = adopted.refused, .problem = adopted.problem};
  }
  size_t List(uint32_t& part, std::span<KnownConnection, 384> connections) const;
  void GiveUp(uint64_t ticket) {
    if (reassembly_.has_value()) reassembly_->GiveUp(ticket);
  }

 private:
  // A packet on its way.
  struct Passing {
    const Frame& frame;
    uint64_t hash;                      // of its flow, where it is tracked
    const conntrack::FoundFlow& found;  // then, ahead of the batch
    const Verdict* ahead;               // or null
    Judgement& judgement;
  };

  void Refuse(const Frame& frame, ParsedPacket& packet) const;
  void Begin(size_t i, const Frame& frame, Judgement& judgement);
  bool BeginOther(const Frame& frame, Judgement& judgement);
  void LookFor(size_t i, Judgement& judgement);
  void LookForOther(size_t i, const ParsedPacket& packet);
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
  void SettleFlow(const conntrack::FoundFlow& found, Judgement& judgement);
  void SettleKnown(const conntrack::FoundFlow& found, Judgement& judgement);
  [[gnu::always_inline]] void SettleEstablished(const conntrack::FoundFlow& found,
                                                Judgement& judgement);
  void SettleFirst(const Passing& passing);
  void SettleMidstream(const Verdict& verdict, uint64_t hash, Judgement& judgement);
  [[gnu::always_inline]] void Follow(const conntrack::FoundFlow& found, Judgement& judgement);
  void Remember(const Verdict& verdict, uint64_t hash, conntrack::FlowSide side,
                Judgement& judgement);
  Verdict ClassifyOne(const FlowKey& key) const;
  bool IsStillAllowed(const FlowKey& first, Verdict& verdict) const;
  bool IsStillAllowed(conntrack::Flow& flow, Judgement& judgement) const;
  bool IsAllowedAgain(conntrack::Flow& flow, Judgement& judgement) const;
  void DenyOutright(Reason reason, Judgement& judgement) const {
    judgement.verdict = Outright(false, reason, options_.classify);
  }
  void AllowWith(const conntrack::Flow& flow, Reason reason, Judgement& judgement) const {
    judgement.flow_reason = static_cast<Reason>(flow.reason);
    judgement.verdict = Outright(true, reason, options_.classify);
    judgement.verdict.generation = flow.generation;
  }

  Program program_;
  WorkerOptions options_;
  packet::PlainReader plain_reader_;
  std::optional<conntrack::FlowTable> flows_;  // with one of the next two, or none of the three
  std::optional<conntrack::FragmentTable> datagrams_;  // Fragments::kTrack
  std::optional<conntrack::Reassembly> reassembly_;    // kReassemble; then there are releases_
  std::optional<Releases> releases_;
  uint64_t now_ns_ = 0;
  uint64_t table_full_ = 0;
  uint64_t source_full_ = 0;
  // Of the batch.
  std::array<uint64_t, kBatch> hashes_;
  std::array<conntrack::FlowIndex::Entry, kBatch> guesses_;
  std::array<conntrack::FoundFlow, kBatch> found_;
  size_t settled_ = 0;                // how many are, from the first one on
  size_t unknown_ = 0;                // how many are classified ahead
  std::array<FlowKey, kBatch> keys_;  // of these
  std::array<Verdict, kBatch> verdicts_;
  std::array<const Verdict*, kBatch> ahead_;
  // A bit for each packet.
  static_assert(kBatch <= 64);
  uint64_t tracked_ = 0;
  uint64_t plain_ = 0;
  uint64_t established_ = 0;  // plain, and of a known connection
};

}  // namespace npf

#endif  // NPF_ENGINE_WORKER_IMPL_H_
