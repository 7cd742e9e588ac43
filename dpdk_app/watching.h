// Whether what passes by is what the configuration says. A thread of its own looks once a second.
#ifndef NPF_DPDK_APP_WATCHING_H_
#define NPF_DPDK_APP_WATCHING_H_

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "observe/readiness.h"
#include "observe/systemd.h"
#include "observe/visibility.h"
#include "options.h"
#include "policy.h"
#include "proto/control.h"
#include "wire_worker.h"

namespace npf::appliance {

class Appliance;

class Watching {
 public:
  // `appliance` is open and outlives it.
  Watching(const Options& options, Appliance& appliance, observe::Notifier notifier);
  ~Watching();
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;

  void Start();
  const observe::Notifier& notifier() const { return notifier_; }

  // Of the last look.
  std::vector<std::string> NotReady() const;
  std::vector<control::PodVisibility> Visibility(const Policy& policy) const;

 private:
  void Run();
  void EndWhereOneIsStuck() const;
  void Look();
  void LookAtSeen();
  void Note(const Seen& seen);
  void LearnPolicy(PolicyPtr policy);
  observe::ReadinessSample MakeSample(const control::Status& status) const;

  const Options& options_;
  Appliance& appliance_;
  observe::Notifier notifier_;
  observe::Readiness readiness_;
  PolicyPtr policy_;                        // of the last look
  absl::flat_hash_set<std::string> nodes_;  // its nodes' addresses
  // Counted since the start, by this thread alone.
  std::map<uint32_t, uint64_t> from_pods_;  // by port
  std::map<uint32_t, uint64_t> from_nodes_;
  uint64_t same_node_ = 0;
  std::string refusal_;  // the last one, and when it was first seen
  uint64_t refused_at_ns_ = 0;
  mutable std::mutex mutex_;  // of what follows
  std::vector<std::string> not_ready_{"nothing has been looked at yet"};
  std::set<std::string> observed_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace npf::appliance

#endif  // NPF_DPDK_APP_WATCHING_H_
