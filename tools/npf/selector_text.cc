#include "npf/selector_text.h"

#include <vector>

#include "model/names.h"
#include "npf/diagnostics.h"

namespace npf::tools {
namespace {

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// Splits at commas outside parentheses.
std::vector<std::string_view> Terms(std::string_view text) {
  std::vector<std::string_view> terms;
  size_t begin = 0;
  int depth = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && text[i] == '(') ++depth;
    if (i < text.size() && text[i] == ')') --depth;
    if (i == text.size() || (text[i] == ',' && depth == 0)) {
      terms.push_back(Trimmed(text.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  return terms;
}

// "KEY in (A,B)" with `word` " in "; false where it is no such term.
bool TakeSet(std::string_view term, std::string_view word, const char* op,
             LabelRequirement& requirement) {
  const size_t at = term.find(word);
  if (at == std::string_view::npos || !term.ends_with(')')) return false;
  const std::string_view rest = Trimmed(term.substr(at + word.size()));
  if (!rest.starts_with('(')) return false;
  requirement.key = Trimmed(term.substr(0, at));
  requirement.op = op;
  for (const std::string_view value : Terms(rest.substr(1, rest.size() - 2))) {
    requirement.values.emplace_back(value);
  }
  return true;
}

LabelRequirement ParseTerm(std::string_view term) {
  LabelRequirement requirement;
  if (TakeSet(term, " in ", "In", requirement) || TakeSet(term, " notin ", "NotIn", requirement)) {
    return requirement;
  }
  const size_t equal = term.find('=');
  if (equal == std::string_view::npos) {
    const bool absent = term.starts_with('!');
    requirement.op = absent ? "DoesNotExist" : "Exists";
    requirement.key = Trimmed(term.substr(absent ? 1 : 0));
    return requirement;
  }
  const bool differs = equal > 0 && term[equal - 1] == '!';
  const bool doubled = !differs && term.substr(equal).starts_with("==");
  requirement.op = differs ? "NotIn" : "In";
  requirement.key = Trimmed(term.substr(0, differs ? equal - 1 : equal));
  requirement.values.emplace_back(Trimmed(term.substr(equal + (doubled ? 2 : 1))));
  return requirement;
}

}  // namespace

std::optional<LabelSelector> ParseSelector(std::string_view text, std::string& fault) {
  LabelSelector selector;
  if (Trimmed(text).empty()) return selector;
  for (const std::string_view term : Terms(text)) {
    LabelRequirement requirement = ParseTerm(term);
    std::vector<std::string> faults = model::LabelKeyFaults(requirement.key);
    for (const std::string& value : requirement.values) {
      const std::vector<std::string> more = model::LabelValueFaults(value);
      faults.insert(faults.end(), more.begin(), more.end());
    }
    if (!faults.empty()) {
      fault = "not a selector (\"" + EscapeForMessage(term) + "\"): " + faults.front();
      return std::nullopt;
    }
    selector.match_expressions.push_back(std::move(requirement));
  }
  return selector;
}

}  // namespace npf::tools
