// The Kubernetes end-to-end tests of NetworkPolicy, as data: every step's state and probe matrix.
#include <gtest/gtest.h>

#include <cstdio>

#include "conformance/fixture.h"
#include "testing/shared_data.h"

namespace npf::testing {
namespace {

TEST(ConformanceTest, KubernetesEndToEnd) {
  NPF_SHARED_OR_SKIP(shared);
  const rapidjson::Document document = ReadJson(shared / "fixtures/k8s_e2e_netpol.json");
  size_t steps = 0;
  size_t cells = 0;
  for (const auto& test_case : document["cases"].GetArray()) {
    for (const auto& step : test_case["steps"].GetArray()) {
      SCOPED_TRACE(::testing::Message() << test_case["id"].GetString() << " "
                                        << test_case["name"].GetString() << ", step " << ++steps);
      const auto& state = step["state"];
      const auto snapshot = MakeSnapshot(state["namespaces"], state["pods"], state["policies"]);
      ASSERT_TRUE(snapshot.ok()) << snapshot.status();
      const auto& probe = step["probe"];
      cells += ExpectMatrix(*snapshot, state["pods"], probe["protocol"].GetString(),
                            static_cast<uint16_t>(probe["port"].GetUint()), step["expected"]);
    }
  }
  std::printf("%u cases, %zu steps, %zu probes\n", document["cases"].Size(), steps, cells);
  EXPECT_EQ(document["cases"].Size(), 48u);
  EXPECT_EQ(steps, 65u);
}

}  // namespace
}  // namespace npf::testing
