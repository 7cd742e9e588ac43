// A worker: an lcore that receives from all ports, judges, and sends.
//
//   mailbox? ─► for each port: receive ─► owner's ring, where it is not ours
//           └─► what others handed over   └► Process ─► send to the peer, or count and free
//
// The loop allocates nothing, takes no lock and calls the system only through the ports' drivers.
#ifndef NPF_DPDK_APP_WIRE_WORKER_H_
#define NPF_DPDK_APP_WIRE_WORKER_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "counters.h"
#include "denied_openings.h"
#include "held_frames.h"
#include "npf/program.h"
#include "npf/worker.h"
#include "observe/burst_times.h"
#include "options.h"
#include "ports.h"
#include "rejects.h"

struct rte_mempool;
struct rte_ring;

namespace npf::appliance {

// A new Program, and the counters that go with it. Whoever sends it keeps both until the worker's
// generation says that it was taken.
struct Delivery {
  Program program;
  DecisionCounts* decisions;
  const SourceBindings* sources;  // null: none
};

// Of a denied packet, to the log.
struct Denial {
  uint64_t time_ns;
  FlowKey key;
  Reason reason;
  bool reply;
  uint16_t port;
};

// Of the first packet of a connection, to whoever compares the wire with the configuration.
struct Seen {
  FlowKey key;
  uint16_t port;
  uint16_t reserved;
};

// Who asks a worker for its connections. The worker fills it in, a part between two bursts, and
// says when it is done; until then it is the worker's.
struct Listing {
  std::vector<KnownConnection> connections;  // with room for `limit` before it is asked
  size_t limit = 0;
  uint32_t part = 0;
  std::atomic<bool> done{false};
};

// Is told every packet, from the worker's own thread, and what became of those that were held: for
// tests.
class VerdictSink {
 public:
  virtual ~VerdictSink() = default;
  virtual void Tell(uint32_t worker, const Judgement& judgement, uint32_t wire_length,
                    uint64_t now_ns) = 0;
  virtual void Settle(uint32_t worker, const Release& release) = 0;
};

struct WireShared {
  std::span<const Port> ports;
  uint16_t receive_queues = 1;
  uint32_t workers = 1;
  uint64_t owner_secret = 0;
  Mode mode = Mode::kEnforce;
  bool packet_clock = false;
  bool opaque_pass = false;     // what cannot be looked into is judged by its outer header
  bool reject = false;          // in enforce
  rte_mempool* pool = nullptr;  // for answers
  rte_ring* denials = nullptr;  // of Denial
  rte_ring* seen = nullptr;     // of Seen; what finds no room is not told
  VerdictSink* sink = nullptr;
};

class WireWorker {
 public:
  // `decisions` belongs to `program`.
  WireWorker(uint32_t number, const WireShared& shared, const Program& program,
             DecisionCounts* decisions, const WorkerOptions& options);
  ~WireWorker();
  WireWorker(const WireWorker&) = delete;
  WireWorker& operator=(const WireWorker&) = delete;

  // The rings of all workers, to hand over by; before Run().
  rte_ring* inbox() const { return inbox_; }
  void SetInboxes(std::vector<rte_ring*> inboxes) { inboxes_ = std::move(inboxes); }

  void Run(const std::atomic<bool>& stop);
  // From another thread; the delivery before must have been taken.
  void Deliver(Delivery* delivery) { mailbox_.store(delivery, std::memory_order_release); }

  // Likewise; one at a time.
  void Ask(Listing* listing) { listing_.store(listing, std::memory_order_release); }
  // Before Run(): see Worker::Adopt.
  TakenOver Adopt(std::span<const std::byte> memory, uint64_t now_ns) {
    return worker_.Adopt(memory, now_ns);
  }

  const WorkerCounters& counters() const { return counters_; }
  const observe::BurstTimes& burst_times() const { return burst_times_; }

 private:
  static constexpr uint16_t kBurst = Worker::kBatch;
  using Burst = std::array<rte_mbuf*, kBurst>;

  bool Turn();
  void TakeDelivery();
  void GoOnListing(Listing& listing);
  void Receive(const Port& port, Burst& burst, uint16_t count);
  void Judge(Burst& burst, uint16_t count);
  void JudgeBatch(Burst& burst, uint16_t count, uint64_t now_ns);
  uint16_t SetAnswersAside(Burst& burst, uint16_t count, uint64_t now_ns);
  Verdict Audited(const Judgement& judgement, uint64_t now_ns);
  void Settle(rte_mbuf* frame, const Judgement& judgement);
  void Count(const Verdict& verdict, const FlowKey& key, bool reply, uint16_t port);
  void Reject(const rte_mbuf& frame, const Judgement& judgement);
  void PassOn(rte_mbuf* frame, bool allowed);
  void Send(uint16_t to, rte_mbuf* frame);
  void Release();
  void Flush(uint16_t id);
  void FlushAll();
  uint64_t TimeOf(rte_mbuf* frame) const;

  struct Outgoing {
    Burst frames;
    uint16_t count = 0;
  };

  const uint32_t number_;
  const WireShared shared_;
  Worker worker_;
  DecisionCounts* decisions_;
  rte_ring* inbox_ = nullptr;
  std::vector<rte_ring*> inboxes_;
  HeldFrames held_;
  std::unique_ptr<DeniedOpenings> denied_openings_;  // in audit
  Rejects rejects_;
  const npf::ParseOptions parse_;  // as the worker has them
  int stamp_offset_ = -1;          // of a packet's own time in its buffer
  uint64_t stamp_flag_ = 0;
  uint64_t now_ns_ = 0;
  std::array<uint16_t, 256> peer_{};
  std::vector<Outgoing> outgoing_;  // by port
  std::array<Frame, kBurst> frames_;
  std::array<Judgement, kBurst> judgements_;
  alignas(64) std::atomic<Delivery*> mailbox_{nullptr};
  std::atomic<Listing*> listing_{nullptr};
  WorkerCounters counters_;
  observe::BurstTimes burst_times_;
  uint64_t ns_of_cycles_;  // times 2^24
};

uint64_t MonotonicNs();

}  // namespace npf::appliance

#endif  // NPF_DPDK_APP_WIRE_WORKER_H_
