// `npf gaps`: what was seen delivered although policy denies it.
//
//   captures ─┐  gaps/: what was seen      gap_judge: what policy said of it    gap_report
//             ├─► and what that proves ──►  when it was seen             ──────► rows, counts
//   flow logs ┘                            gap_findings: rows
#ifndef NPF_TOOLS_NPF_GAPS_H_
#define NPF_TOOLS_NPF_GAPS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "npf/input.h"
#include "npf/worker_flags.h"

namespace npf::tools {

struct GapsFlags {
  InputFlags input;
  std::vector<std::string> captures;
  std::vector<std::string> captured_at;  // NODE, NAMESPACE/POD or "fabric"; one, or one a capture
  std::vector<std::string> flow_logs;
  std::vector<std::string> updates;  // "TIME=PATH,PATH"
  WorkerFlags overlays;              // of which only these are used
  uint64_t grace_s = 5;
  uint64_t connections_max = size_t{1} << 18;
  bool unanswered = false;
  std::string output = "table";  // table, json or jsonl
};

// Returns the exit status: kExitDenied where a gap is proven. Throws BadUsage.
int RunGaps(const GapsFlags& flags);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_GAPS_H_
