// The verbs of npf. Each lives in files of its own and adds itself to the command line; when it has
// run, `exit_status` is what the process returns (exit_status.h).
#ifndef NPF_TOOLS_NPF_VERBS_H_
#define NPF_TOOLS_NPF_VERBS_H_

namespace CLI {
class App;
}

namespace npf::tools {

void AddValidateVerb(CLI::App& app, int& exit_status);
void AddEvalVerb(CLI::App& app, int& exit_status);
void AddExplainVerb(CLI::App& app, int& exit_status);
void AddReplayVerb(CLI::App& app, int& exit_status);
void AddCompileVerb(CLI::App& app, int& exit_status);
void AddVerifyVerb(CLI::App& app, int& exit_status);
void AddVersionVerb(CLI::App& app, int& exit_status);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_VERBS_H_
