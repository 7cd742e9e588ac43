// Datagrams in fragments, against a model that is obviously right: a map, and a mark for each eight
// bytes that have passed.
#include "conntrack/fragment_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "testing/random.h"

namespace npf::conntrack {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;

struct Place {
  uint16_t begin, end;
  bool more;
};

ParsedPacket Fragment(uint32_t id, Place place, uint32_t src = 1, uint32_t network = 0,
                      uint8_t protocol = kProtocolUdp) {
  ParsedPacket packet;
  packet.key = MakeFlowKey(IpAddress::V4(src), IpAddress::V4(2), protocol, 53, 40000);
  packet.fragment = true;
  packet.later_fragment = place.begin != 0;
  packet.fragment_begin = place.begin;
  packet.fragment_end = place.end;
  packet.fragment_more = place.more;
  packet.fragment_id = id;
  packet.fragment_protocol = protocol;
  packet.network = network;
  return packet;
}

class Model {
 public:
  struct Entry {
    uint64_t expires_ns = 0;
    std::vector<bool> passed = std::vector<bool>(8192, false);
    int end = -1;
    bool poisoned = false;

    bool Cover(const ParsedPacket& packet) {
      bool fits = !poisoned;
      for (int i = packet.fragment_begin; i < packet.fragment_end; ++i) {
        fits = fits && !passed[static_cast<size_t>(i)];
      }
      const int last =
          static_cast<int>(std::find(passed.rbegin(), passed.rend(), true).base() - passed.begin());
      if (end >= 0) fits = fits && packet.fragment_more && packet.fragment_end <= end;
      if (!packet.fragment_more) fits = fits && packet.fragment_begin >= last;
      if (!fits) {
        poisoned = true;
        return false;
      }
      for (int i = packet.fragment_begin; i < packet.fragment_end; ++i) {
        passed[static_cast<size_t>(i)] = true;
      }
      if (!packet.fragment_more) end = packet.fragment_end;
      return true;
    }
    bool complete() const {
      return !poisoned && end >= 0 && std::count(passed.begin(), passed.end(), true) == end;
    }
  };

  Entry* Find(const ParsedPacket& packet, uint64_t now_ns) {
    const auto found = entries_.find(NameOf(packet));
    return found == entries_.end() || found->second.expires_ns <= now_ns ? nullptr : &found->second;
  }
  Entry* Begin(const ParsedPacket& packet, uint64_t now_ns) {
    Entry& entry = entries_[NameOf(packet)];
    entry = Entry{};
    entry.expires_ns = now_ns + FragmentTable::kLifetimeNs;
    return &entry;
  }
  void Erase(const ParsedPacket& packet) { entries_.erase(NameOf(packet)); }

 private:
  static std::vector<uint64_t> NameOf(const ParsedPacket& packet) {
    return {packet.fragment_id, packet.key.src[3], packet.network, packet.fragment_protocol};
  }
  std::map<std::vector<uint64_t>, Entry> entries_;
};

TEST(FragmentTableTest, DoesWhatTheModelDoes) {
  size_t poisoned = 0, completed = 0, expired = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    npf::testing::Random random(seed);
    FragmentTable table(4096);
    Model model;
    uint64_t now_ns = 0;
    for (int step = 0; step < 400; ++step) {
      now_ns += random.Below(20) == 0 ? 31 * kSecondNs : random.Below(1000);
      Place place{0, 0, random.Below(3) != 0};
      place.begin = static_cast<uint16_t>(random.Below(3) == 0 ? 0 : random.Below(6));
      place.end = static_cast<uint16_t>(place.begin + 1 + random.Below(2));
      const ParsedPacket packet = Fragment(
          static_cast<uint32_t>(random.Below(3)), place, static_cast<uint32_t>(1 + random.Below(2)),
          static_cast<uint32_t>(random.Below(2)), random.Below(2) == 0 ? 6 : 17);
      Datagram* datagram = table.Find(packet, now_ns);
      Model::Entry* entry = model.Find(packet, now_ns);
      ASSERT_EQ(datagram == nullptr, entry == nullptr) << step;
      if (datagram == nullptr) {
        if (place.begin != 0) continue;
        datagram = table.Begin(packet, now_ns);
        entry = model.Begin(packet, now_ns);
        ASSERT_NE(datagram, nullptr);
        ++expired;
      }
      ASSERT_EQ(datagram->Cover(packet), entry->Cover(packet)) << step;
      ASSERT_EQ(datagram->poisoned(), entry->poisoned) << step;
      ASSERT_EQ(datagram->complete(), entry->complete()) << step;
      poisoned += datagram->poisoned() ? 1 : 0;
      if (!datagram->complete()) continue;
      ++completed;
      table.Erase(*datagram);
      model.Erase(packet);
    }
  }
  EXPECT_GT(poisoned, 1000u);
  EXPECT_GT(completed, 1000u);
  EXPECT_GT(expired, 1000u);
}

TEST(FragmentTableTest, OneSourceHoldsAnEighthAndOthersAreNotTouched) {
  FragmentTable table(64);
  const Place first{0, 100, true};
  for (uint32_t id = 0; id < 8; ++id) ASSERT_NE(table.Begin(Fragment(id, first), 0), nullptr);
  EXPECT_EQ(table.Begin(Fragment(8, first), 0), nullptr);
  EXPECT_NE(table.Find(Fragment(0, first), 0), nullptr);
  EXPECT_NE(table.Begin(Fragment(0, first, 9), 0), nullptr);
  // What has expired makes room.
  EXPECT_NE(table.Begin(Fragment(8, first), FragmentTable::kLifetimeNs), nullptr);
  EXPECT_EQ(table.size(), 2u) << "and one that is looked at the next time";
}

TEST(FragmentTableTest, WhereItIsFullTheOldestMakesRoom) {
  FragmentTable table(64);
  const Place first{0, 100, true};
  for (uint32_t source = 1; source <= 1000; ++source) {
    ASSERT_NE(table.Begin(Fragment(7, first, source), 0), nullptr) << source;
    EXPECT_LE(table.size(), 64u);
  }
  EXPECT_EQ(table.Find(Fragment(7, first, 936), 0), nullptr);
  EXPECT_NE(table.Find(Fragment(7, first, 937), 0), nullptr);
}

// A11: who sends many whole datagrams drives out nobody whose last part is late.
TEST(FragmentTableTest, WhatIsCompleteGivesItsPlaceBack) {
  FragmentTable table(64);
  ASSERT_NE(table.Begin(Fragment(0, {0, 1, true}), 0), nullptr);
  for (uint32_t id = 1; id <= 1000; ++id) {
    Datagram* const datagram = table.Begin(Fragment(id, {0, 1, true}, 3), 0);
    ASSERT_NE(datagram, nullptr);
    datagram->Cover(Fragment(id, {0, 1, true}, 3));
    datagram->Cover(Fragment(id, {1, 2, false}, 3));
    ASSERT_TRUE(datagram->complete());
    table.Erase(*datagram);
  }
  EXPECT_NE(table.Find(Fragment(0, {1, 2, false}), 0), nullptr);
  EXPECT_EQ(table.size(), 1u);
}

// Who keeps more of a datagram is told when it is dropped, and from where.
TEST(FragmentTableTest, WhatIsDroppedIsTold) {
  FragmentTable table(16);
  const Place first{0, 100, true};
  std::vector<uint32_t> places;
  for (uint32_t source = 1; source <= 16; ++source) {
    places.push_back(table.PlaceOf(*table.Begin(Fragment(7, first, source), 0)));
    EXPECT_TRUE(table.dropped().empty());
  }
  ASSERT_NE(table.Begin(Fragment(7, first, 17), 0), nullptr);
  ASSERT_EQ(table.dropped().size(), 1u) << "the oldest made room";
  EXPECT_EQ(table.dropped()[0], places[0]);
  EXPECT_EQ(table.Find(Fragment(7, first, 9), FragmentTable::kLifetimeNs), nullptr);
  ASSERT_EQ(table.dropped().size(), 1u) << "it was found, and had expired";
  EXPECT_EQ(table.dropped()[0], places[8]);
  EXPECT_EQ(table.Find(Fragment(7, first, 9), FragmentTable::kLifetimeNs), nullptr);
  EXPECT_TRUE(table.dropped().empty()) << "once";
  EXPECT_TRUE(table.DropExpired(FragmentTable::kLifetimeNs));
  places.erase(places.begin() + 8);
  EXPECT_EQ(std::vector<uint32_t>(table.dropped().begin(), table.dropped().end()),
            std::vector<uint32_t>(places.begin() + 1, places.begin() + 9))
      << "but for what was dropped before";
  EXPECT_FALSE(table.DropExpired(FragmentTable::kLifetimeNs - 1));
  EXPECT_EQ(table.size(), 7u);
}

TEST(FragmentTableTest, ADatagramHasSoManyParts) {
  FragmentTable table(64);
  Datagram* const datagram = table.Begin(Fragment(1, {0, 1, true}), 0);
  ASSERT_NE(datagram, nullptr);
  for (uint16_t i = 0; i < 64; ++i) {
    EXPECT_TRUE(datagram->Cover(Fragment(1, {i, static_cast<uint16_t>(i + 1), true})));
  }
  EXPECT_FALSE(datagram->Cover(Fragment(1, {64, 65, true})));
  EXPECT_TRUE(datagram->poisoned());
}

}  // namespace
}  // namespace npf::conntrack
