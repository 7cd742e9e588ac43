// Fragments that wait for each other (Fragments::kReassemble), by the numbers of the attacks.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "unit/fragment_bench.h"
#include "unit/tunnel_builder.h"

namespace npf::testing {
namespace {

enum : uint8_t { kSyn = 2, kAck = 16 };

// 1,008 bytes, three fragments of 336.
WholeDatagram UdpTo(uint16_t port, int family = 4) {
  return {.transport = Udp(1000, port, 1000), .family = family};
}
WholeDatagram TcpOf(const Tcp& header, int family = 4) {
  const Bytes segment =
      family == 4 ? Segment(header, "10.0.0.1", "10.0.0.2") : Segment(header, "fd00::1", "fd00::2");
  return {.transport = segment, .protocol = kProtocolTcp, .family = family};
}

class EitherFamily : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Families, EitherFamily, ::testing::Values(4, 6));

TEST_P(EitherFamily, A1AllWaitForTheLastAndPassTogether) {
  FragmentBench bench;
  const std::vector<Bytes> parts = Fragments(UdpTo(53, GetParam()), 336);
  EXPECT_EQ(bench.Judge(parts[0]), "held");
  EXPECT_EQ(bench.worker.counts().datagrams, 1u);
  EXPECT_EQ(bench.worker.counts().flows, 0u) << "nothing has passed yet";
  EXPECT_EQ(bench.Judge(parts[1]), "held");
  EXPECT_EQ(bench.Judge(parts[2]), "held; 1 2 3: allow policy");
  EXPECT_EQ(bench.last.key.dst_port, 53);
  EXPECT_EQ(bench.last.key.family, GetParam());
  EXPECT_EQ(bench.worker.counts().datagrams, 0u);
  EXPECT_EQ(bench.worker.counts().flows, 1u);
}

TEST_P(EitherFamily, A1InOneCallAsInMany) {
  FragmentBench bench;
  EXPECT_EQ(bench.JudgeAll(Fragments(UdpTo(53, GetParam()), 336)),
            "held held held; 1 2 3: allow policy");
  EXPECT_EQ(bench.Judge(Unfragmented(UdpTo(53, GetParam()))), "allow established");
}

TEST_P(EitherFamily, A2ADeniedPortDeniesAll) {
  FragmentBench bench;
  EXPECT_EQ(bench.JudgeAll(Fragments(UdpTo(54, GetParam()), 504)), "held held; 1 2: deny policy");
  EXPECT_EQ(bench.last.verdict.directions, kEgressAllowed);
  EXPECT_EQ(bench.worker.counts().flows, 0u);
}

TEST_P(EitherFamily, A3WithoutAFirstNothingPassesEvenWhereEveryPortWould) {
  FragmentBench bench(kEverythingToTheServer);
  EXPECT_EQ(bench.Judge(Fragment(UdpTo(53, GetParam()), 504, 504)), "held");
  bench.now_ns += 29 * FragmentBench::kSecondNs;
  EXPECT_EQ(bench.JudgeAll({}), "");
  bench.now_ns += FragmentBench::kSecondNs;
  EXPECT_EQ(bench.JudgeAll({}), "; 1: deny frag_incomplete");
  EXPECT_EQ(bench.last.key.family, 0);
  EXPECT_EQ(bench.JudgeAll({}), "") << "once";
}

TEST_P(EitherFamily, A4ATinyFirstIsJoinedWithItsNext) {
  for (const uint16_t port : {uint16_t{80}, uint16_t{81}}) {
    const WholeDatagram syn = TcpOf({.dst_port = port, .data_bytes = 20}, GetParam());
    const std::string wanted = port == 80 ? "allow policy" : "deny policy";
    FragmentBench bench;
    EXPECT_EQ(bench.JudgeAll({Fragment(syn, 0, 8), Fragment(syn, 8, 32)}),
              "held held; 1 2: " + wanted);
    EXPECT_EQ(bench.last.key.dst_port, port);
    EXPECT_EQ(bench.JudgeAll({Fragment(syn, 16, 24), Fragment(syn, 8, 8), Fragment(syn, 0, 8)}),
              "held held held; 3 4 5: " + (port == 80 ? "allow established" : wanted));
  }
}

// A short frame is padded, and what pads it is nobody's (A46).
TEST_P(EitherFamily, A4PaddingIsNotJoined) {
  const WholeDatagram syn = TcpOf({.dst_port = 80, .data_bytes = 20}, GetParam());
  std::vector<Bytes> parts = Fragments(syn, 8);
  for (Bytes& part : parts) part.resize(part.size() + 60, 0xff);
  for (int order = 0; order < 2; ++order) {
    FragmentBench bench;
    EXPECT_EQ(bench.JudgeAll(parts), "held held held held held; 1 2 3 4 5: allow policy");
    std::reverse(parts.begin(), parts.end());
  }
}

TEST_P(EitherFamily, A4WhatIsJoinedIsLookedAtWhole) {
  FragmentBench bench;
  WholeDatagram syn = TcpOf({.dst_port = 80}, GetParam());
  syn.transport[17] ^= 1;
  EXPECT_EQ(bench.JudgeAll({Fragment(syn, 0, 8), Fragment(syn, 8, 12)}),
            "held held; 1 2: deny checksum");
  const WholeDatagram nothing = TcpOf({.dst_port = 80, .flags = 0}, GetParam());
  EXPECT_EQ(bench.JudgeAll({Fragment(nothing, 0, 8), Fragment(nothing, 8, 12)}),
            "held held; 3 4: deny tcp_flags");
  const WholeDatagram offset = TcpOf({.dst_port = 80, .data_offset = 9}, GetParam());
  WholeDatagram cut = offset;
  cut.transport.resize(24);
  EXPECT_EQ(bench.JudgeAll({Fragment(cut, 0, 8), Fragment(cut, 8, 16)}),
            "held held; 5 6: deny malformed");
  cut.transport.resize(16);
  EXPECT_EQ(bench.JudgeAll({Fragment(cut, 0, 8), Fragment(cut, 8, 8)}),
            "held held; 7 8: deny truncated");
  EXPECT_EQ(bench.worker.counts().flows, 0u);
}

TEST_P(EitherFamily, A5AnOverlapPoisonsTheDatagram) {
  const WholeDatagram good = UdpTo(53, GetParam());
  FragmentBench bench;
  EXPECT_EQ(bench.Judge(Fragment(good, 0, 504)), "held");
  EXPECT_EQ(bench.Judge(Fragment(good, 496, 104)), "deny frag_overlap; 1: deny frag_overlap");
  EXPECT_EQ(bench.Judge(Fragment(good, 504, 504)), "deny frag_overlap") << "all that comes of it";
  EXPECT_EQ(bench.Judge(Fragment(good, 0, 504)), "deny frag_overlap");
  bench.now_ns += 31 * FragmentBench::kSecondNs;
  EXPECT_EQ(bench.JudgeAll(Fragments(good, 504)), "held held; 5 6: allow policy") << "another one";
}

TEST_P(EitherFamily, A5ASecondFirstPoisonsAndSoDoesADuplicate) {
  const WholeDatagram good = UdpTo(53, GetParam());
  FragmentBench bench;
  EXPECT_EQ(bench.JudgeAll({Fragment(good, 504, 504), Fragment(good, 0, 504 - 8)}), "held held");
  EXPECT_EQ(bench.Judge(Fragment(UdpTo(54, GetParam()), 0, 504 - 8)),
            "deny frag_overlap; 1 2: deny frag_overlap");
  WholeDatagram other = good;
  other.id = 8;
  EXPECT_EQ(bench.JudgeAll({Fragment(other, 504, 504), Fragment(other, 504, 504)}),
            "held deny frag_overlap; 4: deny frag_overlap")
      << "nobody compares what is in them";
}

TEST_P(EitherFamily, A5TwoEndsPoison) {
  WholeDatagram good = UdpTo(53, GetParam());
  FragmentBench bench;
  EXPECT_EQ(bench.JudgeAll({Fragment(good, 504, 504), Fragment(good, 1008, 8, true)}),
            "held deny frag_overlap; 1: deny frag_overlap")
      << "behind the end";
  good.id = 8;
  EXPECT_EQ(bench.JudgeAll({Fragment(good, 504, 504), Fragment(good, 320, 8, false)}),
            "held deny frag_overlap; 3: deny frag_overlap")
      << "an end before what has come";
}

TEST_P(EitherFamily, A6EveryOrderGivesTheSame) {
  const std::vector<Bytes> parts = Fragments(UdpTo(53, GetParam()), 176);
  const std::vector<Bytes> denied = Fragments(UdpTo(54, GetParam()), 176);
  std::vector<size_t> order{0, 1, 2, 3, 4, 5};
  ASSERT_EQ(parts.size(), order.size());
  FragmentBench bench;
  bench.Judge(Unfragmented(UdpTo(53, GetParam())));
  do {
    std::vector<Bytes> frames;
    for (const size_t i : order) frames.push_back(parts[i]);
    EXPECT_EQ(bench.JudgeAll(frames).substr(29, 2), "; ");
    EXPECT_EQ(FragmentBench::Text(bench.last.verdict), "allow established");
    frames.clear();
    for (const size_t i : order) frames.push_back(denied[i]);
    EXPECT_EQ(bench.JudgeAll(frames).substr(29, 2), "; ");
    EXPECT_EQ(FragmentBench::Text(bench.last.verdict), "deny policy");
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_EQ(bench.worker.counts().flows, 1u);
}

TEST_P(EitherFamily, A7BeyondTheLargestDatagram) {
  const WholeDatagram good = UdpTo(53, GetParam());
  FragmentBench bench;
  EXPECT_EQ(bench.JudgeAll({Fragment(good, 0, 504), Fragment(good, 65512, 100, false)}),
            "held deny frag_oversize");
  bench.now_ns += 30 * FragmentBench::kSecondNs;
  EXPECT_EQ(bench.JudgeAll({}), "; 1: deny frag_incomplete");
}

// Each of the two is good by itself: the whole has the first one's header (A7).
TEST(ReassemblyTest, A7TheFirstOnesHeaderCounts) {
  for (const size_t option_bytes : {size_t{0}, size_t{8}}) {
    WholeDatagram first = UdpTo(53);
    first.transport.resize(65512);
    first.transport[4] = 0;
    first.transport[5] = 8;
    first.options = Bytes(option_bytes, 1);
    WholeDatagram last = first;
    last.options = {};
    FragmentBench bench;
    const std::string wanted = option_bytes == 0 ? "held held; 1 2: allow policy"
                                                 : "held deny frag_oversize; 1: deny frag_oversize";
    EXPECT_EQ(bench.JudgeAll({Fragment(first, 0, 32768), Fragment(last, 32768, 32744)}), wanted);
    if (option_bytes != 0) {
      EXPECT_EQ(bench.Judge(Fragment(first, 0, 32768)), "deny frag_overlap");
    }
  }
}

TEST_P(EitherFamily, A8WhatIsBadIsNotTaken) {
  const WholeDatagram good = UdpTo(53, GetParam());
  FragmentBench bench;
  EXPECT_EQ(bench.JudgeAll({Fragment(good, 0, 504), Fragment(good, 504, 100, true),
                            Fragment(good, 504, 0, true), Fragment(good, 504, 504)}),
            "held deny frag_bad deny frag_bad held; 1 4: allow policy");
}

TEST_P(EitherFamily, A9AnIdentifierIsUsedAgainOnceTheDatagramIsComplete) {
  FragmentBench bench;
  EXPECT_EQ(bench.JudgeAll(Fragments(UdpTo(53, GetParam()), 504)), "held held; 1 2: allow policy");
  EXPECT_EQ(bench.JudgeAll(Fragments(UdpTo(54, GetParam()), 504)), "held held; 3 4: deny policy");
  EXPECT_EQ(bench.Judge(Unfragmented(UdpTo(54, GetParam()))), "deny policy") << "it waits for none";
}

TEST_P(EitherFamily, A10VlansDirectionsAndIdentifiersAreApart) {
  FragmentBench bench;
  WholeDatagram good = UdpTo(53, GetParam());
  good.vlan = 10;
  EXPECT_EQ(bench.Judge(Fragment(good, 0, 504)), "held");
  WholeDatagram other = good;
  other.vlan = 11;
  EXPECT_EQ(bench.Judge(Fragment(other, 504, 504)), "held");
  other.vlan = 0;
  EXPECT_EQ(bench.Judge(Fragment(other, 504, 504)), "held");
  other = good;
  other.reply = true;
  EXPECT_EQ(bench.Judge(Fragment(other, 504, 504)), "held");
  other = good;
  other.id = 8;
  EXPECT_EQ(bench.Judge(Fragment(other, 504, 504)), "held");
  EXPECT_EQ(bench.worker.counts().datagrams, 5u);
  EXPECT_EQ(bench.Judge(Fragment(good, 504, 504)), "held; 1 6: allow policy");
}

TEST_P(EitherFamily, A10NetworksOfAnOverlayAreApart) {
  const Overlays overlays = Of({Spec(OverlayKind::kVxlan)});
  FragmentBench bench(kOnlySomePorts, {.overlays = &overlays});
  const auto inside = [](uint32_t vni, const Bytes& frame) {
    return Outer4(kProtocolUdp, InUdp(4789, VxlanHeader({.vni = vni}) + frame));
  };
  const WholeDatagram good = UdpTo(53, GetParam());
  EXPECT_EQ(bench.JudgeAll({inside(1, Fragment(good, 0, 504)), inside(2, Fragment(good, 504, 504)),
                            Fragment(good, 504, 504), inside(1, Fragment(good, 504, 504))}),
            "held held held held; 1 4: allow policy");
}

// Nobody sees what is in it: neither in a part nor, as it is not copied, in the whole.
TEST(ReassemblyTest, ATunnelOfAnOverlayComesInNoFragments) {
  const Overlays overlays = Of({Spec(OverlayKind::kVxlan)});
  FragmentBench bench(kEverythingToTheServer, {.overlays = &overlays});
  const WholeDatagram tunnel{.transport = InUdp(4789, VxlanHeader({}) + Unfragmented(UdpTo(53)))};
  const std::string text = bench.JudgeAll(Fragments(tunnel, 504));
  EXPECT_EQ(text.find("held;"), std::string::npos) << text;
  EXPECT_EQ(text.find("allow"), std::string::npos) << text;
}

// The protocol is part of the name of a datagram of IPv4, and not of one of IPv6 (A27).
TEST_P(EitherFamily, A27TheFirstNextHeaderGoverns) {
  FragmentBench bench;
  const WholeDatagram good = UdpTo(53, GetParam());
  WholeDatagram other = good;
  other.protocol = kProtocolTcp;
  const std::string whole = GetParam() == 4 ? "held held" : "held held; 1 2: allow policy";
  EXPECT_EQ(bench.JudgeAll({Fragment(other, 504, 504), Fragment(good, 0, 504)}), whole);
  WholeDatagram denied = TcpOf({.dst_port = 53, .data_bytes = 988}, GetParam());
  denied.id = 8;
  other = good;
  other.id = 8;
  EXPECT_EQ(bench.JudgeAll({Fragment(denied, 0, 504), Fragment(other, 504, 504)}),
            GetParam() == 4 ? "held held" : "held held; 3 4: deny policy");
}

TEST(ReassemblyTest, A11AFloodIsBoundedAndOthersAreNotTouched) {
  FragmentBench bench(kOnlySomePorts, {.datagrams_max = 64});
  WholeDatagram good = UdpTo(53);
  for (uint32_t id = 0; id < 8; ++id) {
    good.id = id;
    EXPECT_EQ(bench.Judge(Fragment(good, 0, 504)), "held") << id;
  }
  good.id = 8;
  EXPECT_EQ(bench.Judge(Fragment(good, 0, 504)), "deny frag_incomplete") << "one source's share";
  EXPECT_EQ(bench.Judge(Unfragmented(good)), "allow policy");
  good.family = 6;
  EXPECT_EQ(bench.Judge(Fragment(good, 0, 504)), "held") << "another source";
  good.family = 4;
  good.id = 0;
  EXPECT_EQ(bench.Judge(Fragment(good, 504, 504)), "held; 1 12: allow established")
      << "what had begun goes on";
}

TEST(ReassemblyTest, A11TheOldestMakesRoom) {
  FragmentBench bench(kOnlySomePorts, {.datagrams_max = 64});
  std::vector<Bytes> frames;
  for (int source = 1; source <= 200; ++source) {
    frames.push_back(Ethernet(0x0800, Packet(Ipv4{.src = "192.0.2." + std::to_string(source),
                                                  .dst = "10.0.0.2",
                                                  .protocol = kProtocolUdp,
                                                  .fragment = 0x2000},
                                             Udp(1, 53))));
    const std::string text = bench.Judge(frames.back());
    const std::string oldest = "held; " + std::to_string(source - 64) + ": deny frag_incomplete";
    EXPECT_EQ(text, source <= 64 ? "held" : oldest);
    EXPECT_LE(bench.worker.counts().datagrams, 64u);
  }
  EXPECT_EQ(bench.TicketOf(136), 0u);
  EXPECT_NE(bench.TicketOf(137), 0u);
}

TEST(ReassemblyTest, A11ACallReleasesSoManyAndNoMore) {
  FragmentBench bench(kOnlySomePorts, {.datagrams_max = 8});
  WholeDatagram good = UdpTo(53);
  std::vector<Bytes> frames;
  for (int i = 0; i < 400; ++i) {
    for (const Bytes& part : Fragments(good, 504)) frames.push_back(part);
  }
  const std::string text = bench.JudgeAll(frames);
  EXPECT_EQ(bench.worker.released().size(), 8 + Worker::kBatch + 1);
  EXPECT_NE(text.find("held deny frag_incomplete deny"), std::string::npos)
      << "what could not be told is not taken";
  bench.now_ns += 31 * FragmentBench::kSecondNs;
  bench.JudgeAll({});
  EXPECT_EQ(bench.JudgeAll(Fragments(good, 504)).substr(0, 10), "held held;");
}

TEST_P(EitherFamily, A12ThePolicyAtTheEndDecides) {
  const std::vector<Bytes> parts = Fragments(UdpTo(53, GetParam()), 504);
  FragmentBench bench;
  EXPECT_EQ(bench.Judge(parts[0]), "held");
  bench.worker.Replace(ProgramOfPods(kNothingAllowed));
  EXPECT_EQ(bench.Judge(parts[1]), "held; 1 2: deny policy");
  EXPECT_EQ(bench.last.verdict.generation, 2u);
  EXPECT_EQ(bench.Judge(parts[0]), "held");
  bench.worker.Replace(ProgramOfPods(kOnlySomePorts));
  EXPECT_EQ(bench.Judge(parts[1]), "held; 3 4: allow policy");
}

TEST_P(EitherFamily, A13WhatHasExpiredIsNeverPartOfWhatComesLater) {
  const std::vector<Bytes> parts = Fragments(UdpTo(53, GetParam()), 504);
  FragmentBench bench;
  EXPECT_EQ(bench.Judge(parts[0]), "held");
  bench.now_ns += 30 * FragmentBench::kSecondNs;
  EXPECT_EQ(bench.Judge(parts[1]), "held; 1: deny frag_incomplete");
  EXPECT_EQ(bench.Judge(parts[0]), "held; 2 3: allow policy");
  EXPECT_EQ(bench.worker.counts().datagrams, 0u);
}

TEST(ReassemblyTest, A13AnEmptyCallReleasesAllThatHasExpired) {
  FragmentBench bench;
  WholeDatagram good = UdpTo(53);
  for (good.id = 0; good.id < 300; ++good.id) bench.Judge(Fragment(good, 0, 504));
  bench.now_ns += 31 * FragmentBench::kSecondNs;
  bench.Judge(Unfragmented(good));
  EXPECT_EQ(bench.worker.released().size(), Worker::kBatch) << "packets do not wait for more";
  bench.JudgeAll({});
  EXPECT_EQ(bench.worker.released().size(), 300 - Worker::kBatch);
  EXPECT_EQ(bench.worker.counts().datagrams, 0u);
}

TEST_P(EitherFamily, A14UdpSaysNoMoreThanTheWholeDatagramHas) {
  const auto outcome = [](uint16_t length) {
    WholeDatagram good = UdpTo(53, GetParam());
    good.transport[4] = static_cast<uint8_t>(length >> 8);
    good.transport[5] = static_cast<uint8_t>(length);
    return FragmentBench().JudgeAll(Fragments(good, 504));
  };
  EXPECT_EQ(outcome(1008), "held held; 1 2: allow policy");
  EXPECT_EQ(outcome(1007), "held held; 1 2: allow policy") << "the rest is padding (A45)";
  EXPECT_EQ(outcome(1009), "held held; 1 2: deny malformed");
}

// The last fragment's length is no multiple of eight.
TEST_P(EitherFamily, A14UdpToTheByte) {
  for (const int longer : {0, 1}) {
    const WholeDatagram good{.transport = Udp(1000, 53, 993, 1001 + longer), .family = GetParam()};
    EXPECT_EQ(FragmentBench().JudgeAll(Fragments(good, 1000)),
              longer == 0 ? "held held; 1 2: allow policy" : "held held; 1 2: deny malformed");
  }
}

TEST_P(EitherFamily, A14AnInitIsAloneInTheWholeDatagram) {
  constexpr uint8_t kInit = 1;
  const auto outcome = [](const Bytes& more) {
    const WholeDatagram init{
        .transport = Sctp(1000, 9, kInit) + more, .protocol = kProtocolSctp, .family = GetParam()};
    return FragmentBench().JudgeAll(Fragments(init, 32));
  };
  // The INIT's 32 bytes are one fragment, so that only what follows tells.
  EXPECT_EQ(outcome(Bytes{0, 0, 0, 16} + Zeros(12)), "held held; 1 2: deny malformed");
  const WholeDatagram alone{
      .transport = Sctp(1000, 9, kInit), .protocol = kProtocolSctp, .family = GetParam()};
  EXPECT_EQ(FragmentBench().JudgeAll(Fragments(alone, 8)),
            "held held held held; 1 2 3 4: allow policy");
}

TEST(ReassemblyTest, A14AnErrorInFragmentsBelongsToItsConnection) {
  FragmentBench bench;
  WholeDatagram sent = UdpTo(53);
  EXPECT_EQ(bench.Judge(Unfragmented(sent)), "allow policy");
  const Bytes packet = Unfragmented(sent);
  const Bytes quoted(packet.begin() + 14, packet.end());
  constexpr uint8_t kUnreachable = 3;
  WholeDatagram error{
      .transport = Icmp(kUnreachable, 3, 0, quoted), .protocol = kProtocolIcmp, .reply = true};
  EXPECT_EQ(bench.JudgeAll(Fragments(error, 504)), "held held held; 2 3 4: allow related");
  error.transport[8 + 20] ^= 1;  // another port
  EXPECT_EQ(bench.JudgeAll(Fragments(error, 504)), "held held held; 5 6 7: deny policy");
}

// Whatever came in fragments is neighbour discovery of nobody (RFC 6980).
TEST(ReassemblyTest, A14NeighbourDiscoveryComesInNoFragments) {
  constexpr uint8_t kSolicitation = 135;
  const WholeDatagram solicitation{
      .transport = Bytes{kSolicitation, 0, 0, 0} + Zeros(4) + AddressBytes("fd00::2") + Zeros(8),
      .protocol = kProtocolIcmpv6,
      .family = 6};
  FragmentBench bench;
  EXPECT_EQ(bench.JudgeAll(Fragments(solicitation, 24)), "deny neighbour_discovery held");
}

TEST(ReassemblyTest, A24ADatagramIsSplitOnce) {
  constexpr uint8_t kFragment = 44;
  FragmentBench bench;
  const WholeDatagram good = UdpTo(53, 6);
  const Bytes inner = FragmentHeader(kProtocolUdp, 0, false) + good.transport;
  const WholeDatagram nested{.transport = inner, .protocol = kFragment, .family = 6};
  EXPECT_EQ(bench.Judge(Unfragmented(nested)), "allow policy") << "atomic";
  EXPECT_EQ(bench.Judge(Fragment(nested, 0, 504)), "deny frag_bad");
  EXPECT_EQ(bench.Judge(Fragment(nested, 504, 512)), "held");
  EXPECT_EQ(bench.Judge(Fragment(good, 0, 504)), "held; 3 4: allow established")
      << "it is what the first one says it is, and longer than UDP says";
}

TEST(ReassemblyTest, A25AnAtomicFragmentIsAWholePacket) {
  FragmentBench bench;
  const WholeDatagram good = UdpTo(53, 6);
  EXPECT_EQ(bench.Judge(Fragment(good, 0, 504)), "held");
  const auto atomic = [](uint16_t port) {
    return Unfragmented({.transport = FragmentHeader(kProtocolUdp, 0, false, 7) + Udp(1000, port),
                         .protocol = 44,
                         .family = 6});
  };
  EXPECT_EQ(bench.Judge(atomic(53)), "allow policy");
  EXPECT_EQ(bench.Judge(atomic(54)), "deny policy");
  EXPECT_EQ(bench.Judge(Fragment(good, 504, 504)), "held; 1 4: allow established");
}

TEST(ReassemblyTest, A26TheChainOfHeadersIsInTheFirst) {
  constexpr uint8_t kDestinationOptions = 60;
  const Bytes options = OptionsHeader(kProtocolUdp, Zeros(14));
  const WholeDatagram good{
      .transport = options + Udp(1000, 53, 100), .protocol = kDestinationOptions, .family = 6};
  FragmentBench bench;
  EXPECT_EQ(bench.JudgeAll({Fragment(good, 0, 8), Fragment(good, 8, 116)}), "deny frag_tiny held");
  bench.now_ns += 30 * FragmentBench::kSecondNs;
  EXPECT_EQ(bench.JudgeAll({Fragment(good, 0, 16), Fragment(good, 16, 108)}),
            "deny frag_tiny held; 2: deny frag_incomplete");
  bench.now_ns += 30 * FragmentBench::kSecondNs;
  EXPECT_EQ(bench.JudgeAll({Fragment(good, 24, 100), Fragment(good, 0, 24)}),
            "held held; 4: deny frag_incomplete; 5 6: allow policy");
  // Of TCP behind options, the whole header.
  WholeDatagram tcp{.transport = OptionsHeader(kProtocolTcp, Zeros(6)) +
                                 Segment({.dst_port = 80, .data_bytes = 100}, "fd00::1", "fd00::2"),
                    .protocol = kDestinationOptions,
                    .family = 6,
                    .id = 9};
  EXPECT_EQ(bench.JudgeAll({Fragment(tcp, 0, 16), Fragment(tcp, 16, 112)}), "deny frag_tiny held");
  tcp.id = 10;
  EXPECT_EQ(bench.JudgeAll({Fragment(tcp, 48, 80), Fragment(tcp, 32, 16), Fragment(tcp, 0, 32)}),
            "held held held; 9 10 11: allow policy");
}

TEST(ReassemblyTest, A28OverlapsOfIpv6) {
  const WholeDatagram good = UdpTo(53, 6);
  for (const size_t begin : {size_t{488}, size_t{496}, size_t{504}, size_t{512}}) {
    FragmentBench bench;
    EXPECT_EQ(
        bench.JudgeAll({Fragment(good, 504, 8), Fragment(good, begin, 16)}),
        begin == 488 || begin == 512 ? "held held" : "held deny frag_overlap; 1: deny frag_overlap")
        << begin;
  }
}

TEST_P(EitherFamily, ADatagramIsOnePacketOfItsConnection) {
  FragmentBench bench;
  const bool v4 = GetParam() == 4;
  EXPECT_EQ(bench.Judge(Unfragmented(TcpOf({.dst_port = 80, .window = 3000}, GetParam()))),
            "allow policy");
  const auto answer = [&](uint8_t flags, uint32_t sequence, size_t bytes) {
    const Tcp header{.src_port = 80,
                     .dst_port = 40000,
                     .flags = flags,
                     .data_bytes = bytes,
                     .sequence = sequence,
                     .acknowledgement = 1};
    return WholeDatagram{
        .transport = Segment(header, v4 ? "10.0.0.2" : "fd00::2", v4 ? "10.0.0.1" : "fd00::1"),
        .protocol = kProtocolTcp,
        .family = GetParam(),
        .reply = true};
  };
  EXPECT_EQ(bench.Judge(Unfragmented(answer(kSyn | kAck, 0, 0))), "allow established");
  const auto acknowledged = [](uint32_t sequence) {
    return Unfragmented(TcpOf(
        {.dst_port = 80, .flags = kAck, .sequence = 1, .acknowledgement = sequence, .window = 3000},
        GetParam()));
  };
  EXPECT_EQ(bench.Judge(acknowledged(1)), "allow established");
  // The end of all of it has to be in the window, not that of the first part.
  EXPECT_EQ(bench.JudgeAll(Fragments(answer(kAck, 1, 3001), 1600)),
            "held held; 4 5: deny tcp_window");
  EXPECT_EQ(bench.JudgeAll(Fragments(answer(kAck, 1, 3000), 1600)),
            "held held; 6 7: allow established");
  EXPECT_TRUE(bench.last.reply);
  EXPECT_EQ(bench.last.flow_reason, Reason::kPolicy);
  EXPECT_EQ(bench.Judge(acknowledged(3001)), "allow established") << "it was sent";
}

TEST(ReassemblyTest, WhatIsPoisonedOrIncompleteLeavesNoConnection) {
  FragmentBench bench;
  const WholeDatagram good = UdpTo(53);
  bench.JudgeAll({Fragment(good, 0, 504), Fragment(good, 504, 504 - 8, true)});
  bench.JudgeAll({Fragment(good, 504, 8, true)});
  bench.now_ns += 31 * FragmentBench::kSecondNs;
  bench.JudgeAll({Fragment(good, 0, 504)});
  bench.now_ns += 31 * FragmentBench::kSecondNs;
  bench.JudgeAll({});
  EXPECT_EQ(bench.worker.counts().flows, 0u);
  WholeDatagram reply{.transport = Udp(53, 1000), .reply = true};
  EXPECT_EQ(bench.Judge(Unfragmented(reply)), "deny policy");
}

TEST(ReassemblyTest, WhatIsGivenUpNeverPasses) {
  FragmentBench bench;
  const WholeDatagram good = UdpTo(53);
  EXPECT_EQ(bench.Judge(Fragment(good, 0, 504)), "held");
  const uint64_t ticket = bench.TicketOf(1);
  bench.worker.GiveUp(ticket);
  EXPECT_EQ(bench.Judge(Fragment(good, 504, 504)), "deny frag_incomplete");
  bench.now_ns += 31 * FragmentBench::kSecondNs;
  EXPECT_EQ(bench.JudgeAll(Fragments(good, 504)), "held held; 3 4: allow policy");
}

TEST(ReassemblyTest, WhatHasEndedCannotBeGivenUp) {
  FragmentBench bench(kOnlySomePorts, {.datagrams_max = 8});
  WholeDatagram good = UdpTo(53);
  std::vector<uint64_t> ended{0};
  for (good.id = 0; good.id < 40; ++good.id) {  // each place is used again and again
    const uint64_t number = 2 * good.id + 1;
    EXPECT_EQ(bench.Judge(Fragment(good, 0, 504)), "held");
    const uint64_t ticket = bench.TicketOf(number);
    for (const uint64_t other : ended) {
      EXPECT_NE(other, ticket);
      bench.worker.GiveUp(other);
    }
    EXPECT_EQ(bench.Judge(Fragment(good, 504, 504)).substr(0, 6), "held; ");
    EXPECT_NE(bench.last.verdict.allowed, 0);
    ended.push_back(ticket);
  }
}

TEST(ReassemblyTest, ADatagramHasSoManyParts) {
  WholeDatagram good{.transport = Udp(1000, 53, 65 * 8 - 8)};
  const std::vector<Bytes> many = Fragments(good, 8);
  ASSERT_EQ(many.size(), 65u);
  FragmentBench bench;
  const std::string text = bench.JudgeAll(many);
  EXPECT_EQ(text.substr(64 * 5, 19), "deny frag_overlap; ");
  good.transport.resize(64 * 8);
  good.transport[4] = 2;
  good.transport[5] = 0;
  FragmentBench enough;
  const std::string passed = enough.JudgeAll(Fragments(good, 8));
  EXPECT_EQ(passed.substr(passed.size() - 16), "64: allow policy");
}

// Whatever of the header's bytes behind the ports is missing.
TEST(ReassemblyTest, AHeaderThatWasNotCapturedIsTruncated) {
  const std::vector<Bytes> parts = Fragments(TcpOf({.dst_port = 80, .data_bytes = 20}), 8);
  constexpr uint32_t kHeaders = 14 + 20;
  for (size_t missing = 0; missing < 5; ++missing) {
    FragmentBench bench;
    std::vector<Frame> frames;
    for (size_t i = 0; i < parts.size(); ++i) {
      const auto length = static_cast<uint32_t>(parts[i].size());
      frames.push_back({.packet = {parts[i].data(), i == missing ? kHeaders : length, length}});
    }
    std::vector<Judgement> judgements(frames.size());
    bench.worker.Process(frames, bench.now_ns, judgements);
    EXPECT_EQ(judgements[0].held, judgements[4].held);
    ASSERT_EQ(bench.worker.released().size(), 1u);
    EXPECT_EQ(FragmentBench::Text(bench.worker.released()[0].verdict),
              missing < 2 ? "deny truncated" : "allow policy")
        << missing;
  }
}

TEST(ReassemblyTest, WithoutStateEachFragmentIsJudgedByItself) {
  FragmentBench bench(kOnlySomePorts, {.stateless = true});
  EXPECT_EQ(bench.JudgeAll(Fragments(UdpTo(53), 504)), "allow policy deny frag_no_first");
  EXPECT_EQ(bench.worker.counts().datagrams, 0u);
  const WholeDatagram syn = TcpOf({.dst_port = 80, .data_bytes = 20});
  EXPECT_EQ(bench.JudgeAll(Fragments(syn, 8)).substr(0, 30), "deny frag_tiny deny frag_tiny ");
}

}  // namespace
}  // namespace npf::testing
