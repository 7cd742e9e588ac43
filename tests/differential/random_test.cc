// Random clusters, random questions. The size is set by NPF_DIFFERENTIAL_CLUSTERS and
// NPF_DIFFERENTIAL_QUESTIONS (a cluster), the first seed by NPF_DIFFERENTIAL_SEED.
#include <gtest/gtest.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "differential/differential.h"
#include "testing/cluster_generator.h"
#include "testing/coverage.h"
#include "testing/judge.h"

namespace npf::testing {
namespace {

constexpr size_t kBatchMax = 130;

// Asks `count` questions of one cluster, in batches of every size from 0 to kBatchMax.
bool AskCluster(uint64_t seed, const Cluster& cluster, size_t count, Coverage& coverage) {
  const absl::StatusOr<Snapshot> snapshot = Freeze(cluster);
  if (!snapshot.ok()) {
    ADD_FAILURE() << "seed " << seed << ": " << snapshot.status() << "\n" << ToYaml(cluster);
    return false;
  }
  Contest contest(*snapshot);
  if (!contest.ok()) {
    ADD_FAILURE() << "seed " << seed << "\n" << ToYaml(cluster);
    return false;
  }
  Random random(seed);
  QuestionGenerator generator(cluster, seed);
  coverage.StartCluster(*snapshot);
  std::vector<AskedQuestion> batch;
  std::vector<reference::Answer> answers;
  size_t batches = random.Below(kBatchMax + 1);
  for (size_t asked = 0; asked < count; asked += batch.size()) {
    batch.resize(batches++ % (kBatchMax + 1));
    for (AskedQuestion& question : batch) question = generator.Next();
    const PairKind kind = kPairKinds[random.Below(std::size(kPairKinds))];
    const ClassifyOptions options = RandomOptions(random);
    const auto difference = contest.FirstDifference(kind, options, batch, answers);
    if (difference) {
      ADD_FAILURE() << "seed " << seed << ": "
                    << DescribeDifference(cluster, kind, options, batch[*difference]);
      return false;
    }
    for (size_t i = 0; i < batch.size(); ++i) coverage.Count(batch[i], answers[i]);
  }
  coverage.FinishCluster();
  return true;
}

TEST(DifferentialTest, EngineEqualsReferenceOnRandomClusters) {
  const size_t clusters = CountFromEnvironment("NPF_DIFFERENTIAL_CLUSTERS", 5000);
  const size_t questions = CountFromEnvironment("NPF_DIFFERENTIAL_QUESTIONS", 10'000);
  const size_t first_seed = CountFromEnvironment("NPF_DIFFERENTIAL_SEED", 1);
  Coverage coverage;
  size_t failures = 0;
  for (size_t i = 0; i < clusters && failures < 3; ++i) {
    const uint64_t seed = first_seed + i;
    if (!AskCluster(seed, GenerateCluster(seed), questions, coverage)) ++failures;
  }
  PrintReport(absl::StrCat("engine and reference on random clusters, seeds ", first_seed, " to ",
                           first_seed + clusters - 1),
              coverage.Table());
  EXPECT_GE(coverage.boundary_questions() * 100, coverage.questions() * 30);
  for (const std::string& name : coverage.NeverReached()) {
    ADD_FAILURE() << "never reached: " << name;
  }
}

void AskClustersOfShape(const char* name, const ClusterShape& shape, size_t clusters) {
  const size_t questions = CountFromEnvironment("NPF_DIFFERENTIAL_QUESTIONS", 10'000);
  Coverage coverage;
  size_t failures = 0;
  for (uint64_t seed = 1; seed <= clusters && failures < 3; ++seed) {
    if (!AskCluster(seed, GenerateCluster(seed, shape), questions, coverage)) ++failures;
  }
  std::printf("%s: %zu clusters, %llu decisions\n", name, clusters,
              static_cast<unsigned long long>(coverage.questions()));
}

// A few dozen pods, and policies that pile up on the same ones.
TEST(DifferentialTest, EngineEqualsReferenceOnCrowdedClusters) {
  AskClustersOfShape("crowded",
                     {.namespaces_max = 3, .pods_max = 60, .policies_max = 60, .rules_max = 5},
                     CountFromEnvironment("NPF_DIFFERENTIAL_CLUSTERS", 5000) / 20 + 1);
}

TEST(DifferentialTest, EngineEqualsReferenceOnLargeClusters) {
  AskClustersOfShape("large",
                     {.namespaces_max = 20, .pods_max = 900, .policies_max = 150, .rules_max = 3},
                     CountFromEnvironment("NPF_DIFFERENTIAL_CLUSTERS", 5000) / 200 + 1);
}

}  // namespace
}  // namespace npf::testing
