#include "model/names.h"

#include <algorithm>

namespace npf::model {
namespace {

constexpr size_t kLabelMax = 63;
constexpr size_t kSubdomainMax = 253;
constexpr size_t kPortNameMax = 15;
constexpr char kQualifiedName[] =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName', or 'my.name', or '123-abc')";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsLowerAlnum(char c) { return IsDigit(c) || IsLower(c); }
bool IsAlnum(char c) { return IsLowerAlnum(c) || (c >= 'A' && c <= 'Z'); }

std::string TooLong(size_t max) { return "must be no more than " + std::to_string(max) + " bytes"; }

bool IsDns1123Label(std::string_view text) {
  return !text.empty() && IsLowerAlnum(text.front()) && IsLowerAlnum(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return IsLowerAlnum(c) || c == '-'; });
}

bool IsDns1123Subdomain(std::string_view text) {
  for (size_t start = 0;;) {
    const size_t dot = text.find('.', start);
    if (!IsDns1123Label(text.substr(start, dot - start))) return false;
    if (dot == std::string_view::npos) return true;
    start = dot + 1;
  }
}

bool IsQualifiedNamePart(std::string_view text) {
  return !text.empty() && IsAlnum(text.front()) && IsAlnum(text.back()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsAlnum(c) || c == '-' || c == '_' || c == '.'; });
}

}  // namespace

std::vector<std::string> Dns1123LabelFaults(std::string_view text) {
  std::vector<std::string> faults;
  if (text.size() > kLabelMax) faults.push_back(TooLong(kLabelMax));
  if (!IsDns1123Label(text)) {
    faults.emplace_back(
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
        "must start and end with an alphanumeric character (e.g. 'my-name', or '123-abc')");
  }
  return faults;
}

std::vector<std::string> Dns1123SubdomainFaults(std::string_view text) {
  std::vector<std::string> faults;
  if (text.size() > kSubdomainMax) faults.push_back(TooLong(kSubdomainMax));
  if (!IsDns1123Subdomain(text)) {
    faults.emplace_back(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
        "'.', and must start and end with an alphanumeric character (e.g. 'example.com')");
  }
  return faults;
}

std::vector<std::string> LabelKeyFaults(std::string_view text) {
  std::vector<std::string> faults;
  std::string_view name = text;
  const size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    const std::string_view prefix = text.substr(0, slash);
    name = text.substr(slash + 1);
    if (name.find('/') != std::string_view::npos) {
      return {std::string("a qualified name ") + kQualifiedName +
              " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"};
    }
    if (prefix.empty()) {
      faults.emplace_back("prefix part must be non-empty");
    } else {
      for (const std::string& fault : Dns1123SubdomainFaults(prefix)) {
        faults.push_back("prefix part " + fault);
      }
    }
  }
  if (name.empty()) faults.emplace_back("name part must be non-empty");
  if (name.size() > kLabelMax) faults.push_back("name part " + TooLong(kLabelMax));
  if (!IsQualifiedNamePart(name)) faults.push_back(std::string("name part ") + kQualifiedName);
  return faults;
}

std::vector<std::string> LabelValueFaults(std::string_view text) {
  std::vector<std::string> faults;
  if (text.size() > kLabelMax) faults.push_back(TooLong(kLabelMax));
  if (!text.empty() && !IsQualifiedNamePart(text)) {
    faults.emplace_back(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
        "'.', and must start and end with an alphanumeric character (e.g. 'MyValue', or "
        "'my_value', or '12345')");
  }
  return faults;
}

std::vector<std::string> PortNameFaults(std::string_view text) {
  std::vector<std::string> faults;
  if (text.size() > kPortNameMax) faults.push_back(TooLong(kPortNameMax));
  if (text.empty() ||
      !std::all_of(text.begin(), text.end(), [](char c) { return IsLowerAlnum(c) || c == '-'; })) {
    faults.emplace_back("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  }
  if (std::none_of(text.begin(), text.end(), IsLower)) {
    faults.emplace_back("must contain at least one letter (a-z)");
  }
  if (text.find("--") != std::string_view::npos) {
    faults.emplace_back("must not contain consecutive hyphens");
  }
  if (!text.empty() && (text.front() == '-' || text.back() == '-')) {
    faults.emplace_back("must not begin or end with a hyphen");
  }
  return faults;
}

std::string CanonicalDomain(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  if (out.ends_with('.')) out.pop_back();
  return out;
}

bool DomainCovers(std::string_view pattern, std::string_view name) {
  if (!pattern.starts_with("*.")) return name == pattern;
  const std::string_view suffix = pattern.substr(1);
  return name.size() > suffix.size() && name.ends_with(suffix);
}

}  // namespace npf::model
