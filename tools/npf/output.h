// What verbs print on standard output: data only, in whole lines. Messages go to stderr.
#ifndef NPF_TOOLS_NPF_OUTPUT_H_
#define NPF_TOOLS_NPF_OUTPUT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace npf::tools {

// Appends to standard output. False once it cannot be written (a closed pipe, a full disk): long
// work should stop then. main() turns that into exit status 4.
bool WriteOut(std::string_view text);
// Flushes; false where anything was lost.
bool FlushOut();

// "npf: TEXT" on stderr.
void PrintError(std::string_view text);

const char* VerdictWord(bool allowed);  // "allow", "deny"

// "1 row", "2 rows".
std::string Plural(uint64_t count, std::string_view what);

// `text` as a JSON string, with its quotes. Bytes that are not UTF-8 become U+FFFD; no control
// character is left that a terminal would obey, those from U+0080 to U+009F among them.
std::string JsonString(std::string_view text);

// `text`, with U+FFFD in place of each byte that is not part of well-formed UTF-8.
std::string WellFormedUtf8(std::string_view text);

// Columns as wide as their widest cell, two spaces between them.
class Table {
 public:
  // A header that begins with '>' is shown without it, and its column is aligned right.
  explicit Table(std::vector<std::string> headers);
  void AddRow(std::vector<std::string> cells);  // as many as there are headers
  std::string Text() const;

 private:
  std::vector<std::string> headers_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_OUTPUT_H_
