#include "npf/output.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>

namespace npf::tools {
namespace {

// Length in bytes of the UTF-8 sequence at `text[at]`, 0 where there is none.
size_t Utf8Length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(at);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || at + length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and numbers beyond U+10FFFF.
  const uint8_t second = byte(at + 1);
  if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
      (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) {
    return 0;
  }
  return length;
}

void AppendUnicodeEscape(uint8_t code, std::string& out) {
  char escape[8];
  std::snprintf(escape, sizeof(escape), "\\u%04x", unsigned{code});
  out += escape;
}

void AppendEscaped(char c, std::string& out) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  if (static_cast<uint8_t>(c) < 0x20 || c == 0x7f) {
    AppendUnicodeEscape(static_cast<uint8_t>(c), out);
    return;
  }
  out += c;
}

}  // namespace

bool WriteOut(std::string_view text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
}

bool FlushOut() { return std::fflush(stdout) == 0 && std::ferror(stdout) == 0; }

void PrintError(std::string_view text) {
  std::fprintf(stderr, "npf: %.*s\n", static_cast<int>(text.size()), text.data());
}

const char* VerdictWord(bool allowed) { return allowed ? "allow" : "deny"; }

std::string Plural(uint64_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

std::string JsonString(std::string_view text) {
  std::string out = "\"";
  for (size_t at = 0; at < text.size();) {
    const size_t length = Utf8Length(text, at);
    if (length == 0) {
      out += "\\ufffd";
      ++at;
    } else if (length == 1) {
      AppendEscaped(text[at++], out);
    } else {
      const auto second = static_cast<uint8_t>(text[at + 1]);
      if (text[at] == '\xc2' && second < 0xa0) {
        AppendUnicodeEscape(second, out);
      } else {
        out += text.substr(at, length);
      }
      at += length;
    }
  }
  out += '"';
  return out;
}

std::string WellFormedUtf8(std::string_view text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const size_t length = Utf8Length(text, at);
    out += length == 0 ? "\xef\xbf\xbd" : text.substr(at, length);
    at += std::max<size_t>(length, 1);
  }
  return out;
}

Table::Table(std::vector<std::string> headers) : headers_(std::move(headers)) {
  for (std::string& header : headers_) {
    const bool right = !header.empty() && header.front() == '>';
    if (right) header.erase(0, 1);
    right_.push_back(right);
  }
}

void Table::AddRow(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

std::string Table::Text() const {
  std::vector<size_t> widths;
  for (size_t column = 0; column < headers_.size(); ++column) {
    size_t width = headers_[column].size();
    for (const auto& row : rows_) width = std::max(width, row[column].size());
    widths.push_back(width);
  }
  std::string out;
  const auto append = [&](const std::vector<std::string>& row) {
    std::string line;
    for (size_t column = 0; column < row.size(); ++column) {
      const std::string padding(widths[column] - row[column].size(), ' ');
      if (column > 0) line += "  ";
      line += right_[column] ? padding + row[column] : row[column] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  };
  append(headers_);
  for (const auto& row : rows_) append(row);
  return out;
}

}  // namespace npf::tools
