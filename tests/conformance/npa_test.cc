// The conformance tests of network-policy-api, as data: every step's policies and probes.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>

#include "conformance/fixture.h"
#include "testing/cluster.h"
#include "testing/shared_data.h"

namespace npf::testing {
namespace {

// Gives the number of probes.
size_t ExpectStep(const rapidjson::Document& document, const rapidjson::Value& step) {
  const auto snapshot =
      MakeSnapshot(step["namespaces"], document["pods"], step["policies"], &document["nodes"]);
  EXPECT_TRUE(snapshot.ok()) << snapshot.status();
  if (!snapshot.ok()) return 0;
  for (const auto& judge : AllJudges(*snapshot)) {
    for (const auto& probe : step["probes"].GetArray()) {
      const Judgement judgement =
          judge->Ask({Address(probe["src"].GetString()), Address(probe["dst"].GetString()),
                      ProtocolNumber(probe["protocol"].GetString()),
                      static_cast<uint16_t>(probe["port"].GetUint())});
      EXPECT_EQ(judgement.allowed, std::strcmp(probe["expect"].GetString(), "allow") == 0)
          << judge->name() << ": " << ToText(probe) << ": " << ToString(judgement);
    }
  }
  return step["probes"].Size();
}

TEST(ConformanceTest, NetworkPolicyApi) {
  NPF_SHARED_OR_SKIP(shared);
  const rapidjson::Document document = ReadJson(shared / "fixtures/npa_conformance_v1alpha2.json");
  size_t probes = 0;
  for (const auto& test : document["tests"].GetArray()) {
    for (const auto& subtest : test["subtests"].GetArray()) {
      SCOPED_TRACE(::testing::Message()
                   << test["name"].GetString() << ": " << subtest["name"].GetString());
      for (const auto& step : subtest["steps"].GetArray()) probes += ExpectStep(document, step);
    }
  }
  std::printf("%u tests, %zu probes\n", document["tests"].Size(), probes);
  EXPECT_EQ(document["tests"].Size(), 24u);
  EXPECT_EQ(probes, 301u);
}

}  // namespace
}  // namespace npf::testing
