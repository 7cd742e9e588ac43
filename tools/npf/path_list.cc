#include "npf/path_list.h"

#include "npf/command_line.h"
#include "npf/diagnostics.h"

namespace npf::tools {

std::vector<std::string> SplitPaths(std::string_view option, std::string_view text) {
  std::vector<std::string> paths;
  std::string_view rest = text;
  while (true) {
    const size_t comma = rest.find(',');
    paths.emplace_back(rest.substr(0, comma));
    if (paths.back().empty()) {
      throw BadUsage(std::string(option) + ": has an empty path (" + EscapeForMessage(text) + ")");
    }
    if (comma == std::string_view::npos) return paths;
    rest.remove_prefix(comma + 1);
  }
}

}  // namespace npf::tools
