#include "model/selector.h"

#include <algorithm>

namespace npf::model {
namespace {

bool Meets(const LabelRequirement& requirement, const Labels& labels) {
  const std::string* value = labels.Find(requirement.key);
  const auto listed = [&] {
    return std::find(requirement.values.begin(), requirement.values.end(), *value) !=
           requirement.values.end();
  };
  // NotIn and DoesNotExist also match where the key is absent.
  if (requirement.op == "In") return value != nullptr && listed();
  if (requirement.op == "NotIn") return value == nullptr || !listed();
  if (requirement.op == "Exists") return value != nullptr;
  return value == nullptr;
}

}  // namespace

bool Matches(const LabelSelector& selector, const Labels& labels) {
  for (const auto& [key, wanted] : selector.match_labels) {
    const std::string* value = labels.Find(key);
    if (value == nullptr || *value != wanted) return false;
  }
  return std::all_of(selector.match_expressions.begin(), selector.match_expressions.end(),
                     [&](const LabelRequirement& r) { return Meets(r, labels); });
}

}  // namespace npf::model
