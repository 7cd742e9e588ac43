#include <vector>

#include "absl/strings/str_replace.h"
#include "npf/man.h"

namespace npf::tools {
namespace {

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

// Where `mark` comes next, from `from` on; npos where nowhere.
size_t Next(std::string_view text, std::string_view mark, size_t from) {
  return from > text.size() ? std::string_view::npos : text.find(mark, from);
}

// A line's code, emphasis and links.
std::string RoffLine(std::string_view line) {
  std::string out;
  std::string plain;
  const auto flush = [&] {
    out += RoffText(plain);
    plain.clear();
  };
  for (size_t i = 0; i < line.size();) {
    const std::string_view rest = line.substr(i);
    const std::string_view mark = rest.starts_with("**") ? "**" : rest.substr(0, 1);
    const bool is_code = mark == "`";
    const bool is_marked = is_code || mark == "**" || (mark == "*" && !rest.starts_with("* "));
    const size_t end = is_marked ? Next(line, mark, i + mark.size()) : std::string_view::npos;
    const size_t bracket = mark == "[" ? Next(line, "](", i) : std::string_view::npos;
    const size_t close = bracket == std::string_view::npos ? bracket : Next(line, ")", bracket);
    if (end != std::string_view::npos) {
      flush();
      std::string inner = RoffText(line.substr(i + mark.size(), end - i - mark.size()));
      // Long words of code may be broken behind a comma.
      if (is_code) inner = absl::StrReplaceAll(inner, {{",", ",\\:"}});
      out += (mark == "*" ? "\\fI" : "\\fB") + inner + "\\fR";
      i = end + mark.size();
    } else if (close != std::string_view::npos) {
      plain += line.substr(i + 1, bracket - i - 1);
      i = close + 1;
    } else {
      plain += line[i++];
    }
  }
  flush();
  return out;
}

std::vector<std::string_view> Cells(std::string_view row) {
  std::vector<std::string_view> cells;
  row.remove_prefix(1);
  while (!row.empty()) {
    size_t end = row.find('|');
    while (end != std::string_view::npos && end > 0 && row[end - 1] == '\\') {
      end = row.find('|', end + 1);
    }
    if (end == std::string_view::npos) break;
    cells.push_back(Trimmed(row.substr(0, end)));
    row.remove_prefix(end + 1);
  }
  return cells;
}

// Lines in, roff out; what a line is depends on those before it.
class Writer {
 public:
  void Take(std::string_view line) {
    if (line.starts_with("```")) {
      out_ += fenced_ ? ".EE\n" : ".PP\n.EX\n";
      fenced_ = !fenced_;
      in_text_ = false;
    } else if (fenced_) {
      out_ += RoffText(line) + "\n";
    } else {
      TakeProse(Trimmed(line));
    }
  }
  std::string Text() { return out_ + (fenced_ ? ".EE\n" : ""); }

 private:
  void TakeProse(std::string_view line) {
    const bool is_row = line.starts_with("|");
    if (!is_row) rows_ = 0;
    if (line.empty()) {
      in_text_ = false;
    } else if (line.starts_with("#")) {
      const bool is_title = line.starts_with("# ");
      while (line.starts_with("#")) line.remove_prefix(1);
      if (!is_title) out_ += ".SS " + RoffLine(Trimmed(line)) + "\n";
      in_text_ = !is_title;
    } else if (is_row) {
      TakeRow(line);
    } else if (line.starts_with("- ") || line.starts_with("* ")) {
      out_ += ".IP \\(bu 2\n" + RoffLine(line.substr(2)) + "\n";
      in_text_ = true;
    } else {
      if (!in_text_) out_ += ".PP\n";
      out_ += RoffLine(line) + "\n";
      in_text_ = true;
    }
  }

  // The head of a table and the line below it say little where there are no columns.
  void TakeRow(std::string_view line) {
    in_text_ = false;
    if (++rows_ <= 2) return;
    const std::vector<std::string_view> cells = Cells(line);
    if (cells.empty()) return;
    out_ += ".TP\n" + RoffLine(cells[0]) + "\n";
    std::string rest;
    for (size_t i = 1; i < cells.size(); ++i) {
      if (!cells[i].empty()) rest += (rest.empty() ? "" : "; ") + RoffLine(cells[i]);
    }
    out_ += (rest.empty() ? "\\&" : rest) + "\n";
  }

  std::string out_;
  bool fenced_ = false;
  bool in_text_ = true;  // nothing has to part it from what comes
  size_t rows_ = 0;
};

}  // namespace

std::string RoffText(std::string_view text) {
  std::string out;
  bool at_start = true;
  for (const char c : text) {
    if (at_start && (c == '.' || c == '\'')) out += "\\&";
    at_start = c == '\n';
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '"') {
      out += "\\(dq";
    } else {
      out += c;
    }
  }
  return out;
}

std::string RoffOfMarkdown(std::string_view markdown) {
  Writer writer;
  while (!markdown.empty()) {
    const size_t end = std::min(markdown.find('\n'), markdown.size());
    writer.Take(markdown.substr(0, end));
    markdown.remove_prefix(std::min(end + 1, markdown.size()));
  }
  return writer.Text();
}

}  // namespace npf::tools
