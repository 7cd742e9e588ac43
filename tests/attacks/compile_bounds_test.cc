// Attacks on compilation: policies whose literal meaning is very large (A124). Each is compiled
// within bounds that stand here, or refused with words that say which bound and which policy;
// ranges are never taken apart into ports.
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attacks/attack_bench.h"
#include "npf/compiler.h"
#include "npf/load.h"
#include "npf/snapshot.h"

namespace npf::testing {
namespace {

constexpr size_t kImageBytesMax = 64 << 20;
constexpr uint64_t kTimeNsMax = 20 * kSecondNs;

NetworkPolicy Web() {
  NetworkPolicy policy{.ns = "x", .name = "web", .policy_types = {"Ingress"}};
  policy.pod_selector.match_labels.Set("app", "server");
  return policy;
}

PolicyPort Range(int64_t first, int64_t last) {
  PolicyPort port{.port = IntOrString(first)};
  if (last != first) port.end_port = last;
  return port;
}

absl::StatusOr<Program> CompileWith(NetworkPolicy policy, CompileReport& report,
                                    const CompileOptions& options = {
                                        .image_bytes_max = kImageBytesMax,
                                        .time_ns_max = kTimeNsMax}) {
  SnapshotBuilder builder;
  builder.Add(std::move(policy));
  builder.Add(Pod{.ns = "x", .name = "s", .labels = {{"app", "server"}}, .ips = {"10.0.0.2"}});
  builder.Add(Pod{.ns = "x", .name = "c", .labels = {{"app", "v7"}}, .ips = {"10.0.0.1"}});
  Diagnostics diagnostics;
  const absl::StatusOr<Snapshot> snapshot = builder.Build(diagnostics);
  if (!snapshot.ok()) return snapshot.status();
  return Compile(*snapshot, options, &report);
}

const Question kFromPod{"10.0.0.1", "10.0.0.2"};

std::string AskPort(const Program& program, uint16_t port) {
  return Ask(program, {kFromPod.src, kFromPod.dst, port});
}

TEST(CompileBoundsAttack, A124AThousandRulesOfAHundredRanges) {
  NetworkPolicy policy = Web();
  for (int64_t i = 0; i < 1000; ++i) {
    PolicyRule rule;
    for (int64_t k = 0; k < 100; ++k) {
      const int64_t first = 1 + (i * 7 + k * 600) % 60'000;
      rule.ports.push_back(Range(first, first + 3 + k % 50));
    }
    policy.ingress.push_back(std::move(rule));
  }
  CompileReport report;
  const absl::StatusOr<Program> program = CompileWith(std::move(policy), report);
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_LT(program->image().size(), size_t{16} << 20);
  EXPECT_EQ(AskPort(*program, 1), "allow policy");
  EXPECT_EQ(AskPort(*program, 65535), "deny policy");
}

TEST(CompileBoundsAttack, A124ARangeIsNotTakenApart) {
  NetworkPolicy policy = Web();
  policy.ingress = {{.ports = {Range(1, 65535)}}};
  CompileReport report;
  const absl::StatusOr<Program> program = CompileWith(std::move(policy), report);
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_LE(report.port_classes, 3u);
  EXPECT_EQ(AskPort(*program, 0), "deny policy");
  EXPECT_EQ(AskPort(*program, 1), "allow policy");
  EXPECT_EQ(AskPort(*program, 65535), "allow policy");
}

TEST(CompileBoundsAttack, A124EveryOddPort) {
  NetworkPolicy policy = Web();
  PolicyRule rule;
  for (int64_t port = 1; port <= 65535; port += 2) rule.ports.push_back(Range(port, port));
  policy.ingress.push_back(std::move(rule));
  CompileReport report;
  const absl::StatusOr<Program> program = CompileWith(std::move(policy), report);
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_LE(report.port_classes, 4u) << "odd ones, all others";
  EXPECT_EQ(AskPort(*program, 4711), "allow policy");
  EXPECT_EQ(AskPort(*program, 4712), "deny policy");
  EXPECT_EQ(AskPort(*program, 65535), "allow policy");
}

TEST(CompileBoundsAttack, A124BlocksOfManyExcepts) {
  constexpr uint32_t kBlocks = 100, kExcepts = 1000;
  NetworkPolicy policy = Web();
  PolicyRule rule;
  for (uint32_t i = 0; i < kBlocks; ++i) {
    IpBlock block{.cidr = ToString(IpPrefix{IpAddress::V4(0x14000000 + (i << 16)), 16})};
    for (uint32_t k = 0; k < kExcepts; ++k) {
      block.except.push_back(
          ToString(IpPrefix{IpAddress::V4(0x14000000 + (i << 16) + k * 64 + 1), 32}));
    }
    rule.peers.push_back({.ip_block = std::move(block)});
  }
  policy.ingress.push_back(std::move(rule));
  CompileReport report;
  const absl::StatusOr<Program> program = CompileWith(std::move(policy), report);
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_LE(report.other_classes, kBlocks + 1) << "none for an except";
  EXPECT_EQ(Ask(*program, {"20.99.0.64", "10.0.0.2"}), "allow policy");
  EXPECT_EQ(Ask(*program, {"20.99.0.65", "10.0.0.2"}), "deny policy");
  EXPECT_EQ(Ask(*program, {"20.100.0.64", "10.0.0.2"}), "deny policy");
}

TEST(CompileBoundsAttack, A124SelectorsOfManyValues) {
  NetworkPolicy policy = Web();
  LabelSelector selector;
  for (int i = 0; i < 100; ++i) {
    LabelRequirement requirement{.key = i == 0 ? "app" : "key" + std::to_string(i),
                                 .op = i == 0 ? "In" : "NotIn"};
    for (int k = 0; k < 1000; ++k) requirement.values.push_back("v" + std::to_string(k));
    selector.match_expressions.push_back(std::move(requirement));
  }
  policy.ingress = {{.peers = {{.pod_selector = std::move(selector)}}}};
  CompileReport report;
  const absl::StatusOr<Program> program = CompileWith(std::move(policy), report);
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_EQ(AskPort(*program, 80), "allow policy");
  EXPECT_EQ(Ask(*program, {"10.0.0.3", "10.0.0.2"}), "deny policy");
}

// Equal pods are one class, however many there are.
TEST(CompileBoundsAttack, A124AHundredThousandPods) {
  constexpr uint32_t kPods = 100'000;
  SnapshotBuilder builder;
  NetworkPolicy policy = Web();
  policy.ingress = {
      {.peers = {{.pod_selector = LabelSelector{.match_labels = {{"app", "client"}}}}}}};
  builder.Add(std::move(policy));
  for (uint32_t i = 0; i < kPods; ++i) {
    builder.Add(Pod{.ns = "x",
                    .name = "p" + std::to_string(i),
                    .labels = {{"app", i == 0 ? "server" : "client"}},
                    .ips = {ToString(IpAddress::V4(0x0a000002 + i))}});
  }
  Diagnostics diagnostics;
  const absl::StatusOr<Snapshot> snapshot = builder.Build(diagnostics);
  ASSERT_TRUE(snapshot.ok());
  CompileReport report;
  const absl::StatusOr<Program> program =
      Compile(*snapshot, {.image_bytes_max = kImageBytesMax, .time_ns_max = kTimeNsMax}, &report);
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_EQ(report.pod_classes, 2u);
  EXPECT_EQ(Ask(*program, {"10.1.134.161", "10.0.0.2"}), "allow policy") << "the last one";
  EXPECT_EQ(Ask(*program, {"10.1.134.162", "10.0.0.2"}), "deny policy") << "behind it";
}

// A policy with one block, in JSON.
std::string BlockWithout(size_t excepts) {
  std::string text = R"({"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy",)"
                     R"("metadata":{"name":"web","namespace":"x"},"spec":{"podSelector":{},)"
                     R"("ingress":[{"from":[{"ipBlock":{"cidr":"20.0.0.0/8","except":[)";
  const std::string_view except = "\"20.0.0.1/32\",";
  text.reserve(text.size() + (excepts + 1) * except.size());
  for (size_t i = 0; i < excepts; ++i) text += except;
  text.back() = ']';
  return text + "}}]}]}}";
}

// The whole of it, ten thousand blocks of a thousand excepts, is no object of a cluster.
TEST(CompileBoundsAttack, A124MillionsOfExceptsAreRefusedWhenTheyAreRead) {
  SnapshotBuilder builder;
  Diagnostics diagnostics;
  LoadReport report;
  LoadText(BlockWithout(2'000'001), "web.json", {}, builder, diagnostics, report);
  ASSERT_FALSE(diagnostics.all().empty());
  const std::string& fault = diagnostics.all()[0].detail;
  EXPECT_NE(fault.find("an object of more than 2000000 values"), std::string::npos) << fault;
  EXPECT_FALSE(builder.Build(diagnostics).ok());
}

// A warning for each, with its place, does not cost a walk for each.
TEST(CompileBoundsAttack, A124FaultsAllAlongAListCostOneWalk) {
  constexpr size_t kExcepts = 300'000;
  SnapshotBuilder builder;
  Diagnostics diagnostics;
  LoadReport report;
  const auto begin = std::chrono::steady_clock::now();
  LoadText(BlockWithout(kExcepts), "web.json", {}, builder, diagnostics, report);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  EXPECT_EQ(diagnostics.warning_count(), kExcepts - 1);
  ASSERT_EQ(diagnostics.all().size(), Diagnostics::kMax);
  const Diagnostic& first = diagnostics.all()[0];
  const Diagnostic& last = diagnostics.all().back();
  EXPECT_EQ(last.field, "spec.ingress[0].from[0].ipBlock.except[10000]");
  EXPECT_EQ(last.position.column - first.position.column, (Diagnostics::kMax - 1) * 14);
}

// Before anybody could use it, and with the name of whose fault it is.
TEST(CompileBoundsAttack, A124WhatIsTooMuchIsRefusedByName) {
  const auto compile = [](const CompileOptions& options) {
    NetworkPolicy policy = Web();
    for (int64_t i = 0; i < 500; ++i) {
      policy.ingress.push_back(
          {.ports = {Range(1 + i, 1 + i)},
           .peers = {
               {.ip_block = IpBlock{
                    .cidr = ToString(IpPrefix{
                        IpAddress::V4(0x14000000 + (static_cast<uint32_t>(i) << 8)), 24})}}}});
    }
    CompileReport report;
    return CompileWith(std::move(policy), report, options).status();
  };
  EXPECT_TRUE(compile({}).ok());
  const absl::Status too_large = compile({.image_bytes_max = 100'000});
  EXPECT_TRUE(absl::IsResourceExhausted(too_large)) << too_large;
  const absl::Status too_late = compile({.time_ns_max = 1});
  EXPECT_TRUE(absl::IsDeadlineExceeded(too_late)) << too_late;
  for (const absl::Status& status : {too_large, too_late}) {
    EXPECT_NE(std::string(status.message()).find("x/web"), std::string::npos) << status;
  }
}

}  // namespace
}  // namespace npf::testing
