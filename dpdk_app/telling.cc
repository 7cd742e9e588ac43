#include "telling.h"

#include <rte_version.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "npf/commit.h"
#include "npf/explain.h"
#include "npf/replay_record.h"
#include "npf/version.h"
#include "npf/why.h"
#include "wire_worker.h"

namespace npf::appliance {
namespace {

uint64_t EpochNs() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

// The policy that a denial is told to be of: in the direction that denied, the one whose rule
// missed most narrowly, or one of those that isolate.
std::string PolicyOf(const DirectionExplanation& side) {
  if (!side.judged || side.allowed) return "";
  for (const TierMatch& match : side.tiers) {
    if (match.tier == side.decided_by) return match.rule.policy;
  }
  if (side.nearest.has_value()) return side.nearest->rule.policy;
  return side.isolating.empty() ? "" : side.isolating.front();
}

}  // namespace

Telling::Telling(const Options& options, Appliance& appliance)
    : options_(options), appliance_(appliance) {}

Telling::~Telling() {
  if (control_ != nullptr) control_->Stop(std::chrono::seconds(2));
  http_.reset();
  stop_.store(true);
  if (log_thread_.joinable()) log_thread_.join();
  appliance_.SetLog(nullptr);
}

absl::Status Telling::OpenSocket() {
  if (options_.control.empty()) return absl::OkStatus();
  absl::StatusOr<control::ListeningSocket> socket =
      control::ListeningSocket::Open(options_.control, "");
  if (!socket.ok()) return socket.status();
  socket_ = *std::move(socket);
  return absl::OkStatus();
}

absl::Status Telling::Start() {
  if (absl::Status status = StartLog(); !status.ok()) return status;
  if (absl::Status status = StartHttp(); !status.ok()) return status;
  return StartControl();
}

absl::Status Telling::StartLog() {
  observe::LineSink sink;
  if (!options_.deny_log.empty()) {
    absl::StatusOr<observe::LineSink> opened = observe::LineSink::Open(options_.deny_log);
    if (!opened.ok()) return opened.status();
    sink = *std::move(opened);
  }
  std::vector<std::string> names;
  for (const control::PortStatus& port : appliance_.GetStatus().ports) names.push_back(port.name);
  log_ = std::make_unique<observe::DenyLog>(
      observe::DenyLogOptions{
          .ports = std::move(names),
          .details = [this](const observe::DenialEvent& event) { return DetailsOf(event); }},
      std::move(sink));
  appliance_.SetLog(log_.get());
  log_thread_ = std::thread([this] { RunLog(); });
  return absl::OkStatus();
}

void Telling::RunLog() {
  while (!stop_.load()) {
    if (MoveDenials() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    log_->Tick(EpochNs());
  }
  while (MoveDenials() != 0) {
  }
  log_->Flush(EpochNs());
}

// From the ring of the workers to the log.
size_t Telling::MoveDenials() {
  std::array<Denial, 512> denials;
  const size_t count = appliance_.TakeDenials(denials);
  const uint64_t epoch_ns = EpochNs() - MonotonicNs();
  std::vector<observe::DenialEvent> events;
  for (size_t i = 0; i < count; ++i) {
    const Denial& denial = denials[i];
    events.push_back({.time_ns = denial.time_ns + epoch_ns,
                      .key = denial.key,
                      .reason = denial.reason,
                      .reply = denial.reply,
                      .port = appliance_.PortIndex(denial.port)});
  }
  log_->Add(events);
  const uint64_t lost = appliance_.untold();
  log_->CountLost(lost - lost_);
  lost_ = lost;
  return count;
}

observe::DenialDetails Telling::DetailsOf(const observe::DenialEvent& event) const {
  const PolicyPtr policy = appliance_.policy();
  observe::DenialDetails details;
  if (event.key.family == 0) return details;
  details.src_pod = policy->names.PodOf(SourceOf(event.key));
  details.dst_pod = policy->names.PodOf(DestinationOf(event.key));
  if (!IsOfPolicy(event.reason)) return details;
  const Explanation explanation = npf::Explain(policy->program, options_.worker.classify,
                                               tools::ConnectionKey(event.key, event.reply));
  details.egress = explanation.egress.allowed;
  details.ingress = explanation.ingress.allowed;
  details.policy = PolicyOf(explanation.egress);
  if (details.policy.empty()) details.policy = PolicyOf(explanation.ingress);
  details.why = tools::DenialText(explanation);
  details.generation = appliance_.generation();
  return details;
}

observe::MetricsInput Telling::CollectMetrics() {
  return {.build = {.version = std::string(kLibraryVersion),
                    .revision = std::string(tools::kCommit),
                    .dpdk = rte_version()},
          .status = appliance_.GetStatus(),
          .policies = appliance_.GetPolicyCounts(),
          .bursts = appliance_.bursts(),
          .failing_open = appliance_.failing_open(),
          .rejects = appliance_.rejects()};
}

absl::Status Telling::StartHttp() {
  if (options_.metrics.empty()) return absl::OkStatus();
  observe::HttpHandlers handlers{
      .metrics = [this] { return page_.Text([this] { return CollectMetrics(); }); },
      .unhealthy = [this] { return appliance_.Unhealthy(); },
      .not_ready = [this] { return appliance_.GetStatus().not_ready; }};
  absl::StatusOr<std::unique_ptr<observe::HttpServer>> server =
      observe::HttpServer::Start(options_.metrics, std::move(handlers));
  if (!server.ok()) return server.status();
  http_ = *std::move(server);
  return absl::OkStatus();
}

absl::Status Telling::StartControl() {
  if (!socket_.has_value()) return absl::OkStatus();
  absl::StatusOr<std::unique_ptr<control::ControlServer>> server =
      control::ControlServer::Start({.path = options_.control}, appliance_, *std::move(socket_));
  if (!server.ok()) return server.status();
  control_ = *std::move(server);
  return absl::OkStatus();
}

}  // namespace npf::appliance
