// The appliance as a whole: its workers, the policy that decides, and the answers to whoever asks.
//
//   Load / SIGHUP ─► ReadPolicy ─► Publish ─► a Delivery in each worker's mailbox
//                       │ wrong                 └ taken by all: the one before is let go
//                       └► nothing changes, last_refusal says why
//
// Publishing is one at a time. What a worker counted under a Program is folded into totals, by
// policy, when the Program goes.
#ifndef NPF_DPDK_APP_APPLIANCE_H_
#define NPF_DPDK_APP_APPLIANCE_H_

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "flow_memory.h"
#include "observe/deny_log.h"
#include "observe/metrics.h"
#include "options.h"
#include "policy.h"
#include "ports.h"
#include "proto/control.h"
#include "wire_worker.h"

namespace npf::appliance {

class Watching;

class Appliance : public control::Handler {
 public:
  explicit Appliance(const Options& options) : options_(options) {}
  ~Appliance() override;

  // The first policy: the last good one where there is one, because it is there at once, else that
  // of -f or --image. Then the ports, and the workers, which do not run yet.
  absl::Status Open();
  // Frames pass from here on.
  absl::Status Start();
  void Stop();

  // Whether the last good policy decides, and what -f or --image names has not been read yet.
  bool has_unread_files() const { return has_unread_files_.load(); }
  // Whether everything passes because no policy could be read at the start (--fail-open).
  bool failing_open() const { return failing_open_.load(); }
  // Reads -f or --image again. What is wrong is told, and changes nothing.
  absl::Status Reload();

  // Denied packets since the last call, for one reader.
  size_t TakeDenials(std::span<Denial> denials);
  // Likewise, first packets of connections; some of them, where there are many.
  size_t TakeSeen(std::span<Seen> seen);
  uint64_t untold() const;                // denials that found no room there
  uint32_t PortIndex(uint16_t id) const;  // in Status::ports
  uint32_t generation() const;
  observe::Bursts bursts() const;
  uint64_t opaque() const;   // packets that nobody looked into, judged by their outer header
  uint64_t rejects() const;  // answers to senders of denied packets
  // Where WatchDenied looks; null: nowhere.
  void SetLog(observe::DenyLog* log) { log_.store(log); }
  std::vector<std::string> Unhealthy() const;
  std::vector<uint64_t> HeartbeatAges() const;
  // Who compares the wire with the configuration; null: nobody.
  void SetWatching(const Watching* watching) { watching_.store(watching); }
  PolicyPtr policy() const;

  control::Status GetStatus() override;
  std::vector<control::PolicyCount> GetPolicyCounts() override;
  std::vector<control::PodVisibility> GetVisibility() override;
  absl::StatusOr<control::LoadResult> Load(const control::LoadRequest& request) override;
  absl::Status Confirm(uint32_t generation) override;
  absl::Status WaitFor(uint32_t generation, uint64_t timeout_ns) override;
  absl::StatusOr<control::ExplainResult> Explain(const FlowKey& key) override;
  absl::StatusOr<std::vector<control::Connection>> ListConnections(size_t limit) override;
  absl::StatusOr<std::vector<control::Connection>> WouldCut(const control::LoadRequest& request,
                                                            size_t limit) override;
  void WatchDenied(const std::function<bool(const control::DeniedPacket*)>& use) override;

 private:
  // What decides, with each worker's counters of it.
  struct Current {
    PolicyPtr policy;
    std::unique_ptr<const SourceBindings> sources;  // or null
    std::vector<std::unique_ptr<DecisionCounts>> decisions;
    std::vector<std::unique_ptr<Delivery>> deliveries;
    uint64_t since_ns = 0;
  };
  using PolicyTotals = std::map<std::tuple<std::string, std::string, bool>, uint64_t>;

  absl::StatusOr<PolicyPtr> ReadFirst();
  PolicyPtr ReadLastGood() const;  // or null
  absl::StatusOr<PolicyPtr> OpenToAll(const absl::Status& why);
  absl::StatusOr<PolicyPtr> ReadAgain() const;
  absl::StatusOr<Current> MakeCurrent(PolicyPtr policy) const;
  absl::Status MakeWorkers();
  absl::StatusOr<uint64_t> OwnerSecret() const;
  absl::Status MakeWorker(uint32_t number, const WireShared& shared);
  // Of all workers, at most `limit`, and of those that `program` would deny where there is one.
  absl::StatusOr<std::vector<control::Connection>> List(const Program* program, size_t limit);
  absl::Status Publish(PolicyPtr policy);
  absl::Status WaitUntilTaken(uint32_t generation, uint64_t timeout_ns) const;
  void Fold(const Current& current, PolicyTotals& totals) const;
  void KeepImage(const Policy& policy) const;
  void RollBackWhenDue();

  const Options options_;
  Ports ports_;
  rte_ring* denials_ = nullptr;
  rte_ring* seen_ = nullptr;
  std::unique_ptr<VerdictSink> sink_;
  std::vector<MappedFile> flow_memory_;  // of each worker, where connections outlive the process
  std::vector<std::unique_ptr<WireWorker>> workers_;
  std::vector<unsigned> lcores_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> has_unread_files_{false};
  std::atomic<bool> failing_open_{false};
  bool started_ = false;
  uint64_t started_ns_ = 0;
  uint64_t opened_ns_ = 0;
  std::atomic<observe::DenyLog*> log_{nullptr};
  std::atomic<const Watching*> watching_{nullptr};

  std::mutex publishing_;     // held by whoever changes the policy
  std::mutex listing_;        // held by whoever lists connections
  mutable std::mutex mutex_;  // of what follows
  Current current_;
  PolicyTotals totals_;  // of Programs that are gone
  std::string last_refusal_;
  // The change that is taken back unless it is confirmed: what comes back, and when.
  PolicyPtr before_;
  uint32_t unconfirmed_ = 0;
  uint64_t confirm_until_ns_ = 0;
  std::condition_variable wake_;
  std::thread rollback_;
};

}  // namespace npf::appliance

#endif  // NPF_DPDK_APP_APPLIANCE_H_
