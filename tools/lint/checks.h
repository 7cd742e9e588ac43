// The families of checks, one file each. Each adds what it finds.
#ifndef NPF_TOOLS_LINT_CHECKS_H_
#define NPF_TOOLS_LINT_CHECKS_H_

#include <string>
#include <vector>

#include "lint/effects.h"
#include "lint/facts.h"
#include "lint/lint.h"

namespace npf::lint {

void CheckSelectors(const Facts& facts, Reporter& reporter);
void CheckPorts(const Facts& facts, Reporter& reporter);
// Structure first; a rule that it finds covered is not spoken of again.
void CheckRules(const Facts& facts, const Effects* effects, Reporter& reporter);
void CheckBlocks(const Facts& facts, const Effects* effects, Reporter& reporter);
void CheckIsolation(const Facts& facts, const Effects* effects, Reporter& reporter);
void CheckTiers(const Facts& facts, const Effects* effects, Reporter& reporter);
void CheckMeshes(const Facts& facts, Reporter& reporter);
// What loading found; last, for what another finding says already is left out.
void CheckInput(const Facts& facts, const LintInput& input, std::vector<Finding>& findings);
// Annotations "npf/lint-ignore" of the objects; after all others.
void Silence(const Facts& facts, std::vector<Finding>& findings);

}  // namespace npf::lint

#endif  // NPF_TOOLS_LINT_CHECKS_H_
