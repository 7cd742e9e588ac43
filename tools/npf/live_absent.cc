// In place of the verbs that talk to a running appliance, where npf is built without gRPC.
#include "npf/exit_status.h"
#include "npf/explain_live.h"
#include "npf/verbs.h"

namespace npf::tools {

void AddLiveVerbs(CommandLine&) {}

void AddExplainLiveFlags(Verb&, ExplainLiveFlags&) {}

int RunExplainLive(const ExplainLiveFlags&, const QuestionText&, bool) { return kExitInternal; }

}  // namespace npf::tools
