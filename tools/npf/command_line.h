// The command line, in words of our own. CLI11 parses it; only command_line.cc includes CLI11,
// whose header costs more to compile than a verb.
//
//   CommandLine line("npf", "what the command is", "npf 0.1.0", "what stands below the help");
//   Verb verb = line.AddVerb("explain", "the verdict for one question, and why");
//   verb.AddText("SRC", flags->src, "an IP address").Required();
//   verb.AddChoice("-o,--output", flags->output, {"table", "json"}, "table or json");
//   verb.OnRun([flags] { return RunExplain(*flags); });
//   return line.Run(argc, argv);
//
// What options are bound to must live until Run() returns.
#ifndef NPF_TOOLS_NPF_COMMAND_LINE_H_
#define NPF_TOOLS_NPF_COMMAND_LINE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "npf/exit_status.h"
#include "npf/program_text.h"

namespace CLI {
class Option;
}  // namespace CLI

namespace npf::tools {

// A verb throws it where its options are wrong in a way that only it can see: "--update: ...".
class BadUsage : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What is wrong with an option's text; "" where nothing is.
using OptionCheck = std::function<std::string(const std::string&)>;

// An option that is being declared; names are "-f,--file", or "SRC" for one by its place.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}
  Option& Required();
  Option& ShowDefault();                  // in the help: the value it has now
  Option& Type(const std::string& name);  // as the help names its values
  Option& Check(OptionCheck check, const std::string& type);
  Option& SeveralAtOnce();  // "--list a b" is "--list a --list b"

 private:
  CLI::Option* option_;
};

struct NumberRange {
  uint64_t min = 0;
  uint64_t max = 0;
};

class Verb {
 public:
  Verb(CLI::App* app, int* exit_status) : app_(app), exit_status_(exit_status) {}
  Option AddText(const std::string& names, std::string& value, const std::string& help);
  // Repeatable, one value each time.
  Option AddTexts(const std::string& names, std::vector<std::string>& values,
                  const std::string& help);
  // One of `choices`; its help shows the default.
  void AddChoice(const std::string& names, std::string& value,
                 const std::vector<std::string>& choices, const std::string& help);
  // Its help shows the default.
  void AddNumber(const std::string& names, uint64_t& value, NumberRange range,
                 const std::string& help);
  void AddPositiveNumber(const std::string& names, uint64_t& value, const std::string& help);
  void AddFlag(const std::string& names, bool& value, const std::string& help);
  // Those of its options that can be named on the command line, without dashes: "file", "mode".
  std::vector<std::string> OptionNames() const;
  void SetFooter(const std::string& text);  // below the verb's help
  void OnRun(std::function<int()> run);     // gives the exit status

 private:
  CLI::App* app_;
  int* exit_status_;
};

// How a program describes itself: completion and man.
struct Describing {
  std::string version;
  Manual manual;
};
// Adds the verbs "completion SHELL", and "man", which is not told of. What they are given must live
// until the command line was parsed.
void AddDescribingVerbs(CLI::App& app, const Describing& describing, int& exit_status);
// Answers a shell that asks (see completion.h); false where none does.
bool AnswerShell(const CLI::App& app, int argc, char** argv);

class CommandLine {
 public:
  CommandLine(const std::string& name, const std::string& description, const std::string& version,
              const std::string& footer);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  Verb AddVerb(const std::string& name, const std::string& description);
  void SetManual(Manual manual) { describing_.manual = std::move(manual); }
  // What a call without a required -f is told beside that.
  void SetHintOfInput(std::string hint) { hint_of_input_ = std::move(hint); }
  // Runs the verb that the arguments name, and gives the exit status. Bad usage is one line on
  // stderr.
  int Run(int argc, char** argv);

 private:
  int ReportUsage(std::string text) const;

  std::unique_ptr<CLI::App> app_;
  Describing describing_;
  std::string hint_of_input_;
  int exit_status_ = kExitDone;
};

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_COMMAND_LINE_H_
