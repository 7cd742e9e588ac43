// A Worker with established connections, and a flood beside them.
#ifndef NPF_BENCH_FLOODED_H_
#define NPF_BENCH_FLOODED_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "connection_traffic.h"
#include "contender.h"
#include "flood_traffic.h"
#include "frames.h"
#include "npf/worker.h"

namespace npf::bench {

// What one pass brought, counted packet by packet.
struct FloodCount {
  uint64_t given = 0;   // packets
  uint64_t judged = 0;  // of these, with a verdict of this call
  uint64_t established_denied = 0;
  uint64_t no_room = 0;  // verdicts ct_full and ct_source_full
  std::map<std::string, uint64_t> flood_verdicts;
};

// A node under a flood: its connections take half of the table.
class Flooded {
 public:
  // `established` outlives it. The connections are established here.
  Flooded(const Program& program, ConnectionTraffic& established);

  WorkerCounts counts() const { return worker_.counts(); }
  const WorkerOptions& options() const { return options_; }
  void Process(std::span<const Frame> frames, std::span<Judgement> judgements);

  // `packets` of the flood, each behind one of an established connection.
  FloodCount Count(FloodTraffic& flood, size_t packets);

 private:
  ConnectionTraffic& established_;
  WorkerOptions options_;
  Worker worker_;
  uint64_t now_ns_ = 1;
};

// Packets of established connections, of a flood, or one of each in turn, as a contender has them.
class FloodContender : public Contender {
 public:
  // Null: none of these. Both outlive it.
  FloodContender(std::string name, Flooded& flooded, ConnectionTraffic* established,
                 FloodTraffic* flood)
      : name_(std::move(name)), flooded_(flooded), established_(established), flood_(flood) {}

  const std::string& name() const override { return name_; }
  size_t table_bytes() const override { return 0; }
  uint64_t build_ns() const override { return 0; }
  Scope scope() const override { return Scope::kNone; }
  bool Covers(const FlowKey&) const override { return true; }
  bool ReadsKeys() const override { return false; }
  void Receive(size_t first, size_t count) override;
  void Run(std::span<const FlowKey> keys, std::span<uint8_t> allowed) override;

 private:
  std::string name_;
  Flooded& flooded_;
  ConnectionTraffic* established_;
  FloodTraffic* flood_;
  FrameBuffers buffers_{1};
  std::vector<Frame> frames_;
  std::array<Judgement, Worker::kBatch> judgements_;
};

// Of the heap, now.
int64_t AllocatedBytes();

// The most entries of the index that a look-up of one of these connections looks at, once a table
// of this capacity holds what it can of them. `unkeyed`: as if its hash had no key.
size_t LongestLookUp(std::span<const FlowKey> keys, size_t capacity, bool unkeyed);

}  // namespace npf::bench

#endif  // NPF_BENCH_FLOODED_H_
