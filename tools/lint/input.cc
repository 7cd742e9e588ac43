// What loading knows already: addresses that two pods have, policies that are not enforced, and
// warnings that no other finding repeats.
#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "lint/checks.h"
#include "model/pod_addresses.h"

namespace npf::lint {
namespace {

bool IsAt(const Position& a, const Position& b) {
  return std::tie(a.file, a.line, a.column) == std::tie(b.file, b.line, b.column);
}

// Those that tell what loading warns of, too.
constexpr Id kRepeating[] = {Id::kRuleOtherDirection, Id::kNamedPortMissing, Id::kEqualPriority,
                             Id::kSharedAddress};

// The same field, or one around or in the other.
bool IsSaidBy(const Finding& finding, const Diagnostic& warning) {
  const bool repeats =
      std::find(std::begin(kRepeating), std::end(kRepeating), finding.id) != std::end(kRepeating);
  if (!repeats || finding.object != warning.object) return false;
  return finding.field.starts_with(warning.field) || warning.field.starts_with(finding.field);
}

void CheckSharedAddresses(const Facts& facts, Reporter& reporter) {
  const auto holders = model::HoldersOf(facts.snapshot().pods());
  for (const auto& [address, pod, other] : model::SharedAmong(holders)) {
    Finding& finding =
        reporter.Add(Id::kSharedAddress, pod->position, NameOf(*pod),
                     npf::ToString(address) + " is also the address of " + NameOf(*other) +
                         ": policies of one of them are applied to both, or to neither");
    finding.field = "status.podIPs";
    finding.suggestion =
        "one of them is out of date: take the objects again, and leave out pods that have ended";
    finding.related.push_back({other->position, NameOf(*other), "status.podIPs", "has it, too"});
  }
}

void ReportForeign(const LintInput& input, Reporter& reporter) {
  for (const ForeignPolicy& policy : input.foreign) {
    Finding& finding =
        reporter.Add(Id::kForeignPolicy, policy.position, policy.object,
                     policy.kind + " is not read: whatever it allows or denies is missing here");
    finding.field = "kind";
    finding.suggestion = "judge with what enforces it, or write it as a NetworkPolicy";
  }
}

}  // namespace

void CheckInput(const Facts& facts, const LintInput& input, std::vector<Finding>& findings) {
  Reporter reporter(findings);
  CheckSharedAddresses(facts, reporter);
  ReportForeign(input, reporter);
  const size_t known = findings.size();
  for (const Diagnostic& warning : input.warnings) {
    if (warning.severity != Severity::kWarning) continue;
    if (warning.object.starts_with("Namespace ") && warning.field.empty()) continue;
    const bool is_said = std::any_of(
        findings.begin(), findings.begin() + static_cast<ptrdiff_t>(known),
        [&](const Finding& finding) {
          return IsSaidBy(finding, warning) ||
                 (finding.id == Id::kForeignPolicy && IsAt(finding.position, warning.position));
        });
    if (is_said) continue;
    Finding& finding =
        reporter.Add(Id::kInputWarning, warning.position, warning.object, warning.detail);
    finding.field = warning.field;
  }
}

}  // namespace npf::lint
