// Floods beside established connections: what they may not do, whatever they cost.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "conntrack/flow_table.h"
#include "flooded.h"
#include "named_workloads.h"
#include "npf/compiler.h"

namespace npf::bench {
namespace {

constexpr size_t kFlows = 1024;

class FloodsTest : public ::testing::Test {
 protected:
  static const Program& TinyProgram() {
    static const Program& program = *new Program(*Compile(TinySnapshot()));
    return program;
  }
  static const Snapshot& TinySnapshot() {
    static const Snapshot& snapshot =
        *new Snapshot(Freeze(*MakeNamedCluster("tiny", IpFamilies::kV4)));
    return snapshot;
  }
  static FlowKey OpenTarget(const std::vector<FlowKey>& keys) {
    for (FlowKey key : keys) {
      Verdict verdict;
      const FlowKey kept = key;
      key.src[0] = 33;
      Classify(TinyProgram(), {.placement = Placement::kNodeWire}, {&key, 1}, {&verdict, 1});
      if (static_cast<Reason>(verdict.reason) == Reason::kNoPolicy) return kept;
    }
    ADD_FAILURE() << "policy isolates every pod";
    return {};
  }

  const std::vector<FlowKey> keys_ =
      AllowedConnections(TinySnapshot(), TinyProgram(), {.packets = 4096});
  const FlowKey target_ = OpenTarget(keys_);
  ConnectionTraffic established_{keys_, {.flows = kFlows, .packets = 4096}};
};

TEST_F(FloodsTest, EstablishedConnectionsLiveOn) {
  const std::vector<FlowKey> colliding = CollidingKeys(target_, 2 * kFlows, 500);
  for (const Flood kind : kFloods) {
    SCOPED_TRACE(std::string(Name(kind)));
    Flooded flooded(TinyProgram(), established_);
    EXPECT_EQ(flooded.counts().flows, kFlows);
    EXPECT_EQ(flooded.counts().openings, 0u);
    FloodTraffic flood(kind, target_, colliding, 1);
    constexpr size_t kPackets = 32 * 1024;
    const int64_t allocated = AllocatedBytes();
    const FloodCount count = flooded.Count(flood, kPackets);
    constexpr int64_t kOfTheCount = 4096;
    EXPECT_LT(AllocatedBytes() - allocated, kOfTheCount);
    EXPECT_EQ(count.given, 2 * kPackets);
    EXPECT_EQ(count.judged, count.given);
    EXPECT_EQ(count.established_denied, 0u);
    uint64_t told = 0;
    for (const auto& [verdict, packets] : count.flood_verdicts) told += packets;
    EXPECT_EQ(told, kPackets);
    const WorkerCounts after = flooded.counts();
    EXPECT_EQ(after.table_full + after.source_full, count.no_room);
    EXPECT_EQ(after.flows - after.openings, kFlows) << "no flood establishes anything";
    EXPECT_LE(after.openings, flooded.options().flows_max / 4);
    EXPECT_LE(after.datagrams, flooded.options().datagrams_max);
  }
}

// What each is for.
TEST_F(FloodsTest, EachCostsWhatItMeansTo) {
  const std::vector<FlowKey> colliding = CollidingKeys(target_, 2 * kFlows, 500);
  const auto after = [&](Flood kind) {
    Flooded flooded(TinyProgram(), established_);
    FloodTraffic flood(kind, target_, colliding, 1);
    flooded.Count(flood, 8 * 1024);
    return flooded.counts();
  };
  EXPECT_EQ(after(Flood::kSyn).openings, 2 * kFlows / 4);
  EXPECT_EQ(after(Flood::kUdp).openings, 2 * kFlows / 4);
  EXPECT_EQ(after(Flood::kFirstFragments).datagrams, 4096u);
  EXPECT_EQ(after(Flood::kLaterFragments).datagrams, 0u);
  EXPECT_EQ(after(Flood::kColliding).openings, 500u);
  EXPECT_EQ(after(Flood::kJunk).openings, 0u);
}

// A120: without a key, whoever knows the hash fills one place; with one, nobody does.
TEST_F(FloodsTest, CollidingKeysCollideOnlyWithoutAKey) {
  constexpr size_t kCapacity = 2048;
  const std::vector<FlowKey> keys = CollidingKeys(target_, kCapacity, 500);
  const conntrack::FlowTable unkeyed({.capacity = 1, .secret = conntrack::Secret{}});
  const conntrack::FlowTable keyed({.capacity = 1});
  std::set<uint64_t> places, keyed_places;
  const uint64_t buckets = conntrack::FlowIndex::BucketsFor(kCapacity);
  for (const FlowKey& key : keys) {
    places.insert(unkeyed.HashOf(key) % buckets);
    keyed_places.insert(keyed.HashOf(key) % buckets);
  }
  EXPECT_EQ(places.size(), 1u);
  EXPECT_GT(keyed_places.size(), 200u);
  EXPECT_EQ(LongestLookUp(keys, kCapacity, true), 12u);
  EXPECT_LE(LongestLookUp(keys, kCapacity, false), 12u);
}

}  // namespace
}  // namespace npf::bench
