#include "npf/explain_live.h"

#include <optional>
#include <string_view>

#include "npf/address.h"
#include "npf/command_line.h"
#include "npf/diagnostics.h"
#include "npf/exit_status.h"
#include "npf/flow.h"
#include "npf/live.h"
#include "npf/output.h"

namespace npf::tools {
namespace {

// Pods are looked up in files by the verb; an appliance is asked about addresses.
std::optional<IpAddress> AddressOf(const std::string& end) {
  const std::optional<IpAddress> address = ParseIpAddress(end);
  if (!address) {
    PrintError("--live: not an IP address (\"" + EscapeForMessage(end) +
               "\"); `npf status --connections` has addresses with their pods");
  }
  return address;
}

std::string Json(const FlowKey& key, const control::ExplainResult& result) {
  std::string out = "{\"verdict\":" + JsonString(result.allowed ? "allow" : "deny") +
                    ",\"generation\":" + std::to_string(result.generation) + "," + KeyJson(key);
  if (!result.json.empty()) out += ",\"why\":" + result.json;
  return out + "}\n";
}

}  // namespace

void AddExplainLiveFlags(Verb& verb, ExplainLiveFlags& flags) {
  verb.AddFlag("--live", flags.live, "ask a running appliance, about addresses; without --file");
  AddSocketFlag(verb, flags.socket);
}

int RunExplainLive(const ExplainLiveFlags& flags, const QuestionText& text, bool json) {
  const std::optional<IpAddress> src = AddressOf(text.src);
  const std::optional<IpAddress> dst = AddressOf(text.dst);
  if (!src || !dst) return kExitUsage;
  if (src->family != dst->family) {
    PrintError("the two ends have no address family in common");
    return kExitUsage;
  }
  if (IsLinkControl(text.protocol, *src)) {
    PrintError("--live: neighbour discovery and MLD are never judged by policy");
    return kExitUsage;
  }
  const auto client = ConnectLive(flags.socket);
  if (client == nullptr) return kExitEnvironment;
  const FlowKey key = MakeFlowKey(*src, *dst, text.protocol.number, text.port);
  const auto result = client->Explain(key);
  if (!result.ok()) return ReportLive(result.status());
  std::string shown = result->text;
  if (!shown.empty() && shown.back() != '\n') shown += '\n';
  WriteOut(json ? Json(key, *result) : shown);
  return result->allowed ? kExitDone : kExitDenied;
}

}  // namespace npf::tools
