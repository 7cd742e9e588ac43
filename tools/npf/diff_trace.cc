#include "npf/diff_trace.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "capture/capture.h"
#include "npf/exit_status.h"
#include "npf/output.h"
#include "npf/replay_record.h"

namespace npf::tools {
namespace {

class TraceComparer {
 public:
  TraceComparer(const Program& before, const Program& after, const WorkerOptions& options,
                TraceDifference& out)
      : before_(before, options), after_(after, options), out_(out) {}

  absl::Status Run(capture::CaptureReader& reader, const std::string& name) {
    capture::CapturePacket packet;
    absl::StatusOr<bool> more = false;
    while ((more = reader.Next(packet)).ok() && *more) {
      for (const std::string& warning : reader.TakeWarnings()) {
        PrintError(name + ": warning: " + warning);
      }
      Judge(packet);
    }
    for (auto& [key, flow] : flows_) out_.flows.push_back(flow);
    std::sort(out_.flows.begin(), out_.flows.end(), [](const auto& a, const auto& b) {
      return a.packets != b.packets ? a.packets > b.packets : a.first_packet < b.first_packet;
    });
    return more.status();
  }

 private:
  void Judge(const capture::CapturePacket& packet) {
    ++out_.packets;
    const Frame frame{.packet = {.data = packet.data.data(),
                                 .length = static_cast<uint32_t>(packet.data.size()),
                                 .wire_length = packet.wire_length},
                      .link = packet.link};
    Judgement was;
    Judgement is;
    before_.Process({&frame, 1}, packet.time_ns, {&was, 1});
    after_.Process({&frame, 1}, packet.time_ns, {&is, 1});
    const bool was_allowed = was.verdict.allowed != 0;
    const bool now_allowed = is.verdict.allowed != 0;
    if (was_allowed == now_allowed) return;
    ++out_.changed_packets;
    // The side that allows it knows its connection, and so the direction in which that began.
    FlowKey key = ConnectionKey(now_allowed ? is : was);
    key.src_port = 0;
    std::string name(sizeof(key) + 1, now_allowed ? '1' : '0');
    std::memcpy(name.data(), &key, sizeof(key));
    auto found = flows_.find(name);
    if (found == flows_.end()) {
      if (flows_.size() == TraceDifference::kFlowsMax) {
        ++out_.beyond_flows;
        return;
      }
      const auto reason = static_cast<Reason>((now_allowed ? was : is).verdict.reason);
      found = flows_.emplace(std::move(name), ChangedFlow{key, now_allowed, reason}).first;
      found->second.first_packet = packet.number;
    }
    ++found->second.packets;
    found->second.bytes += packet.wire_length;
  }

  Worker before_;
  Worker after_;
  TraceDifference& out_;
  absl::flat_hash_map<std::string, ChangedFlow> flows_;
};

}  // namespace

int CompareOnTrace(const std::string& trace, const Program& before, const Program& after,
                   const WorkerOptions& options, TraceDifference& out) {
  auto reader = capture::OpenCapture(trace);
  absl::Status status = reader.status();
  if (reader.ok()) status = TraceComparer(before, after, options, out).Run(**reader, trace);
  if (status.ok()) return kExitDone;
  PrintError(trace + ": " + std::string(status.message()));
  return absl::IsInvalidArgument(status) ? kExitBadInput : kExitEnvironment;
}

}  // namespace npf::tools
