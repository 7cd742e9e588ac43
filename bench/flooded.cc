#include "flooded.h"

#include <malloc.h>

#include <algorithm>

#include "conntrack/flow_table.h"
#include "report.h"

namespace npf::bench {

Flooded::Flooded(const Program& program, ConnectionTraffic& established)
    : established_(established),
      options_{.checksums = Checksums::kIgnore,
               .classify = {.placement = Placement::kNodeWire},
               .flows_max = 2 * established.shape().flows,
               .flows_per_source_max = 2 * established.shape().flows},
      worker_(program, options_) {
  std::array<Judgement, Worker::kBatch> judgements;
  EstablishAll(established_, [&](std::span<const Frame> frames) { Process(frames, judgements); });
}

void Flooded::Process(std::span<const Frame> frames, std::span<Judgement> judgements) {
  constexpr uint64_t kBatchNs = 1'000;
  now_ns_ += kBatchNs;
  worker_.Process(frames, now_ns_, judgements);
}

FloodCount Flooded::Count(FloodTraffic& flood, size_t packets) {
  FloodCount count;
  FrameBuffers buffers(Worker::kBatch);
  std::array<Judgement, Worker::kBatch> judgements;
  std::array<Frame, Worker::kBatch> frames;
  constexpr size_t kPairs = Worker::kBatch / 2;
  for (size_t done = 0; done < packets; done += kPairs) {
    for (size_t i = 0; i < kPairs; ++i) {
      frames[2 * i] = {.packet = established_.Receive(done + i, buffers.At(2 * i))};
      frames[2 * i + 1] = {.packet = flood.Receive(buffers.At(2 * i + 1))};
    }
    for (Judgement& judgement : judgements) judgement.verdict.generation = ~uint32_t{0};
    Process(frames, judgements);
    for (size_t i = 0; i < frames.size(); ++i) {
      const Verdict& verdict = judgements[i].verdict;
      const auto reason = static_cast<Reason>(verdict.reason);
      ++count.given;
      if (verdict.generation == worker_.generation()) ++count.judged;
      if (reason == Reason::kTableFull || reason == Reason::kSourceFull) ++count.no_room;
      if (i % 2 == 1) ++count.flood_verdicts[VerdictText(verdict)];
      const bool passes = verdict.allowed != 0 && reason == Reason::kEstablished;
      if (i % 2 == 0 && !passes) ++count.established_denied;
    }
  }
  return count;
}

void FloodContender::Receive(size_t first, size_t count) {
  if (buffers_.count() < count) buffers_ = FrameBuffers(count);
  const bool both = established_ != nullptr && flood_ != nullptr;
  frames_.clear();
  for (size_t i = 0; i < count; ++i) {
    const bool floods = both ? i % 2 == 1 : flood_ != nullptr;
    const size_t number = both ? (first + i) / 2 : first + i;
    uint8_t* const buffer = buffers_.At(i);
    frames_.push_back(
        {.packet = floods ? flood_->Receive(buffer) : established_->Receive(number, buffer)});
  }
}

void FloodContender::Run(std::span<const FlowKey>, std::span<uint8_t>) {
  const std::span<const Frame> frames(frames_);
  for (size_t done = 0; done < frames.size(); done += Worker::kBatch) {
    const size_t count = std::min(Worker::kBatch, frames.size() - done);
    flooded_.Process(frames.subspan(done, count), judgements_);
  }
}

int64_t AllocatedBytes() {
  const auto info = mallinfo2();
  return static_cast<int64_t>(info.uordblks + info.hblkhd);
}

size_t LongestLookUp(std::span<const FlowKey> keys, size_t capacity, bool unkeyed) {
  conntrack::FlowTableOptions options{
      .capacity = capacity, .openings_max = capacity, .per_source_max = capacity};
  if (unkeyed) options.secret = conntrack::Secret{};
  conntrack::FlowTable table(options);
  table.Advance(1);
  size_t longest = 0;
  for (const FlowKey& key : keys) {
    const uint64_t hash = table.HashOf(key);
    Reason refusal;
    if (table.Find(key, hash).flow == nullptr) {
      table.Insert({.key = key}, hash, conntrack::FlowSide::kForward, Reason::kPolicy, 1, refusal);
    }
    longest = std::max(longest, table.EntriesLookedAt(hash));
  }
  return longest;
}

}  // namespace npf::bench
