// Label matching as the reference evaluator reads it.
#ifndef NPF_REFERENCE_LABELS_H_
#define NPF_REFERENCE_LABELS_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "npf/model.h"
#include "reference/mutation.h"

namespace npf::reference {

using LabelMap = std::map<std::string, std::string>;

// Of all namespaces and pods of a Snapshot.
struct ObjectLabels {
  std::map<std::string, LabelMap> of_namespace;  // by name
  std::vector<LabelMap> of_pod;                  // by index of Snapshot::pods()
};

LabelMap ToMap(const Labels& labels);

// R10, R11, R13. An absent selector selects nothing.
bool SelectorMatches(const std::optional<LabelSelector>& selector, const LabelMap& labels,
                     Mutation mutation = Mutation::kNone);

}  // namespace npf::reference

#endif  // NPF_REFERENCE_LABELS_H_
