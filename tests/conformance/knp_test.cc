// The tables of kube-network-policies, as far as they need NetworkPolicy only.
#include <gtest/gtest.h>

#include <cstdio>

#include "absl/strings/ascii.h"
#include "conformance/fixture.h"
#include "testing/cluster.h"
#include "testing/shared_data.h"

namespace npf::testing {
namespace {

bool NeedsNetworkPolicyOnly(const rapidjson::Value& row) {
  for (const auto& policy : row["world"]["policies"].GetArray()) {
    if (std::string(policy["kind"].GetString()) != "NetworkPolicy") return false;
  }
  return true;
}

// The tables were built in Go, past the API server: names have capitals, and one endPort is 65537.
void LowerNames(rapidjson::Document& document) {
  for (auto& row : document["cases"].GetArray()) {
    for (auto& policy : row["world"]["policies"].GetArray()) {
      auto& name = policy["metadata"]["name"];
      const std::string lower = absl::AsciiStrToLower(name.GetString());
      name.SetString(lower.c_str(), document.GetAllocator());
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

void ExpectRow(rapidjson::Value& row) {
  auto& world = row["world"];
  auto snapshot = MakeSnapshot(world["namespaces"], world["pods"], world["policies"]);
  if (CutEndPorts(world["policies"])) {
    EXPECT_FALSE(snapshot.ok()) << "an endPort beyond 65535 was accepted";
    snapshot = MakeSnapshot(world["namespaces"], world["pods"], world["policies"]);
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
  LowerNames(document);
  size_t rows = 0;
  for (auto& row : document["cases"].GetArray()) {
    if (!NeedsNetworkPolicyOnly(row)) continue;
    SCOPED_TRACE(row["name"].GetString());
    ExpectRow(row);
    ++rows;
  }
  std::printf("%zu of %u rows need NetworkPolicy only\n", rows, document["cases"].Size());
  EXPECT_EQ(rows, 25u);
}

}  // namespace
}  // namespace npf::testing
