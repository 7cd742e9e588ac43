// R70, and a warning for selectors that can match nothing.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "model/names.h"
#include "model/validate.h"

namespace npf::model {
namespace {

// What all requirements on one key together ask for.
struct KeyDemand {
  bool present = false;
  bool absent = false;
  std::optional<std::set<std::string>> allowed;  // In, matchLabels: intersected
  std::set<std::string> refused;                 // NotIn: united

  void Allow(std::set<std::string> values) {
    present = true;
    if (allowed.has_value()) {
      std::erase_if(values, [&](const std::string& value) { return !allowed->contains(value); });
    }
    allowed = std::move(values);
  }
  bool IsContradiction() const {
    if (present && absent) return true;
    return allowed.has_value() &&
           std::all_of(allowed->begin(), allowed->end(),
                       [&](const std::string& value) { return refused.contains(value); });
  }
};

void WarnOfContradiction(const LabelSelector& selector, const std::string& field,
                         ObjectFaults& faults) {
  std::map<std::string, KeyDemand> demands;
  for (const auto& [key, value] : selector.match_labels) demands[key].Allow({value});
  for (const LabelRequirement& requirement : selector.match_expressions) {
    KeyDemand& demand = demands[requirement.key];
    std::set<std::string> values(requirement.values.begin(), requirement.values.end());
    if (requirement.op == "In") demand.Allow(std::move(values));
    if (requirement.op == "NotIn") demand.refused.merge(values);
    if (requirement.op == "Exists") demand.present = true;
    if (requirement.op == "DoesNotExist") demand.absent = true;
  }
  for (const auto& [key, demand] : demands) {
    if (!demand.IsContradiction()) continue;
    faults.Warning(field, "selects nothing: what it asks of label \"" + EscapeForMessage(key) +
                              "\" contradicts itself");
  }
}

void ValidateRequirement(const LabelRequirement& requirement, const std::string& field,
                         ObjectFaults& faults) {
  const std::string& op = requirement.op;
  if (op == "In" || op == "NotIn") {
    if (requirement.values.empty()) {
      faults.Error(field + ".values", "Required",
                   "must be specified when `operator` is 'In' or 'NotIn'");
    }
  } else if (op == "Exists" || op == "DoesNotExist") {
    if (!requirement.values.empty()) {
      faults.Error(field + ".values", "Forbidden",
                   "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    }
  } else {
    faults.Error(
        field + ".operator", "Invalid",
        "not a valid selector operator" + Found(op) + "; In, NotIn, Exists or DoesNotExist");
  }
  for (const std::string& fault : LabelKeyFaults(requirement.key)) {
    faults.Error(field + ".key", "Invalid", fault + Found(requirement.key));
  }
  for (size_t v = 0; v < requirement.values.size(); ++v) {
    for (const std::string& fault : LabelValueFaults(requirement.values[v])) {
      faults.Error(field + ".values[" + std::to_string(v) + "]", "Invalid",
                   fault + Found(requirement.values[v]));
    }
  }
}

}  // namespace

void ValidateSelector(const LabelSelector& selector, const std::string& field,
                      ObjectFaults& faults) {
  const size_t errors_before = faults.error_count();
  ValidateLabels(selector.match_labels, field + ".matchLabels", faults);
  for (size_t k = 0; k < selector.match_expressions.size(); ++k) {
    ValidateRequirement(selector.match_expressions[k],
                        field + ".matchExpressions[" + std::to_string(k) + "]", faults);
  }
  const bool can_contradict =
      selector.match_expressions.size() > 1 ||
      (!selector.match_expressions.empty() && !selector.match_labels.empty());
  if (can_contradict && faults.error_count() == errors_before) {
    WarnOfContradiction(selector, field, faults);
  }
}

}  // namespace npf::model
