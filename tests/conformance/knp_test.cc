// The tables of kube-network-policies: NetworkPolicies and all kinds of cluster-wide policies.
#include <gtest/gtest.h>

#include <cstdio>

#include "absl/strings/ascii.h"
#include "conformance/fixture.h"
#include "testing/cluster.h"
#include "testing/shared_data.h"

namespace npf::testing {
namespace {

// The tables were built in Go, past the API server: names have capitals, the one baseline policy is
// not called "default" (R91), and one endPort is 65537.
void CorrectNames(rapidjson::Document& document) {
  for (auto& row : document["cases"].GetArray()) {
    for (auto& policy : row["world"]["policies"].GetArray()) {
      auto& name = policy["metadata"]["name"];
      const bool baseline = std::string(policy["kind"].GetString()) == "BaselineAdminNetworkPolicy";
      const std::string correct = baseline ? "default" : absl::AsciiStrToLower(name.GetString());
      name.SetString(correct.c_str(), document.GetAllocator());
    }
  }
}

// Gives whether there was an endPort to be cut to 65535.
bool CutEndPorts(rapidjson::Value& value) {
  bool changed = false;
  if (value.IsArray()) {
    for (auto& item : value.GetArray()) changed |= CutEndPorts(item);
  } else if (value.IsObject()) {
    for (auto& member : value.GetObject()) {
      if (std::string(member.name.GetString()) == "endPort" && member.value.GetInt() > 65535) {
        member.value.SetInt(65535);
        changed = true;
      } else {
        changed |= CutEndPorts(member.value);
      }
    }
  }
  return changed;
}

absl::StatusOr<Snapshot> MakeWorld(const rapidjson::Value& world) {
  return MakeSnapshot(world["namespaces"], world["pods"], world["policies"],
                      world.HasMember("nodes") ? &world["nodes"] : nullptr);
}

void ExpectRow(rapidjson::Value& row) {
  auto& world = row["world"];
  auto snapshot = MakeWorld(world);
  if (CutEndPorts(world["policies"])) {
    EXPECT_FALSE(snapshot.ok()) << "an endPort beyond 65535 was accepted";
    snapshot = MakeWorld(world);
  }
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  const auto& packet = row["packet"];
  const reference::Question question{Address(packet["src"].GetString()),
                                     Address(packet["dst"].GetString()),
                                     ProtocolNumber(packet["protocol"].GetString()),
                                     static_cast<uint16_t>(packet["dstPort"].GetUint())};
  const char* field = row.HasMember("libnpf_expected") ? "libnpf_expected" : "expected";
  for (const auto& judge : AllJudges(*snapshot)) {
    const Judgement judgement = judge->Ask(question);
    EXPECT_STREQ(judgement.allowed ? "allow" : "deny", row[field].GetString())
        << judge->name() << ": " << ToString(judgement);
  }
}

TEST(ConformanceTest, KubeNetworkPolicies) {
  NPF_SHARED_OR_SKIP(shared);
  rapidjson::Document document = ReadJson(shared / "fixtures/kube_network_policies_tables.json");
  CorrectNames(document);
  size_t rows = 0;
  for (auto& row : document["cases"].GetArray()) {
    SCOPED_TRACE(row["name"].GetString());
    ExpectRow(row);
    ++rows;
  }
  std::printf("%zu rows\n", rows);
  EXPECT_EQ(rows, 54u);
}

}  // namespace
}  // namespace npf::testing
