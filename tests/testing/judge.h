// One face for everything that answers questions, so that a test is written once and asked of the
// reference evaluator and of the compiled engine with each of its pair tables.
#ifndef NPF_TESTS_TESTING_JUDGE_H_
#define NPF_TESTS_TESTING_JUDGE_H_

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "npf/flow.h"
#include "npf/snapshot.h"
#include "npf/verdict.h"
#include "reference/evaluator.h"

namespace npf::testing {

struct Judgement {
  bool allowed = false;
  bool ingress = false;
  bool egress = false;
  Reason reason = Reason::kNoPolicy;
  bool operator==(const Judgement&) const = default;
};

Judgement FromAnswer(const reference::Answer& answer);
Judgement FromVerdict(const Verdict& verdict);
FlowKey ToFlowKey(const reference::Question& question);
std::string ToString(const Judgement& judgement);

class Judge {
 public:
  virtual ~Judge() = default;
  virtual std::string name() const = 0;
  virtual std::vector<Judgement> Ask(std::span<const reference::Question> questions) const = 0;
  Judgement Ask(const reference::Question& question) const { return Ask({&question, 1}).front(); }
};

// The reference evaluator first, then the engine by pair table. A pair table that the size forbids
// is left out. A Snapshot that does not compile fails the current test.
std::vector<std::unique_ptr<Judge>> AllJudges(const Snapshot& snapshot);

}  // namespace npf::testing

#endif  // NPF_TESTS_TESTING_JUDGE_H_
