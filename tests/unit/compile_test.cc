// Programs: one meaning in every kind of table, bounds that are kept, and errors that name names.
#include <gtest/gtest.h>

#include "compile/perfect_hash.h"
#include "npf/classify.h"
#include "npf/compiler.h"
#include "program/view.h"
#include "testing/cluster.h"
#include "testing/cluster_generator.h"
#include "testing/random.h"
#include "testing/world.h"
#include "workload.h"

namespace npf {
namespace {

using testing::PodYaml;
using testing::PolicyYaml;
using testing::ProgramOf;

// The AND of the two one-direction tables is the joint cell, for every pair and port class.
void ExpectJointIsAnd(const Program& program) {
  const ProgramView& view = program.view();
  const layout::ImageHeader& header = view.header();
  const auto classes = view.Section<layout::ClassRecord>(layout::kClasses);
  const auto ports = view.Section<layout::PortClassRecord>(layout::kPortClasses);
  for (uint32_t src = 0; src < header.class_count; ++src) {
    for (uint32_t dst = 0; dst < header.class_count; ++dst) {
      for (size_t family = 0; family < 2; ++family) {
        const size_t second = src == dst ? 1 : 0;
        if (classes[src].representatives[family] == 0 ||
            classes[dst].representatives[family] <= second) {
          continue;
        }
        FlowKey key{};
        std::copy_n(classes[src].representative[family][0], 16, key.src);
        std::copy_n(classes[dst].representative[family][second], 16, key.dst);
        key.family = family == 0 ? 4 : 6;
        for (uint32_t p = 0; p < header.port_class_count; ++p) {
          key.protocol = ports[p].protocol == 0 ? kProtocolIcmp : ports[p].protocol;
          key.dst_port = ports[p].port;
          Verdict verdict;
          const ClassifyOptions options{.placement = Placement::kFabric};
          Classify(program, options, {&key, 1}, {&verdict, 1});
          const bool egress = TestBit(view.AllowBits(view.DecisionOf(1, src, dst)), p);
          const bool ingress = TestBit(view.AllowBits(view.DecisionOf(0, dst, src)), p);
          ASSERT_EQ(verdict.port_class, p);
          ASSERT_EQ(verdict.allowed != 0, egress && ingress) << src << " " << dst << " " << p;
          ASSERT_EQ(verdict.directions, (ingress ? 1 : 0) | (egress ? 2 : 0));
        }
      }
    }
  }
}

TEST(Compile, JointCellsAreTheAndOfTheOneDirectionTables) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    const auto snapshot = testing::Freeze(testing::GenerateCluster(seed));
    ASSERT_TRUE(snapshot.ok());
    for (const PairKind kind : {PairKind::kDense, PairKind::kTiled, PairKind::kHash}) {
      const auto program = Compile(*snapshot, {.pair_kind = kind});
      ASSERT_TRUE(program.ok()) << program.status();
      ExpectJointIsAnd(*program);
    }
  }
}

TEST(Compile, NothingWrapsAt65536Classes) {
  // One class a namespace: 70,000 of them, each allowing only itself.
  constexpr uint32_t kNamespaces = 70'000;
  bench::Cluster cluster = bench::MakeCluster(
      {.pods = 2 * kNamespaces, .policies = 0, .cidrs = 0, .namespaces = kNamespaces});
  for (const Namespace& ns : cluster.namespaces) {
    NetworkPolicy policy{.ns = ns.name, .name = "own", .policy_types = {"Ingress"}};
    policy.ingress = {{.peers = {{.pod_selector = LabelSelector{}}}}};
    cluster.policies.push_back(std::move(policy));
  }
  const std::vector<Pod> pods = cluster.pods;
  CompileReport report;
  const auto program = Compile(bench::Freeze(std::move(cluster)), {}, &report);
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_EQ(report.pod_classes, kNamespaces);
  for (uint32_t i = 0; i < kNamespaces; i += 997) {
    const IpAddress own = *ParseIpAddress(pods[i].ips[0]);
    const IpAddress neighbour = *ParseIpAddress(pods[i + kNamespaces].ips[0]);
    const IpAddress foreign = *ParseIpAddress(pods[(i + 65'536) % kNamespaces].ips[0]);
    const FlowKey keys[] = {MakeFlowKey(neighbour, own, kProtocolTcp, 80),
                            MakeFlowKey(foreign, own, kProtocolTcp, 80)};
    Verdict verdicts[2];
    Classify(*program, {}, keys, verdicts);
    EXPECT_EQ(verdicts[0].allowed, 1) << i;
    EXPECT_EQ(verdicts[1].allowed, 0) << i;
  }
}

TEST(Compile, ABudgetThatIsExceededNamesTheCostliestPolicies) {
  const Snapshot snapshot = bench::Freeze(bench::MakeCluster({}));
  const auto program = Compile(snapshot, {.image_bytes_max = 600'000});
  ASSERT_TRUE(absl::IsResourceExhausted(program.status())) << program.status();
  EXPECT_NE(program.status().message().find("policies that cost most: ns-"), std::string::npos)
      << program.status();
}

TEST(Compile, ATimeLimitIsKept) {
  const Snapshot snapshot = bench::Freeze(bench::MakeCluster({}));
  const auto program = Compile(snapshot, {.time_ns_max = 1});
  EXPECT_TRUE(absl::IsDeadlineExceeded(program.status())) << program.status();
}

TEST(Compile, SmallerTablesAreTriedBeforeRefusing) {
  const Snapshot snapshot = bench::Freeze(bench::MakeCluster({}));
  CompileReport dense;
  ASSERT_TRUE(Compile(snapshot, {}, &dense).ok());
  EXPECT_EQ(dense.pair_kind, PairKind::kDense);
  const size_t bytes = dense.hot_ipv4_bytes + dense.cold_bytes;
  CompileReport smaller;
  const auto program = Compile(snapshot, {.image_bytes_max = bytes - 100'000}, &smaller);
  ASSERT_TRUE(program.ok()) << program.status();
  EXPECT_NE(smaller.pair_kind, PairKind::kDense);
}

TEST(Compile, AnEmptyClusterAllowsEverything) {
  SnapshotBuilder builder;
  Diagnostics diagnostics;
  const auto snapshot = builder.Build(diagnostics);
  ASSERT_TRUE(snapshot.ok());
  const auto program = Compile(*snapshot);
  ASSERT_TRUE(program.ok()) << program.status();
  const FlowKey key = MakeFlowKey(IpAddress::V4(1), IpAddress::V4(2), kProtocolTcp, 80);
  Verdict verdict;
  Classify(*program, {}, {&key, 1}, {&verdict, 1});
  EXPECT_EQ(verdict.allowed, 1);
  EXPECT_EQ(static_cast<Reason>(verdict.reason), Reason::kNotAPod);
}

// Nested prefixes of every length, cut above and below the 64th bit, up to the last address.
std::vector<IpPrefix> NestedV6Prefixes(testing::Random& random, size_t count) {
  std::vector<IpPrefix> prefixes = {
      ParseIpPrefix("2001:db8::/29").prefix, ParseIpPrefix("fd00:1:2:3::/64").prefix,
      ParseIpPrefix("ffff:ffff:ffff:ffff::/64").prefix, ParseIpPrefix("ffff::ffff/128").prefix};
  while (prefixes.size() < count) {
    IpPrefix prefix = prefixes[random.Below(prefixes.size())];
    if (prefix.length == 128) continue;
    const size_t length = std::min<size_t>(128, prefix.length + 1 + random.Below(36));
    const uint32_t ones = random.Below(3) == 0 ? 100 : 30;  // of a hundred
    for (size_t bit = prefix.length; bit < length; ++bit) {
      const bool one = random.Below(100) < ones;
      if (one) prefix.address.bytes[bit / 8] |= static_cast<uint8_t>(0x80u >> bit % 8);
    }
    prefix.length = static_cast<uint8_t>(length);
    prefixes.push_back(prefix);
  }
  return prefixes;
}

// Block i is allowed on port 1000 + i: what is allowed to an address says which blocks it is in.
TEST(Classify, V6BlocksHoldWhatALoopOverThemHolds) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    testing::Random random(seed);
    const std::vector<IpPrefix> blocks = NestedV6Prefixes(random, 40);
    std::string rules;
    for (size_t i = 0; i < blocks.size(); ++i) {
      rules += "{to: [{ipBlock: {cidr: '" + ToString(blocks[i]) +
               "'}}], ports: [{port: " + std::to_string(1000 + i) + "}]}, ";
    }
    const Program program = ProgramOf(
        PodYaml("a", "one", "fd00::1", "app: web") +
        PolicyYaml("a", "p", "{podSelector: {}, policyTypes: [Egress], egress: [" + rules + "]}"));
    const IpAddress pod = *ParseIpAddress("fd00::1");
    std::vector<IpAddress> addresses;
    for (const IpPrefix& block : blocks) {
      const IpAddress first = FirstAddress(block), last = LastAddress(block);
      IpAddress beside = first;  // the same lower half under another upper one
      beside.bytes[7] ^= 1;
      for (const IpAddress& at : {first, last, PreviousAddress(first), NextAddress(last), beside}) {
        addresses.push_back(at);
      }
    }
    std::vector<FlowKey> keys;
    for (const IpAddress& address : addresses) {
      for (size_t i = 0; i < blocks.size(); ++i) {
        keys.push_back(
            MakeFlowKey(pod, address, kProtocolTcp, static_cast<uint16_t>(1000 + i), 40000));
      }
    }
    for (const Kernel kernel : {Kernel::kScalar, Kernel::kAvx512}) {
      if (!SelectKernel(kernel)) continue;
      std::vector<Verdict> verdicts(keys.size());
      Classify(program, {.placement = Placement::kFabric}, keys, verdicts);
      for (size_t k = 0; k < keys.size(); ++k) {
        const IpAddress& address = addresses[k / blocks.size()];
        if (address == pod) continue;
        ASSERT_EQ(verdicts[k].allowed != 0, blocks[k % blocks.size()].Contains(address))
            << Name(kernel) << ": " << ToString(address) << " in "
            << ToString(blocks[k % blocks.size()]);
      }
    }
    SelectKernel(Kernel::kAuto);
  }
}

TEST(Classify, AKeyOfNoFamilyIsMalformedWhoeverIsBesideIt) {
  const Program program = ProgramOf(PodYaml("a", "one", "10.0.0.1", "app: web"));
  FlowKey keys[3] = {MakeFlowKey(IpAddress::V4(0x0a000001), IpAddress::V4(1), kProtocolTcp, 1),
                     {},
                     MakeFlowKey(*ParseIpAddress("::1"), *ParseIpAddress("::2"), kProtocolUdp, 1)};
  Verdict verdicts[3];
  Classify(program, {.generation = 42}, keys, verdicts);
  EXPECT_EQ(verdicts[0].allowed, 1);
  EXPECT_EQ(verdicts[1].allowed, 0);
  EXPECT_EQ(static_cast<Reason>(verdicts[1].reason), Reason::kMalformed);
  EXPECT_EQ(verdicts[1].directions, 0);
  EXPECT_EQ(verdicts[2].allowed, 1);
  for (const Verdict& verdict : verdicts) EXPECT_EQ(verdict.generation, 42u);
}

TEST(PerfectHashTest, EveryKeyHasAPlaceOfItsOwn) {
  for (const size_t count : {size_t{0}, size_t{1}, size_t{5}, size_t{1000}, size_t{50'000}}) {
    const auto hash = [](size_t i, uint32_t seed) {
      return layout::HashPair(static_cast<uint32_t>(i), static_cast<uint32_t>(i * 31), seed);
    };
    const auto perfect = MakePerfectHash(count, hash);
    ASSERT_TRUE(perfect.ok());
    std::vector<bool> taken(perfect->place_count, false);
    const auto pilot_count = static_cast<uint32_t>(perfect->pilots.size());
    for (size_t i = 0; i < count; ++i) {
      const uint64_t h = hash(i, perfect->seed);
      const uint32_t pilot = perfect->pilots[layout::PilotOf(h, pilot_count)];
      const uint32_t place = layout::PlaceOf(h, pilot, perfect->place_count);
      ASSERT_EQ(place, perfect->places[i]);
      ASSERT_FALSE(taken[place]);
      taken[place] = true;
    }
  }
}

TEST(PerfectHashTest, KeysThatAllCollideAreRefused) {
  const auto perfect = MakePerfectHash(20, [](size_t, uint32_t) { return uint64_t{1}; });
  EXPECT_TRUE(absl::IsResourceExhausted(perfect.status()));
}

}  // namespace
}  // namespace npf
