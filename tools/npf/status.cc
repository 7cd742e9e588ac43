// `npf status`: whether the appliance enforces, what, and since when; its connections, pods and
// policies where they are asked for.
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "npf/command_line.h"
#include "npf/exit_status.h"
#include "npf/live.h"
#include "npf/output.h"
#include "npf/verbs.h"

namespace npf::tools {
namespace {

using control::ControlClient;

struct StatusFlags {
  std::string socket;
  std::string output = "table";
  bool connections = false;
  bool pods = false;
  bool policies = false;
  uint64_t limit = 100;
};

std::string Number(uint64_t value) { return std::to_string(value); }

std::string Percent(double share) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.0f%%", share * 100);
  return text.data();
}

void AppendLine(std::string_view name, const std::string& value, std::string& out) {
  std::string head(name);
  head.resize(14, ' ');
  out += head + value + "\n";
}

std::string PolicyText(const control::Status& status) {
  std::string text = "generation " + Number(status.generation);
  if (!status.policy_hash.empty()) text += ", hash " + Shown(status.policy_hash);
  if (!status.policy_source.empty()) text += ", from " + Shown(status.policy_source);
  return text + ", " + DurationText(status.policy_age_ns) + " old";
}

void AppendTables(const control::Status& status, std::string& out) {
  if (!status.ports.empty()) {
    Table ports({"PORT", "LINK", ">RECEIVED", ">MISSED", ">SENT", ">NOT SENT"});
    for (const control::PortStatus& port : status.ports) {
      ports.AddRow({Shown(port.name), port.link_up ? "up" : "down", Number(port.received),
                    Number(port.missed), Number(port.sent), Number(port.not_sent)});
    }
    out += "\n" + ports.Text();
  }
  if (!status.reasons.empty()) {
    Table reasons({"REASON", "VERDICT", ">PACKETS"});
    for (const control::ReasonCount& reason : status.reasons) {
      reasons.AddRow(
          {Shown(reason.reason), reason.allowed ? "allow" : "deny", Number(reason.packets)});
    }
    out += "\n" + reasons.Text();
  }
}

std::string StatusTable(const control::Status& status) {
  std::string out;
  AppendLine("ready", status.ready ? "yes" : "no", out);
  for (const std::string& why : status.not_ready) AppendLine("  because", Shown(why), out);
  AppendLine("version", Shown(status.version) + ", up " + DurationText(status.uptime_ns), out);
  AppendLine("mode", Shown(status.mode) + ", placement " + Shown(status.placement), out);
  AppendLine("policy", PolicyText(status), out);
  AppendLine("",
             Number(status.policies) + " policies, " + Number(status.pods) + " pods, " +
                 Number(status.program_bytes) + " bytes compiled",
             out);
  if (status.unconfirmed) {
    AppendLine("unconfirmed",
               "generation " + Number(status.unconfirmed->generation) + " is taken back in " +
                   DurationText(status.unconfirmed->left_ns),
               out);
  }
  if (!status.last_refusal.empty()) AppendLine("last refusal", Shown(status.last_refusal), out);
  std::string busy;
  for (const double share : status.busy) busy += (busy.empty() ? ", busy " : " ") + Percent(share);
  AppendLine("workers", Number(status.workers) + busy, out);
  AppendLine("connections",
             Number(status.flows) + " of " + Number(status.flows_max) + ", " +
                 Number(status.openings) + " opening",
             out);
  AppendLine("packets",
             Number(status.received) + " judged, " + Number(status.log_suppressed) +
                 " denials not logged one by one",
             out);
  AppendTables(status, out);
  return out;
}

std::string JsonList(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ",") + JsonString(text);
  return "[" + out + "]";
}

std::string PortsJson(const std::vector<control::PortStatus>& ports) {
  std::string out;
  for (const control::PortStatus& port : ports) {
    out += (out.empty() ? "{\"name\":" : ",{\"name\":") + JsonString(port.name) +
           ",\"link_up\":" + (port.link_up ? "true" : "false") +
           ",\"received\":" + Number(port.received) +
           ",\"received_bytes\":" + Number(port.received_bytes) +
           ",\"missed\":" + Number(port.missed) + ",\"sent\":" + Number(port.sent) +
           ",\"sent_bytes\":" + Number(port.sent_bytes) + ",\"not_sent\":" + Number(port.not_sent) +
           "}";
  }
  return "[" + out + "]";
}

std::string ReasonsJson(const std::vector<control::ReasonCount>& reasons) {
  std::string out;
  for (const control::ReasonCount& reason : reasons) {
    out += (out.empty() ? "{\"reason\":" : ",{\"reason\":") + JsonString(reason.reason) +
           ",\"verdict\":" + (reason.allowed ? "\"allow\"" : "\"deny\"") +
           ",\"packets\":" + Number(reason.packets) + "}";
  }
  return "[" + out + "]";
}

std::string UnconfirmedJson(const control::Status& status) {
  if (!status.unconfirmed) return "null";
  return "{\"generation\":" + Number(status.unconfirmed->generation) +
         ",\"left_ns\":" + Number(status.unconfirmed->left_ns) + "}";
}

std::string BusyJson(const std::vector<double>& shares) {
  std::string out;
  for (const double share : shares) {
    std::array<char, 32> text;
    std::snprintf(text.data(), text.size(), "%.3f", share);
    out += (out.empty() ? "" : ",") + std::string(text.data());
  }
  return "[" + out + "]";
}

// docs/control.md has its members.
std::string StatusJson(const control::Status& s) {
  return "{\"ready\":" + std::string(s.ready ? "true" : "false") +
         ",\"not_ready\":" + JsonList(s.not_ready) + ",\"version\":" + JsonString(s.version) +
         ",\"mode\":" + JsonString(s.mode) + ",\"placement\":" + JsonString(s.placement) +
         ",\"generation\":" + Number(s.generation) +
         ",\"policy_hash\":" + JsonString(s.policy_hash) +
         ",\"policy_source\":" + JsonString(s.policy_source) +
         ",\"policy_age_ns\":" + Number(s.policy_age_ns) +
         ",\"last_refusal\":" + JsonString(s.last_refusal) +
         ",\"unconfirmed\":" + UnconfirmedJson(s) + ",\"pods\":" + Number(s.pods) +
         ",\"policies\":" + Number(s.policies) + ",\"program_bytes\":" + Number(s.program_bytes) +
         ",\"uptime_ns\":" + Number(s.uptime_ns) + ",\"workers\":" + Number(s.workers) +
         ",\"busy\":" + BusyJson(s.busy) + ",\"flows\":" + Number(s.flows) +
         ",\"flows_max\":" + Number(s.flows_max) + ",\"openings\":" + Number(s.openings) +
         ",\"received\":" + Number(s.received) + ",\"log_suppressed\":" + Number(s.log_suppressed) +
         ",\"ports\":" + PortsJson(s.ports) + ",\"reasons\":" + ReasonsJson(s.reasons) + "}\n";
}

int RunConnections(ControlClient& client, const StatusFlags& flags) {
  const auto found = client.ListConnections(flags.limit);
  if (!found.ok()) return ReportLive(found.status());
  WriteOut(flags.output == "json" ? ConnectionJson(*found) : ConnectionTable(*found));
  return kExitDone;
}

int RunPods(ControlClient& client, const StatusFlags& flags) {
  const auto pods = client.GetVisibility();
  if (!pods.ok()) return ReportLive(pods.status());
  Table table({"POD", "ENFORCED", "WHY"});
  std::string json;
  for (const control::PodVisibility& pod : *pods) {
    table.AddRow({Shown(pod.pod), Shown(pod.enforced), Shown(pod.why)});
    json += (json.empty() ? "{\"pod\":" : ",{\"pod\":") + JsonString(pod.pod) +
            ",\"enforced\":" + JsonString(pod.enforced) + ",\"why\":" + JsonString(pod.why) + "}";
  }
  WriteOut(flags.output == "json" ? "{\"pods\":[" + json + "]}\n" : table.Text());
  return kExitDone;
}

int RunPolicies(ControlClient& client, const StatusFlags& flags) {
  const auto counts = client.GetPolicyCounts();
  if (!counts.ok()) return ReportLive(counts.status());
  Table table({"POLICY", "TIER", "VERDICT", ">PACKETS"});
  std::string json;
  for (const control::PolicyCount& count : *counts) {
    const std::string verdict = count.allowed ? "allow" : "deny";
    table.AddRow({Shown(count.policy), Shown(count.tier), verdict, Number(count.packets)});
    json += (json.empty() ? "{\"policy\":" : ",{\"policy\":") + JsonString(count.policy) +
            ",\"tier\":" + JsonString(count.tier) + ",\"verdict\":" + JsonString(verdict) +
            ",\"packets\":" + Number(count.packets) + "}";
  }
  WriteOut(flags.output == "json" ? "{\"policies\":[" + json + "]}\n" : table.Text());
  return kExitDone;
}

int RunStatus(const StatusFlags& flags) {
  if (flags.connections + flags.pods + flags.policies > 1) {
    throw BadUsage("of --connections, --pods and --policies, give one");
  }
  const auto client = ConnectLive(flags.socket);
  if (client == nullptr) return kExitEnvironment;
  if (flags.connections) return RunConnections(*client, flags);
  if (flags.pods) return RunPods(*client, flags);
  if (flags.policies) return RunPolicies(*client, flags);
  const auto status = client->GetStatus();
  if (!status.ok()) return ReportLive(status.status());
  WriteOut(flags.output == "json" ? StatusJson(*status) : StatusTable(*status));
  return status->ready ? kExitDone : kExitDenied;
}

}  // namespace

void AddStatusVerb(CommandLine& line) {
  Verb verb = line.AddVerb("status", "what a running appliance enforces, and whether it does");
  auto flags = std::make_shared<StatusFlags>();
  AddSocketFlag(verb, flags->socket);
  verb.AddChoice("-o,--output", flags->output, {"table", "json"}, "table or json");
  verb.AddFlag("--connections", flags->connections, "the connections it has, instead");
  verb.AddFlag("--pods", flags->pods, "for which pods policy is enforced here, instead");
  verb.AddFlag("--policies", flags->policies, "how often each policy decided, instead");
  verb.AddNumber("--limit", flags->limit, {.min = 1, .max = 100'000},
                 "how many connections at most");
  verb.SetFooter(
      "Status 0 where it is ready, 1 where it is not, 4 where nobody can be asked.\n\n"
      "Example:\n"
      "  npf status\n"
      "  npf status --connections --limit 20\n"
      "  npf status -o json | jq .generation");
  verb.OnRun([flags] { return RunStatus(*flags); });
}

}  // namespace npf::tools
