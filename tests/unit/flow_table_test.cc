#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <utility>
#include <vector>

#include "conntrack/flow_table.h"

namespace npf::conntrack {
namespace {

constexpr uint64_t kSecondNs = FlowTable::kSecondNs;
enum : uint8_t { kFin = 1, kSyn = 2, kRst = 4, kAck = 16 };

FlowKey Key(uint8_t protocol, uint32_t src, uint16_t src_port, uint32_t dst, uint16_t dst_port) {
  return MakeFlowKey(IpAddress::V4(src), IpAddress::V4(dst), protocol, dst_port, src_port);
}

FlowKey Reverse(FlowKey key) {
  std::swap(key.src, key.dst);
  std::swap(key.src_port, key.dst_port);
  return key;
}

ParsedPacket Segment(const FlowKey& key, uint8_t flags, uint32_t sequence = 0,
                     uint32_t acknowledgement = 0, uint32_t length = 0) {
  ParsedPacket packet;
  packet.key = key;
  packet.tcp_flags = flags;
  packet.tcp_sequence = sequence;
  packet.tcp_acknowledgement = acknowledgement;
  packet.tcp_length = length + ((flags & (kSyn | kFin)) != 0 ? 1 : 0);
  packet.starts_connection = (flags & kSyn) != 0 && (flags & kAck) == 0;
  return packet;
}

const FlowKey kTcp = Key(kProtocolTcp, 0x0a000001, 40000, 0x0a000002, 80);
const FlowKey kUdp = Key(kProtocolUdp, 0x0a000001, 5353, 0x0a000002, 53);

// The segment as part of the flow that it belongs to.
bool Pass(FlowTable& table, const ParsedPacket& packet, uint64_t now_ns) {
  const FoundFlow found = table.Find(packet.key, now_ns);
  if (found.flow == nullptr) return false;
  table.Update(found, packet, now_ns);
  return true;
}

// Three segments of a handshake with sequence numbers 100 and 900.
void Open(FlowTable& table, uint64_t now_ns) {
  ASSERT_NE(table.Insert(kTcp, {}, now_ns), nullptr);
  ASSERT_TRUE(Pass(table, Segment(kTcp, kSyn, 100), now_ns));
  ASSERT_TRUE(Pass(table, Segment(Reverse(kTcp), kSyn | kAck, 900, 101), now_ns));
  ASSERT_TRUE(Pass(table, Segment(kTcp, kAck, 101, 901), now_ns));
}

// RFC 5927, 4: between what was acknowledged last, less 64 KiB, and what was sent last.
TEST(FlowTableTest, WhatAnErrorMayQuoteIsUnderWay) {
  FlowTable table(4);
  Open(table, 0);  // the side that began has sent 100, and 101 was acknowledged
  ASSERT_TRUE(Pass(table, Segment(kTcp, kAck, 101, 901, 100'000), 0));
  ASSERT_TRUE(Pass(table, Segment(Reverse(kTcp), kAck, 901, 90'101), 0));
  const FoundFlow forward = table.Find(kTcp, 0);
  EXPECT_TRUE(table.HasInFlight(forward, 100'101));
  EXPECT_FALSE(table.HasInFlight(forward, 100'102));
  EXPECT_TRUE(table.HasInFlight(forward, 90'101 - 65'536));
  EXPECT_FALSE(table.HasInFlight(forward, 90'101 - 65'537));
  const FoundFlow reply = table.Find(Reverse(kTcp), 0);
  EXPECT_TRUE(table.HasInFlight(reply, 901));
  EXPECT_FALSE(table.HasInFlight(reply, 902));
  ASSERT_NE(table.Insert(kUdp, {}, 0), nullptr);
  EXPECT_TRUE(table.HasInFlight(table.Find(kUdp, 0), 12345));
}

TEST(FlowTableTest, BothDirectionsAreFoundAndNothingElse) {
  FlowTable table(4);
  EXPECT_EQ(table.Find(kUdp, 0).flow, nullptr);
  Flow* flow = table.Insert(kUdp, {.cell = 7}, 0);
  ASSERT_NE(flow, nullptr);
  EXPECT_EQ(flow->verdict.cell, 7u);
  EXPECT_EQ(table.Find(kUdp, 0).flow, flow);
  EXPECT_EQ(table.Find(kUdp, 0).side, FlowSide::kForward);
  EXPECT_EQ(table.Find(Reverse(kUdp), 0).flow, flow);
  EXPECT_EQ(table.Find(Reverse(kUdp), 0).side, FlowSide::kReply);
  const FlowKey kOthers[] = {Key(kProtocolTcp, 0x0a000001, 5353, 0x0a000002, 53),
                             Key(kProtocolUdp, 0x0a000001, 5354, 0x0a000002, 53),
                             Key(kProtocolUdp, 0x0a000001, 53, 0x0a000002, 5353),
                             Key(kProtocolUdp, 0x0a000003, 5353, 0x0a000002, 53)};
  for (const FlowKey& other : kOthers) {
    EXPECT_EQ(table.Find(other, 0).flow, nullptr);
    EXPECT_EQ(table.Find(Reverse(other), 0).flow, nullptr);
  }
}

TEST(FlowTableTest, FamiliesStayApart) {
  FlowTable table(4);
  FlowKey v6 = kUdp;
  v6.family = 6;
  table.Insert(kUdp, {}, 0);
  EXPECT_EQ(table.Find(v6, 0).flow, nullptr);
  table.Insert(v6, {}, 0);
  EXPECT_EQ(table.size(), 2u);
}

TEST(FlowTableTest, EchoIsFoundByItsIdentifier) {
  FlowTable table(4);
  const FlowKey request = Key(kProtocolIcmp, 1, 77, 2, 0);
  const FlowKey reply = Key(kProtocolIcmp, 2, 77, 1, 0);
  table.Insert(request, {}, 0);
  EXPECT_EQ(table.Find(reply, 0).side, FlowSide::kReply);
  EXPECT_EQ(table.Find(request, 0).side, FlowSide::kForward);
  EXPECT_EQ(table.Find(Key(kProtocolIcmp, 2, 78, 1, 0), 0).flow, nullptr);
  EXPECT_EQ(table.Find(reply, FlowTable::kIcmpNs).flow, nullptr);
}

TEST(FlowTableTest, APortThatTalksToItselfIsOneFlow) {
  FlowTable table(4);
  const FlowKey same_port = Key(kProtocolUdp, 1, 500, 2, 500);
  table.Insert(same_port, {}, 0);
  EXPECT_EQ(table.Find(same_port, 0).side, FlowSide::kForward);
  EXPECT_EQ(table.Find(Reverse(same_port), 0).side, FlowSide::kReply);
}

TEST(FlowTableTest, IdleFlowsExpire) {
  FlowTable table(4);
  table.Insert(kUdp, {}, 0);
  EXPECT_NE(table.Find(kUdp, FlowTable::kOtherNs - 1).flow, nullptr);
  ASSERT_TRUE(Pass(table, {.key = Reverse(kUdp)}, FlowTable::kOtherNs - 1));
  EXPECT_NE(table.Find(kUdp, 2 * FlowTable::kOtherNs - 2).flow, nullptr);
  EXPECT_EQ(table.Find(kUdp, 2 * FlowTable::kOtherNs - 1).flow, nullptr);
  EXPECT_EQ(table.size(), 0u);
}

TEST(FlowTableTest, TcpIdleTimesFollowTheHandshake) {
  FlowTable opening(4);
  opening.Insert(kTcp, {}, 0);
  Pass(opening, Segment(kTcp, kSyn, 100), 0);
  EXPECT_EQ(opening.Find(kTcp, FlowTable::kTcpOpeningNs).flow, nullptr);
  FlowTable established(4);
  Open(established, 0);
  EXPECT_NE(established.Find(kTcp, FlowTable::kTcpEstablishedNs - 1).flow, nullptr);
  EXPECT_EQ(established.Find(kTcp, FlowTable::kTcpEstablishedNs).flow, nullptr);
}

TEST(FlowTableTest, FinsEndAConnection) {
  FlowTable table(4);
  Open(table, 0);
  EXPECT_FALSE(table.IsEnding(*table.Find(kTcp, 0).flow));
  Pass(table, Segment(kTcp, kFin | kAck, 101, 901), 0);
  EXPECT_TRUE(table.IsEnding(*table.Find(kTcp, 0).flow));
  EXPECT_NE(table.Find(kTcp, FlowTable::kTcpClosingNs).flow, nullptr);  // half open
  Pass(table, Segment(Reverse(kTcp), kFin | kAck, 901, 102), kSecondNs);
  EXPECT_TRUE(Pass(table, Segment(kTcp, kAck, 102, 902), 2 * kSecondNs));
  EXPECT_EQ(table.Find(kTcp, 2 * kSecondNs + FlowTable::kTcpClosingNs).flow, nullptr);
}

TEST(FlowTableTest, OnlyAnExactRstEndsAConnection) {
  for (const bool reply : {false, true}) {
    FlowTable table(4);
    Open(table, 0);
    Pass(table, Segment(kTcp, kAck, 101, 901, 50), 0);
    const FlowKey from = reply ? Reverse(kTcp) : kTcp;
    const uint32_t exact = reply ? 901 : 151;
    for (const uint32_t sequence : {exact + 1, exact - 1, exact + 0x80000000}) {
      EXPECT_TRUE(Pass(table, Segment(from, kRst, sequence), 0));
      EXPECT_EQ(table.size(), 1u) << sequence;
    }
    EXPECT_TRUE(Pass(table, Segment(from, kRst, exact), 0));
    EXPECT_EQ(table.size(), 0u);
  }
}

TEST(FlowTableTest, ARstAtTheLastAcknowledgementEndsToo) {
  FlowTable table(4);
  Open(table, 0);
  Pass(table, Segment(kTcp, kAck, 101, 901, 50), 0);  // lost on its way
  EXPECT_TRUE(Pass(table, Segment(kTcp, kRst, 101), 0));
  EXPECT_EQ(table.size(), 0u);
}

TEST(FlowTableTest, SequenceNumbersWrap) {
  FlowTable table(4);
  table.Insert(kTcp, {}, 0);
  Pass(table, Segment(kTcp, kSyn, 0xfffffff0), 0);
  Pass(table, Segment(kTcp, kAck, 0xfffffff1, 1, 100), 0);
  Pass(table, Segment(kTcp, kAck, 0xfffffff1, 1, 5), 0);  // sent again
  EXPECT_TRUE(Pass(table, Segment(kTcp, kRst, 0xfffffff6), 0));
  EXPECT_EQ(table.size(), 1u);
  EXPECT_TRUE(Pass(table, Segment(kTcp, kRst, 0x55), 0));
  EXPECT_EQ(table.size(), 0u);
}

TEST(FlowTableTest, ARefusedSynEndsAtOnce) {
  FlowTable table(4);
  table.Insert(kTcp, {}, 0);
  Pass(table, Segment(kTcp, kSyn, 100), 0);
  Pass(table, Segment(Reverse(kTcp), kRst | kAck, 0, 101), 0);
  EXPECT_EQ(table.size(), 0u);
}

TEST(FlowTableTest, AFullTableTakesNoMoreUntilSomethingExpires) {
  FlowTable table(3);
  for (uint16_t i = 0; i < 3; ++i) {
    EXPECT_NE(table.Insert(Key(kProtocolUdp, 1, i, 2, 53), {}, i * kSecondNs), nullptr);
  }
  EXPECT_EQ(table.Insert(kUdp, {}, 2 * kSecondNs), nullptr);
  EXPECT_EQ(table.size(), 3u);
  EXPECT_NE(table.Find(Key(kProtocolUdp, 1, 0, 2, 53), 2 * kSecondNs).flow, nullptr);
  EXPECT_NE(table.Insert(kUdp, {}, FlowTable::kOtherNs), nullptr);
  EXPECT_EQ(table.size(), 3u);
  EXPECT_EQ(table.Find(Key(kProtocolUdp, 1, 0, 2, 53), FlowTable::kOtherNs).flow, nullptr);
  EXPECT_NE(table.Find(Key(kProtocolUdp, 1, 1, 2, 53), FlowTable::kOtherNs).flow, nullptr);
}

// Against a plain list of flows.
TEST(FlowTableTest, RandomOperationsMatchAPlainList) {
  constexpr uint32_t kSeed = 20'240'611;
  SCOPED_TRACE(kSeed);
  constexpr size_t kCapacity = 50;
  std::mt19937 engine(kSeed);
  const auto random = [&engine] { return static_cast<uint32_t>(engine()); };
  FlowTable table(kCapacity);
  struct Entry {
    FlowKey key;
    uint64_t expires_ns;
  };
  std::vector<Entry> list;
  uint64_t now_ns = 0;
  const auto same = [](const FlowKey& a, const FlowKey& b) {
    return std::memcmp(&a, &b, sizeof(a)) == 0;
  };
  for (int step = 0; step < 50'000; ++step) {
    now_ns += random() % (20 * kSecondNs);
    std::erase_if(list, [&](const Entry& entry) { return entry.expires_ns <= now_ns; });
    FlowKey key = Key(kProtocolUdp, random() % 6 + 1, static_cast<uint16_t>(random() % 4 + 1),
                      random() % 6 + 101, static_cast<uint16_t>(random() % 4 + 1));
    if (random() % 2 == 0) key = Reverse(key);
    auto entry = std::find_if(list.begin(), list.end(), [&](const Entry& e) {
      return same(e.key, key) || same(e.key, Reverse(key));
    });
    const FoundFlow found = table.Find(key, now_ns);
    ASSERT_EQ(found.flow != nullptr, entry != list.end()) << "step " << step;
    if (found.flow == nullptr) {
      const bool inserted = table.Insert(key, {}, now_ns) != nullptr;
      ASSERT_EQ(inserted, list.size() < kCapacity) << "step " << step;
      if (inserted) list.push_back({key, now_ns + FlowTable::kOtherNs});
      continue;
    }
    ASSERT_EQ(found.side == FlowSide::kForward, same(entry->key, key));
    if (random() % 3 == 0) {
      table.Erase(*found.flow);
      list.erase(entry);
    } else {
      table.Update(found, {.key = key}, now_ns);
      entry->expires_ns = now_ns + FlowTable::kOtherNs;
    }
    ASSERT_GE(table.size(), list.size());
  }
}

}  // namespace
}  // namespace npf::conntrack
