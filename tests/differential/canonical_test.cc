// The same objects give the same bytes: in any order, over any number of files, as YAML or JSON.
#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "differential/differential.h"
#include "npf/load.h"
#include "testing/cluster_generator.h"

namespace npf::testing {
namespace {

absl::StatusOr<Snapshot> LoadTexts(const Cluster& cluster, const std::vector<std::string>& texts) {
  SnapshotBuilder builder(OptionsOf(cluster));
  Diagnostics diagnostics;
  LoadReport report;
  // Leniently, because of peers of unknown kinds (R89).
  for (size_t i = 0; i < texts.size(); ++i) {
    LoadText(texts[i], absl::StrCat("text-", i), {.lenient = true}, builder, diagnostics, report);
  }
  for (const ResolvedName& resolved : cluster.resolved_names) builder.Add(resolved);
  absl::StatusOr<Snapshot> snapshot = builder.Build(diagnostics);
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (diagnostic.severity == Severity::kError) ADD_FAILURE() << Format(diagnostic, {});
  }
  return snapshot;
}

// The documents in random order, dealt out to three texts.
std::vector<std::string> DealOut(const Cluster& cluster, Random& random) {
  std::vector<std::string> documents = YamlDocuments(cluster);
  random.Shuffle(documents);
  std::vector<std::string> texts(3);
  for (const std::string& document : documents) {
    absl::StrAppend(&texts[random.Below(texts.size())], "---\n", document);
  }
  std::erase(texts, "");  // a text without objects is an error
  return texts;
}

void ExpectSameImage(const absl::StatusOr<Program>& expected,
                     const absl::StatusOr<Snapshot>& snapshot, const char* how) {
  ASSERT_TRUE(snapshot.ok()) << how << ": " << snapshot.status();
  const absl::StatusOr<Program> program = Compile(*snapshot);
  ASSERT_TRUE(program.ok()) << how << ": " << program.status();
  EXPECT_TRUE(std::equal(expected->image().begin(), expected->image().end(),
                         program->image().begin(), program->image().end()))
      << how;
}

TEST(CanonicalTest, SameObjectsGiveTheSameImage) {
  const size_t clusters = CountFromEnvironment("NPF_SHUFFLED_CLUSTERS", 300);
  for (uint64_t seed = 1; seed <= clusters; ++seed) {
    const Cluster cluster = GenerateCluster(seed);
    SCOPED_TRACE(::testing::Message() << "seed " << seed << "\n" << ToYaml(cluster));
    const absl::StatusOr<Snapshot> ordered = Freeze(cluster);
    ASSERT_TRUE(ordered.ok()) << ordered.status();
    const absl::StatusOr<Program> expected = Compile(*ordered);
    ASSERT_TRUE(expected.ok()) << expected.status();
    Random random(seed);
    ExpectSameImage(expected, FreezeShuffled(cluster, random), "shuffled");
    ExpectSameImage(expected, LoadTexts(cluster, DealOut(cluster, random)), "YAML texts");
    ExpectSameImage(expected, LoadTexts(cluster, {ToJson(cluster)}), "JSON");
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace npf::testing
