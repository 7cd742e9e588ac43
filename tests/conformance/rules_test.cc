#include "conformance/rules.h"

#include <gtest/gtest.h>

#include <cstdio>

#include "testing/judge.h"

namespace npf::testing {
namespace {

void ExpectExample(const RuleExample& example) {
  SCOPED_TRACE(example.rules);
  const absl::StatusOr<Snapshot> snapshot = RuleSnapshot(example);
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  for (const auto& judge : AllJudges(*snapshot)) {
    for (const std::string& text : example.rows) {
      const RuleRow row = ReadRow(text);
      const Judgement judgement = judge->Ask(row.question);
      EXPECT_TRUE(judgement.ingress == row.ingress && judgement.egress == row.egress &&
                  judgement.allowed == (row.ingress && row.egress) &&
                  Name(judgement.reason) == row.reason)
          << judge->name() << ": " << text << ": " << ToString(judgement);
    }
  }
}

TEST(ConformanceTest, RulesByExample) {
  size_t rows = 0;
  for (const RuleExample& example : RuleExamples()) {
    ExpectExample(example);
    rows += example.rows.size();
  }
  std::printf("%zu examples, %zu packets\n", RuleExamples().size(), rows);
}

}  // namespace
}  // namespace npf::testing
