// What a worker counts. It alone writes; others read at any time, each number as it is then.
#ifndef NPF_DPDK_APP_COUNTERS_H_
#define NPF_DPDK_APP_COUNTERS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "npf/flow.h"
#include "npf/verdict.h"

namespace npf::appliance {

class Counter {
 public:
  void Add(uint64_t amount) {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  void Set(uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  uint64_t Get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// What a worker lost at a port.
struct PortLosses {
  Counter not_sent;    // allowed, but the port took no more
  Counter not_handed;  // came in by it; the ring of the worker that it belongs to was full
};

struct alignas(64) WorkerCounters {
  // Packets, by reason: [reason][allowed]. Their sum is what was received.
  std::array<std::array<Counter, 2>, 256> by_reason;
  std::vector<PortLosses> ports;  // by id; as many as there are, from the beginning
  Counter untold;                 // denials that the ring to the log had no room for
  Counter opaque;                 // judged by their outer header
  Counter rejects;                // answers to senders
  Counter loops;
  Counter busy_loops;
  Counter flows;
  Counter openings;
  Counter heartbeat_ns;
  std::atomic<uint32_t> generation{0};  // that decides
};

// How often policy decided alike about first packets: by cell, port class and answer. A table of
// its Program, of one worker; where it is full, the rest is counted as one.
class DecisionCounts {
 public:
  static constexpr size_t kPlaces = size_t{1} << 14;
  static constexpr size_t kProbesMax = 16;

  struct alignas(64) Entry {
    std::atomic<uint64_t> packets{0};  // 0: nobody's
    uint32_t cell = 0;
    uint32_t port_class = 0;
    FlowKey sample{};  // one of those that it counts
    bool allowed = false;
  };

  DecisionCounts() : entries_(std::make_unique<Entry[]>(kPlaces)) {}

  void Add(const Verdict& verdict, const FlowKey& key) {
    const uint64_t mixed = (uint64_t{verdict.cell} << 32 | verdict.port_class) * 0x9e3779b97f4a7c15;
    for (size_t probe = 0; probe < kProbesMax; ++probe) {
      Entry& entry = entries_[((mixed >> 40) + probe) % kPlaces];
      const uint64_t packets = entry.packets.load(std::memory_order_relaxed);
      const bool allowed = verdict.allowed != 0;
      if (packets == 0) {
        entry.cell = verdict.cell;
        entry.port_class = verdict.port_class;
        entry.sample = key;
        entry.allowed = allowed;
      } else if (entry.cell != verdict.cell || entry.port_class != verdict.port_class ||
                 entry.allowed != allowed) {
        continue;
      }
      entry.packets.store(packets + 1, std::memory_order_release);
      return;
    }
    others_.Add(1);
  }

  // Calls use(sample, allowed, packets).
  template <typename Use>
  void ForEach(Use use) const {
    for (size_t i = 0; i < kPlaces; ++i) {
      const uint64_t packets = entries_[i].packets.load(std::memory_order_acquire);
      if (packets != 0) use(entries_[i].sample, entries_[i].allowed, packets);
    }
  }
  uint64_t others() const { return others_.Get(); }

 private:
  std::unique_ptr<Entry[]> entries_;
  Counter others_;
};

}  // namespace npf::appliance

#endif  // NPF_DPDK_APP_COUNTERS_H_
