// The rules of docs/semantics.md as examples: one small cluster, and for each rule the policies and
// the packets that tell the right reading from the wrong ones. Needs no data from outside.
#ifndef NPF_TESTS_CONFORMANCE_RULES_H_
#define NPF_TESTS_CONFORMANCE_RULES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "npf/snapshot.h"
#include "reference/evaluator.h"

namespace npf::testing {

struct RuleExample {
  std::string rules;     // "R10 NotIn"
  std::string policies;  // YAML
  // "SRC DST PROTOCOL[/PORT] OUTCOME REASON"; SRC and DST are names of RuleAddresses() or
  // addresses; OUTCOME is allow, or which directions deny: in, out, both.
  std::vector<std::string> rows;
  bool lenient = false;  // `policies` has fields that are not known
};

struct RuleRow {
  reference::Question question;
  bool ingress = true;
  bool egress = true;
  std::string reason;
};

const std::vector<RuleExample>& RuleExamples();
absl::StatusOr<Snapshot> RuleSnapshot(const RuleExample& example);
RuleRow ReadRow(const std::string& text);

}  // namespace npf::testing

#endif  // NPF_TESTS_CONFORMANCE_RULES_H_
