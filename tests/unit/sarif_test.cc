// SARIF as written: what each part becomes, fingerprints that stay, and text that cannot break out.
// tests/cli/sarif.py holds whole logs against the standard's schema.
#include "npf/sarif.h"

#include <string>

#include "gtest/gtest.h"

namespace npf::tools {
namespace {

SarifLog MakeLog(const std::string& docs_url = "") {
  return SarifLog({.name = "npf lint", .version = "1.2.3", .docs_url = docs_url},
                  {{.id = "no-match",
                    .title = "A selector matches nothing",
                    .page = "lint.md#no-match",
                    .level = SarifLevel::kError},
                   {.id = "other", .title = "Other", .page = "lint.md#other"}});
}

SarifResult MakeResult() {
  return {.rule = 0,
          .level = SarifLevel::kError,
          .message = "no pod has \"app=web\"",
          .location = {.file = "a dir/p.yaml",
                       .line = 7,
                       .column = 3,
                       .object = "NetworkPolicy shop/db",
                       .field = "spec.podSelector",
                       .message = ""},
          .related = {},
          .key = "",
          .suppressed_by = ""};
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string FingerprintOf(const SarifResult& result) {
  SarifLog log = MakeLog();
  log.Add(result);
  const std::string text = log.Text();
  const size_t at = text.find("\"npf/v1\":\"");
  return text.substr(at + 10, text.find('"', at + 10) - at - 10);
}

TEST(Sarif, SaysWhatAndWhere) {
  SarifLog log = MakeLog("https://example.org/docs/");
  SarifResult result = MakeResult();
  result.related = {
      {.file = "/abs/c.yaml", .line = 2, .column = 0, .object = "", .field = "", .message = "pod"}};
  log.Add(result);
  const std::string text = log.Text();
  EXPECT_TRUE(Has(text, R"("helpUri":"https://example.org/docs/lint.md#no-match")"));
  EXPECT_TRUE(Has(text, R"("ruleId":"no-match","ruleIndex":0,"level":"error")"));
  EXPECT_TRUE(Has(text, R"("text":"no pod has \"app=web\"")"));
  EXPECT_TRUE(Has(text, R"("uri":"a%20dir/p.yaml"},"region":{"startLine":7,"startColumn":3})"));
  EXPECT_TRUE(Has(text, R"("fullyQualifiedName":"NetworkPolicy shop/db#spec.podSelector")"));
  EXPECT_TRUE(Has(text, R"("uri":"file:///abs/c.yaml"},"region":{"startLine":2}})"));
  EXPECT_FALSE(Has(text, "suppressions"));
}

TEST(Sarif, HelpUriIsAbsoluteOrAbsent) {
  EXPECT_FALSE(Has(MakeLog().Text(), "helpUri"));
  EXPECT_TRUE(Has(MakeLog().Text(), R"("help":{"text":"docs/lint.md#no-match"})"));
}

TEST(Sarif, FingerprintsStayWhenLinesMove) {
  SarifResult moved = MakeResult();
  moved.location.line = 99;
  moved.location.file = "elsewhere.yaml";
  moved.message = "other words";
  EXPECT_EQ(FingerprintOf(moved), FingerprintOf(MakeResult()));
  for (std::string SarifLocation::*part : {&SarifLocation::object, &SarifLocation::field}) {
    SarifResult other = MakeResult();
    other.location.*part += "x";
    EXPECT_NE(FingerprintOf(other), FingerprintOf(MakeResult()));
  }
  SarifResult other = MakeResult();
  other.rule = 1;
  EXPECT_NE(FingerprintOf(other), FingerprintOf(MakeResult()));
  other = MakeResult();
  other.key = "TCP 80";
  EXPECT_NE(FingerprintOf(other), FingerprintOf(MakeResult()));
}

TEST(Sarif, EqualFindingsHaveFingerprintsOfTheirOwn) {
  SarifLog log = MakeLog();
  log.Add(MakeResult());
  log.Add(MakeResult());
  const std::string first = FingerprintOf(MakeResult());
  ASSERT_TRUE(first.ends_with(":1"));
  EXPECT_TRUE(Has(log.Text(), first.substr(0, first.size() - 1) + "2"));
}

TEST(Sarif, SilencedFindingsBearTheirReason) {
  SarifLog log = MakeLog();
  SarifResult result = MakeResult();
  result.suppressed_by = "the pods come later";
  log.Add(result);
  EXPECT_TRUE(Has(log.Text(), R"("justification":"the pods come later")"));
}

TEST(Sarif, PathsBecomeUris) {
  EXPECT_EQ(FileUri("./a/b.yaml"), "a/b.yaml");
  EXPECT_EQ(FileUri("a#b?c%.yaml"), "a%23b%3Fc%25.yaml");
  EXPECT_EQ(FileUri("c:d.yaml"), "c%3Ad.yaml");  // not a scheme
  EXPECT_EQ(FileUri("\xc3\xa4.yaml"), "%C3%A4.yaml");
}

}  // namespace
}  // namespace npf::tools
