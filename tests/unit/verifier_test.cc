// The verifier itself: silent where the Program is right, and a witness where one bit is wrong.
#include "npf/verifier.h"

#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "npf/classify.h"
#include "npf/compiler.h"
#include "npf/snapshot.h"
#include "program/view.h"

namespace npf::tools {
namespace {

Pod MakePod(const std::string& name, const std::string& app, int host, const std::string& node) {
  Pod pod;
  pod.ns = "shop";
  pod.name = name;
  pod.labels = {{"app", app}};
  pod.node_name = node;
  pod.phase = PodPhase::kRunning;
  pod.ips = {"10.1.0." + std::to_string(host), "fd00::" + std::to_string(host)};
  pod.ports = {{.name = "http", .port = 8000 + host, .protocol = "TCP"}};
  return pod;
}

PolicyRule RuleFor(const std::string& app, PolicyPort port) {
  PolicyPeer peer;
  peer.pod_selector = LabelSelector{.match_labels = {{"app", app}}, .match_expressions = {}};
  PolicyRule rule;
  rule.peers = {peer};
  rule.ports = {std::move(port)};
  return rule;
}

// Two tiers with named and ranged ports, a block with an exception, and two nodes.
Snapshot MakeSnapshot() {
  SnapshotBuilder builder;
  builder.Add(Namespace{.name = "shop", .labels = {}, .position = {}});
  for (int i = 1; i <= 2; ++i) {
    Node node;
    node.name = "node-" + std::to_string(i);
    node.addresses = {"10.9.0." + std::to_string(i)};
    node.pod_cidrs = {"10.1.0.0/16"};
    builder.Add(node);
  }
  builder.Add(MakePod("web-a", "web", 1, "node-1"));
  builder.Add(MakePod("web-b", "web", 2, "node-2"));
  builder.Add(MakePod("db", "db", 3, "node-1"));

  NetworkPolicy db;
  db.ns = "shop";
  db.name = "db";
  db.pod_selector.match_labels = {{"app", "db"}};
  db.policy_types = {"Ingress", "Egress"};
  db.ingress = {
      RuleFor("web", {.protocol = "TCP", .port = 5432, .end_port = 5440, .position = {}})};
  PolicyPeer block;
  block.ip_block = IpBlock{.cidr = "192.0.2.0/24", .except = {"192.0.2.128/25"}};
  PolicyRule out;
  out.peers = {block};
  db.egress = {out};
  builder.Add(db);

  NetworkPolicy web;
  web.ns = "shop";
  web.name = "web";
  web.pod_selector.match_labels = {{"app", "web"}};
  web.policy_types = {"Ingress"};
  web.ingress = {RuleFor("web", {.protocol = {}, .port = "http", .end_port = {}, .position = {}})};
  builder.Add(web);

  Diagnostics diagnostics;
  absl::StatusOr<Snapshot> snapshot = builder.Build(diagnostics);
  for (const Diagnostic& d : diagnostics.all()) ADD_FAILURE_AT(__FILE__, __LINE__) << d.detail;
  return *std::move(snapshot);
}

// The image with one byte of a section turned, under a repaired checksum.
Program Damage(const Program& program, layout::SectionId section, size_t byte, uint8_t flip) {
  const std::span<const std::byte> image = program.image();
  std::vector<std::byte> bytes(image.begin(), image.end());
  const auto at =
      static_cast<size_t>(program.view().Section<std::byte>(section).data() - image.data());
  bytes[at + byte] ^= std::byte{flip};
  const uint64_t checksum = ImageChecksum(bytes);
  std::memcpy(bytes.data() + offsetof(layout::ImageHeader, checksum), &checksum, sizeof(checksum));
  absl::StatusOr<Program> damaged = Program::FromImage(bytes);
  EXPECT_TRUE(damaged.ok()) << damaged.status();
  return *std::move(damaged);
}

TEST(VerifierTest, ARightProgramHasNoWitness) {
  const Snapshot snapshot = MakeSnapshot();
  const absl::StatusOr<Program> program = Compile(snapshot);
  ASSERT_TRUE(program.ok()) << program.status();
  for (const Placement placement : {Placement::kOffline, Placement::kNodeWire}) {
    for (const bool deny_unknown : {false, true}) {
      VerifyOptions options;
      options.classify.placement = placement;
      options.classify.deny_unknown_pod = deny_unknown;
      const VerifyOutcome outcome = VerifyProgram(snapshot, *program, options);
      EXPECT_EQ(outcome.differences, 0u) << Describe(*outcome.witness);
      EXPECT_GT(outcome.class_decisions, 100u);
      EXPECT_EQ(outcome.extra_decisions, outcome.extra_all) << "small enough to ask everything";
    }
  }
}

// Cells that deny some ICMP packet between these addresses, found by asking.
std::set<uint32_t> DenyingCells(const Program& program) {
  std::set<uint32_t> cells;
  const std::vector<std::string> addresses = {"10.1.0.1", "10.1.0.2",  "10.1.0.3",    "10.1.0.9",
                                              "10.9.0.1", "192.0.2.1", "192.0.2.200", "8.8.8.8"};
  for (const std::string& src : addresses) {
    for (const std::string& dst : addresses) {
      const FlowKey key = MakeFlowKey(*ParseIpAddress(src), *ParseIpAddress(dst), kProtocolIcmp, 0);
      Verdict verdict;
      Classify(program, {.placement = Placement::kFabric}, {&key, 1}, {&verdict, 1});
      if (verdict.allowed == 0) cells.insert(verdict.cell);
    }
  }
  return cells;
}

constexpr uint8_t kDenyToAllow = layout::kDeniedBoth ^ layout::kAllowedByPolicy;

TEST(VerifierTest, AnOutcomeThatAllowsWhatIsDeniedIsFound) {
  const Snapshot snapshot = MakeSnapshot();
  const absl::StatusOr<Program> program = Compile(snapshot);
  ASSERT_TRUE(program.ok());
  const size_t words = program->view().header().outcome_words;
  const std::set<uint32_t> cells = DenyingCells(*program);
  EXPECT_GT(cells.size(), 5u);
  for (const uint32_t cell : cells) {
    const Program wrong = Damage(*program, layout::kCellOutcomes, cell * words * 8, kDenyToAllow);
    const VerifyOutcome outcome = VerifyProgram(snapshot, wrong, {});
    ASSERT_TRUE(outcome.witness.has_value()) << "cell " << cell;
    EXPECT_EQ(outcome.witness->engine.cell, cell) << Describe(*outcome.witness);
  }
}

TEST(VerifierTest, APortInTheWrongPortClassIsFound) {
  const Snapshot snapshot = MakeSnapshot();
  const absl::StatusOr<Program> program = Compile(snapshot);
  ASSERT_TRUE(program.ok());
  const size_t bytes = program->view().header().port_class_bytes;
  const size_t tcp = program->view().Section<layout::Protocol>(layout::kProtocols)[6].base;
  // TCP 5441, one beyond the range, gets the class of TCP 5440.
  const uint8_t in = std::to_integer<uint8_t>(
      program->view().Section<std::byte>(layout::kPortIndex)[(tcp + 5440) * bytes]);
  const uint8_t out = std::to_integer<uint8_t>(
      program->view().Section<std::byte>(layout::kPortIndex)[(tcp + 5441) * bytes]);
  ASSERT_NE(in, out);
  const Program wrong =
      Damage(*program, layout::kPortIndex, (tcp + 5441) * bytes, static_cast<uint8_t>(in ^ out));
  const VerifyOutcome outcome = VerifyProgram(snapshot, wrong, {});
  ASSERT_TRUE(outcome.witness.has_value());
  EXPECT_EQ(outcome.witness->question.dst_port, 5441);
}

TEST(VerifierTest, TheWitnessIsTheSameWhateverTheThreads) {
  const Snapshot snapshot = MakeSnapshot();
  const absl::StatusOr<Program> program = Compile(snapshot);
  ASSERT_TRUE(program.ok());
  const uint32_t cell = *DenyingCells(*program).begin();
  const Program wrong =
      Damage(*program, layout::kCellOutcomes,
             size_t{cell} * program->view().header().outcome_words * 8, kDenyToAllow);
  VerifyOptions one;
  one.threads = 1;
  VerifyOptions many;
  many.threads = 7;
  const VerifyOutcome a = VerifyProgram(snapshot, wrong, one);
  const VerifyOutcome b = VerifyProgram(snapshot, wrong, many);
  ASSERT_TRUE(a.witness && b.witness);
  EXPECT_EQ(Describe(*a.witness), Describe(*b.witness));
  EXPECT_EQ(a.differences, b.differences);
}

}  // namespace
}  // namespace npf::tools
