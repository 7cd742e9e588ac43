// Which objects are read, skipped, warned of or refused; lists of all kinds.
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "unit/load_test_util.h"

namespace npf {
namespace {

Loaded LoadKind(const std::string& api_version, const std::string& kind, LoadOptions options = {}) {
  return Load(absl::StrCat("apiVersion: ", api_version, "\nkind: ", kind,
                           "\nmetadata: {name: x}\nspec: {}\n"),
              "t.yaml", options);
}

TEST(LoadKindsTest, OtherKindsAreCountedAndSkipped) {
  for (const auto& [api_version, kind] :
       std::vector<std::pair<std::string, std::string>>{{"v1", "ConfigMap"},
                                                        {"networking.k8s.io/v1beta1", "Ingress"},
                                                        {"networking.k8s.io/v1", "IngressClass"},
                                                        {"networking.k8s.io/v1beta1", "IPAddress"},
                                                        {"networking.k8s.io/v1", "ServiceCIDR"},
                                                        {"serving.knative.dev/v1", "Service"},
                                                        {"extensions/v1beta1", "Ingress"},
                                                        {"example.com/v1", "Pod"}}) {
    const Loaded loaded = LoadKind(api_version, kind);
    EXPECT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
    EXPECT_EQ(loaded.Warnings(), "");
    EXPECT_EQ(loaded.report.skipped.at(api_version + " " + kind), 1u);
    EXPECT_TRUE(loaded.report.used.empty());
  }
}

TEST(LoadKindsTest, UnknownPoliciesAreErrors) {
  EXPECT_EQ(LoadKind("networking.k8s.io/v1", "CiliumNetworkPolicy").Errors(),
            "t.yaml:2:7: CiliumNetworkPolicy x: kind: unknown kind of policy (found "
            "networking.k8s.io/v1 CiliumNetworkPolicy); networking.k8s.io/v1 NetworkPolicy\n");
  EXPECT_NE(LoadKind("networking.k8s.io/v2", "NetworkPolicy").Errors().find("unknown apiVersion"),
            std::string::npos);
  EXPECT_NE(LoadKind("extensions/v1beta1", "NetworkPolicy").Errors().find("Kubernetes 1.16"),
            std::string::npos);
  EXPECT_NE(LoadKind("v1", "NetworkPolicy").Errors().find("unknown apiVersion"), std::string::npos);
  EXPECT_NE(LoadKind("policy.networking.k8s.io/v1alpha1", "ClusterNetworkPolicy")
                .Errors()
                .find("unknown kind of policy"),
            std::string::npos);
}

TEST(LoadKindsTest, PoliciesOfOtherVendorsAreLoudWarnings) {
  for (const auto& [api_version, kind] : std::vector<std::pair<std::string, std::string>>{
           {"cilium.io/v2", "CiliumNetworkPolicy"},
           {"projectcalico.org/v3", "NetworkPolicy"},
           {"crd.projectcalico.org/v1", "GlobalNetworkPolicy"},
           {"crd.antrea.io/v1beta1", "ClusterNetworkPolicy"},
           {"k8s.cni.cncf.io/v1beta1", "MultiNetworkPolicy"},
           {"k8s.ovn.org/v1", "EgressFirewall"}}) {
    const Loaded loaded = LoadKind(api_version, kind);
    EXPECT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
    EXPECT_NE(loaded.Warnings().find("IT IS NOT ENFORCED"), std::string::npos) << kind;
  }
}

TEST(LoadKindsTest, ObjectsMustSayWhatTheyAre) {
  EXPECT_EQ(Load("apiVersion: v1\nmetadata: {name: x}\n").Errors(),
            "t.yaml:1:1: kind: is missing; an object needs one, as NetworkPolicy\n");
  EXPECT_EQ(Load("kind: Pod\nmetadata: {name: x}\n").Errors(),
            "t.yaml:1:1: Pod: apiVersion: is missing; an object needs one, as "
            "networking.k8s.io/v1\n");
  EXPECT_NE(Load("apiVersion: 1\nkind: Pod\n")
                .Errors()
                .find("t.yaml:1:13: Pod: apiVersion: must be a string (found the number 1)"),
            std::string::npos);
  EXPECT_NE(Load("- a\n").Errors().find("object must be a map (found a list)"), std::string::npos);
  EXPECT_NE(Load("hello\n").Errors().find("(found the string \"hello\")"), std::string::npos);
}

// Lists.

constexpr char kPodOne[] = R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"one"}})";
constexpr char kPodTwo[] = R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"two"}})";
constexpr char kBareOne[] = R"({"metadata":{"name":"one"}})";
constexpr char kBareTwo[] = R"({"metadata":{"name":"two"}})";

TEST(LoadKindsTest, ListsAreUnpackedWhereverTheirKindStands) {
  const std::vector<std::string> lists = {
      absl::StrCat(R"({"apiVersion":"v1","kind":"List","items":[)", kPodOne, ",", kPodTwo, "]}"),
      absl::StrCat(R"({"apiVersion":"v1","items":[)", kPodOne, ",", kPodTwo, R"(],"kind":"List"})"),
      absl::StrCat(R"({"items":[)", kPodOne, ",", kPodTwo, R"(],"kind":"List","apiVersion":"v1"})"),
      absl::StrCat(R"({"apiVersion":"v1","kind":"PodList","items":[)", kBareOne, ",", kBareTwo,
                   "]}"),
      absl::StrCat(R"({"apiVersion":"v1","items":[)", kBareOne, ",", kPodTwo,
                   R"(],"kind":"PodList"})"),
      absl::StrCat(R"({"items":[)", kBareOne, ",", kBareTwo,
                   R"(],"kind":"PodList","apiVersion":"v1"})"),
      absl::StrCat(
          R"({"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"List","items":[)",
          kPodOne, "]},", kPodTwo, "]}")};
  for (const std::string& list : lists) {
    for (const char* name : {"t.json", "t.yaml"}) {
      const Loaded loaded = Load(name == std::string("t.json") ? list : "---\n" + list, name);
      ASSERT_TRUE(loaded.snapshot.has_value()) << list << loaded.Errors();
      ASSERT_EQ(loaded.snapshot->pods().size(), 2u) << list;
      EXPECT_EQ(loaded.snapshot->pods()[1].name, "two");
      EXPECT_EQ(loaded.report.used.at("Pod"), 2u);
    }
  }
}

TEST(LoadKindsTest, AnEmptyListIsNoError) {
  for (const char* list :
       {"apiVersion: v1\nkind: List\nitems: []\n", "apiVersion: v1\nkind: List\n",
        "apiVersion: v1\nitems: []\nkind: PodList\n",
        "apiVersion: v1\nitems: null\nkind: PodList\n"}) {
    EXPECT_TRUE(Load(list).snapshot.has_value()) << list;
  }
}

TEST(LoadKindsTest, ItemsMustSayWhatTheyAre) {
  EXPECT_NE(Load("apiVersion: v1\nkind: List\nitems: [{metadata: {name: x}}]\n")
                .Errors()
                .find("kind: is missing"),
            std::string::npos);
  EXPECT_NE(Load("apiVersion: v1\nitems: [{metadata: {name: x}}]\nkind: List\n")
                .Errors()
                .find("kind: is missing"),
            std::string::npos);
  EXPECT_NE(Load("apiVersion: v1\nkind: List\nitems: [3]\n").Errors().find("must be a map"),
            std::string::npos);
  EXPECT_NE(Load("apiVersion: v1\nkind: List\nitems: 3\n").Errors().find("items: must be a list"),
            std::string::npos);
  EXPECT_NE(Load(absl::StrCat("{\"apiVersion\":\"v1\",\"items\":[", kPodOne, "],\"kind\":\"Foo\"}"))
                .Errors()
                .find("the kind is not a List"),
            std::string::npos);
}

TEST(LoadKindsTest, OtherObjectsMayHaveItems) {
  const Loaded loaded = Load("apiVersion: x/v1\nitems: [{a: b}]\nkind: Foo\n");
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  EXPECT_EQ(loaded.report.skipped.at("x/v1 Foo"), 1u);
}

TEST(LoadKindsTest, ManagedFieldsAreNotKept) {
  std::string fields = "[";
  for (int i = 0; i < 80; ++i) fields += "{x: ";
  for (int i = 0; i < 80; ++i) fields += "}";
  fields += "]";
  const std::string text =
      "apiVersion: v1\nkind: Pod\nmetadata:\n  managedFields: [{a: 1, a: 2}, &x b]\n  name: x\n";
  EXPECT_TRUE(Load(text).snapshot.has_value()) << Load(text).Errors();
  // They count where the depth is bounded, and nothing can refer to them.
  EXPECT_NE(Load("apiVersion: v1\nkind: Pod\nmetadata:\n  managedFields: " + fields)
                .Errors()
                .find("nesting deeper"),
            std::string::npos);
  EXPECT_NE(Load(text + "  namespace: *x\n").Errors().find("a part that is not read"),
            std::string::npos);
}

}  // namespace
}  // namespace npf
