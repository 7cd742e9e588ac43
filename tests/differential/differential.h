// The compiled engine against the reference evaluator: the same questions to both, and a failure
// made small enough to read.
#ifndef NPF_TESTS_DIFFERENTIAL_DIFFERENTIAL_H_
#define NPF_TESTS_DIFFERENTIAL_DIFFERENTIAL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "npf/classify.h"
#include "npf/compiler.h"
#include "reference/evaluator.h"
#include "testing/cluster.h"
#include "testing/question_generator.h"

namespace npf::testing {

inline constexpr PairKind kPairKinds[] = {PairKind::kDense, PairKind::kTiled, PairKind::kHash};

// A count that the environment may set, else the default.
size_t CountFromEnvironment(const char* name, size_t default_count);

// One cluster, compiled with several pair tables, with evaluators for every point of view.
class Contest {
 public:
  // Fails the current test where the cluster is invalid or does not compile.
  explicit Contest(const Snapshot& snapshot, std::span<const PairKind> kinds = kPairKinds,
                   reference::Mutation mutation = {});

  bool ok() const { return ok_; }
  const reference::Evaluator& EvaluatorFor(const ClassifyOptions& options);

  // The engine's verdicts, and the index of the first that differs from the evaluator's answer.
  // Answers go to `answers`, one a question.
  std::optional<size_t> FirstDifference(PairKind kind, const ClassifyOptions& options,
                                        std::span<const AskedQuestion> questions,
                                        std::vector<reference::Answer>& answers);
  const std::vector<Verdict>& verdicts() const { return verdicts_; }

 private:
  Snapshot snapshot_;
  reference::Mutation mutation_;
  bool ok_ = true;
  std::map<PairKind, Program> programs_;
  std::map<std::pair<Placement, bool>, std::unique_ptr<reference::Evaluator>> evaluators_;
  std::vector<FlowKey> keys_;
  std::vector<Verdict> verdicts_;
};

// Any placement, mask and treatment of unknown pods, each equally often.
ClassifyOptions RandomOptions(Random& random);

// The smallest cluster found that still shows the difference, as YAML, with both answers.
std::string DescribeDifference(const Cluster& cluster, PairKind kind,
                               const ClassifyOptions& options, const AskedQuestion& asked);

}  // namespace npf::testing

#endif  // NPF_TESTS_DIFFERENTIAL_DIFFERENTIAL_H_
