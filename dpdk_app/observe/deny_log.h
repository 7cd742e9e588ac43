// The log of denied packets: from many events to few lines of JSON.
//
//   rings of the workers ─► Add ─► one line a second and (addresses, port, protocol, reason)
//                                    │ at most N lines a second, reasons in turn
//                           Tick ────┴─► LineSink, listeners; the rest is counted, and told
//
// Add, CountLost, Tick and Flush belong to one thread. The rest may be called from any.
#ifndef NPF_DPDK_APP_OBSERVE_DENY_LOG_H_
#define NPF_DPDK_APP_OBSERVE_DENY_LOG_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "npf/flow.h"
#include "npf/verdict.h"
#include "observe/line_sink.h"
#include "proto/control.h"

namespace npf::observe {

struct DenialEvent {
  uint64_t time_ns = 0;  // since the epoch
  FlowKey key{};         // of the packet
  Reason reason = Reason::kPolicy;
  bool reply = false;
  uint32_t port = 0;  // where it came in; an index of DenyLogOptions::ports
};

// What a line has that an event does not.
struct DenialDetails {
  std::string src_pod;  // "namespace/name", or empty
  std::string dst_pod;
  std::string policy;   // that denied, or empty
  std::string why;      // one line, or empty
  bool egress = false;  // what each direction alone says
  bool ingress = false;
  uint32_t generation = 0;
};

struct DenyLogOptions {
  size_t lines_per_second = 100;
  uint64_t interval_ns = 1'000'000'000;
  std::vector<std::string> ports;  // names
  // Asked for lines that are written, and for no others.
  std::function<DenialDetails(const DenialEvent&)> details;
};

class DenyLog {
 public:
  // Of one who watches. Its queue is bounded: what it does not fetch in time is counted in the
  // `suppressed` of the next one.
  class Listener {
   public:
    static constexpr size_t kQueueMax = 256;
    // Waits at most so long.
    std::optional<control::DeniedPacket> Next(uint64_t timeout_ns);

   private:
    friend class DenyLog;
    void Give(const control::DeniedPacket& packet, uint64_t suppressed_before);

    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<control::DeniedPacket> queue_;
    uint64_t suppressed_ = 0;
    uint64_t seen_suppressed_ = 0;  // of the log, when it was last given one
  };

  static constexpr size_t kListenersMax = 16;

  // Without an open sink there are only listeners.
  DenyLog(DenyLogOptions options, LineSink sink);

  void Add(std::span<const DenialEvent> events);
  // Denials that never came here, for their ring was full.
  void CountLost(uint64_t packets) { Suppress(packets); }
  // Writes what an interval has gathered once it is over. `now_ns` is since the epoch.
  void Tick(uint64_t now_ns);
  void Flush(uint64_t now_ns);                             // at once
  void Reopen(LineSink sink) { sink_ = std::move(sink); }  // of the thread that ticks

  // Packets that no line tells of: every denied packet is in the `packets` of one line, or here.
  uint64_t suppressed() const { return suppressed_.load(std::memory_order_relaxed); }

  // Until the last copy is gone; nullptr where kListenersMax are there.
  std::shared_ptr<Listener> Subscribe();
  // control::Handler::WatchDenied. False where it could not subscribe.
  bool Watch(const std::function<bool(const control::DeniedPacket*)>& use);

 private:
  struct Line {
    DenialEvent first;
    uint64_t packets = 0;
  };
  // Of one reason; lines in the order in which they came.
  struct Group {
    absl::flat_hash_map<std::string, size_t> by_key;
    std::vector<Line> lines;
  };

  void Suppress(uint64_t packets) { suppressed_.fetch_add(packets, std::memory_order_relaxed); }
  void AddOne(const DenialEvent& event);
  void Emit(const Line& line);
  void TellSuppressed(uint64_t now_ns);
  void GiveToListeners(const Line& line, const DenialDetails& details, uint64_t suppressed_before);
  std::vector<std::shared_ptr<Listener>> Listeners();
  std::string PortName(uint32_t port) const;
  std::string JsonLine(const Line& line, const DenialDetails& details) const;

  DenyLogOptions options_;
  LineSink sink_;
  std::map<Reason, Group> groups_;
  uint64_t interval_began_ns_ = 0;
  std::atomic<uint64_t> suppressed_ = 0;
  uint64_t told_ = 0;  // of suppressed_

  std::mutex listeners_mutex_;
  std::vector<std::weak_ptr<Listener>> listeners_;
};

}  // namespace npf::observe

#endif  // NPF_DPDK_APP_OBSERVE_DENY_LOG_H_
