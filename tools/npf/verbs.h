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
void AddVersionVerb(CommandLine& line);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_VERBS_H_
