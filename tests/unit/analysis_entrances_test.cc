// Ways in through Services and Ingresses, judged by what the pod sees.
#include "analysis/entrances.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "npf/compiler.h"
#include "npf/load.h"

namespace npf::analysis {
namespace {

constexpr char kObjects[] = R"(
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: Node, metadata: {name: n1}, status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {containers: [{ports: [{name: http, containerPort: 8080}]}]}, status: {podIP: 10.0.0.1}}
---
{apiVersion: v1, kind: Pod, metadata: {name: api, namespace: shop, labels: {app: api}}, status: {podIP: 10.0.0.2}}
---
{apiVersion: v1, kind: Pod, metadata: {name: other, namespace: shop, labels: {app: other}}, status: {podIP: 10.0.0.3}}
---
{apiVersion: v1, kind: Service, metadata: {name: api, namespace: shop}, spec: {selector: {app: api}, ports: [{port: 80, targetPort: 9000}]}}
---
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {name: shop, namespace: shop}, spec: {rules: [{host: a.example, http: {paths: [{path: /api, backend: {service: {name: api, port: {number: 80}}}}]}}]}}
---
)";

std::string NamesOf(const Scene& scene, const EntranceRow& row) {
  std::string text;
  for (const uint32_t group : row.from_groups) {
    absl::StrAppend(&text, std::string(Name(scene.groups()[group].kind)), " ");
  }
  for (const uint32_t pod : row.from_pods) absl::StrAppend(&text, scene.pods()[pod].name, " ");
  absl::StrAppend(&text, ">");
  for (const uint32_t pod : row.to) absl::StrAppend(&text, " ", scene.pods()[pod].name);
  return text;
}

// "WAY, seen SEEN: FROM > TO: PORTS of WANTED".
std::vector<std::string> Entrances(const std::string& service, const std::string& policy) {
  SnapshotBuilder builder;
  Diagnostics diagnostics;
  LoadReport report;
  LoadText(absl::StrCat(kObjects, service, "\n---\n", policy), "in.yaml", {}, builder, diagnostics,
           report);
  const auto snapshot = builder.Build(diagnostics);
  EXPECT_TRUE(snapshot.ok()) << snapshot.status();
  const auto program = Compile(*snapshot);
  std::vector<SceneSide> sides;
  sides.push_back({*program, *snapshot});
  const Scene scene(std::move(sides));
  PortSets ports;
  Connectivity side(*program, {.placement = Placement::kFabric}, ports);
  std::vector<std::string> rows;
  for (const EntranceRow& row : ListEntrances(scene, side, ports)) {
    rows.push_back(absl::StrCat(row.way, ", seen ", std::string(Name(row.seen)), ": ",
                                NamesOf(scene, row), ": ", ToString(ports.Get(row.ports)), " of ",
                                ToString(ports.Get(row.wanted))));
  }
  return rows;
}

constexpr char kIngressRows[] = "Ingress shop/shop: a.example/api, seen controller: ";

TEST(EntrancesTest, NodePortsAreJudgedByBothAddresses) {
  const std::string service =
      "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {type: "
      "NodePort, selector: {app: web}, ports: [{port: 80, targetPort: http, nodePort: 30080}]}}";
  // No policy: both get through, and so does the Ingress, from the pod that is entered and nodes.
  EXPECT_EQ(Entrances(service, ""),
            (std::vector<std::string>{
                "NodePort 30080/TCP, seen client: external > shop/web: TCP 8080 of TCP 8080",
                "NodePort 30080/TCP, seen node: node > shop/web: TCP 8080 of TCP 8080",
                absl::StrCat(kIngressRows, "node shop/web > shop/api: TCP 9000 of TCP 9000")}));
  // Nodes alone are let in.
  EXPECT_EQ(Entrances(service,
                      "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, "
                      "namespace: shop}, spec: {podSelector: {}, ingress: [{from: [{ipBlock: "
                      "{cidr: 192.168.0.0/16}}], ports: [{port: 8080}]}]}}"),
            (std::vector<std::string>{
                "NodePort 30080/TCP, seen client: external > shop/web: TCP 8080 of TCP 8080",
                "NodePort 30080/TCP, seen node: node > shop/web: TCP 8080 of TCP 8080",
                absl::StrCat(kIngressRows, "> shop/api: none of TCP 9000")}));
}

TEST(EntrancesTest, WhatPolicyLeavesOfIt) {
  const std::string service =
      "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {type: "
      "LoadBalancer, externalTrafficPolicy: Local, selector: {app: web}, "
      "loadBalancerSourceRanges: [203.0.113.0/24], ports: [{port: 443, targetPort: http}, {port: "
      "9, targetPort: none}]}, status: {loadBalancer: {ingress: [{ip: 192.0.2.7}]}}}";
  const std::string way = "LoadBalancer 192.0.2.7, 443/TCP from 203.0.113.0/24, seen client: ";
  const std::string deny =
      "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: "
      "shop}, spec: {podSelector: {matchLabels: {app: web}}, ingress: [";
  EXPECT_EQ(Entrances(service, deny + "]}}"),
            (std::vector<std::string>{
                way + "> shop/web: none of TCP 8080",
                absl::StrCat(kIngressRows, "node > shop/api: TCP 9000 of TCP 9000")}));
  // Open to others than the balancer lets in.
  EXPECT_EQ(Entrances(service, deny + "{from: [{ipBlock: {cidr: 198.51.100.0/24}}]}]}}")[0],
            way + "> shop/web: none of TCP 8080");
  EXPECT_EQ(Entrances(service, deny + "{from: [{ipBlock: {cidr: 203.0.113.0/25}}]}]}}")[0],
            way + "external > shop/web: TCP 8080 of TCP 8080");
}

TEST(EntrancesTest, OthersOpenNothing) {
  for (const char* spec :
       {"{selector: {app: web}, ports: [{port: 80}]}", "{type: NodePort, ports: [{port: 80}]}",
        "{type: ExternalName, externalName: a.example, selector: {app: web}}"}) {
    const auto rows = Entrances(
        absl::StrCat(
            "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: ", spec,
            "}"),
        "");
    EXPECT_EQ(rows.size(), 1u) << spec;  // the Ingress
  }
}

}  // namespace
}  // namespace npf::analysis
