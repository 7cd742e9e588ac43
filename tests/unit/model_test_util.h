// What the tests of the model and of the loader share.
#ifndef NPF_TESTS_UNIT_MODEL_TEST_UTIL_H_
#define NPF_TESTS_UNIT_MODEL_TEST_UTIL_H_

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include "npf/diagnostics.h"

namespace npf {

// A diagnostic as tests expect it: `detail` is a part of the message.
struct Expected {
  std::string field;
  std::string type;  // "warning" for warnings
  std::string detail;
};

inline std::string Summary(const Diagnostic& diagnostic) {
  const std::string type = diagnostic.severity == Severity::kWarning ? "warning" : diagnostic.type;
  return diagnostic.field + " | " + type + " | " + diagnostic.detail;
}

inline bool Fits(const Diagnostic& diagnostic, const Expected& expected) {
  const std::string type = diagnostic.severity == Severity::kWarning ? "warning" : diagnostic.type;
  return diagnostic.field == expected.field && type == expected.type &&
         diagnostic.detail.find(expected.detail) != std::string::npos;
}

// Empty where the diagnostics are just those, in that order; else what they are.
inline std::string Difference(const Diagnostics& diagnostics, const std::vector<Expected>& expected,
                              bool with_warnings = true) {
  std::vector<Diagnostic> found;
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (!with_warnings && diagnostic.severity == Severity::kWarning) continue;
    found.push_back(diagnostic);
    text += "\n  " + Summary(diagnostic);
  }
  const bool same = std::equal(found.begin(), found.end(), expected.begin(), expected.end(), Fits);
  if (same) return "";
  return "found" + (text.empty() ? " nothing" : text) + "\nexpected " +
         std::to_string(expected.size());
}

}  // namespace npf

#endif  // NPF_TESTS_UNIT_MODEL_TEST_UTIL_H_
