// Label selectors: each row's selector as the peer of a policy, its labels on a pod.
#include <gtest/gtest.h>

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "conformance/fixture.h"
#include "testing/cluster.h"
#include "testing/shared_data.h"

namespace npf::testing {
namespace {

constexpr char kSubject[] = R"({"apiVersion": "v1", "kind": "Pod",
  "metadata": {"namespace": "default", "name": "subject", "labels": {"role": "subject"}},
  "status": {"phase": "Running", "podIP": "10.0.0.1"}})";

std::string PeerPod(const rapidjson::Value& labels) {
  return absl::StrCat(R"({"apiVersion": "v1", "kind": "Pod",
    "metadata": {"namespace": "default", "name": "peer", "labels": )",
                      ToText(labels), R"(},
    "status": {"phase": "Running", "podIP": "10.0.0.2"}})");
}

std::string PolicyWithPeer(const rapidjson::Value& selector) {
  return absl::StrCat(R"({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
    "metadata": {"namespace": "default", "name": "rows"},
    "spec": {"podSelector": {"matchLabels": {"role": "subject"}},
             "ingress": [{"from": [{"podSelector": )",
                      ToText(selector), "}]}]}}");
}

void ExpectSelection(const rapidjson::Value& row) {
  const std::string text =
      absl::StrCat(R"({"apiVersion": "v1", "kind": "List", "items": [)", kSubject, ",",
                   PeerPod(row["labels"]), ",", PolicyWithPeer(row["selector"]), "]}");
  const auto snapshot = LoadSnapshotText(text, row["name"].GetString());
  if (row["selector"].IsNull()) {
    // An absent selector selects nothing (R11), so a peer of nothing else is refused (R73).
    EXPECT_FALSE(snapshot.ok());
    EXPECT_FALSE(row["match"].GetBool());
    EXPECT_FALSE(reference::SelectorMatches(std::nullopt, {{"app", "test"}}));
    return;
  }
  ASSERT_TRUE(snapshot.ok()) << snapshot.status();
  const reference::Question question{Address("10.0.0.2"), Address("10.0.0.1"), kProtocolTcp, 80};
  for (const auto& judge : AllJudges(*snapshot)) {
    EXPECT_EQ(judge->Ask(question).allowed, row["match"].GetBool()) << judge->name();
  }
}

TEST(ConformanceTest, LabelSelectors) {
  NPF_SHARED_OR_SKIP(shared);
  const rapidjson::Document document = ReadJson(shared / "fixtures/label_selectors.json");
  size_t rows = 0;
  for (const char* list : {"upstream", "extra"}) {
    for (const auto& row : document[list].GetArray()) {
      SCOPED_TRACE(row["name"].GetString());
      ExpectSelection(row);
      ++rows;
    }
  }
  std::printf("%zu selectors\n", rows);
  EXPECT_EQ(rows, 31u);
}

}  // namespace
}  // namespace npf::testing
