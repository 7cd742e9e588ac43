// `npf watch`: the packets that an appliance denies, as it denies them.
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "npf/command_line.h"
#include "npf/exit_status.h"
#include "npf/live.h"
#include "npf/output.h"
#include "npf/protocol.h"
#include "npf/verbs.h"

namespace npf::tools {
namespace {

using control::DeniedPacket;

struct WatchFlags {
  std::string socket;
  uint64_t count = 0;
  std::string output = "table";
};

std::string TimeText(uint64_t ns) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E6SZ", absl::FromUnixNanos(static_cast<int64_t>(ns)),
                          absl::UTCTimeZone());
}

std::string PodText(const std::string& pod) { return pod.empty() ? "" : " (" + Shown(pod) + ")"; }

// One line, with what does not fit into columns at its end.
std::string Line(const DeniedPacket& packet) {
  std::string out = TimeText(packet.time_ns) + "  " + Shown(packet.reason);
  if (packet.key.family != 0) {
    out += "  " + ProtocolName(packet.key.protocol) + " " + EndText(packet.key, true) +
           PodText(packet.src_pod) + " -> " + EndText(packet.key, false) + PodText(packet.dst_pod);
  }
  out += "  on " + Shown(packet.port);
  if (packet.packets > 1) out += "  x" + std::to_string(packet.packets);
  if (!packet.why.empty()) out += "  " + Shown(packet.why);
  if (packet.suppressed > 0) {
    out += "  (" + std::to_string(packet.suppressed) + " before it are not told)";
  }
  return out + "\n";
}

std::string Json(const DeniedPacket& packet) {
  std::string out = "{\"time\":" + JsonString(TimeText(packet.time_ns)) +
                    ",\"verdict\":\"deny\",\"reason\":" + JsonString(packet.reason);
  if (packet.key.family != 0) out += "," + KeyJson(packet.key);
  if (!packet.src_pod.empty()) out += ",\"src_pod\":" + JsonString(packet.src_pod);
  if (!packet.dst_pod.empty()) out += ",\"dst_pod\":" + JsonString(packet.dst_pod);
  return out + ",\"port\":" + JsonString(packet.port) + ",\"why\":" + JsonString(packet.why) +
         ",\"packets\":" + std::to_string(packet.packets) +
         ",\"suppressed\":" + std::to_string(packet.suppressed) + "}\n";
}

int RunWatch(const WatchFlags& flags) {
  const auto client = ConnectLive(flags.socket);
  if (client == nullptr) return kExitEnvironment;
  uint64_t seen = 0;
  const absl::Status ended = client->WatchDenied([&](const DeniedPacket& packet) {
    const bool written = WriteOut(flags.output == "jsonl" ? Json(packet) : Line(packet));
    return FlushOut() && written && ++seen != flags.count;
  });
  return ended.ok() ? kExitDone : ReportLive(ended);
}

}  // namespace

void AddWatchVerb(CommandLine& line) {
  Verb verb = line.AddVerb("watch", "the packets that a running appliance denies");
  auto flags = std::make_shared<WatchFlags>();
  AddSocketFlag(verb, flags->socket);
  verb.AddNumber("-n,--count", flags->count, {.min = 0, .max = UINT64_MAX},
                 "end after so many lines; 0: never");
  verb.AddChoice("-o,--output", flags->output, {"table", "jsonl"}, "table or jsonl");
  verb.SetFooter(
      "Example:\n"
      "  npf watch\n"
      "  npf watch -n 10 -o jsonl");
  verb.OnRun([flags] { return RunWatch(*flags); });
}

}  // namespace npf::tools
