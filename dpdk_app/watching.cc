#include "watching.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "appliance.h"
#include "npf/address.h"
#include "npf/exit_status.h"
#include "npf/flow.h"
#include "npf/output.h"

namespace npf::appliance {
namespace {

uint64_t PacketsOf(const control::Status& status, std::string_view reason) {
  uint64_t packets = 0;
  for (const control::ReasonCount& count : status.reasons) {
    if (count.reason == reason) packets += count.packets;
  }
  return packets;
}

}  // namespace

Watching::Watching(const Options& options, Appliance& appliance, observe::Notifier notifier)
    : options_(options), appliance_(appliance), notifier_(std::move(notifier)) {}

Watching::~Watching() {
  stop_.store(true);
  if (thread_.joinable()) thread_.join();
}

void Watching::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Watching::Run() {
  constexpr auto kStep = std::chrono::milliseconds(100);
  uint64_t looked_ns = 0;
  while (!stop_.load()) {
    const uint64_t now_ns = MonotonicNs();
    EndWhereOneIsStuck();
    if (now_ns - looked_ns >= kSecondNs) {
      looked_ns = now_ns;
      Look();
      if (appliance_.Unhealthy().empty()) notifier_.Alive();
    }
    std::this_thread::sleep_for(kStep);
  }
}

// Nothing can make a thread go on that does not; nothing passes when the process is gone.
void Watching::EndWhereOneIsStuck() const {
  if (options_.watchdog_ns == 0) return;
  const std::vector<uint64_t> ages = appliance_.HeartbeatAges();
  for (size_t i = 0; i < ages.size(); ++i) {
    if (ages[i] < options_.watchdog_ns) continue;
    tools::PrintError(absl::StrCat("worker ", i, " is stuck: it has not answered for ",
                                   ages[i] / kSecondNs, " s (--watchdog); the process ends"));
    _exit(tools::kExitInternal);
  }
}

void Watching::Look() {
  LearnPolicy(appliance_.policy());
  LookAtSeen();
  const control::Status status = appliance_.GetStatus();
  if (status.last_refusal != refusal_) {
    refusal_ = status.last_refusal;
    refused_at_ns_ = MonotonicNs();
  }
  std::vector<std::string> reasons = readiness_.Observe(MakeSample(status));
  const std::lock_guard lock(mutex_);
  not_ready_ = std::move(reasons);
  for (const control::ReasonCount& count : status.reasons) observed_.insert(count.reason);
  for (const std::string& reason : not_ready_) observed_.insert(reason.substr(0, reason.find(':')));
}

void Watching::LearnPolicy(PolicyPtr policy) {
  if (policy == policy_) return;
  policy_ = std::move(policy);
  nodes_.clear();
  if (!policy_->snapshot.has_value()) return;
  for (const Node& node : policy_->snapshot->nodes()) {
    for (const std::string& address : node.addresses) {
      if (const auto parsed = ParseIpAddress(address)) nodes_.insert(ToString(*parsed));
    }
  }
}

void Watching::LookAtSeen() {
  std::array<Seen, 512> seen;
  while (const size_t count = appliance_.TakeSeen(seen)) {
    for (size_t i = 0; i < count; ++i) Note(seen[i]);
    if (count < seen.size()) return;
  }
}

// A first packet of a connection. Of those that came by a port where their source cannot be, the
// data path says so itself.
void Watching::Note(const Seen& seen) {
  const uint32_t port = appliance_.PortIndex(seen.port);
  const tools::AddressNames::Owner* const src = policy_->names.Find(SourceOf(seen.key));
  if (src == nullptr) {
    if (nodes_.contains(ToString(SourceOf(seen.key)))) ++from_nodes_[port];
    return;
  }
  ++from_pods_[port];
  const tools::AddressNames::Owner* const dst = policy_->names.Find(DestinationOf(seen.key));
  if (dst != nullptr && !src->node.empty() && src->node == dst->node) ++same_node_;
}

observe::ReadinessSample Watching::MakeSample(const control::Status& status) const {
  observe::ReadinessSample sample{.now_ns = MonotonicNs(),
                                  .policy_active = status.generation != 0,
                                  .failing_open = appliance_.failing_open(),
                                  .refusal = status.last_refusal,
                                  .refused_ns = MonotonicNs() - refused_at_ns_,
                                  .spoofed = PacketsOf(status, "spoofed"),
                                  .opaque = PacketsOf(status, "opaque") + appliance_.opaque(),
                                  .unknown_pod = PacketsOf(status, "unknown_pod"),
                                  .service_address = PacketsOf(status, "service_address"),
                                  .same_node = same_node_};
  for (uint32_t i = 0; i < status.ports.size(); ++i) {
    const control::PortStatus& port = status.ports[i];
    const auto count = [i](const std::map<uint32_t, uint64_t>& counts) {
      const auto found = counts.find(i);
      return found == counts.end() ? 0 : found->second;
    };
    const bool has_pods =
        std::any_of(options_.behind.begin(), options_.behind.end(),
                    [&](const BehindFlag& behind) { return behind.port == port.name; });
    sample.ports.push_back({.name = port.name,
                            .peer = i ^ 1,
                            .link_up = port.link_up,
                            .received = port.received,
                            .has_pods = has_pods,
                            .from_pods = count(from_pods_),
                            .from_nodes = count(from_nodes_)});
  }
  sample.heartbeat_ns = appliance_.HeartbeatAges();
  return sample;
}

std::vector<std::string> Watching::NotReady() const {
  const std::lock_guard lock(mutex_);
  return not_ready_;
}

std::vector<control::PodVisibility> Watching::Visibility(const Policy& policy) const {
  if (!policy.snapshot.has_value()) return {};
  observe::VisibilityInput input{.placement = options_.worker.classify.placement,
                                 .overlays_configured = options_.overlays.has_value()};
  for (const BehindFlag& behind : options_.behind) {
    const bool pods = input.placement == Placement::kPodPort;
    input.ports.push_back({.port = behind.port,
                           .nodes = pods ? std::vector<std::string>{} : behind.names,
                           .pods = pods ? behind.names : std::vector<std::string>{}});
  }
  const std::lock_guard lock(mutex_);
  input.observed = observed_;
  return observe::VisibilityOf(*policy.snapshot, input);
}

}  // namespace npf::appliance
