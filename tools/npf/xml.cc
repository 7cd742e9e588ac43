#include "npf/xml.h"

#include "npf/output.h"

namespace npf::tools {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

bool IsNoncharacter(std::string_view text, size_t at) {
  const std::string_view three = text.substr(at, 3);
  return three == "\xef\xbf\xbe" || three == "\xef\xbf\xbf";
}

std::string Escaped(std::string_view text, std::string_view kept) {
  const std::string whole = WellFormedUtf8(text);
  std::string out;
  for (size_t i = 0; i < whole.size(); ++i) {
    const auto c = static_cast<unsigned char>(whole[i]);
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else if (kept.find(whole[i]) != std::string_view::npos) {
      out += whole[i];
    } else if (c == '\n' || c == '\t' || c == '\r') {
      out += "&#" + std::to_string(c) + ";";  // else a reader would make another white space of it
    } else if (c < 0x20) {
      out += kReplacement;
    } else if (IsNoncharacter(whole, i)) {
      out += kReplacement;
      i += 2;
    } else {
      out += whole[i];
    }
  }
  return out;
}

}  // namespace

std::string XmlAttribute(std::string_view text) { return Escaped(text, ""); }
std::string XmlContent(std::string_view text) { return Escaped(text, "\n\t"); }

}  // namespace npf::tools
