// "PATH,PATH", as options take it.
#ifndef NPF_TOOLS_NPF_PATH_LIST_H_
#define NPF_TOOLS_NPF_PATH_LIST_H_

#include <string>
#include <string_view>
#include <vector>

namespace npf::tools {

// Throws BadUsage, which begins with `option`, where one is empty.
std::vector<std::string> SplitPaths(std::string_view option, std::string_view text);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_PATH_LIST_H_
