// A capture through two Programs at once: which of its flows fare differently.
#ifndef NPF_TOOLS_NPF_DIFF_TRACE_H_
#define NPF_TOOLS_NPF_DIFF_TRACE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "npf/flow.h"
#include "npf/program.h"
#include "npf/verdict.h"
#include "npf/worker.h"

namespace npf::tools {

// What went from one address to another with one protocol and destination port, in the direction in
// which its connections began, and which only one of the two allows.
struct ChangedFlow {
  FlowKey key{};
  bool now_allowed = false;         // else it was
  Reason reason = Reason::kPolicy;  // of the side that denies it
  uint64_t packets = 0;
  uint64_t bytes = 0;
  uint64_t first_packet = 0;  // its number in the capture
};

struct TraceDifference {
  static constexpr size_t kFlowsMax = 100'000;
  std::vector<ChangedFlow> flows;  // those with most packets first
  uint64_t packets = 0;            // of the capture
  uint64_t changed_packets = 0;
  uint64_t beyond_flows = 0;  // changed packets of flows beyond kFlowsMax
};

// Judges each packet by both, each with its own connections. Returns the exit status; what was read
// before a bad record is in `out`, and the record is told on stderr.
int CompareOnTrace(const std::string& trace, const Program& before, const Program& after,
                   const WorkerOptions& options, TraceDifference& out);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_DIFF_TRACE_H_
