// `npf explain --live`: the same question, answered by a running appliance.
#ifndef NPF_TOOLS_NPF_EXPLAIN_LIVE_H_
#define NPF_TOOLS_NPF_EXPLAIN_LIVE_H_

#include <string>

#include "npf/question.h"

namespace npf::tools {

class Verb;

struct ExplainLiveFlags {
  bool live = false;
  std::string socket;
};

// Adds --live and --socket, where this npf can talk to an appliance.
void AddExplainLiveFlags(Verb& verb, ExplainLiveFlags& flags);

int RunExplainLive(const ExplainLiveFlags& flags, const QuestionText& text, bool json);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_EXPLAIN_LIVE_H_
