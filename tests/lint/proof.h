// Whether what a finding of lint claims is so, asked of the reference evaluator, which knows
// nothing of classes and of lint.
#ifndef NPF_TESTS_LINT_PROOF_H_
#define NPF_TESTS_LINT_PROOF_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "lint/finding.h"
#include "testing/cluster.h"

namespace npf::testing {

// The cluster without a part: policies isolate as before, and a rule that loses its last peer or
// port goes with it.
Cluster Without(const Cluster& cluster, const lint::PolicyPart& part);

// The cluster, and pods and namespaces that its selectors match, so that what is said to hold
// whatever pods there are has to hold with these.
Cluster Peopled(const Cluster& cluster, uint64_t seed);

// Puts the proofs of findings about one cluster to the evaluator.
class ProofJudge {
 public:
  ProofJudge(const Cluster& cluster, size_t questions);
  // What is wrong with it; empty where it holds, and of advice.
  std::string Judge(const lint::Finding& finding, uint64_t seed) const;

 private:
  std::string JudgeProbe(const lint::Probe& probe) const;
  std::string JudgePart(const lint::PolicyPart& part, bool each_direction, uint64_t seed) const;
  // Of a policy without pods: none of those it selects may ask DNS.
  std::string JudgeDns(const lint::Finding& finding) const;

  const Cluster& cluster_;
  Snapshot snapshot_;
  reference::Evaluator evaluator_;
  size_t questions_;
};

}  // namespace npf::testing

#endif  // NPF_TESTS_LINT_PROOF_H_
