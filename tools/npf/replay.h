// `npf replay`: a capture's packets through the engine, in order, on the capture's own clock.
#ifndef NPF_TOOLS_NPF_REPLAY_H_
#define NPF_TOOLS_NPF_REPLAY_H_

#include <string>
#include <vector>

#include "npf/input.h"
#include "npf/judge_flags.h"
#include "npf/worker_flags.h"

namespace npf::tools {

struct ReplayFlags {
  InputFlags input;
  JudgeFlags judge;
  std::string trace;
  std::string output = "table";      // table, csv, json or jsonl
  std::string annotated;             // -w; empty: none
  std::vector<std::string> updates;  // "N=PATH,PATH"
  WorkerFlags worker;
};

// Returns the exit status. Throws BadUsage where `updates` or `overlays` are not as they should be,
// or flags contradict each other.
int RunReplay(const ReplayFlags& flags);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_REPLAY_H_
