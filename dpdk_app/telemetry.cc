#include "telemetry.h"

#include <rte_telemetry.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <numeric>
#include <string>

#include "npf/output.h"

namespace npf::appliance {
namespace {

std::mutex handler_mutex;
control::Handler* handler = nullptr;  // guarded by handler_mutex

constexpr uint64_t kSecondNs = 1'000'000'000;

// One answer: a dictionary of names, [a-zA-Z0-9_/] only, to numbers and short texts.
class Answer {
 public:
  explicit Answer(rte_tel_data* data) : data_(data) { rte_tel_data_start_dict(data); }
  void Add(const std::string& name, uint64_t number) {
    rte_tel_data_add_dict_u64(data_, name.c_str(), number);
  }
  void Add(const std::string& name, std::string text) {
    text.resize(std::min<size_t>(text.size(), RTE_TEL_MAX_STRING_LEN - 1));
    rte_tel_data_add_dict_string(data_, name.c_str(), tools::WellFormedUtf8(text).c_str());
  }

 private:
  rte_tel_data* data_;
};

void AnswerStatus(const control::Status& status, Answer& answer) {
  answer.Add("version", status.version);
  answer.Add("mode", status.mode);
  answer.Add("placement", status.placement);
  answer.Add("ready", uint64_t{status.ready ? 1u : 0u});
  answer.Add("not_ready_reasons", status.not_ready.size());
  answer.Add("generation", status.generation);
  answer.Add("policy_hash", status.policy_hash);
  answer.Add("policy_age_seconds", status.policy_age_ns / kSecondNs);
  answer.Add("update_refused", uint64_t{status.last_refusal.empty() ? 0u : 1u});
  answer.Add("pods", status.pods);
  answer.Add("policies", status.policies);
  answer.Add("uptime_seconds", status.uptime_ns / kSecondNs);
}

void AnswerCounters(const control::Status& status, Answer& answer) {
  uint64_t allowed = 0;
  for (const control::ReasonCount& count : status.reasons) {
    if (count.allowed) allowed += count.packets;
  }
  const auto sum = [&](uint64_t control::PortStatus::*counter) {
    return std::accumulate(status.ports.begin(), status.ports.end(), uint64_t{0},
                           [&](uint64_t total, const auto& port) { return total + port.*counter; });
  };
  answer.Add("judged_packets", status.received);
  answer.Add("allowed_packets", allowed);
  answer.Add("denied_packets", status.received - std::min(allowed, status.received));
  answer.Add("port_received_packets", sum(&control::PortStatus::received));
  answer.Add("port_sent_packets", sum(&control::PortStatus::sent));
  answer.Add("port_missed_packets", sum(&control::PortStatus::missed));
  answer.Add("port_not_sent_packets", sum(&control::PortStatus::not_sent));
  answer.Add("log_suppressed", status.log_suppressed);
}

void AnswerReasons(const control::Status& status, Answer& answer) {
  for (const control::ReasonCount& count : status.reasons) {
    answer.Add((count.allowed ? "allow/" : "deny/") + count.reason, count.packets);
  }
}

// The share of a worker's loops that had packets, in thousandths: telemetry has no fractions.
void AnswerWorkers(const control::Status& status, Answer& answer) {
  for (size_t i = 0; i < status.busy.size(); ++i) {
    answer.Add("worker_" + std::to_string(i) + "_busy_permille",
               static_cast<uint64_t>(status.busy[i] * 1000));
  }
}

void AnswerConnections(const control::Status& status, Answer& answer) {
  answer.Add("entries", status.flows);
  answer.Add("entries_max", status.flows_max);
  answer.Add("openings", status.openings);
}

template <void (*kAnswer)(const control::Status&, Answer&)>
int OnCommand(const char*, const char*, rte_tel_data* data) {
  const std::lock_guard lock(handler_mutex);
  if (handler == nullptr) return -EAGAIN;
  Answer answer(data);
  kAnswer(handler->GetStatus(), answer);
  return 0;
}

struct Command {
  const char* name;
  telemetry_cb callback;
  const char* help;
};

constexpr Command kCommands[] = {
    {"/npf/status", OnCommand<AnswerStatus>, "What decides, since when, and whether it is ready."},
    {"/npf/counters", OnCommand<AnswerCounters>, "Packets judged, and what ports lost."},
    {"/npf/reasons", OnCommand<AnswerReasons>, "Packets by verdict and reason."},
    {"/npf/workers", OnCommand<AnswerWorkers>, "How busy each worker is."},
    {"/npf/connections", OnCommand<AnswerConnections>, "Connections known, and room for them."},
};

}  // namespace

absl::Status Telemetry::Start(control::Handler& asked) {
  for (const Command& command : kCommands) {
    if (rte_telemetry_register_cmd(command.name, command.callback, command.help) != 0) {
      return absl::InternalError(std::string("telemetry does not take ") + command.name);
    }
  }
  const std::lock_guard lock(handler_mutex);
  handler = &asked;
  return absl::OkStatus();
}

Telemetry::~Telemetry() {
  const std::lock_guard lock(handler_mutex);
  handler = nullptr;
}

}  // namespace npf::appliance
