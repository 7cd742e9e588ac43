#include "lint/lint.h"

#include <algorithm>
#include <memory>
#include <tuple>

#include "lint/checks.h"

namespace npf::lint {
namespace {

// What concerns the input as a whole comes last.
void SortByPlace(std::vector<Finding>& findings) {
  const auto place = [](const Finding& finding) {
    const Position& position = finding.position;
    return std::tuple(position.file == 0, position.file, position.line, position.column);
  };
  std::stable_sort(findings.begin(), findings.end(), [&](const Finding& a, const Finding& b) {
    return std::tuple(place(a), std::string_view(a.object), std::string_view(a.field), a.id) <
           std::tuple(place(b), std::string_view(b.object), std::string_view(b.field), b.id);
  });
}

}  // namespace

LintOutcome Lint(const LintInput& input) {
  LintOutcome outcome;
  const Facts facts(input.snapshot);
  std::unique_ptr<Effects> effects;
  if (facts.knows_pods()) {
    std::string why_not;
    effects = Effects::Make(input.snapshot, why_not);
    if (effects == nullptr) {
      outcome.unanswered.push_back("what rules come to was not looked at: " + why_not);
    }
    if (!facts.knows_namespaces()) {
      outcome.unanswered.push_back(
          "no Namespace was given: nothing is said about namespaceSelectors that match none");
    }
  } else {
    outcome.unanswered.push_back(
        "no Pod and no workload was given: nothing is said about selectors that match none, ports "
        "that pods lack, and what rules come to");
  }
  Reporter reporter(outcome.findings);
  CheckSelectors(facts, reporter);
  CheckPorts(facts, reporter);
  CheckRules(facts, effects.get(), reporter);
  CheckBlocks(facts, effects.get(), reporter);
  CheckIsolation(facts, effects.get(), reporter);
  CheckTiers(facts, effects.get(), reporter);
  CheckMeshes(facts, reporter);
  CheckInput(facts, input, outcome.findings);
  Silence(facts, outcome.findings);
  SortByPlace(outcome.findings);
  return outcome;
}

}  // namespace npf::lint
