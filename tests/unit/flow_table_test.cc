#include "conntrack/flow_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "flow_builder.h"

namespace npf::conntrack {
namespace {

constexpr uint64_t kSecondNs = FlowTable::kSecondNs;
constexpr uint64_t kTickNs = uint64_t{1} << FlowTable::kTickShift;
using testing::Key;
using testing::Reverse;

const FlowKey kUdp = Key(kProtocolUdp, 0x0a000001, 5353, 0x0a000002, 53);
const FlowKey kTcp = Key(kProtocolTcp, 0x0a000001, 40000, 0x0a000002, 80);

class Table : public FlowTable {
 public:
  explicit Table(const FlowTableOptions& options) : FlowTable(options) { Advance(kSecondNs); }

  FoundFlow At(const FlowKey& key) { return Find(key, HashOf(key)); }
  bool Has(const FlowKey& key) { return At(key).flow != nullptr; }
  std::string Begin(const FlowKey& key, FlowSide side = FlowSide::kForward) {
    Reason refusal;
    ParsedPacket packet{.key = key};
    packet.tcp_flags = 2;
    const FoundFlow found = Insert(packet, HashOf(key), side, Reason::kPolicy, 7, refusal);
    return found.flow != nullptr ? "known" : std::string(Name(refusal));
  }
  void Pass(const FlowKey& key) {
    const FoundFlow found = At(key);
    ASSERT_NE(found.flow, nullptr);
    EXPECT_EQ(Follow(found, {.key = key}), Step::kGoesOn);
  }
};

TEST(FlowTableTest, BothDirectionsAreFoundAndNothingElse) {
  Table table({.capacity = 8});
  EXPECT_FALSE(table.Has(kUdp));
  EXPECT_EQ(table.Begin(kUdp), "known");
  const FoundFlow found = table.At(kUdp);
  EXPECT_EQ(found.side(), FlowSide::kForward);
  EXPECT_EQ(found.flow->generation, 7u);
  EXPECT_EQ(table.At(Reverse(kUdp)).flow, found.flow);
  EXPECT_EQ(table.At(Reverse(kUdp)).side(), FlowSide::kReply);
  const FlowKey kOthers[] = {Key(kProtocolTcp, 0x0a000001, 5353, 0x0a000002, 53),
                             Key(kProtocolUdp, 0x0a000001, 5354, 0x0a000002, 53),
                             Key(kProtocolUdp, 0x0a000001, 53, 0x0a000002, 5353),
                             Key(kProtocolUdp, 0x0a000003, 5353, 0x0a000002, 53)};
  for (const FlowKey& other : kOthers) {
    EXPECT_FALSE(table.Has(other));
    EXPECT_FALSE(table.Has(Reverse(other)));
  }
}

TEST(FlowTableTest, AFlowTellsTheKeyOfItsFirstPacket) {
  Table table({.capacity = 8});
  table.Begin(Reverse(kUdp), FlowSide::kReply);  // seen against its direction
  const FlowKey key = KeyOf(*table.At(kUdp).flow);
  EXPECT_EQ(std::memcmp(&key, &kUdp, sizeof key), 0);
  EXPECT_EQ(table.At(kUdp).side(), FlowSide::kForward);
}

TEST(FlowTableTest, FamiliesStayApart) {
  Table table({.capacity = 8});
  FlowKey v6 = kUdp;
  v6.family = 6;
  table.Begin(kUdp);
  EXPECT_FALSE(table.Has(v6));
  table.Begin(v6);
  EXPECT_EQ(table.size(), 2u);
}

TEST(FlowTableTest, EchoIsFoundByItsIdentifier) {
  Table table({.capacity = 8});
  const FlowKey request = Key(kProtocolIcmp, 1, 77, 2, 0);
  const FlowKey reply = Key(kProtocolIcmp, 2, 77, 1, 0);
  table.Begin(request);
  EXPECT_EQ(table.At(reply).side(), FlowSide::kReply);
  EXPECT_EQ(table.At(request).side(), FlowSide::kForward);
  EXPECT_FALSE(table.Has(Key(kProtocolIcmp, 2, 78, 1, 0)));
  table.Advance(kSecondNs + FlowTable::kIcmpNs);
  EXPECT_TRUE(table.Has(reply));
  table.Advance(kSecondNs + FlowTable::kIcmpNs + 2 * kTickNs);
  EXPECT_FALSE(table.Has(reply));
}

TEST(FlowTableTest, APortThatTalksToItselfIsOneFlow) {
  Table table({.capacity = 8});
  const FlowKey same_port = Key(kProtocolUdp, 1, 500, 2, 500);
  table.Begin(same_port);
  EXPECT_EQ(table.At(same_port).side(), FlowSide::kForward);
  EXPECT_EQ(table.At(Reverse(same_port)).side(), FlowSide::kReply);
}

// A72.
// What a batch does first may end what it does last.
TEST(FlowTableTest, AGuessThatHasEndedIsNotFound) {
  Table table({.capacity = 8});
  for (const FlowKey& key : {kUdp, kTcp}) {
    table.Begin(key);
    const uint64_t hash = table.HashOfPlain(key);
    ASSERT_EQ(hash, table.HashOf(key));
    const FlowIndex::Entry guess = table.Approach(hash);
    for (const FlowKey& way : {key, Reverse(key)}) {
      EXPECT_EQ(table.Find(way, hash, guess).flow, table.At(key).flow);
      EXPECT_EQ(table.FindPlain(way, hash, guess).flow, table.At(key).flow);
      EXPECT_EQ(table.FindPlain(way, hash, guess).side(), table.At(way).side());
    }
    table.Erase(table.At(key));
    EXPECT_EQ(table.Find(key, hash, guess).flow, nullptr);
    EXPECT_EQ(table.FindPlain(key, hash, guess).flow, nullptr);
  }
}

TEST(FlowTableTest, WhatWasFoundHoldsUntilItEnds) {
  Table table({.capacity = 8});
  table.Begin(kUdp);
  table.Watch();
  const FoundFlow known = table.At(kUdp);
  const FoundFlow unknown = table.At(kTcp);
  const uint64_t hash = table.HashOf(kTcp);
  EXPECT_EQ(table.Recall(unknown, kTcp, hash).flow, nullptr);
  table.Begin(kTcp);
  EXPECT_TRUE(table.Holds(known));
  EXPECT_NE(table.Recall(unknown, kTcp, hash).flow, nullptr);
  // Its slot and its place are another's now.
  table.Erase(known);
  EXPECT_FALSE(table.Holds(known));
  table.Begin(kUdp);
  EXPECT_EQ(table.At(kUdp).slot, known.slot);
  EXPECT_FALSE(table.Holds(known));
  EXPECT_EQ(table.Recall(known, kUdp, table.HashOf(kUdp)).flow, table.At(kUdp).flow);
}

TEST(FlowTableTest, IdleFlowsExpire) {
  Table table({.capacity = 8});
  table.Begin(kUdp);
  table.Advance(kSecondNs + FlowTable::kOtherNs);
  table.Pass(Reverse(kUdp));
  table.Advance(kSecondNs + 2 * FlowTable::kOtherNs);
  EXPECT_TRUE(table.Has(kUdp));
  table.Advance(kSecondNs + 2 * FlowTable::kOtherNs + 2 * kTickNs);
  EXPECT_FALSE(table.Has(kUdp));
  EXPECT_EQ(table.size(), 0u);
}

// A133: no flow comes back with the number of a tick.
TEST(FlowTableTest, AJumpOfYearsLeavesNothing) {
  for (const uint64_t days : {1, 400, 800, 838, 839, 2000}) {
    Table table({.capacity = 64});
    for (uint16_t port = 1; port <= 20; ++port) table.Begin(Key(kProtocolUdp, 1, port, 2, 53));
    table.Advance(kSecondNs + days * 86'400 * kSecondNs);
    EXPECT_FALSE(table.Has(Key(kProtocolUdp, 1, 1, 2, 53))) << days;
    table.Begin(kUdp);
    EXPECT_TRUE(table.Has(kUdp));
    table.Advance(0);  // backwards: time stands
    EXPECT_TRUE(table.Has(kUdp));
  }
}

TEST(FlowTableTest, ASweepDropsWhatHasExpired) {
  Table table({.capacity = 100, .openings_max = 100, .per_source_max = 100});
  for (uint16_t port = 1; port <= 50; ++port) table.Begin(Key(kProtocolUdp, 1, port, 2, 53));
  table.Sweep(1000);
  EXPECT_EQ(table.size(), 50u);
  table.Advance(kSecondNs + FlowTable::kOtherNs + 2 * kTickNs);
  table.Sweep(1000);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.openings(), 0u);
}

// A71: the oldest opening makes room; what is established never does.
TEST(FlowTableTest, OpeningsAreCappedAndMakeRoom) {
  Table table({.capacity = 100, .openings_max = 10, .per_source_max = 100});
  table.Begin(kUdp);
  table.Pass(Reverse(kUdp));
  EXPECT_EQ(table.openings(), 0u);
  for (uint16_t port = 1; port <= 30; ++port) {
    EXPECT_EQ(table.Begin(Key(kProtocolTcp, 1, port, 2, 80)), "known");
  }
  EXPECT_EQ(table.openings(), 10u);
  EXPECT_EQ(table.size(), 11u);
  EXPECT_TRUE(table.Has(kUdp));
  EXPECT_FALSE(table.Has(Key(kProtocolTcp, 1, 20, 2, 80)));
  EXPECT_TRUE(table.Has(Key(kProtocolTcp, 1, 21, 2, 80)));
}

TEST(FlowTableTest, AFullTableTakesNoMoreUntilSomethingExpires) {
  Table table({.capacity = 3, .openings_max = 3, .per_source_max = 9});
  for (uint16_t i = 0; i < 3; ++i) {
    table.Advance((1 + i) * kSecondNs);
    EXPECT_EQ(table.Begin(Key(kProtocolUdp, 1, i, 2, 53)), "known");
    table.Pass(Key(kProtocolUdp, 2, 53, 1, i));
  }
  EXPECT_EQ(table.Begin(kUdp), "ct_full");
  EXPECT_EQ(table.size(), 3u);
  table.Advance(kSecondNs + FlowTable::kOtherNs + 2 * kTickNs);
  EXPECT_EQ(table.Begin(kUdp), "known");
  EXPECT_EQ(table.size(), 3u);
  EXPECT_FALSE(table.Has(Key(kProtocolUdp, 1, 0, 2, 53)));
  EXPECT_TRUE(table.Has(Key(kProtocolUdp, 1, 1, 2, 53)));
}

TEST(FlowTableTest, AFullTablePrefersAnythingToAnOpening) {
  Table table({.capacity = 3, .openings_max = 3, .per_source_max = 9});
  for (uint16_t i = 1; i <= 3; ++i) table.Begin(Key(kProtocolUdp, 1, i, 2, 53));
  table.Pass(Key(kProtocolUdp, 2, 53, 1, 1));
  EXPECT_EQ(table.Begin(kUdp), "known");
  EXPECT_TRUE(table.Has(Key(kProtocolUdp, 1, 1, 2, 53)));
  EXPECT_FALSE(table.Has(Key(kProtocolUdp, 1, 2, 2, 53)));
  EXPECT_TRUE(table.Has(Key(kProtocolUdp, 1, 3, 2, 53)));
}

// A123: one source cannot take all of it, and gives back what ends.
TEST(FlowTableTest, ASourceHasAQuota) {
  Table table({.capacity = 100, .openings_max = 100, .per_source_max = 5});
  for (uint16_t port = 1; port <= 5; ++port) {
    EXPECT_EQ(table.Begin(Key(kProtocolUdp, 1, port, 2, 53)), "known");
  }
  EXPECT_EQ(table.Begin(Key(kProtocolUdp, 1, 6, 2, 53)), "ct_source_full");
  EXPECT_EQ(table.Begin(Key(kProtocolUdp, 3, 6, 2, 53)), "known");
  // The source is the end that began, whichever was seen first.
  EXPECT_EQ(table.Begin(Key(kProtocolTcp, 2, 80, 1, 7), FlowSide::kReply), "ct_source_full");
  table.Erase(table.At(Key(kProtocolUdp, 1, 3, 2, 53)));
  EXPECT_EQ(table.Begin(Key(kProtocolUdp, 1, 6, 2, 53)), "known");
}

// As many flows as the table has room for find it, and are found at most 12 places away (A120).
TEST(FlowTableTest, AllOfItsCapacityFits) {
  constexpr uint32_t kCapacity = 40'000;
  Table table({.capacity = kCapacity, .openings_max = kCapacity, .per_source_max = kCapacity});
  const auto key = [](uint32_t i) { return Key(kProtocolUdp, i, 9, i * 77, 53); };
  for (uint32_t i = 1; i <= kCapacity; ++i) ASSERT_EQ(table.Begin(key(i)), "known") << i;
  for (uint32_t i = 1; i <= kCapacity; ++i) ASSERT_TRUE(table.Has(key(i))) << i;
  EXPECT_EQ(table.size(), kCapacity);
}

// Another table takes over what a block of memory holds.
// Where neither bucket has room nor can make any, the table is full before its slots are.
TEST(FlowTableTest, KeysOfOnePlaceAreRefused) {
  constexpr Secret kSecret = {0x243f6a8885a308d3, 0x13198a2e03707344};
  Table table({.capacity = 64, .openings_max = 64, .per_source_max = 64, .secret = kSecret});
  const uint64_t buckets = FlowIndex::BucketsFor(64);
  size_t known = 0;
  for (uint32_t source = 1; known < 13; ++source) {
    const FlowKey key = Key(kProtocolUdp, 0x0a000000 + source, 53, 0x0b000001, 53);
    const uint64_t hash = table.HashOf(key);
    const bool same = hash % buckets == 0 && (hash >> 48) % buckets == 0;  // of both buckets
    if (!same) continue;
    EXPECT_EQ(table.Begin(key), known < 12 ? "known" : "ct_full");
    EXPECT_EQ(table.EntriesLookedAt(hash), known < 6 ? 6u : 12u);
    ++known;
  }
  EXPECT_EQ(table.size(), 12u);
  EXPECT_EQ(table.Begin(kUdp), "known") << "elsewhere there is room";
}

class AdoptTest : public ::testing::Test {
 protected:
  static constexpr size_t kCapacity = 64;
  AdoptTest()
      : memory_((FlowTable::BytesFor(kCapacity) + 63) / 64),
        old_({.capacity = kCapacity}, bytes()) {
    old_.Advance(kSecondNs);
    Reason refusal;
    for (uint16_t port = 1; port <= 10; ++port) {
      const FlowKey key = Key(kProtocolUdp, 1, port, 2, 53);
      old_.Insert({.key = key}, old_.HashOf(key), FlowSide::kForward, Reason::kTier, 7, refusal);
    }
  }
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  std::span<std::byte> bytes() { return std::as_writable_bytes(std::span(memory_)); }
  std::vector<Line> memory_;
  FlowTable old_;
};

TEST_F(AdoptTest, WhatIsSoundLivesOn) {
  Table table({.capacity = 200, .openings_max = 100, .per_source_max = 100});
  table.Advance(200 * kSecondNs);
  const Adopted adopted = table.Adopt(bytes());
  EXPECT_EQ(adopted.problem, "");
  EXPECT_EQ(adopted.flows, 10u);
  EXPECT_EQ(adopted.refused, 0u);
  EXPECT_EQ(table.openings(), 10u);
  const FoundFlow found = table.At(Key(kProtocolUdp, 2, 53, 1, 4));
  ASSERT_NE(found.flow, nullptr);
  EXPECT_EQ(found.side(), FlowSide::kReply);
  EXPECT_EQ(found.flow->generation, 0u);
  EXPECT_EQ(found.flow->reason, static_cast<uint8_t>(Reason::kTier));
  EXPECT_EQ(table.Adopt(bytes()).refused, 10u) << "they are known";
  // For what was left to them.
  table.Advance(kSecondNs + FlowTable::kOtherNs);
  EXPECT_TRUE(table.Has(Key(kProtocolUdp, 2, 53, 1, 4)));
  table.Advance(kSecondNs + FlowTable::kOtherNs + 3 * kTickNs);
  EXPECT_FALSE(table.Has(Key(kProtocolUdp, 2, 53, 1, 4)));
}

TEST_F(AdoptTest, WhatIsOverStaysOver) {
  Table table({.capacity = 200});
  table.Advance(400 * kSecondNs);
  EXPECT_EQ(table.Adopt(bytes()).flows, 0u);
}

TEST_F(AdoptTest, ForeignMemoryIsRefused) {
  Table table({.capacity = 200});
  EXPECT_EQ(table.Adopt(bytes().first(8)).problem, "too short");
  EXPECT_EQ(table.Adopt(bytes().first(bytes().size() - 64)).problem,
            "its size is not what it says");
  old_.Advance(5 * kSecondNs);
  EXPECT_EQ(table.Adopt(bytes()).problem, "of another clock");
  bytes()[0] = std::byte{0};
  EXPECT_EQ(table.Adopt(bytes()).problem, "not a table of this version");
}

// A109: whatever was written into it, nothing is read outside, and what is taken over is sound.
TEST_F(AdoptTest, DamagedMemoryIsHarmless) {
  std::mt19937 random(20261128);
  const std::vector<Line> whole = memory_;
  for (int trial = 0; trial < 3'000; ++trial) {
    memory_ = whole;
    const size_t changes = 1 + random() % 200;
    for (size_t i = 0; i < changes; ++i) {
      bytes()[random() % bytes().size()] = static_cast<std::byte>(random());
    }
    Table table({.capacity = 100});
    table.Advance(200 * kSecondNs);
    const Adopted adopted = table.Adopt(bytes());
    ASSERT_LE(adopted.flows, kCapacity);
    ASSERT_EQ(table.size(), std::min<size_t>(adopted.flows, table.size()));
    table.Advance(200 * kSecondNs + 2 * FlowTable::kTcpEstablishedNs);
    table.Sweep(10'000);
    ASSERT_EQ(table.size(), 0u);
  }
}

// Against a plain list of flows, with the table never full.
TEST(FlowTableTest, RandomOperationsMatchAPlainList) {
  constexpr uint32_t kSeed = 20'240'611;
  SCOPED_TRACE(kSeed);
  std::mt19937 engine(kSeed);
  const auto random = [&engine] { return static_cast<uint32_t>(engine()); };
  Table table({.capacity = 600, .openings_max = 600, .per_source_max = 600});
  struct Entry {
    FlowKey key;
    uint64_t expires_tick;
  };
  std::vector<Entry> list;
  uint64_t now_ns = kSecondNs;
  const auto same = [](const FlowKey& a, const FlowKey& b) {
    return std::memcmp(&a, &b, sizeof(a)) == 0;
  };
  const auto expiry = [&] {
    return (now_ns - kSecondNs) / kTickNs + FlowTable::kOtherNs / kTickNs + 2;
  };
  for (int step = 0; step < 50'000; ++step) {
    now_ns += random() % (5 * kSecondNs);
    table.Advance(now_ns);
    if (random() % 8 == 0) table.Sweep(3);
    std::erase_if(list,
                  [&](const Entry& e) { return e.expires_tick <= (now_ns - kSecondNs) / kTickNs; });
    FlowKey key = Key(kProtocolUdp, random() % 6 + 1, static_cast<uint16_t>(random() % 4 + 1),
                      random() % 6 + 101, static_cast<uint16_t>(random() % 4 + 1));
    if (random() % 2 == 0) key = Reverse(key);
    auto entry = std::find_if(list.begin(), list.end(), [&](const Entry& e) {
      return same(e.key, key) || same(e.key, Reverse(key));
    });
    const FoundFlow found = table.At(key);
    ASSERT_EQ(found.flow != nullptr, entry != list.end()) << "step " << step;
    if (found.flow == nullptr) {
      ASSERT_EQ(table.Begin(key), "known") << "step " << step;
      list.push_back({key, expiry()});
      continue;
    }
    ASSERT_EQ(found.side() == FlowSide::kForward, same(entry->key, key));
    if (random() % 3 == 0) {
      table.Erase(found);
      list.erase(entry);
    } else {
      table.Pass(key);
      entry->expires_tick = expiry();
    }
    ASSERT_GE(table.size(), list.size());
  }
}

}  // namespace
}  // namespace npf::conntrack
