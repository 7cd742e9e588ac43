// The same objects, in any order, in one text or several, as YAML or JSON, give the same Snapshot.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "npf/load.h"
#include "testing/cluster.h"
#include "testing/cluster_generator.h"

namespace npf::testing {
namespace {

constexpr int kClusters = 200;

std::string LoadAll(const std::vector<std::string>& texts, const std::string& name) {
  SnapshotBuilder builder;
  Diagnostics diagnostics;
  LoadReport report;
  // Generated policies have fields that are not known, so that rules fail closed (R89).
  const LoadOptions options{.lenient = true};
  for (const std::string& text : texts) LoadText(text, name, options, builder, diagnostics, report);
  const auto snapshot = builder.Build(diagnostics);
  return snapshot.ok() ? ToYaml(Thaw(*snapshot)) : std::string(snapshot.status().message());
}

TEST(ConformanceTest, TheSameObjectsGiveTheSameSnapshot) {
  for (int seed = 1; seed <= kClusters; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    const Cluster cluster = GenerateCluster(static_cast<uint64_t>(seed));
    std::vector<std::string> documents = YamlDocuments(cluster);
    const std::string whole = LoadAll({ToYaml(cluster)}, "whole.yaml");
    ASSERT_NE(whole.find("kind: "), std::string::npos) << whole;
    EXPECT_EQ(LoadAll(documents, "one.yaml"), whole);
    Random random(static_cast<uint64_t>(seed));
    random.Shuffle(documents);
    EXPECT_EQ(LoadAll({absl::StrJoin(documents, "---\n")}, "shuffled.yaml"), whole);
    EXPECT_EQ(LoadAll({ToJson(cluster)}, "list.json"), whole);
    ASSERT_EQ(LoadAll({ToJson(cluster)}, "json-as-yaml.yaml"), whole);
  }
  std::printf("same snapshot: %d clusters, seeds from 1\n", kClusters);
}

}  // namespace
}  // namespace npf::testing
