// The examples of rules.h for the cluster-wide tiers (R80 to R95).
#ifndef NPF_TESTS_CONFORMANCE_TIER_RULES_H_
#define NPF_TESTS_CONFORMANCE_TIER_RULES_H_

#include <vector>

#include "conformance/rules.h"

namespace npf::testing {

std::vector<RuleExample> TierExamples();

}  // namespace npf::testing

#endif  // NPF_TESTS_CONFORMANCE_TIER_RULES_H_
