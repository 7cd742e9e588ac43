// `npf replay`: a capture's packets through the engine, in order, on the capture's own clock.
#ifndef NPF_TOOLS_NPF_REPLAY_H_
#define NPF_TOOLS_NPF_REPLAY_H_

#include <string>
#include <vector>

#include "npf/input.h"
#include "npf/judge_flags.h"

namespace npf::tools {

struct ReplayFlags {
  InputFlags input;
  JudgeFlags judge;
  std::string trace;
  std::string output = "table";       // table, csv, json or jsonl
  std::string annotated;              // -w; empty: none
  std::vector<std::string> updates;   // "N=PATH,PATH"
  std::vector<std::string> overlays;  // as overlay_flags.h has them
  bool stateless = false;
  std::string checksums = "verify";     // verify, ip or ignore
  std::string vlan = "on";              // on or off
  std::string midstream = "deny";       // deny or allow
  std::string established = "rejudge";  // rejudge or keep
  uint64_t flows_max = size_t{1} << 18;
  uint64_t openings_max = 0;          // 0: a quarter of flows_max
  uint64_t flows_per_source_max = 0;  // likewise
};

// Returns the exit status. Throws BadUsage where `updates` or `overlays` are not as they should be.
int RunReplay(const ReplayFlags& flags);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_REPLAY_H_
