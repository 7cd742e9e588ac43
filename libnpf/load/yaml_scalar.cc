#include "load/yaml_scalar.h"

#include <algorithm>
#include <charconv>
#include <string>

namespace npf::load {
namespace {

constexpr std::string_view kBooleans[] = {
    "y", "Y", "yes", "Yes", "YES", "on",  "On",  "ON",  "true",  "True",  "TRUE",
    "n", "N", "no",  "No",  "NO",  "off", "Off", "OFF", "false", "False", "FALSE"};
constexpr std::string_view kNulls[] = {"", "~", "null", "Null", "NULL"};
constexpr std::string_view kSpecialFloats[] = {".nan", ".NaN", ".NAN", ".inf", ".Inf", ".INF"};

template <size_t kSize>
bool IsOneOf(std::string_view text, const std::string_view (&list)[kSize]) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string_view WithoutSign(std::string_view text) {
  return !text.empty() && (text[0] == '+' || text[0] == '-') ? text.substr(1) : text;
}

bool AreDigits(std::string_view text, int base) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [base](char c) {
    const int value = IsDigit(c)               ? c - '0'
                      : (c >= 'a' && c <= 'f') ? c - 'a' + 10
                      : (c >= 'A' && c <= 'F') ? c - 'A' + 10
                                               : 16;
    return value < base;
  });
}

struct Notation {
  int base = 10;
  std::string digits;
};

// nullopt where the text is no whole number. Underscores may stand between digits.
std::optional<Notation> WholeNumberNotation(std::string_view text) {
  Notation notation;
  notation.digits = std::string(WithoutSign(text));
  std::erase(notation.digits, '_');
  std::string& digits = notation.digits;
  if (digits.size() > 1 && digits[0] == '0') {
    const char mark = digits[1];
    const bool has_mark = !IsDigit(mark);
    if (mark == 'x' || mark == 'X') notation.base = 16;
    if (mark == 'b' || mark == 'B') notation.base = 2;
    if (mark == 'o' || mark == 'O' || !has_mark) notation.base = 8;
    if (notation.base != 10) digits.erase(0, has_mark ? 2 : 1);
  }
  if (!AreDigits(digits, notation.base)) return std::nullopt;
  return notation;
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool IsFloat(std::string_view text) {
  std::string_view rest = WithoutSign(text);
  if (IsOneOf(rest, kSpecialFloats)) return true;
  const auto take_digits = [&rest] {
    size_t count = 0;
    while (count < rest.size() && IsDigit(rest[count])) ++count;
    rest.remove_prefix(count);
    return count;
  };
  const size_t whole = take_digits();
  size_t fraction = 0;
  if (!rest.empty() && rest[0] == '.') {
    rest.remove_prefix(1);
    fraction = take_digits();
  }
  if (whole + fraction == 0) return false;
  if (rest.empty()) return true;
  if (rest[0] != 'e' && rest[0] != 'E') return false;
  rest = WithoutSign(rest.substr(1));
  return take_digits() > 0 && rest.empty();
}

}  // namespace

NodeKind PlainScalarKind(std::string_view text) {
  if (IsOneOf(text, kNulls)) return NodeKind::kNull;
  const char first = text[0];
  if (IsDigit(first) || first == '+' || first == '-' || first == '.') {
    if (WholeNumberNotation(text).has_value()) return NodeKind::kInt;
    if (IsFloat(text)) return NodeKind::kFloat;
    return NodeKind::kString;
  }
  return IsOneOf(text, kBooleans) ? NodeKind::kBool : NodeKind::kString;
}

std::optional<WholeNumber> ParseWholeNumber(std::string_view text) {
  const std::optional<Notation> notation = WholeNumberNotation(text);
  if (!notation.has_value()) return std::nullopt;
  const bool negative = !text.empty() && text[0] == '-';
  const std::string digits = (negative ? "-" : "") + notation->digits;
  WholeNumber number;
  const char* end = digits.data() + digits.size();
  const auto [parsed_to, error] = std::from_chars(digits.data(), end, number.value, notation->base);
  if (error != std::errc() || parsed_to != end) return std::nullopt;
  number.odd = digits != text;
  return number;
}

}  // namespace npf::load
