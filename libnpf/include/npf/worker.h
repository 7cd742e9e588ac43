// From frames to verdicts: the one path that a capture's packets and a live port's take.
//
//   frame ─► parse ─► known connection? ─► Classify ─► verdict, reason
//              │             └ yes: established where its end can have sent it; judged again
//              │                    where the policy has changed
//              └ refused, or link control that passes
//
// A packet that policy allows as the first of a connection makes the connection known; replies to
// it and whatever follows are `established`. A denied packet leaves nothing behind, but for a first
// fragment, whose others are denied with it. Later fragments follow their first one; one that comes
// before it is judged without ports. ICMP errors that quote a packet of a known connection are
// `related` to it. docs/connections.md says it at length.
//
// Not thread-safe; one Worker for each thread. Where several share the traffic, all packets of a
// connection must reach one of them: see OwnerOf. Process() does not allocate, lock, throw or
// block.
#ifndef NPF_WORKER_H_
#define NPF_WORKER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "npf/classify.h"
#include "npf/packet.h"
#include "npf/program.h"

namespace npf {

struct WorkerOptions {
  bool vlan = true;
  Checksums checksums = Checksums::kVerify;
  const Overlays* overlays = nullptr;  // as in ParseOptions; outlives the worker
  ClassifyOptions classify;            // its generation is the worker's own
  bool stateless = false;              // judge each packet as the first of its connection
  bool midstream_allow = false;        // TCP and SCTP that begin in the middle are judged by policy
  bool established_keep = false;       // connections outlive the policy that allowed them
  size_t flows_max = size_t{1} << 18;  // 1 to 2^29; about 110 bytes each, taken at construction
  // What nobody has answered yet, and what one source has opened. 0: a quarter of flows_max.
  size_t openings_max = 0;
  size_t flows_per_source_max = 0;
  size_t datagrams_max = size_t{1} << 12;  // in fragments at once; about 400 bytes each
};

struct Frame {
  PacketView packet;
  LinkLayer link = LinkLayer::kEthernet;
};

struct Judgement {
  ParsedPacket packet;
  // Of a packet of a known connection, no cell has judged it: ask Classify for the key of the
  // connection's first packet.
  Verdict verdict{};
  bool reply = false;  // it goes against the direction in which its connection began
  // What policy said of the connection's first packet, where verdict.reason is kEstablished.
  Reason flow_reason = Reason::kPolicy;
};

struct WorkerCounts {
  size_t flows = 0;          // known now
  size_t openings = 0;       // of these, not answered or not confirmed
  uint64_t table_full = 0;   // packets denied because no more could be known
  uint64_t source_full = 0;  // or no more of their source
};

class Worker {
 public:
  static constexpr size_t kBatch = 64;

  Worker(Program program, const WorkerOptions& options);
  ~Worker();
  Worker(Worker&&) noexcept;
  Worker& operator=(Worker&&) noexcept;

  // Judges frames[i] into judgements[i], in order; any number of them, best kBatch at a time.
  // `now_ns` is of any clock; where it goes backwards, time stands.
  void Process(std::span<const Frame> frames, uint64_t now_ns,
               std::span<Judgement> judgements) noexcept;

  // From the next packet on, `program` decides. The generation rises by one.
  void Replace(Program program);

  uint32_t generation() const;
  WorkerCounts counts() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Which of `workers` a packet belongs to: the same one for both directions of a connection, for all
// fragments of its datagrams and for ICMP errors that quote it; of 0 to workers - 1. `parsed` is
// what ParsePacket says of `frame`. `secret` is one for all workers, and nobody else's.
uint32_t OwnerOf(const PacketView& frame, const ParsedPacket& parsed, uint64_t secret,
                 uint32_t workers) noexcept;

}  // namespace npf

#endif  // NPF_WORKER_H_
