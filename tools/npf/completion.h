// Completion in shells. The shell asks the program itself, `npf __complete WORD...`, so completion
// is always of the very program that is installed; what a shell needs is a script of a few lines.
#ifndef NPF_TOOLS_NPF_COMPLETION_H_
#define NPF_TOOLS_NPF_COMPLETION_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "npf/program_text.h"

namespace npf::tools {

inline constexpr char kCompleteWord[] = "__complete";
inline constexpr std::string_view kShells[] = {"bash", "zsh", "fish"};

// What may stand in place of the last of `words`, which are those behind the program's name and may
// end in an empty one: lines of "CANDIDATE\tWHAT IT IS", and last ":0" where files may stand there
// too, ":4" where they may not. kubectl asks its plugins in the same way.
std::string Complete(const ProgramText& program, std::span<const std::string> words);

// The script of one of kShells for a program of this name.
std::string CompletionScript(std::string_view shell, std::string_view program);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_COMPLETION_H_
