// No finding that claims proof is false: over random clusters, and over real policies, the
// reference evaluator agrees with each. NPF_LINT_CLUSTERS and NPF_LINT_QUESTIONS ask more.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include "gtest/gtest.h"
#include "lint/lint.h"
#include "lint/proof.h"
#include "npf/load.h"
#include "testing/cluster_generator.h"
#include "testing/shared_data.h"

namespace npf::testing {
namespace {

size_t FromEnvironment(const char* name, size_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct Tally {
  std::map<std::string, size_t> proofs;
  size_t false_ones = 0;

  void Count(const lint::Finding& finding) { ++proofs[std::string(lint::KindOf(finding.id).name)]; }
  void Print(const char* what, size_t sets) const {
    size_t all = 0;
    for (const auto& [name, count] : proofs) all += count;
    std::printf("%s: %zu sets, %zu proofs, %zu false\n", what, sets, all, false_ones);
    for (const auto& [name, count] : proofs) std::printf("  %6zu %s\n", count, name.c_str());
  }
};

void JudgeAll(const Snapshot& snapshot, const Cluster& cluster, size_t questions, uint64_t seed,
              Tally& tally) {
  const lint::LintOutcome outcome = lint::Lint({snapshot, {}, {}});
  const ProofJudge judge(cluster, questions);
  for (const lint::Finding& finding : outcome.findings) {
    if (!lint::KindOf(finding.id).is_proof) continue;
    tally.Count(finding);
    const std::string fault = judge.Judge(finding, seed);
    if (fault.empty()) continue;
    ++tally.false_ones;
    ADD_FAILURE() << "seed " << seed << ": " << lint::KindOf(finding.id).name << ": "
                  << finding.object << " " << finding.field << ": " << finding.message << ": "
                  << fault;
  }
}

TEST(LintProof, HoldsOnRandomClusters) {
  const size_t clusters = FromEnvironment("NPF_LINT_CLUSTERS", 150);
  const size_t questions = FromEnvironment("NPF_LINT_QUESTIONS", 400);
  Tally tally;
  for (uint64_t seed = 1; seed <= clusters; ++seed) {
    const Cluster generated = GenerateCluster(seed);
    const absl::StatusOr<Snapshot> snapshot = Freeze(generated);
    ASSERT_TRUE(snapshot.ok()) << "seed " << seed;
    JudgeAll(*snapshot, Thaw(*snapshot), questions, seed, tally);
  }
  tally.Print("random clusters", clusters);
  EXPECT_EQ(tally.false_ones, 0u);
  EXPECT_GE(tally.proofs.size(), 12u);  // kinds of them
}

// The same without pods: what is said then holds whatever pods there are.
TEST(LintProof, HoldsWhateverPodsThereAre) {
  const size_t clusters = FromEnvironment("NPF_LINT_CLUSTERS", 150);
  const size_t questions = FromEnvironment("NPF_LINT_QUESTIONS", 400);
  Tally tally;
  for (uint64_t seed = 1; seed <= clusters; ++seed) {
    const Cluster generated = GenerateCluster(seed);
    Cluster policies = generated;
    policies.pods.clear();
    const absl::StatusOr<Snapshot> snapshot = Freeze(policies);
    const absl::StatusOr<Snapshot> peopled = Freeze(generated);
    ASSERT_TRUE(snapshot.ok() && peopled.ok()) << "seed " << seed;
    JudgeAll(*snapshot, Thaw(*peopled), questions, seed, tally);
  }
  tally.Print("random policies alone", clusters);
  EXPECT_EQ(tally.false_ones, 0u);
  EXPECT_GE(tally.proofs.size(), 3u);
}

std::optional<Snapshot> LoadLeniently(const std::filesystem::path& path) {
  SnapshotOptions options;
  options.keep_positions = true;
  options.assume_addresses = true;
  options.skip_invalid = true;
  options.last_wins = true;
  SnapshotBuilder builder(options);
  Diagnostics diagnostics;
  LoadReport report;
  LoadPath(path.string(), {.lenient = true}, builder, diagnostics, report);
  Diagnostics faults;
  absl::StatusOr<Snapshot> snapshot = builder.Build(faults);
  if (!snapshot.ok()) return std::nullopt;
  return *std::move(snapshot);
}

// The evaluator knows pods only: what a workload makes is one.
void Start(Cluster& cluster) {
  for (Pod& pod : cluster.pods) {
    if (pod.owner_kind.empty()) continue;
    pod.name += "-0." + std::to_string(pod.owner_kind.size()) + pod.owner_kind.substr(1, 1);
    pod.owner_kind.clear();
  }
}

TEST(LintProof, HoldsOnRealPolicies) {
  NPF_SHARED_OR_SKIP(shared);
  const size_t questions = FromEnvironment("NPF_LINT_QUESTIONS", 100);
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(shared / "policies")) {
    const std::string extension = entry.path().extension().string();
    const bool is_file = extension == ".yaml" || extension == ".yml" || extension == ".json";
    if (entry.is_directory() || (is_file && entry.path().filename() != "EXPECTED.json")) {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  Tally tally;
  size_t sets = 0;
  for (const std::filesystem::path& path : paths) {
    const std::optional<Snapshot> snapshot = LoadLeniently(path);
    if (!snapshot || (snapshot->policies().empty() && snapshot->cluster_policies().empty())) {
      continue;
    }
    SCOPED_TRACE(path.string());
    Cluster cluster = Thaw(*snapshot);
    Start(cluster);
    if (cluster.pods.empty()) cluster = Peopled(cluster, sets);
    const absl::StatusOr<Snapshot> frozen = Freeze(cluster);
    if (!frozen.ok()) continue;  // objects that are wrong in themselves
    cluster = Thaw(*frozen);
    JudgeAll(*snapshot, cluster, questions, ++sets, tally);
  }
  tally.Print("real policies", sets);
  EXPECT_GE(sets, 400u);
  EXPECT_EQ(tally.false_ones, 0u);
}

}  // namespace
}  // namespace npf::testing
