// Label selectors in one line, as kubectl takes them: "app=web,tier in (a,b),!canary".
#ifndef NPF_TOOLS_NPF_SELECTOR_TEXT_H_
#define NPF_TOOLS_NPF_SELECTOR_TEXT_H_

#include <optional>
#include <string>
#include <string_view>

#include "npf/model.h"

namespace npf::tools {

// Terms with a comma between them: KEY=VALUE, KEY==VALUE, KEY!=VALUE, KEY in (A,B), KEY notin
// (A,B), KEY, !KEY. nullopt, and `fault` says why, for anything else; empty text selects all.
std::optional<LabelSelector> ParseSelector(std::string_view text, std::string& fault);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_SELECTOR_TEXT_H_
