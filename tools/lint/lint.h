// lint: what is legal in a set of policies, and yet probably not meant.
//
//     Snapshot ──► Facts ────► selectors  ports  rules  blocks  isolation  tiers  mesh  input
//                    │ groups of pods that no       │                        │
//                    │ selector tells apart         └──► findings ◄──────────┘
//                    └─ ResolvedPolicy ──► Effects: what each rule adds to each pair of classes
//                                                      │
//                        annotations npf/lint-ignore ──┴──► silenced, sorted
//
// Three kinds of evidence. *Structure*: a selector whose requirements are all among another's, a
// range of ports within another; it holds whatever pods there are, so it needs none. *Groups*:
// which of the given pods a selector matches. *Classes*: what the compiled structure says of each
// pair of address classes and each port class, which is complete for the given objects, so that
// "this rule changes nothing" is a proof and no sample. Each kind is used only where it can speak:
// without pods nothing is said about selectors that match none.
//
// Invariants: a finding that claims proof bears something that another evaluator can check
// (finding.h). Equal Snapshots give equal findings. Cost is that of compiling, once; no rule is
// taken out and compiled again.
#ifndef NPF_TOOLS_LINT_LINT_H_
#define NPF_TOOLS_LINT_LINT_H_

#include <span>
#include <string>
#include <vector>

#include "lint/finding.h"
#include "npf/diagnostics.h"
#include "npf/load.h"
#include "npf/snapshot.h"

namespace npf::lint {

struct LintInput {
  const Snapshot& snapshot;              // best with keep_positions and assume_addresses
  std::span<const Diagnostic> warnings;  // of loading it
  std::span<const ForeignPolicy> foreign;
};

struct LintOutcome {
  std::vector<Finding> findings;        // in input order; silenced ones bear the reason
  std::vector<std::string> unanswered;  // what could not be looked for, and why
};

LintOutcome Lint(const LintInput& input);

}  // namespace npf::lint

#endif  // NPF_TOOLS_LINT_LINT_H_
