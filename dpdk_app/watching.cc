#include "watching.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <utility>

#include "appliance.h"
#include "npf/address.h"
#include "npf/flow.h"

namespace npf::appliance {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;

uint64_t PacketsOf(const control::Status& status, std::string_view reason) {
  uint64_t packets = 0;
  for (const control::ReasonCount& count : status.reasons) {
    if (count.reason == reason) packets += count.packets;
  }
  return packets;
}

bool IsBehind(const BehindFlag& behind, const std::string& name) {
  return std::find(behind.names.begin(), behind.names.end(), name) != behind.names.end();
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
    if (now_ns - looked_ns >= kSecondNs) {
      looked_ns = now_ns;
      Look();
      if (appliance_.Unhealthy().empty()) notifier_.Alive();
    }
    std::this_thread::sleep_for(kStep);
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
}

void Watching::LearnPolicy(PolicyPtr policy) {
  if (policy == policy_) return;
  policy_ = std::move(policy);
  people_.clear();
  if (!policy_->snapshot.has_value()) return;
  for (const Node& node : policy_->snapshot->nodes()) {
    for (const std::string& address : node.addresses) Learn(address, {node.name, false});
  }
  for (const Pod& pod : policy_->snapshot->pods()) {
    const bool ended = pod.phase == PodPhase::kSucceeded || pod.phase == PodPhase::kFailed;
    if (pod.host_network || ended) continue;
    for (const std::string& address : pod.ips) Learn(address, {pod.node_name, true});
  }
}

void Watching::Learn(const std::string& address, Who who) {
  if (const std::optional<IpAddress> parsed = ParseIpAddress(address); parsed.has_value()) {
    people_[ToString(*parsed)] = std::move(who);
  }
}

void Watching::LookAtSeen() {
  std::array<Seen, 512> seen;
  while (const size_t count = appliance_.TakeSeen(seen)) {
    for (size_t i = 0; i < count; ++i) Note(seen[i]);
    if (count < seen.size()) return;
  }
}

// A first packet of a connection.
void Watching::Note(const Seen& seen) {
  const auto src = people_.find(ToString(SourceOf(seen.key)));
  if (src == people_.end()) return;
  const uint32_t port = appliance_.PortIndex(seen.port);
  ++(src->second.is_pod ? from_pods_ : from_nodes_)[port];
  const auto dst = people_.find(ToString(DestinationOf(seen.key)));
  const bool both_pods = src->second.is_pod && dst != people_.end() && dst->second.is_pod;
  if (both_pods && !src->second.node.empty() && src->second.node == dst->second.node) ++same_node_;
  // Behind another port than the one it came by.
  const std::string name = appliance_.PortNameAt(port);
  const bool by_node = options_.worker.classify.placement != Placement::kPodPort;
  for (const BehindFlag& behind : options_.behind) {
    if (by_node && behind.port != name && IsBehind(behind, src->second.node)) ++spoofed_;
  }
}

observe::ReadinessSample Watching::MakeSample(const control::Status& status) const {
  observe::ReadinessSample sample{.now_ns = MonotonicNs(),
                                  .policy_active = status.generation != 0,
                                  .refusal = status.last_refusal,
                                  .refused_ns = MonotonicNs() - refused_at_ns_,
                                  .spoofed = PacketsOf(status, "spoofed") + spoofed_,
                                  .opaque = PacketsOf(status, "opaque"),
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
