// The API server's own validation cases: what it accepts, and of what it refuses the field path,
// the type and the message.
#include <gtest/gtest.h>

#include <cstdio>
#include <set>
#include <string>

#include "conformance/fixture.h"
#include "npf/load.h"
#include "testing/shared_data.h"

namespace npf::testing {
namespace {

struct Outcome {
  bool accepted = false;
  Diagnostics diagnostics;
  bool Warns() const {
    for (const Diagnostic& diagnostic : diagnostics.all()) {
      if (diagnostic.severity == Severity::kWarning &&
          diagnostic.object.starts_with("NetworkPolicy")) {
        return true;
      }
    }
    return false;
  }
};

Outcome LoadPolicy(const rapidjson::Value& policy, bool strict_cidr = false) {
  Outcome outcome;
  SnapshotBuilder builder({.strict_cidr = strict_cidr});
  LoadReport report;
  LoadText(ToText(policy), "policy.json", {}, builder, outcome.diagnostics, report);
  outcome.accepted = builder.Build(outcome.diagnostics).ok();
  return outcome;
}

std::vector<const Diagnostic*> Errors(const Diagnostics& diagnostics) {
  std::vector<const Diagnostic*> errors;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (diagnostic.severity == Severity::kError) errors.push_back(&diagnostic);
  }
  return errors;
}

// All of them, in order, and no other.
void ExpectErrors(const rapidjson::Value& row) {
  const Outcome outcome = LoadPolicy(row["policy"]);
  EXPECT_FALSE(outcome.accepted);
  const auto errors = Errors(outcome.diagnostics);
  const auto expected = row["errors"].GetArray();
  ASSERT_EQ(errors.size(), expected.Size());
  for (rapidjson::SizeType i = 0; i < expected.Size(); ++i) {
    EXPECT_EQ(errors[i]->field, expected[i]["field"].GetString());
    EXPECT_EQ(errors[i]->type, expected[i]["type"].GetString());
    EXPECT_NE(errors[i]->detail.find(expected[i]["message"].GetString()), std::string::npos)
        << errors[i]->detail;
  }
}

TEST(ConformanceTest, ValidationAccepts) {
  NPF_SHARED_OR_SKIP(shared);
  const rapidjson::Document document = ReadJson(shared / "fixtures/validation_cases.json");
  const auto rows = document["valid"].GetArray();
  for (const auto& row : rows) {
    SCOPED_TRACE(row["name"].GetString());
    const Outcome outcome = LoadPolicy(row["policy"]);
    EXPECT_TRUE(outcome.accepted);
    EXPECT_FALSE(outcome.Warns());
  }
  std::printf("validation: %u accepted\n", rows.Size());
  EXPECT_GE(rows.Size(), 18u);
}

TEST(ConformanceTest, ValidationRefuses) {
  NPF_SHARED_OR_SKIP(shared);
  const rapidjson::Document document = ReadJson(shared / "fixtures/validation_cases.json");
  unsigned count = 0;
  for (const char* list : {"invalid", "invalid_extra"}) {
    for (const auto& row : document[list].GetArray()) {
      SCOPED_TRACE(row["name"].GetString());
      ExpectErrors(row);
      ++count;
    }
  }
  std::printf("validation: %u refused\n", count);
  EXPECT_GE(count, 51u);
}

// Rows that depend on the version of Kubernetes, or look wrong and are not. Those with a ruling of
// this project go by it; the behaviour of the others begins with what happens.
TEST(ConformanceTest, ValidationOfSpecialCases) {
  NPF_SHARED_OR_SKIP(shared);
  const std::set<std::string> accepted_with_warning = {"host bits set below prefix",
                                                       "non-canonical IPv6",
                                                       "duplicate policyTypes",
                                                       "egress rules but policyTypes [Ingress]",
                                                       "policyTypes [Egress] with ingress rules",
                                                       "podSelector null"};
  const std::set<std::string> accepted = {"port {} entry (all TCP ports)",
                                          "empty-string label value"};
  const rapidjson::Document document = ReadJson(shared / "fixtures/validation_cases.json");
  for (const auto& row : document["accepted_or_special"].GetArray()) {
    const std::string name = row["name"].GetString();
    SCOPED_TRACE(name);
    const Outcome outcome = LoadPolicy(row["policy"]);
    const bool warns = accepted_with_warning.contains(name);
    EXPECT_EQ(outcome.accepted, warns || accepted.contains(name));
    EXPECT_TRUE(!outcome.accepted || outcome.Warns() == warns);
    if (row.HasMember("ruling")) {
      const std::string ruling = row["ruling"].GetString();
      EXPECT_EQ(outcome.accepted, ruling.starts_with("accepted")) << ruling;
    }
    if (name == "host bits set below prefix") {
      const Outcome strict = LoadPolicy(row["policy"], /*strict_cidr=*/true);
      EXPECT_FALSE(strict.accepted);
      EXPECT_EQ(Errors(strict.diagnostics)[0]->field, "spec.ingress[0].from[0].ipBlock.cidr");
    }
    if (name == "peer podSelector null only") {
      EXPECT_EQ(Errors(outcome.diagnostics)[0]->field, "spec.ingress[0].from[0]");
      EXPECT_EQ(Errors(outcome.diagnostics)[0]->type, "Required");
    }
  }
}

}  // namespace
}  // namespace npf::testing
