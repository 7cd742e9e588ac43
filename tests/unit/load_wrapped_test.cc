// Objects in Crossplane's Objects, and what Helm and Kustomize print.
#include <gtest/gtest.h>

#include <string>

#include "unit/load_test_util.h"

namespace npf {
namespace {

constexpr char kObject[] = R"(apiVersion: kubernetes.crossplane.io/v1alpha2
kind: Object
metadata: {name: db-policy}
spec:
)";
constexpr char kManifest[] = R"(  forProvider:
    manifest:
      apiVersion: networking.k8s.io/v1
      kind: NetworkPolicy
      metadata: {namespace: shop}
      spec:
        podSelector: {matchLabels: {app: db}}
        ingress: []
)";

TEST(Crossplane, AnObjectsManifestIsTheObject) {
  const Loaded loaded = Load(std::string(kObject) + kManifest);
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  const NetworkPolicy& policy = loaded.snapshot->policies()[0];
  EXPECT_EQ(policy.name, "db-policy");  // it names itself nothing
  EXPECT_EQ(policy.ns, "shop");
  EXPECT_EQ(policy.position.line, 7u);
  EXPECT_EQ(loaded.Warnings(), "");
}

TEST(Crossplane, ANameOfItsOwnCounts) {
  std::string text = std::string(kObject) + kManifest;
  text.replace(text.find("{namespace: shop}"), 17, "{name: own, namespace: shop}");
  text.replace(text.find("crossplane.io/v1alpha2"), 22, "m.crossplane.io/v1alpha1");
  const Loaded loaded = Load(text);
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  EXPECT_EQ(loaded.snapshot->policies()[0].name, "own");
}

TEST(Crossplane, FaultsStandWhereTheyAre) {
  std::string text = std::string(kObject) + kManifest;
  EXPECT_EQ(Load(text + "        egres: []\n").Errors(),
            "t.yaml:13:9: NetworkPolicy shop/db-policy: spec.egres: unknown field; did you mean "
            "\"egress\"?\n");
  EXPECT_EQ(Load(text + "        ingress: []\n").Errors().substr(0, 62),
            "t.yaml:13:9: NetworkPolicy shop/db-policy: spec.ingress: dupli");
  EXPECT_NE(Load(std::string(kObject) + "  forProvider: {}\n").Errors().find("is missing"),
            std::string::npos);
}

TEST(Crossplane, WhatIsPatchedInIsNotGuessed) {
  const std::string text = std::string(kObject) + kManifest + "  references:\n  - patchesFrom: ";
  const auto error = [&](const std::string& patch) { return Load(text + patch).Errors(); };
  EXPECT_NE(error("{fieldPath: spec.podSelector.matchLabels.app}\n")
                .find("spec.podSelector.matchLabels.app: is not known before"),
            std::string::npos);
  EXPECT_NE(error("{fieldPath: a}\n    toFieldPath: spec.ingress[0].from\n")
                .find("spec.ingress: is not known before"),
            std::string::npos);
  EXPECT_NE(error("{fieldPath: a}\n    toFieldPath: spec.policyTypes\n")
                .find("spec.policyTypes: is not known before"),
            std::string::npos);
  EXPECT_NE(Load(std::string(kObject) + kManifest +
                 "  references: [{dependsOn: {kind: X}}]\n  managementPolicies: ['*']\n")
                .report.used.at("NetworkPolicy"),
            0u);
}

TEST(Crossplane, WhatIsOnlyObservedIsLeftOut) {
  for (const char* observed :
       {"  managementPolicies: [Observe, Delete]\n", "  managementPolicy: ObserveDelete\n"}) {
    const Loaded loaded = Load(std::string(kObject) + kManifest + observed);
    ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
    EXPECT_TRUE(loaded.snapshot->policies().empty());
    EXPECT_NE(loaded.Warnings().find("only observed"), std::string::npos);
  }
}

TEST(Crossplane, ObjectsInObjectsAndLists) {
  const Loaded loaded = Load(R"(apiVersion: v1
kind: List
items:
- apiVersion: kubernetes.crossplane.io/v1alpha1
  kind: Object
  metadata: {name: outer}
  spec:
    forProvider:
      manifest:
        apiVersion: kubernetes.crossplane.io/v1alpha1
        kind: Object
        spec: {forProvider: {manifest: {apiVersion: v1, kind: Namespace, metadata: {name: shop}}}}
)");
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  EXPECT_EQ(loaded.snapshot->namespaces()[0].name, "shop");
}

TEST(Crossplane, ACompositionIsToldFrom) {
  const Loaded loaded =
      Load("apiVersion: apiextensions.crossplane.io/v1\nkind: Composition\nmetadata: {name: c}\n");
  EXPECT_NE(loaded.Warnings().find("crossplane render"), std::string::npos);
}

// As `helm install --dry-run` prints it.
TEST(Helm, AReleaseIsReadWithoutItsProse) {
  const std::string text = R"(NAME: shop
LAST DEPLOYED: Mon Jan  5 10:00:00 2026
STATUS: pending-install
TEST SUITE: None
HOOKS:
---
# Source: shop/templates/tests/check.yaml
apiVersion: v1
kind: Pod
metadata: {name: check, namespace: shop, annotations: {"helm.sh/hook": test}}
MANIFEST:
---
# Source: shop/templates/policy.yaml
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec:
  podSelector: {}

NOTES:
Thank you: [for, installing
  - {{ nothing }}
)";
  const Loaded loaded = Load(text);
  ASSERT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
  ASSERT_EQ(loaded.snapshot->policies().size(), 1u);
  EXPECT_EQ(loaded.snapshot->policies()[0].position.line, 14u);
  EXPECT_EQ(loaded.snapshot->pods().size(), 1u);
  EXPECT_EQ(Load("Release \"shop\" has been upgraded. Happy Helming!\n" + text)
                .report.used.at("NetworkPolicy"),
            1u);
  // Prose is looked for in releases only.
  EXPECT_FALSE(Load(text.substr(text.find("---"))).diagnostics.ok());
}

TEST(Helm, AHookThatPassesIsNoPolicyInForce) {
  const auto policies = [](const std::string& annotations, const std::string& more = "") {
    const Loaded loaded =
        Load("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: p\n" +
             more + "  annotations: {" + annotations + "}\nspec: {podSelector: {}}\n");
    EXPECT_TRUE(loaded.snapshot.has_value()) << loaded.Errors();
    if (!loaded.snapshot.has_value()) return size_t{99};
    const bool told = loaded.Warnings().find("is a Helm hook") != std::string::npos;
    EXPECT_EQ(told, loaded.snapshot->policies().empty());
    return loaded.snapshot->policies().size();
  };
  EXPECT_EQ(policies("helm.sh/hook: pre-install"), 1u);
  EXPECT_EQ(policies("\"helm.sh/hook\": \"pre-delete, post-delete\""), 0u);
  EXPECT_EQ(policies("helm.sh/hook: test"), 0u);
  EXPECT_EQ(policies("helm.sh/hook: \"pre-install,post-delete\""), 1u);
  EXPECT_EQ(policies("helm.sh/hook: pre-install, helm.sh/hook-delete-policy: hook-succeeded"), 0u);
  EXPECT_EQ(policies("helm.sh/hook: pre-delete", "  uid: of-a-cluster\n"), 1u);
}

TEST(Helm, StreamsWithOddities) {
  const std::string policy = PolicyText("  podSelector: {}\n");
  for (const std::string& text :
       {"---\n---\n# only a comment\n---\n" + policy + "---",
        "--- # Source: x/y.yaml\n" + policy + "...\n", "%YAML 1.2\n---\n" + policy,
        "\n\n# Source: x\n---\nnull\n---\n" + policy + "--- \n",
        "# Source: a\n---\n---\n\n---\n" + policy + "\n---\n# the end",
        "---\n" + policy + "...\n# between\n---\n---\n"}) {
    const Loaded loaded = Load(text);
    ASSERT_TRUE(loaded.snapshot.has_value()) << text << loaded.Errors();
    EXPECT_EQ(loaded.snapshot->policies().size(), 1u) << text;
  }
}

TEST(Kustomize, AKustomizationIsToldFrom) {
  const Loaded loaded = Load(
      "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [p.yaml]\n");
  EXPECT_NE(loaded.Warnings().find("kustomize build"), std::string::npos);
}

}  // namespace
}  // namespace npf
