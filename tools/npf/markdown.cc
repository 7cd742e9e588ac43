#include "npf/markdown.h"

namespace npf::tools {

std::string MarkdownRow(const std::vector<std::string>& cells) {
  std::string out = "|";
  for (const std::string& cell : cells) {
    out += ' ';
    for (const char c : cell) {
      if (c == '|' || c == '*' || c == '<' || c == '_' || c == '`' || c == '\\') out += '\\';
      out += c == '\n' || c == '\r' ? ' ' : c;
    }
    out += " |";
  }
  return out + "\n";
}

std::string MarkdownRule(size_t columns) {
  std::string out = "|";
  for (size_t i = 0; i < columns; ++i) out += "---|";
  return out + "\n";
}

}  // namespace npf::tools
