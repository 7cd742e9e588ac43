// From frames to verdicts: the one path that a capture's packets and a live port's take.
//
//   frame ─► parse ─► known connection? ─► Classify ─► verdict, reason
//              │             └ yes: established where its end can have sent it; judged again
//              │                    where the policy has changed
//              └ refused, from where its source is not, or link control that passes
//
// A packet that policy allows as the first of a connection makes the connection known; replies to
// it and whatever follows are `established`. A denied packet leaves nothing behind, but for a first
// fragment, whose others are denied with it. Later fragments follow their first one; one that comes
// before it is judged without ports (Fragments::kTrack), or all wait until the last one has come
// (kReassemble). ICMP errors that quote a packet of a known connection are `related` to it.
// docs/decisions says it at length: connections.md, fragments.md.
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
#include <string_view>

#include "npf/classify.h"
#include "npf/packet.h"
#include "npf/program.h"
#include "npf/sources.h"

namespace npf {

enum class Fragments : uint8_t {
  kTrack,       // each is judged when it comes; nothing is held back
  kReassemble,  // none passes before all have come; the caller holds them
};

struct WorkerOptions {
  bool vlan = true;
  Checksums checksums = Checksums::kVerify;
  const Overlays* overlays = nullptr;       // as in ParseOptions; outlives the worker
  const SourceBindings* sources = nullptr;  // where packets may come from; outlives the worker
  // Deny what is encrypted, and tunnels that no overlay names, as kOpaque; else the outer packet is
  // judged by policy.
  bool opaque_deny = false;
  ClassifyOptions classify;            // its generation is the worker's own
  bool stateless = false;              // judge each packet as the first of its connection
  bool midstream_allow = false;        // TCP and SCTP that begin in the middle are judged by policy
  bool established_keep = false;       // connections outlive the policy that allowed them
  size_t flows_max = size_t{1} << 18;  // 1 to 2^29; about 110 bytes each, taken at construction
  // What nobody has answered yet, and what one source has opened. 0: a quarter of flows_max.
  size_t openings_max = 0;
  size_t flows_per_source_max = 0;
  // Where connections are kept: Worker::FlowsBytes(flows_max) bytes, aligned to 64, that outlive
  // the worker, and may outlive the process (see Adopt). Empty: the worker's own.
  std::span<std::byte> flows_memory;
  Fragments fragments = Fragments::kTrack;  // where not stateless
  size_t datagrams_max = size_t{1} << 12;   // in fragments at once; 400 to 550 bytes each
};

struct Frame {
  PacketView packet;
  LinkLayer link = LinkLayer::kEthernet;
  uint16_t port = 0;  // it came by, as the caller numbers them for WorkerOptions::sources
};

struct Judgement {
  ParsedPacket packet;
  // Of a packet of a known connection, no cell has judged it: ask Classify for the key of the
  // connection's first packet.
  Verdict verdict{};
  bool reply = false;  // it goes against the direction in which its connection began
  // What policy said of the connection's first packet, where verdict.reason is kEstablished.
  Reason flow_reason = Reason::kPolicy;
  // Not 0: a fragment whose verdict is not known yet. `verdict` is a denial, kFragmentHeld. Keep
  // the frame; a Release with this ticket says what becomes of it, maybe in this same call.
  uint64_t held = 0;
};

// The verdict of a whole datagram, and so of all of its fragments that are held under `ticket`,
// which are to leave in the order in which they came. No fragment will bear the ticket any more.
struct Release {
  uint64_t ticket = 0;
  // Allowed only where all of the datagram has come. Else kFragmentIncomplete (30 s have passed
  // since its first fragment came, or it made room for others), kFragmentOverlap,
  // kFragmentOversize, or what denies the datagram as it would deny the packet it was cut from.
  Verdict verdict{};
  FlowKey key{};  // of the whole datagram; family 0 where it never was whole
  bool reply = false;
  Reason flow_reason = Reason::kPolicy;
};

// A connection as others are told of it.
struct KnownConnection {
  enum class State : uint8_t { kOpening, kEstablished, kClosing };
  FlowKey key;  // of its first packet
  State state;
  uint32_t generation;  // of the policy that judged it last; 0: none since it was taken over
};

struct TakenOver {
  size_t connections = 0;
  size_t refused = 0;        // not sound, expired, or no room
  std::string_view problem;  // why nothing at all was taken over; empty: it was
};

struct WorkerCounts {
  size_t flows = 0;          // known now
  size_t openings = 0;       // of these, not answered or not confirmed
  uint64_t table_full = 0;   // packets denied because no more could be known
  uint64_t source_full = 0;  // or no more of their source
  size_t datagrams = 0;      // under way in fragments
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

  // Of Fragments::kReassemble: what became in the last Process() of fragments that are held, those
  // of earlier calls too; in the order in which it was known. Valid until the next call. Process()
  // also releases what has expired: all of it where it is given no frames, at most kBatch datagrams
  // where it is. Up to kBatch frames release at most datagrams_max + kBatch; in a call with more,
  // fragments for which there might be no room here are denied as kFragmentIncomplete.
  std::span<const Release> released() const;

  // The caller can hold a datagram's fragments no longer and drops them. No release will come; what
  // comes of the datagram later is denied as kFragmentIncomplete. Nothing happens where it has been
  // released.
  void GiveUp(uint64_t ticket);

  // From the next packet on, `program` decides. The generation rises by one.
  void Replace(Program program);
  // From the next packet on, these say where sources may come from; null: nothing does.
  void SetSources(const SourceBindings* sources);

  // Takes over the connections of a worker whose flows_memory this was, maybe in a process that is
  // no more. `now_ns` is of that worker's clock. Each is judged again before its next packet. Takes
  // as long as the memory is large.
  TakenOver Adopt(std::span<const std::byte> memory, uint64_t now_ns);
  static size_t FlowsBytes(size_t flows_max);

  // Some of the connections: those of the next part of the table, from `part` on, at most 6 x 64.
  // Gives their number; `part` is 0 again after the last one. Between two calls, connections may
  // move, and so be told twice or not at all.
  size_t List(uint32_t& part, std::span<KnownConnection, 384> connections) const;

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
