// The verbs of npf. Each lives in files of its own and adds itself to the command line.
#ifndef NPF_TOOLS_NPF_VERBS_H_
#define NPF_TOOLS_NPF_VERBS_H_

namespace npf::tools {

class CommandLine;

void AddValidateVerb(CommandLine& line);
void AddEvalVerb(CommandLine& line);
void AddExplainVerb(CommandLine& line);
void AddReplayVerb(CommandLine& line);
void AddCompileVerb(CommandLine& line);
void AddVerifyVerb(CommandLine& line);
void AddDiffVerb(CommandLine& line);
void AddListVerb(CommandLine& line);
void AddTestVerb(CommandLine& line);
void AddGapsVerb(CommandLine& line);
void AddVersionVerb(CommandLine& line);

// Those that talk to a running appliance; none where npf is built without gRPC.
void AddLiveVerbs(CommandLine& line);
void AddStatusVerb(CommandLine& line);
void AddLoadVerb(CommandLine& line);
void AddWaitVerb(CommandLine& line);
void AddWatchVerb(CommandLine& line);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_VERBS_H_
