// Do the project's own tests notice a wrong reading of the API? Each one, switched on in a copy of
// the evaluator, must make the contest with the engine fail, and an example of the rules.
// NPF_MUTATION_CLUSTERS bounds the search.
#include <gtest/gtest.h>

#include "absl/strings/str_format.h"
#include "conformance/rules.h"
#include "differential/differential.h"
#include "testing/cluster_generator.h"
#include "testing/coverage.h"

namespace npf::testing {
namespace {

constexpr size_t kQuestionsPerCluster = 4000;
constexpr size_t kQuestionsPerPart = 250;  // many mistakes show in the first part of a cluster

struct Catch {
  uint64_t seed = 0;
  size_t decisions = 0;  // until the first difference
};

std::optional<Catch> FirstCatch(reference::Mutation mutation, size_t clusters) {
  size_t decisions = 0;
  for (uint64_t seed = 1; seed <= clusters; ++seed) {
    const Cluster cluster = GenerateCluster(seed);
    const absl::StatusOr<Snapshot> snapshot = Freeze(cluster);
    if (!snapshot.ok()) {
      ADD_FAILURE() << snapshot.status();
      return std::nullopt;
    }
    const PairKind kind = PairKind::kDense;
    Contest contest(*snapshot, {&kind, 1}, mutation);
    if (!contest.ok()) return std::nullopt;
    QuestionGenerator generator(cluster, seed);
    std::vector<AskedQuestion> questions(kQuestionsPerPart);
    std::vector<reference::Answer> answers;
    for (size_t asked = 0; asked < kQuestionsPerCluster; asked += kQuestionsPerPart) {
      for (AskedQuestion& question : questions) question = generator.Next();
      const auto difference = contest.FirstDifference(kind, {}, questions, answers);
      if (difference) return Catch{seed, decisions + *difference + 1};
      decisions += questions.size();
    }
  }
  return std::nullopt;
}

// The first example whose answer the wrong reading changes; "-" where it changes none.
std::string NoticedByExample(reference::Mutation mutation) {
  for (const RuleExample& example : RuleExamples()) {
    const absl::StatusOr<Snapshot> snapshot = RuleSnapshot(example);
    if (!snapshot.ok()) {
      ADD_FAILURE() << snapshot.status();
      break;
    }
    const reference::Evaluator evaluator(*snapshot, {.mutation = mutation});
    for (const std::string& text : example.rows) {
      const RuleRow row = ReadRow(text);
      const reference::Answer answer = evaluator.Evaluate(row.question);
      if (answer.ingress.allowed != row.ingress || answer.egress.allowed != row.egress ||
          Name(answer.reason) != row.reason) {
        return example.rules.substr(0, 30);
      }
    }
  }
  return "-";
}

TEST(MutationTest, EveryWrongReadingIsNoticed) {
  const size_t clusters = CountFromEnvironment("NPF_MUTATION_CLUSTERS", 400);
  std::string table = absl::StrFormat("%-52s %-30s %8s %10s\n", "wrong reading",
                                      "example that notices it", "cluster", "decisions");
  for (const auto& [mutation, name] : reference::kMutations) {
    const std::optional<Catch> found = FirstCatch(mutation, clusters);
    const std::string example = NoticedByExample(mutation);
    EXPECT_NE(example, "-") << "no example notices: " << name;
    EXPECT_TRUE(found) << "no random cluster notices: " << name;
    if (!found) continue;
    absl::StrAppendFormat(&table, "%-52s %-30s %8d %10d\n", std::string(name), example, found->seed,
                          found->decisions);
  }
  PrintReport("wrong readings, and what notices them", table);
}

// The search itself finds nothing where nothing is wrong.
TEST(MutationTest, TheRightReadingIsNotAccused) {
  const size_t clusters = CountFromEnvironment("NPF_MUTATION_CLUSTERS", 400) / 4 + 1;
  EXPECT_FALSE(FirstCatch(reference::Mutation::kNone, clusters));
  EXPECT_EQ(NoticedByExample(reference::Mutation::kNone), "-");
}

}  // namespace
}  // namespace npf::testing
