// Evidence from flow logs: what the forwarder claims.
//
//   Hubble    an event a value: {"flow":{...},"node_name":...,"time":...} as `hubble observe -o
//   json`
//             and the exporter write them, or the flow alone (`-o jsonpb` of older ones). Events of
//             one connection are gathered, in the direction that `is_reply` or the TCP flags say.
//             A reply that came from the destination proves delivery; TO_ENDPOINT, or a policy
//             verdict for ingress, is the claim of the destination's node; else it left its sender.
//   Goldmane  a flow a value: as its gRPC API maps to JSON ({"id":...,"flow":{"Key":{...},...}},
//   names
//             in either case), as Calico Whisker's /flows gives it ({"source_name":...}), alone, in
//             lists under "flows" or "items", or as server-sent events. Ends are names of pods or
//             of sets of pods ("frontend-5d4f*"), packets are counted over a window of time.
//             Allowed, with packets in both directions, proves delivery.
//
// Which of the two a value is, its members say; others are an error. Values that are no flow of
// packets (L7, lost events, states of nodes) are counted and skipped.
#ifndef NPF_TOOLS_GAPS_FLOW_LOG_H_
#define NPF_TOOLS_GAPS_FLOW_LOG_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "capture/source.h"
#include "gaps/connection_table.h"

namespace npf::load {
struct Node;
}

namespace npf::gaps {

struct FlowLogCounts {
  uint64_t flows = 0;
  uint64_t skipped = 0;   // no flows of packets
  uint64_t unclear = 0;   // flows of unknown direction
  uint64_t lost = 0;      // events that Hubble says it lost
  uint64_t left_out = 0;  // flows of connections for which there was no room
};

class FlowLog {
 public:
  FlowLog(size_t connections_max, const SeenSink& sink)
      : table_(connections_max, sink), sink_(sink) {}

  // Reads one log to its end. kInvalidArgument with "line 17: ..." where it is no flow log, after
  // everything before was taken; kResourceExhausted where a value is too long.
  absl::Status Read(std::unique_ptr<capture::ByteSource> source);
  // Tells every connection that is left.
  void Finish() { table_.Finish(); }
  FlowLogCounts counts() const;

 private:
  // Each gives what is wrong with a value, or "".
  std::string Take(const load::Node& value);
  std::string TakeHubble(const load::Node& flow, const load::Node& wrapper);
  std::string TakeGoldmane(const load::Node& flow);

  ConnectionTable table_;
  SeenSink sink_;
  FlowLogCounts counts_;
};

}  // namespace npf::gaps

#endif  // NPF_TOOLS_GAPS_FLOW_LOG_H_
