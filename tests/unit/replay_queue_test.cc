// The order in which a replay tells packets, where some have to wait for their verdict.
#include "npf/replay_queue.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace npf::tools {
namespace {

JudgedPacket PacketOf(uint64_t number, uint64_t ticket, size_t bytes = 0) {
  JudgedPacket packet{.bytes = std::vector<uint8_t>(bytes, static_cast<uint8_t>(number))};
  packet.packet.number = number;
  packet.judgement.held = ticket;
  packet.judgement.verdict.allowed = ticket == 0 ? 1 : 0;
  packet.judgement.verdict.reason =
      static_cast<uint8_t>(ticket == 0 ? Reason::kPolicy : Reason::kFragmentHeld);
  return packet;
}

Release ReleaseOf(uint64_t ticket, bool allowed) {
  Release release{.ticket = ticket, .reply = true};
  release.verdict.allowed = allowed ? 1 : 0;
  release.key.dst_port = 53;
  return release;
}

// The numbers and verdicts of what can be told: "1+ 2- 3 frag_incomplete".
std::string Told(ReplayQueue& queue) {
  std::string text;
  while (queue.ready()) {
    const JudgedPacket packet = queue.TakeFirst();
    if (!text.empty()) text += ' ';
    text += std::to_string(packet.packet.number);
    const Verdict& verdict = packet.judgement.verdict;
    const auto reason = static_cast<Reason>(verdict.reason);
    text += verdict.allowed != 0        ? "+"
            : reason == Reason::kPolicy ? "-"
                                        : " " + std::string(Name(reason));
  }
  return text;
}

TEST(ReplayQueueTest, PacketsAreToldInTheirOrder) {
  ReplayQueue queue({});
  EXPECT_TRUE(queue.empty());
  const std::vector<uint64_t> tickets{7, 0, 9, 7, 0, 9, 0};
  for (size_t i = 0; i < tickets.size(); ++i) queue.Add(PacketOf(i + 1, tickets[i]));
  EXPECT_EQ(Told(queue), "");
  EXPECT_EQ(queue.first_ticket(), 7u);
  queue.Settle(ReleaseOf(9, false), 2);
  EXPECT_EQ(Told(queue), "");
  queue.Settle(ReleaseOf(7, true), 2);
  EXPECT_EQ(Told(queue), "1+ 2+ 3- 4+ 5+ 6- 7+");
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.first_ticket(), 0u);
  queue.Settle(ReleaseOf(7, true), 2);  // nobody's
  queue.Add(PacketOf(8, 0));
  EXPECT_EQ(Told(queue), "8+") << "places go on";
}

TEST(ReplayQueueTest, AFragmentHasWhatWasSaidOfItsDatagram) {
  ReplayQueue queue({});
  queue.Add(PacketOf(1, 7));
  queue.Settle(ReleaseOf(7, true), 3);
  const JudgedPacket packet = queue.TakeFirst();
  EXPECT_EQ(packet.judgement.held, 0u);
  EXPECT_TRUE(packet.judgement.reply);
  EXPECT_EQ(packet.asked.dst_port, 53);
  EXPECT_EQ(packet.phase, 3u);
}

TEST(ReplayQueueTest, WhatIsGivenUpIsIncomplete) {
  ReplayQueue queue({});
  for (const uint64_t number : {1, 2, 3}) queue.Add(PacketOf(number, number == 2 ? 9 : 7));
  queue.GiveUp(7);
  EXPECT_EQ(Told(queue), "1 frag_incomplete");
  queue.Settle(ReleaseOf(7, true), 0);
  queue.GiveUp(9);
  EXPECT_EQ(Told(queue), "2 frag_incomplete 3 frag_incomplete") << "for good";
}

TEST(ReplayQueueTest, PacketsAndBytesAreLimited) {
  ReplayQueue queue({.packets = 3, .bytes = 100});
  for (uint64_t number = 1; number <= 3; ++number) queue.Add(PacketOf(number, 7));
  EXPECT_FALSE(queue.over_limit());
  queue.Add(PacketOf(4, 0));
  EXPECT_TRUE(queue.over_limit());
  queue.GiveUp(7);
  Told(queue);
  queue.Add(PacketOf(5, 7, 100));
  EXPECT_FALSE(queue.over_limit());
  queue.Add(PacketOf(6, 0, 1));
  EXPECT_TRUE(queue.over_limit());
  queue.GiveUp(7);
  const JudgedPacket first = queue.TakeFirst();
  EXPECT_FALSE(queue.over_limit());
  ASSERT_EQ(first.packet.data.size(), 100u);
  EXPECT_EQ(first.packet.data[99], 5) << "its own bytes";
}

}  // namespace
}  // namespace npf::tools
