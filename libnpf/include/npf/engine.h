// From frames to verdicts: the one path that a capture's packets and a live port's take.
//
//   frame ─► parse ─► known connection? ─► Classify ─► verdict, reason
//              │             └ yes: established, judged again where the policy has changed
//              └ refused, or link control that passes
//
// A packet that policy allows as the first of a connection makes the connection known; replies to
// it and whatever follows are `established`. A denied packet leaves nothing behind, but for a first
// fragment, whose others are denied with it. Later fragments follow their first one; one that comes
// before it is judged without ports. ICMP errors that quote a packet of a known connection are
// `related` to it. What the flow table does not check yet stands in docs/replay.md: sequence
// numbers and windows.
//
// Not thread-safe; one Engine for each thread. Judge() does not allocate, lock, throw or block.
#ifndef NPF_ENGINE_H_
#define NPF_ENGINE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "npf/classify.h"
#include "npf/packet.h"
#include "npf/program.h"

namespace npf {

struct EngineOptions {
  bool vlan = true;
  Checksums checksums = Checksums::kVerify;
  const Overlays* overlays = nullptr;  // as in ParseOptions; outlives the engine
  ClassifyOptions classify;            // its generation is the engine's own
  bool stateless = false;              // judge each packet as the first of its connection
  bool midstream_allow = false;        // TCP and SCTP that begin in the middle are judged by policy
  bool established_keep = false;       // connections outlive the policy that allowed them
  size_t flows_max = size_t{1} << 18;  // about 150 bytes each, taken at construction
  size_t datagrams_max = size_t{1} << 12;  // in fragments at once; about 400 bytes each
};

struct Frame {
  PacketView packet;
  LinkLayer link = LinkLayer::kEthernet;
  uint64_t time_ns = 0;  // of any clock; it never goes backwards
};

struct Judgement {
  ParsedPacket packet;
  // Of a packet of a known connection: cell and port class are those of its first packet.
  Verdict verdict{};
  bool reply = false;  // it goes against the direction in which its connection began
  // What policy said of the connection's first packet, where verdict.reason is kEstablished.
  Reason flow_reason = Reason::kPolicy;
};

struct EngineCounts {
  size_t flows = 0;         // known now
  uint64_t table_full = 0;  // packets denied because no more could be known
};

class Engine {
 public:
  static constexpr size_t kBatch = 64;

  Engine(Program program, const EngineOptions& options);
  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;

  // Judges frames[i] into judgements[i], in order; any number of them.
  void Judge(std::span<const Frame> frames, std::span<Judgement> judgements) noexcept;

  // From the next packet on, `program` decides. The generation rises by one.
  void Replace(Program program);

  uint32_t generation() const;
  EngineCounts counts() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace npf

#endif  // NPF_ENGINE_H_
