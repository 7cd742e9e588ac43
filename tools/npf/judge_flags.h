// The flags that say where and how verdicts are made; shared by eval, explain, replay and verify.
#ifndef NPF_TOOLS_NPF_JUDGE_FLAGS_H_
#define NPF_TOOLS_NPF_JUDGE_FLAGS_H_

#include <string>

#include "npf/flow.h"

namespace npf::tools {

class Verb;

struct JudgeFlags {
  std::string placement = "offline";     // offline, pod-port, node-wire or fabric
  std::string direction = "both";        // egress, ingress or both
  std::string unknown_pod = "external";  // external or deny
};

// Adds --placement, --direction and --unknown-pod; other values are bad usage.
void AddJudgeFlags(Verb& verb, JudgeFlags& flags);

ClassifyOptions ToClassifyOptions(const JudgeFlags& flags);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_JUDGE_FLAGS_H_
