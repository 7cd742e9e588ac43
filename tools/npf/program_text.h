// What a command line declares, as plain text: the source of completion and of man pages, so that
// neither can name an option that is not there.
//
//   command_line.cc (CLI11) ── Describe() ──► ProgramText ──► completion.h: what may come next
//                                                         └─► man.h: the pages
#ifndef NPF_TOOLS_NPF_PROGRAM_TEXT_H_
#define NPF_TOOLS_NPF_PROGRAM_TEXT_H_

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}  // namespace CLI

namespace npf::tools {

struct OptionText {
  std::vector<std::string> names;    // "-f", "--file"; none of one by its place
  std::string place;                 // "SRC" of one by its place
  std::string type;                  // "PATH"; empty of a flag
  std::vector<std::string> choices;  // where it is one of a few
  std::string help;
  std::string standard;  // its default, where it is shown
  bool required = false;
  bool repeatable = false;

  bool is_flag() const { return place.empty() && type.empty(); }
  bool takes_file() const;
};

struct VerbText {
  std::string name;
  std::string description;
  std::string footer;
  std::vector<OptionText> options;
  bool hidden = false;
};

struct ProgramText {
  std::string name;
  std::string version;
  VerbText whole;  // what stands beside the verbs, or in place of one
  std::vector<VerbText> verbs;

  const VerbText* FindVerb(std::string_view verb) const;  // nullptr where there is none
};

// What man pages have that no command line says.
struct Manual {
  int section = 1;
  bool one_page = false;  // for all verbs; else one for each
  std::string synopsis;   // behind the program's name; empty: what the options say
};

ProgramText Describe(const CLI::App& app, const std::string& version);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_PROGRAM_TEXT_H_
