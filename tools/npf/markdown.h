// Tables as GitHub's Markdown has them.
#ifndef NPF_TOOLS_NPF_MARKDOWN_H_
#define NPF_TOOLS_NPF_MARKDOWN_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace npf::tools {

// One line. What would end a cell, or be a tag, is escaped.
std::string MarkdownRow(const std::vector<std::string>& cells);
std::string MarkdownRule(size_t columns);  // the line below the headers

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_MARKDOWN_H_
