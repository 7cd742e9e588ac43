// The generated cases of cyclonus: every step, port and protocol.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "conformance/fixture.h"
#include "testing/shared_data.h"

namespace npf::testing {
namespace {

TEST(ConformanceTest, Cyclonus) {
  NPF_SHARED_OR_SKIP(shared);
  const rapidjson::Document document = ReadJson(shared / "fixtures/cyclonus_230.json");
  size_t cells = 0;
  for (const auto& test_case : document["cases"].GetArray()) {
    for (const auto& step : test_case["steps"].GetArray()) {
      SCOPED_TRACE(test_case["name"].GetString());
      const auto& pods = document["podsets"][step["podset"].GetUint()];
      const auto& namespaces = document["nssets"][step["nsset"].GetUint()];
      const auto snapshot = MakeSnapshot(namespaces, pods, step["policies"]);
      ASSERT_TRUE(snapshot.ok()) << snapshot.status();
      for (const auto& probe : step["expected"].GetObject()) {
        const std::string name = probe.name.GetString();  // "TCP/80"
        const size_t slash = name.find('/');
        const int port = std::atoi(name.c_str() + slash + 1);
        cells += ExpectMatrix(*snapshot, pods, name.substr(0, slash), static_cast<uint16_t>(port),
                              probe.value);
      }
    }
  }
  std::printf("%u cases, %zu probes\n", document["cases"].Size(), cells);
  EXPECT_EQ(document["cases"].Size(), 230u);
}

}  // namespace
}  // namespace npf::testing
