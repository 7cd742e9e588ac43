// Judged clusters: generated ones, and upstream suites as full matrices.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <map>

#include "absl/strings/str_split.h"
#include "conformance/fixture.h"
#include "testing/cluster.h"
#include "testing/shared_data.h"

namespace npf::testing {
namespace {

struct Tuple {
  reference::Question question;
  std::string line;
  bool allowed;
  bool ingress;
  bool egress;
};

// CSV without quotes; columns by name.
std::vector<Tuple> ReadTraffic(const std::filesystem::path& path) {
  std::vector<Tuple> tuples;
  const std::vector<std::string> lines = absl::StrSplit(ReadFile(path), '\n', absl::SkipEmpty());
  const std::vector<std::string> header = absl::StrSplit(lines.front(), ',');
  std::map<std::string, size_t> columns;
  for (size_t i = 0; i < header.size(); ++i) columns[header[i]] = i;
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string> cells = absl::StrSplit(lines[i], ',');
    const auto cell = [&](const char* name) { return cells.at(columns.at(name)); };
    Tuple tuple;
    tuple.question = {Address(cell("src_ip")), Address(cell("dst_ip")),
                      ProtocolNumber(cell("proto")),
                      static_cast<uint16_t>(std::atoi(cell("dst_port").c_str()))};
    tuple.line = lines[i];
    tuple.allowed = cell("verdict") == "allow";
    tuple.ingress = cell("ingress") == "allow";
    tuple.egress = cell("egress") == "allow";
    tuples.push_back(std::move(tuple));
  }
  return tuples;
}

// Gives the number of tuples of the case; differences fail the test, the first few by name.
size_t ExpectCase(const std::filesystem::path& directory) {
  SCOPED_TRACE(directory.string());
  const auto snapshot = LoadSnapshot({directory / "cluster.yaml.gz"});
  EXPECT_TRUE(snapshot.ok()) << snapshot.status();
  if (!snapshot.ok()) return 0;
  const std::vector<Tuple> tuples = ReadTraffic(directory / "traffic.csv.gz");
  std::vector<reference::Question> questions;
  for (const Tuple& tuple : tuples) questions.push_back(tuple.question);
  for (const auto& judge : AllJudges(*snapshot)) {
    const std::vector<Judgement> judgements = judge->Ask(questions);
    size_t differences = 0;
    for (size_t i = 0; i < tuples.size(); ++i) {
      const Judgement& got = judgements[i];
      const Tuple& tuple = tuples[i];
      const bool same = got.allowed == tuple.allowed && got.ingress == tuple.ingress &&
                        got.egress == tuple.egress;
      if (same || ++differences > 3) continue;
      ADD_FAILURE() << judge->name() << ": " << tuple.line << ": " << ToString(got);
    }
    EXPECT_EQ(differences, 0u) << judge->name();
  }
  return tuples.size();
}

void ExpectCases(const std::filesystem::path& parent) {
  size_t tuples = 0;
  const std::vector<std::filesystem::path> directories = Directories(parent);
  for (const auto& directory : directories) tuples += ExpectCase(directory);
  std::printf("%s: %zu cases, %zu tuples\n", parent.filename().c_str(), directories.size(), tuples);
  EXPECT_GT(tuples, 0u);
}

class CasesTest : public ::testing::TestWithParam<const char*> {};

TEST_P(CasesTest, EveryTuple) {
  NPF_SHARED_OR_SKIP(shared);
  ExpectCases(shared / "cases" / GetParam());
}

INSTANTIATE_TEST_SUITE_P(All, CasesTest,
                         ::testing::Values("public/np", "public/raw", "public/anp", "public/anpnet",
                                           "public/cnp", "public/cnpnet", "upstream/cyclonus",
                                           "upstream/e2e", "upstream/e2e-136"));

}  // namespace
}  // namespace npf::testing
