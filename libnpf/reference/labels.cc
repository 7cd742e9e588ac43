#include "reference/labels.h"

#include <algorithm>

#include "reference/switched_on.h"

namespace npf::reference {
namespace {

// R10: "In (key present and value in set), NotIn (key absent => matches, or value not in set),
// Exists, DoesNotExist."
bool RequirementMatches(const LabelRequirement& requirement, const LabelMap& labels,
                        Mutation mutation) {
  const auto label = labels.find(requirement.key);
  const bool present = label != labels.end();
  const auto& values = requirement.values;
  const bool listed =
      present && std::find(values.begin(), values.end(), label->second) != values.end();
  if (requirement.op == "In") return present && listed;
  if (requirement.op == "NotIn") {
    if (SwitchedOn(Mutation::kNotInNeedsKey, mutation)) return present && !listed;
    return !present || !listed;
  }
  if (requirement.op == "Exists") return present;
  if (requirement.op == "DoesNotExist") {
    if (SwitchedOn(Mutation::kDoesNotExistIgnoresEmptyValue, mutation)) {
      return !present || label->second.empty();
    }
    return !present;
  }
  return false;
}

}  // namespace

LabelMap ToMap(const Labels& labels) { return LabelMap(labels.begin(), labels.end()); }

bool SelectorMatches(const std::optional<LabelSelector>& selector, const LabelMap& labels,
                     Mutation mutation) {
  // R11: "nil selector pointer selects nothing; empty selector selects everything".
  if (!selector) return false;
  // R10: "matchLabels = exact equality with key present; everything ANDed." R13: byte-exact.
  for (const auto& [key, value] : selector->match_labels) {
    const auto label = labels.find(key);
    if (label == labels.end() || label->second != value) return false;
  }
  return std::all_of(selector->match_expressions.begin(), selector->match_expressions.end(),
                     [&](const LabelRequirement& requirement) {
                       return RequirementMatches(requirement, labels, mutation);
                     });
}

}  // namespace npf::reference
