// Reports as JSON, text and page, and the table of gates.
#include <gtest/gtest.h>
#include <rapidjson/document.h>

#include <string>

#include "html_report.h"
#include "report.h"
#include "report_json.h"
#include "report_text.h"
#include "table.h"

namespace npf::bench {
namespace {

Figure MakeFigure(const std::string& contender, std::vector<double> ns) {
  Figure figure{.contender = contender, .ns = ns, .wall_ns = ns, .cycles = ns};
  figure.checked = 10;
  return figure;
}

Scene MakeScene(const std::string& workload, const std::string& traffic) {
  return {.workload = workload,
          .family = "v4",
          .traffic = traffic,
          .pods = 1'000,
          .policies = 100,
          .cidrs = 50,
          .packets = 10,
          .seed = 7,
          .v4_bytes = 1'200'000,
          .compile_ns = 4'000'000,
          .verdicts = {{"allow policy", 8}, {"deny policy", 2}},
          .figures = {MakeFigure("npf decide scalar", {6, 4, 5})}};
}

Report MakeReport() {
  Report report = BeginReport("npf-bench <a> \"b\"");
  report.scenes.push_back(MakeScene("std", "uniform"));
  report.scenes[0].latencies.push_back(
      {.kernel = "scalar", .p50_ns = 300, .p99_ns = 400, .p999_ns = 600});
  Figure rival = MakeFigure("rte_acl 10k avx2", {30, 31, 29});
  rival.rival = true;
  report.scenes[0].figures.push_back(rival);
  for (const uint64_t pods : {1'000u, 10'000u}) {
    Scene scene = MakeScene("pods-" + std::to_string(pods), "zipf");
    scene.sweep = "pods";
    scene.pods = pods;
    report.scenes.push_back(scene);
  }
  return report;
}

TEST(Report, JsonIsGoogleBenchmarks) {
  rapidjson::Document document;
  document.Parse(ToJson(MakeReport()).c_str());
  ASSERT_FALSE(document.HasParseError());
  EXPECT_GT(document["context"]["num_cpus"].GetInt(), 0);
  const rapidjson::Value& lines = document["benchmarks"];
  // Four contenders, each with three rounds and two aggregates.
  ASSERT_EQ(lines.Size(), 20u);
  EXPECT_STREQ(lines[0]["name"].GetString(), "std/v4/uniform/npf decide scalar");
  EXPECT_STREQ(lines[0]["run_type"].GetString(), "iteration");
  EXPECT_EQ(lines[0]["cpu_time"].GetDouble(), 6);
  EXPECT_STREQ(lines[0]["time_unit"].GetString(), "ns");
  EXPECT_EQ(lines[2]["repetition_index"].GetInt(), 2);
  EXPECT_STREQ(lines[3]["name"].GetString(), "std/v4/uniform/npf decide scalar_median");
  EXPECT_STREQ(lines[3]["run_type"].GetString(), "aggregate");
  EXPECT_EQ(lines[3]["real_time"].GetDouble(), 5);
  EXPECT_STREQ(lines[4]["aggregate_name"].GetString(), "min");
  EXPECT_EQ(lines[4]["cpu_time"].GetDouble(), 4);
}

TEST(Report, JsonIsReadBack) {
  const Report report = MakeReport();
  const absl::StatusOr<Report> read = ReadReport(ToJson(report));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(ToJson(*read), ToJson(report));
  EXPECT_EQ(ToText(*read), ToText(report));
}

TEST(Report, OtherJsonIsRefused) {
  EXPECT_FALSE(ReadReport("").ok());
  EXPECT_FALSE(ReadReport("[1]").ok());
  EXPECT_FALSE(ReadReport("{\"context\": {}}").ok());
  std::string text = ToJson(MakeReport());
  text.replace(text.find("\"rival\": false"), 14, "\"rival\": 3    ");
  EXPECT_EQ(ReadReport(text).status().message(), "no field rival of the right type");
}

TEST(Report, ComparisonHasRatios) {
  Report faster = MakeReport();
  faster.scenes[0].figures[0].ns = {3, 2, 2.5};
  const std::string text = CompareText(MakeReport(), faster);
  EXPECT_NE(text.find("std/v4/uniform/npf decide scalar"), std::string::npos);
  EXPECT_NE(text.find("0.50"), std::string::npos);
}

TEST(Report, TextIsForPeople) {
  const std::string text = ToText(MakeReport());
  EXPECT_NE(text.find("allowed 80.0 %, denied 20.0 %"), std::string::npos);
  EXPECT_NE(text.find("p99.9 600 ns (2.0 x p50)"), std::string::npos);
  EXPECT_EQ(Fixed(1234567.25, 1), "1,234,567.2");
  EXPECT_EQ(Fixed(-1234, 0), "-1,234");
  EXPECT_EQ(Fixed(999, 0), "999");
}

TEST(Report, PageNeedsNothingElse) {
  const Report report = MakeReport();
  const std::string page = ToHtml({&report, 1});
  EXPECT_NE(page.find("<svg"), std::string::npos);
  EXPECT_NE(page.find("npf-bench &lt;a&gt; &quot;b&quot;"), std::string::npos);
  for (const char* const foreign : {"<script", "http:", "https:", "src=", "@import", "nan"}) {
    EXPECT_EQ(page.find(foreign), std::string::npos) << foreign;
  }
}

TEST(Report, GatesHoldOrAreOver) {
  EXPECT_EQ(StandingOf(std::vector<Bound>{{.value = 1.3, .gate = 1.9, .aim = 1.4}}),
            Standing::kAim);
  EXPECT_EQ(StandingOf(std::vector<Bound>{{.value = 1.5, .gate = 1.9, .aim = 1.4}}),
            Standing::kHolds);
  EXPECT_EQ(StandingOf(std::vector<Bound>{{.value = 2, .gate = 1.9, .aim = 1.4}}), Standing::kOver);
  EXPECT_EQ(StandingOf(std::vector<Bound>{{.value = 0, .gate = 1.9, .aim = 1.4}}),
            Standing::kNotMeasured);
  const std::vector<Bound> speed = {{.value = 150, .gate = 140, .aim = 200, .at_least = true}};
  EXPECT_EQ(StandingOf(speed), Standing::kHolds);
  const std::vector<Bound> ratio = {{.value = 3, .gate = 2.5, .aim = 1.5}};
  EXPECT_EQ(StandingOf(ratio, std::vector<Bound>{{.value = 13, .gate = 14}}), Standing::kHolds);
}

TEST(Report, TableSaysWhatIsNotMeasured) {
  const std::vector<TableRow> rows = MakeTable(MakeReport(), 72);
  const auto row = [&](int number) { return *std::ranges::find(rows, number, &TableRow::number); };
  EXPECT_EQ(row(2).standing, Standing::kHolds);
  EXPECT_EQ(row(3).standing, Standing::kNotMeasured);
  EXPECT_EQ(row(12).standing, Standing::kAim);
}

}  // namespace
}  // namespace npf::bench
