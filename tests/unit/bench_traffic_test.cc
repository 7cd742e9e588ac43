// Traffic is the same for the same seed, and is mixed as its kind says.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "named_workloads.h"
#include "npf/classify.h"
#include "npf/compiler.h"
#include "traffic.h"

namespace npf::bench {
namespace {

constexpr size_t kPackets = 8'192;

bool Equal(const FlowKey& a, const FlowKey& b) { return std::memcmp(&a, &b, sizeof a) == 0; }

class TrafficTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    snapshot_ = new Snapshot(Freeze(*MakeNamedCluster("tiny", IpFamilies::kDual)));
    program_ = new Program(*Compile(*snapshot_));
    pods_ = new std::set<IpAddress>;
    for (const Pod& pod : snapshot_->pods()) {
      for (const std::string& ip : pod.ips) pods_->insert(*ParseIpAddress(ip));
    }
  }
  static void TearDownTestSuite() {
    delete pods_;
    delete program_;
    delete snapshot_;
  }

  static Traffic Make(TrafficKind kind, IpFamilies families = IpFamilies::kV4, uint64_t seed = 1) {
    return MakeTraffic(*snapshot_, *program_,
                       {.kind = kind, .families = families, .packets = kPackets, .seed = seed});
  }
  static double AllowedShare(const Traffic& traffic) {
    std::vector<Verdict> verdicts(traffic.keys.size());
    Classify(*program_, {.placement = Placement::kNodeWire}, traffic.keys, verdicts);
    const auto allowed = std::ranges::count(verdicts, 1, &Verdict::allowed);
    return static_cast<double>(allowed) / static_cast<double>(verdicts.size());
  }
  static bool IsPod(const IpAddress& address) { return pods_->contains(address); }

  static Snapshot* snapshot_;
  static Program* program_;
  static std::set<IpAddress>* pods_;
};
Snapshot* TrafficTest::snapshot_ = nullptr;
Program* TrafficTest::program_ = nullptr;
std::set<IpAddress>* TrafficTest::pods_ = nullptr;

TEST_F(TrafficTest, SeedDecides) {
  for (const TrafficKind kind : {TrafficKind::kUniform, TrafficKind::kZipf, TrafficKind::kScan,
                                 TrafficKind::kDeny, TrafficKind::kPods}) {
    SCOPED_TRACE(Name(kind));
    EXPECT_EQ(ParseTrafficKind(Name(kind)), kind);
    const Traffic first = Make(kind);
    ASSERT_EQ(first.keys.size(), kPackets);
    EXPECT_TRUE(std::ranges::equal(first.keys, Make(kind).keys, Equal));
    EXPECT_FALSE(std::ranges::equal(first.keys, Make(kind, IpFamilies::kV4, 2).keys, Equal));
  }
}

TEST_F(TrafficTest, UniformIsMixedAndMostlyAllowed) {
  const Traffic traffic = Make(TrafficKind::kUniform);
  EXPECT_NEAR(static_cast<double>(traffic.by_origin[0]) / kPackets, 0.6, 0.03);
  EXPECT_NEAR(static_cast<double>(traffic.by_origin[1]) / kPackets, 0.2, 0.03);
  EXPECT_NEAR(static_cast<double>(traffic.by_origin[2]) / kPackets, 0.2, 0.03);
  EXPECT_GT(AllowedShare(traffic), 0.7);
  EXPECT_LT(AllowedShare(traffic), 0.9);
}

TEST_F(TrafficTest, ZipfHasFewFlowsWithMostPackets) {
  const Traffic traffic = Make(TrafficKind::kZipf);
  std::map<std::string, size_t> flows;
  for (const FlowKey& key : traffic.keys) {
    ++flows[std::string(reinterpret_cast<const char*>(&key), sizeof key)];
  }
  size_t most = 0;
  for (const auto& [flow, packets] : flows) most = std::max(most, packets);
  // 1 / zeta(1.1) of 65,536 terms.
  EXPECT_NEAR(static_cast<double>(most) / kPackets, 0.137, 0.02);
  EXPECT_LT(flows.size(), kPackets / 2);
  EXPECT_GT(AllowedShare(traffic), 0.7);
  EXPECT_LT(AllowedShare(traffic), 0.9);
}

TEST_F(TrafficTest, ScanComesFromOutsideToPods) {
  for (const FlowKey& key : Make(TrafficKind::kScan).keys) {
    EXPECT_FALSE(IsPod(SourceOf(key)));
    EXPECT_TRUE(IsPod(DestinationOf(key)));
  }
}

TEST_F(TrafficTest, PodsTalkToPods) {
  for (const FlowKey& key : Make(TrafficKind::kPods, IpFamilies::kDual).keys) {
    EXPECT_TRUE(IsPod(SourceOf(key)) && IsPod(DestinationOf(key)));
  }
}

TEST_F(TrafficTest, DenyIsDenied) { EXPECT_LT(AllowedShare(Make(TrafficKind::kDeny)), 0.2); }

TEST_F(TrafficTest, FamiliesAreTheAskedOnes) {
  const auto count = [](const Traffic& traffic, int family) {
    return std::ranges::count(traffic.keys, family, &FlowKey::family);
  };
  EXPECT_EQ(count(Make(TrafficKind::kUniform), 4), kPackets);
  EXPECT_EQ(count(Make(TrafficKind::kUniform, IpFamilies::kV6), 6), kPackets);
  const Traffic both = Make(TrafficKind::kUniform, IpFamilies::kDual);
  EXPECT_GT(count(both, 4), kPackets / 3);
  EXPECT_GT(count(both, 6), kPackets / 3);
}

TEST_F(TrafficTest, ATargetedPacketGoesToATarget) {
  std::vector<IpAddress> destinations;
  for (size_t i = 0; i < 300; ++i) {
    destinations.push_back(*ParseIpAddress(snapshot_->pods()[i].ips.front()));
  }
  const Traffic traffic = MakeTrafficTo(destinations, *snapshot_, {.packets = kPackets, .seed = 3});
  ASSERT_EQ(traffic.keys.size(), kPackets);
  for (const FlowKey& key : traffic.keys) {
    EXPECT_NE(std::ranges::find(destinations, DestinationOf(key)), destinations.end());
  }
  EXPECT_NEAR(static_cast<double>(traffic.by_origin[0]) / kPackets, 0.7, 0.1);
}

TEST_F(TrafficTest, WithoutPodsThereIsNone) {
  const Snapshot v4_only = Freeze(*MakeNamedCluster("tiny", IpFamilies::kV4));
  const Program program = *Compile(v4_only);
  EXPECT_TRUE(MakeTraffic(v4_only, program, {.families = IpFamilies::kV6}).keys.empty());
}

}  // namespace
}  // namespace npf::bench
