// Real policies of public repositories: each file loads, or is refused with its name, a line where
// the fault has one, and the field where it concerns one.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "npf/load.h"
#include "testing/shared_data.h"

namespace npf::testing {
namespace {

bool IsObjectFile(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  const bool is_golden = path.filename() == "EXPECTED.json";
  return !is_golden && (extension == ".yaml" || extension == ".yml" || extension == ".json");
}

void ExpectPrecise(const Diagnostic& diagnostic, const std::vector<std::string>& files) {
  const std::string text = Format(diagnostic, files);
  EXPECT_NE(diagnostic.position.file, 0u) << text;
  EXPECT_FALSE(diagnostic.detail.empty()) << text;
  if (diagnostic.detail == "no objects") return;
  EXPECT_NE(diagnostic.position.line, 0u) << text;
  EXPECT_NE(diagnostic.position.column, 0u) << text;
  EXPECT_TRUE(diagnostic.object.empty() || !diagnostic.field.empty()) << text;
}

TEST(ConformanceTest, RealPoliciesLoadOrAreRefusedPrecisely) {
  NPF_SHARED_OR_SKIP(shared);
  unsigned loaded = 0;
  unsigned refused = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(shared / "policies")) {
    if (!entry.is_regular_file() || !IsObjectFile(entry.path())) continue;
    SnapshotBuilder builder;
    Diagnostics diagnostics;
    LoadReport report;
    LoadPath(entry.path().string(), {}, builder, diagnostics, report);
    const bool ok = builder.Build(diagnostics).ok();
    ++(ok ? loaded : refused);
    EXPECT_EQ(ok, diagnostics.ok());
    for (const Diagnostic& diagnostic : diagnostics.all()) {
      if (diagnostic.severity == Severity::kError) ExpectPrecise(diagnostic, builder.files());
    }
  }
  std::printf("real policies: %u files load, %u are refused\n", loaded, refused);
  EXPECT_GE(loaded, 500u);
  // Files that are wrong on purpose, and cluster-wide policies of versions that were given up.
  EXPECT_GE(refused, 50u);
}

// Every file that people meant to be right, and that has nothing but what is supported, loads.
TEST(ConformanceTest, WorkingExamplesLoad) {
  NPF_SHARED_OR_SKIP(shared);
  for (const char* repository :
       {"GoogleCloudPlatform__microservices-demo", "kubeflow__manifests", "sighupio__distribution",
        "prometheus-operator__kube-prometheus"}) {
    for (const auto& entry :
         std::filesystem::directory_iterator(shared / "policies" / repository)) {
      const auto snapshot = LoadSnapshot({entry.path()});
      EXPECT_TRUE(snapshot.ok()) << entry.path() << "\n" << snapshot.status();
    }
  }
}

}  // namespace
}  // namespace npf::testing
