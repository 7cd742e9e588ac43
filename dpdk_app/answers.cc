// What the appliance answers to those who ask.
#include <algorithm>
#include <chrono>
#include <numeric>
#include <thread>

#include "absl/strings/str_cat.h"
#include "appliance.h"
#include "npf/explain.h"
#include "npf/version.h"
#include "npf/why.h"
#include "watching.h"

namespace npf::appliance {
namespace {

uint64_t SumOf(const std::vector<std::unique_ptr<WireWorker>>& workers,
               const Counter WorkerCounters::*counter) {
  return std::accumulate(
      workers.begin(), workers.end(), uint64_t{0},
      [&](uint64_t sum, const auto& worker) { return sum + (worker->counters().*counter).Get(); });
}

// To what the ports themselves lost, what was lost between them and the workers.
void AddLosses(const std::vector<std::unique_ptr<WireWorker>>& workers, std::span<const Port> ports,
               std::vector<control::PortStatus>& status) {
  for (size_t i = 0; i < ports.size(); ++i) {
    for (const auto& worker : workers) {
      const PortLosses& losses = worker->counters().ports[ports[i].id];
      status[i].missed += losses.not_handed.Get();
      status[i].not_sent += losses.not_sent.Get();
    }
  }
}

std::vector<control::ReasonCount> ReasonsOf(
    const std::vector<std::unique_ptr<WireWorker>>& workers) {
  std::vector<control::ReasonCount> reasons;
  for (size_t reason = 0; reason < 256; ++reason) {
    for (const size_t allowed : {1, 0}) {
      uint64_t packets = 0;
      for (const auto& worker : workers) {
        packets += worker->counters().by_reason[reason][allowed].Get();
      }
      if (packets == 0) continue;
      reasons.push_back({.reason = std::string(Name(static_cast<Reason>(reason))),
                         .allowed = allowed != 0,
                         .packets = packets});
    }
  }
  return reasons;
}

// Whose decision it was, in the direction that denied, or in both where all allow.
std::vector<std::pair<std::string, std::string>> DecidersOf(const Explanation& explanation) {
  std::vector<std::pair<std::string, std::string>> deciders;
  const bool allowed = explanation.verdict.allowed != 0;
  for (const DirectionExplanation* side : {&explanation.egress, &explanation.ingress}) {
    if (!side->judged || side->allowed != allowed || !side->decided_by.has_value()) continue;
    const std::string tier(Name(*side->decided_by));
    if (*side->decided_by != PolicyTier::kNetworkPolicy) {
      for (const TierMatch& match : side->tiers) {
        if (match.tier == *side->decided_by) deciders.emplace_back(match.rule.policy, tier);
      }
    } else if (side->allowed) {
      for (const RuleRef& rule : side->allowing) deciders.emplace_back(rule.policy, tier);
    } else {
      for (const std::string& policy : side->isolating) deciders.emplace_back(policy, tier);
    }
  }
  std::sort(deciders.begin(), deciders.end());
  deciders.erase(std::unique(deciders.begin(), deciders.end()), deciders.end());
  return deciders;
}

control::Connection Named(const KnownConnection& known, const tools::AddressNames& names) {
  static constexpr const char* kStates[] = {"opening", "established", "closing"};
  return {.key = known.key,
          .src_pod = std::string(names.PodOf(SourceOf(known.key))),
          .dst_pod = std::string(names.PodOf(DestinationOf(known.key))),
          .state = kStates[static_cast<size_t>(known.state)],
          .generation = known.generation};
}

}  // namespace

void Appliance::Fold(const Current& current, PolicyTotals& totals) const {
  for (const std::unique_ptr<DecisionCounts>& decisions : current.decisions) {
    decisions->ForEach([&](const FlowKey& sample, bool allowed, uint64_t packets) {
      const Explanation explanation =
          npf::Explain(current.policy->program, options_.worker.classify, sample);
      for (const auto& [policy, tier] : DecidersOf(explanation)) {
        totals[{policy, tier, allowed}] += packets;
      }
    });
    if (decisions->others() != 0) totals[{"(others)", "", false}] += decisions->others();
  }
}

std::vector<control::PolicyCount> Appliance::GetPolicyCounts() {
  const std::lock_guard lock(mutex_);
  PolicyTotals totals = totals_;
  Fold(current_, totals);
  std::vector<control::PolicyCount> counts;
  for (const auto& [key, packets] : totals) {
    const auto& [policy, tier, allowed] = key;
    counts.push_back({.policy = policy, .tier = tier, .allowed = allowed, .packets = packets});
  }
  return counts;
}

control::Status Appliance::GetStatus() {
  const uint64_t now_ns = MonotonicNs();
  control::Status status{.version = std::string(kLibraryVersion),
                         .mode = options_.mode_name,
                         .placement = options_.placement,
                         .uptime_ns = now_ns - opened_ns_,
                         .workers = workers_.size(),
                         .flows = SumOf(workers_, &WorkerCounters::flows),
                         .flows_max = options_.worker.flows_max * workers_.size(),
                         .openings = SumOf(workers_, &WorkerCounters::openings),
                         .ports = ports_.GetStatus(),
                         .reasons = ReasonsOf(workers_)};
  AddLosses(workers_, ports_.all(), status.ports);
  for (const control::ReasonCount& reason : status.reasons) status.received += reason.packets;
  for (const auto& worker : workers_) {
    const double loops = static_cast<double>(worker->counters().loops.Get());
    const auto busy = static_cast<double>(worker->counters().busy_loops.Get());
    status.busy.push_back(loops == 0 ? 0 : busy / loops);
  }
  if (const observe::DenyLog* const log = log_.load(); log != nullptr) {
    status.log_suppressed = log->suppressed();
  }
  status.generation = generation();
  const std::lock_guard lock(mutex_);
  const Policy& policy = *current_.policy;
  status.policy_hash = policy.hash;
  status.policy_source = policy.source;
  status.policy_age_ns = now_ns - current_.since_ns;
  status.last_refusal = last_refusal_;
  status.pods = policy.pods;
  status.policies = policy.policies;
  status.program_bytes = policy.program.image().size();
  if (before_ != nullptr) {
    status.unconfirmed = {.generation = unconfirmed_,
                          .left_ns = confirm_until_ns_ - std::min(now_ns, confirm_until_ns_)};
  }
  if (!started_) status.not_ready.emplace_back("nothing is forwarded yet");
  if (const Watching* const watching = watching_.load(); watching != nullptr) {
    for (std::string& reason : watching->NotReady()) status.not_ready.push_back(std::move(reason));
  }
  status.ready = status.not_ready.empty();
  return status;
}

absl::StatusOr<control::ExplainResult> Appliance::Explain(const FlowKey& key) {
  const PolicyPtr policy = this->policy();
  const Explanation explanation = npf::Explain(policy->program, options_.worker.classify, key);
  control::ExplainResult result{.allowed = explanation.verdict.allowed != 0,
                                .generation = generation(),
                                .text = Format(explanation)};
  if (policy->snapshot.has_value()) {
    result.json = tools::JsonWhy(explanation, tools::Places(*policy->snapshot));
  }
  return result;
}

std::vector<control::PodVisibility> Appliance::GetVisibility() {
  const Watching* const watching = watching_.load();
  return watching == nullptr ? std::vector<control::PodVisibility>()
                             : watching->Visibility(*policy());
}

std::vector<uint64_t> Appliance::HeartbeatAges() const {
  std::vector<uint64_t> ages;
  const uint64_t now_ns = MonotonicNs();
  for (const auto& worker : workers_) {
    const uint64_t heard_ns = std::max(started_ns_, worker->counters().heartbeat_ns.Get());
    ages.push_back(now_ns - std::min(now_ns, heard_ns));
  }
  return ages;
}

absl::StatusOr<std::vector<control::Connection>> Appliance::List(const Program* program,
                                                                 size_t limit) {
  // Of those that a new policy would cut, nobody knows how many are among the first ones.
  constexpr size_t kLookedAtMax = size_t{1} << 20;
  const std::lock_guard listing_one_at_a_time(listing_);
  const PolicyPtr policy = this->policy();
  std::vector<control::Connection> connections;
  for (const std::unique_ptr<WireWorker>& worker : workers_) {
    Listing listing;
    listing.limit = program != nullptr ? kLookedAtMax : limit - connections.size();
    listing.connections.reserve(listing.limit);
    worker->Ask(&listing);
    while (!listing.done.load(std::memory_order_acquire)) {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    for (const KnownConnection& known : listing.connections) {
      if (connections.size() == limit) break;
      Verdict verdict{};
      if (program != nullptr) {
        Classify(*program, options_.worker.classify, {&known.key, 1}, {&verdict, 1});
      }
      if (verdict.allowed == 0) connections.push_back(Named(known, policy->names));
    }
  }
  return connections;
}

absl::StatusOr<std::vector<control::Connection>> Appliance::ListConnections(size_t limit) {
  return List(nullptr, limit);
}

absl::StatusOr<std::vector<control::Connection>> Appliance::WouldCut(
    const control::LoadRequest& request, size_t limit) {
  tools::InputFlags input = options_.input;
  input.paths = request.paths;
  const absl::StatusOr<PolicyPtr> policy = ReadPolicy(input, request.text, options_.allow_all);
  if (!policy.ok()) return policy.status();
  return List(&(*policy)->program, limit);
}

void Appliance::WatchDenied(const std::function<bool(const control::DeniedPacket*)>& use) {
  if (observe::DenyLog* const log = log_.load(); log != nullptr) log->Watch(use);
}

uint64_t Appliance::untold() const { return SumOf(workers_, &WorkerCounters::untold); }

uint32_t Appliance::generation() const {
  return workers_.empty() ? 0 : workers_[0]->counters().generation.load();
}

uint64_t Appliance::opaque() const { return SumOf(workers_, &WorkerCounters::opaque); }

uint64_t Appliance::rejects() const { return SumOf(workers_, &WorkerCounters::rejects); }

observe::Bursts Appliance::bursts() const {
  observe::Bursts bursts;
  for (const auto& worker : workers_) worker->burst_times().AddTo(bursts.counts, bursts.sum_ns);
  return bursts;
}

uint32_t Appliance::PortIndex(uint16_t id) const {
  const std::span<const Port> ports = ports_.all();
  const auto found =
      std::find_if(ports.begin(), ports.end(), [&](const Port& port) { return port.id == id; });
  return static_cast<uint32_t>(found - ports.begin());
}

std::vector<std::string> Appliance::Unhealthy() const {
  constexpr uint64_t kHeartbeatNs = 1'000'000'000;
  std::vector<std::string> faults;
  const std::vector<uint64_t> ages = HeartbeatAges();
  for (size_t i = 0; i < ages.size() && started_; ++i) {
    if (ages[i] <= kHeartbeatNs) continue;
    faults.push_back(
        absl::StrCat("worker ", i, " has not answered for ", ages[i] / kHeartbeatNs, " s"));
  }
  return faults;
}

}  // namespace npf::appliance
