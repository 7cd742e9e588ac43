// Which pods' policies a place can enforce.
#include "observe/visibility.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace npf::observe {
namespace {

Pod MakePod(std::string name, std::string node, std::string ip) {
  Pod pod{.ns = "shop", .name = std::move(name), .node_name = std::move(node)};
  pod.phase = PodPhase::kRunning;
  if (!ip.empty()) pod.ips = {std::move(ip)};
  return pod;
}

// Node a has two pods and one that uses its network, b has one, c has one; one has no node.
Snapshot Cluster() {
  SnapshotBuilder builder;
  builder.Add(MakePod("a1", "a", "10.0.0.1"));
  builder.Add(MakePod("a2", "a", "10.0.0.2"));
  builder.Add(MakePod("b1", "b", "10.0.0.3"));
  builder.Add(MakePod("c1", "c", "10.0.0.4"));
  builder.Add(MakePod("homeless", "", "10.0.0.5"));
  builder.Add(MakePod("pending", "a", ""));
  Pod host = MakePod("host", "a", "192.168.0.1");
  host.host_network = true;
  builder.Add(host);
  Pod ended = MakePod("ended", "b", "10.0.0.3");
  ended.phase = PodPhase::kSucceeded;
  builder.Add(ended);
  Diagnostics diagnostics;
  return *builder.Build(diagnostics);
}

// "ENFORCED: WHY" of a pod, or "" where it is not listed.
std::string Of(const std::string& pod, const VisibilityInput& input) {
  for (const control::PodVisibility& found : VisibilityOf(Cluster(), input)) {
    if (found.pod == "shop/" + pod) return found.enforced + ": " + found.why;
  }
  return "";
}

bool Has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

VisibilityInput NodeWire() {
  return {.placement = Placement::kNodeWire, .ports = {{.port = "lan", .nodes = {"a", "b"}}}};
}

TEST(ObserveVisibility, OnANodesWirePodsOfOneNodeAreOnlyPartlySeen) {
  EXPECT_EQ(Of("a1", NodeWire()),
            "partly: traffic between pods of node a does not cross the wire of port lan");
  EXPECT_TRUE(Of("b1", NodeWire()).starts_with("here: the only pod of node b"));
  EXPECT_TRUE(Of("c1", NodeWire()).starts_with("partly: node c is behind no port"));
  EXPECT_TRUE(Of("homeless", NodeWire()).starts_with("not visible: "));
}

TEST(ObserveVisibility, PolicyDoesNotApplyToThoseOnTheirNodesNetwork) {
  for (const Placement placement :
       {Placement::kPodPort, Placement::kNodeWire, Placement::kFabric}) {
    VisibilityInput input = NodeWire();
    input.placement = placement;
    const std::string host = Of("host", input);
    EXPECT_TRUE(host.starts_with("not visible: ")) << host;
    EXPECT_TRUE(Has(host, "R52")) << host;
    EXPECT_EQ(Of("pending", input), "not visible: it has no address yet");
    EXPECT_EQ(Of("ended", input), "");
  }
}

TEST(ObserveVisibility, WithoutNodesOrPodsBehindAPortNothingIsSeen) {
  VisibilityInput input = NodeWire();
  input.ports[0].nodes.clear();
  EXPECT_EQ(Of("a1", input), "not visible: no node is configured to be behind a port");
  input.ports[0].nodes = {"empty"};
  EXPECT_TRUE(Of("a1", input).starts_with("not visible: node a is behind no port"));
  input.placement = Placement::kPodPort;
  EXPECT_EQ(Of("a1", input), "not visible: no pod is configured to be behind a port");
}

TEST(ObserveVisibility, AtAPodsPortAllOfThatPodIsSeen) {
  const VisibilityInput input{.placement = Placement::kPodPort,
                              .ports = {{.port = "vhost0", .pods = {"shop/a1"}}}};
  EXPECT_EQ(Of("a1", input), "here: all of its traffic crosses port vhost0");
  EXPECT_TRUE(Of("a2", input).starts_with("partly: it is behind no port"));
}

TEST(ObserveVisibility, InAFabricEveryNodeIsBehindIt) {
  const VisibilityInput input{.placement = Placement::kFabric};
  EXPECT_EQ(Of("a1", input), "partly: traffic between pods of node a does not cross the fabric");
  EXPECT_TRUE(Of("c1", input).starts_with("here: "));
  EXPECT_TRUE(Of("homeless", input).starts_with("partly: "));
}

TEST(ObserveVisibility, WhatWasSeenTakesFromIt) {
  VisibilityInput input = NodeWire();
  input.observed = {"opaque"};
  EXPECT_TRUE(Of("b1", input).starts_with("partly: "));
  EXPECT_TRUE(Has(Of("b1", input), "no overlay is configured"));
  input.overlays_configured = true;
  EXPECT_TRUE(Has(Of("b1", input), "of no configured overlay"));
  input.observed = {"masquerade", "policy"};
  EXPECT_TRUE(Has(Of("b1", input), "bears their nodes' addresses"));
  EXPECT_TRUE(Of("b1", input).starts_with("partly: "));
  EXPECT_FALSE(Has(Of("host", input), "bears their nodes' addresses"));
  input.observed = {"policy"};
  EXPECT_TRUE(Of("b1", input).starts_with("here: "));
}

TEST(ObserveVisibility, TheReportHasSumsAndTheWorstFirst) {
  const auto pods = VisibilityOf(Cluster(), NodeWire());
  const std::string all = VisibilityReport(pods);
  EXPECT_TRUE(all.starts_with("7 pods: 1 enforced here, 3 partly, 3 not visible\n")) << all;
  EXPECT_LT(all.find("shop/host"), all.find("shop/a1"));
  EXPECT_LT(all.find("shop/a1"), all.find("shop/b1"));
  EXPECT_FALSE(Has(all, "more"));
  const std::string some = VisibilityReport(pods, 2);
  EXPECT_TRUE(some.ends_with("... and 5 more\n")) << some;
  EXPECT_FALSE(Has(some, "shop/a1"));
}

}  // namespace
}  // namespace npf::observe
