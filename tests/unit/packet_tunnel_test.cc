// Tunnels: without overlays they are packets like others; with some, what is inside is judged, and
// whatever is in doubt is denied.
#include <gtest/gtest.h>

#include <string>

#include "unit/tunnel_builder.h"

namespace npf::testing {
namespace {

enum : uint8_t { kIpip = 4, k6in4 = 41, kGre = 47, kEtherIp = 97 };

const Bytes kInner4 = Packet(Ipv4{}, Segment({}, "198.51.100.7", "10.0.1.10"));
const Bytes kInner6 = Packet(Ipv6{}, Segment({}, "2001:db8::7", "fd00:1::10"));
const Bytes kInnerFrame = Ethernet(0x0800, kInner4);

ParsedPacket ParseIn(const Bytes& frame, int captured = -1) {
  return Parse(frame, {.overlays = &AllKinds()}, captured);
}
std::string OutcomeIn(const Bytes& frame) { return Outcome(ParseIn(frame)); }
Bytes VxlanIn4(const Vxlan& vxlan, const Bytes& inside = kInnerFrame) {
  return Outer4(kProtocolUdp, InUdp(4789, VxlanHeader(vxlan) + inside));
}
Bytes GeneveIn4(const Geneve& geneve, const Bytes& inside = kInnerFrame) {
  return Outer4(kProtocolUdp, InUdp(6081, GeneveHeader(geneve) + inside));
}
Bytes GreIn4(const Gre& gre, const Bytes& inside = kInnerFrame) {
  return Outer4(kGre, GrePacket(gre, inside));
}
constexpr Gre kKeyed{.flags = 0x2000};

void ExpectInner4(const ParsedPacket& parsed, const char* what) {
  EXPECT_EQ(Outcome(parsed), "judge") << what;
  EXPECT_EQ(ToString(SourceOf(parsed.key)), "198.51.100.7") << what;
  EXPECT_EQ(ToString(DestinationOf(parsed.key)), "10.0.1.10") << what;
  EXPECT_EQ(parsed.key.dst_port, 80) << what;
  EXPECT_EQ(parsed.key.protocol, kProtocolTcp) << what;
  EXPECT_TRUE(parsed.starts_connection) << what;
}

TEST(TunnelTest, A54_A55_WithoutOverlaysTheOuterPacketIsJudged) {
  for (const uint8_t protocol : {kIpip, k6in4, kGre, kEtherIp}) {
    const ParsedPacket parsed = Parse(Outer4(protocol, kInner4));
    EXPECT_EQ(Outcome(parsed), "judge");
    EXPECT_EQ(parsed.key.protocol, protocol);
    EXPECT_FALSE(parsed.ports_known);
    EXPECT_EQ(ToString(SourceOf(parsed.key)), kNodeA);
    EXPECT_EQ(parsed.overlay, 0);
  }
  const ParsedPacket vxlan = Parse(VxlanIn4({.flags = 0}));
  EXPECT_EQ(Outcome(vxlan), "judge");
  EXPECT_EQ(vxlan.key.dst_port, 4789);
  EXPECT_EQ(vxlan.network, 0u);
}

TEST(TunnelTest, A56_EveryKindLeadsInside) {
  ExpectInner4(ParseIn(VxlanIn4({})), "vxlan");
  ExpectInner4(ParseIn(GeneveIn4({})), "geneve");
  ExpectInner4(ParseIn(GeneveIn4({.protocol = 0x0800}, kInner4)), "geneve ipv4");
  ExpectInner4(ParseIn(GreIn4(kKeyed)), "gre");
  ExpectInner4(ParseIn(GreIn4({.flags = 0xb000, .protocol = 0x0800}, kInner4)), "gre, all fields");
  ExpectInner4(ParseIn(Outer4(kIpip, kInner4)), "ipip");
  ExpectInner4(ParseIn(Outer6(kIpip, kInner4)), "4in6");
  ExpectInner4(ParseIn(Outer6(kProtocolUdp, InUdp(4789, VxlanHeader({}) + kInnerFrame))), "udp6");
  ExpectInner4(ParseIn(Outer6(kGre, GrePacket(kKeyed, kInnerFrame))), "gre6");
  for (const Bytes& frame :
       {Outer4(k6in4, kInner6), Outer6(k6in4, kInner6),
        GreIn4({.flags = 0x2000, .protocol = 0x86dd}, kInner6),
        GeneveIn4({.protocol = 0x86dd}, kInner6), VxlanIn4({}, Ethernet(0x86dd, kInner6))}) {
    const ParsedPacket parsed = ParseIn(frame);
    EXPECT_EQ(Outcome(parsed), "judge");
    EXPECT_EQ(ToString(SourceOf(parsed.key)), "2001:db8::7");
    EXPECT_EQ(parsed.key.family, 6);
  }
}

TEST(TunnelTest, WhatIsToldIsAboutTheInnerPacket) {
  const ParsedPacket vxlan = ParseIn(Ethernet(
      0x8100, Tag(0x0800) + Packet(Ipv4{.src = kNodeA, .dst = kNodeB, .protocol = kProtocolUdp},
                                   InUdp(4789, VxlanHeader({}) +
                                                   Ethernet(0x8100, Hex("0007 0800") + kInner4)))));
  EXPECT_EQ(Outcome(vxlan), "judge");
  EXPECT_EQ(vxlan.outer_l3_offset, 18);
  EXPECT_EQ(vxlan.l3_offset, 18 + 20 + 8 + 8 + 18);
  EXPECT_EQ(vxlan.l4_offset, vxlan.l3_offset + 20);
  EXPECT_EQ(vxlan.overlay, 1);
  EXPECT_TRUE(vxlan.tunnel_has_id);
  EXPECT_EQ(vxlan.tunnel_id, 42u);
  EXPECT_EQ(vxlan.network, uint64_t{42} << 32 | 1 << 28 | 1 << 12 | 7) << "the inner tag's";
  const ParsedPacket ipip = ParseIn(Outer4(kIpip, kInner4));
  EXPECT_EQ(ipip.overlay, 4);
  EXPECT_FALSE(ipip.tunnel_has_id);
  EXPECT_EQ(ipip.network, uint64_t{4} << 12);
  EXPECT_EQ(ParseIn(VxlanIn4({}, Ethernet(0x88a8, Hex("0005 8100 0006 0800") + kInner4))).network,
            uint64_t{42} << 32 | 1 << 28 | 5 << 16 | 1 << 12 | 6);
}

TEST(TunnelTest, IdentifiersAreNetworksUnlessSaidOtherwise) {
  OverlaySpec spec = Spec(OverlayKind::kVxlan);
  spec.network_by_identifier = false;
  const Overlays one = Of({spec});
  const ParsedPacket a = Parse(VxlanIn4({.vni = 1}), {.overlays = &one});
  const ParsedPacket b = Parse(VxlanIn4({.vni = 2}), {.overlays = &one});
  EXPECT_EQ(a.network, b.network);
  EXPECT_NE(a.tunnel_id, b.tunnel_id);
  const Overlays several = Of({Spec(OverlayKind::kGre)});
  const auto network = [&](const Gre& gre) {
    return Parse(GreIn4(gre), {.overlays = &several}).network;
  };
  EXPECT_NE(network({.flags = 0x2000, .key = 0}), network({.flags = 0x2000, .key = 1}));
  EXPECT_NE(network({.flags = 0x2000, .key = 0}), network({})) << "no key is not key 0";
}

TEST(TunnelTest, A55_A56_BothEndsMustBeEndpoints) {
  const Bytes vxlan = InUdp(4789, VxlanHeader({}) + kInnerFrame);
  const Bytes geneve = InUdp(6081, GeneveHeader({}) + kInnerFrame);
  const Bytes gre = GrePacket(kKeyed, kInnerFrame);
  for (const auto& [protocol, inside] : {std::pair{kProtocolUdp, vxlan},
                                         {kProtocolUdp, geneve},
                                         {kGre, gre},
                                         {uint8_t{kIpip}, kInner4},
                                         {uint8_t{k6in4}, kInner6}}) {
    EXPECT_EQ(OutcomeIn(Outer4(protocol, inside)), "judge");
    EXPECT_EQ(OutcomeIn(Outer6(protocol, inside)), "judge");
    EXPECT_EQ(OutcomeIn(Outer4(protocol, inside, kStranger)), "deny tunnel_endpoint");
    EXPECT_EQ(OutcomeIn(Outer4(protocol, inside, kNodeA, kStranger)), "deny tunnel_endpoint");
    EXPECT_EQ(OutcomeIn(Outer4(protocol, inside, kStranger, "10.0.0.1")), "deny tunnel_endpoint");
    EXPECT_EQ(OutcomeIn(Outer6(protocol, inside, "2001:db8:2::a")), "deny tunnel_endpoint");
    EXPECT_EQ(OutcomeIn(Outer6(protocol, inside, kNodeA6, "fd00::1")), "deny tunnel_endpoint");
    EXPECT_EQ(OutcomeIn(Outer4(protocol, inside, kNodeA, kNodeA)), "deny land");
  }
  const ParsedPacket denied = ParseIn(Outer4(kProtocolUdp, vxlan, kStranger));
  EXPECT_EQ(ToString(SourceOf(denied.key)), kStranger) << "the forger is told";
  EXPECT_EQ(denied.overlay, 0);
}

TEST(TunnelTest, AnUnspecifiedSourceIsNoEndpoint) {
  OverlaySpec everybody;
  everybody.endpoints = {ParseIpPrefix("0.0.0.0/0").prefix};
  const Overlays overlays = Of({everybody});
  const Bytes vxlan = InUdp(4789, VxlanHeader({}) + kInnerFrame);
  EXPECT_EQ(Outcome(Parse(Outer4(kProtocolUdp, vxlan), {.overlays = &overlays})), "judge");
  EXPECT_EQ(Outcome(Parse(Outer4(kProtocolUdp, vxlan, "0.0.0.0"), {.overlays = &overlays})),
            "deny martian");
}

TEST(TunnelTest, WhatIsOfNoConfiguredOverlayIsJudgedAsItIs) {
  const Overlays overlays = Of({Spec(OverlayKind::kVxlan, {{42, 42}})});
  const auto parse = [&](const Bytes& frame) { return Parse(frame, {.overlays = &overlays}); };
  for (const Bytes& frame :
       {Outer4(kIpip, kInner4), GreIn4({}), GeneveIn4({}), Outer4(kEtherIp, kInner4),
        Outer4(kProtocolUdp, InUdp(8472, VxlanHeader({}) + kInnerFrame)),
        Outer4(kProtocolUdp, Udp(4789, 53)),  // its source port
        Outer4(kProtocolTcp, Segment({.dst_port = 4789, .flags = 0x10}))}) {
    const ParsedPacket parsed = parse(frame);
    EXPECT_EQ(Outcome(parsed), "judge");
    EXPECT_EQ(ToString(SourceOf(parsed.key)), kNodeA);
    EXPECT_EQ(parsed.overlay, 0);
  }
  EXPECT_EQ(parse(VxlanIn4({})).overlay, 1);
}

TEST(TunnelTest, APortOfOnesOwn) {
  OverlaySpec flannel = Spec(OverlayKind::kVxlan);
  flannel.port = 8472;
  const Overlays overlays = Of({flannel});
  const auto parse = [&](uint16_t port) {
    return Parse(Outer4(kProtocolUdp, InUdp(port, VxlanHeader({}) + kInnerFrame)),
                 {.overlays = &overlays});
  };
  EXPECT_EQ(parse(8472).overlay, 1);
  EXPECT_EQ(parse(4789).overlay, 0);
}

TEST(TunnelTest, OfTwoOverlaysTheOneWithTheIdentifier) {
  OverlaySpec other = Spec(OverlayKind::kVxlan, {{43, 43}});
  other.endpoints.push_back(ParseIpPrefix("192.168.9.0/24").prefix);
  const Overlays overlays = Of({Spec(OverlayKind::kVxlan, {{42, 42}}), other});
  const auto parse = [&](uint32_t vni, const char* src) {
    return Parse(Outer4(kProtocolUdp, InUdp(4789, VxlanHeader({.vni = vni}) + kInnerFrame), src),
                 {.overlays = &overlays});
  };
  EXPECT_EQ(parse(42, kNodeA).overlay, 1);
  EXPECT_EQ(parse(43, kNodeA).overlay, 2);
  EXPECT_EQ(parse(43, kStranger).overlay, 2);
  EXPECT_EQ(Outcome(parse(42, kStranger)), "deny tunnel_id") << "its own overlay lacks this end";
  EXPECT_EQ(Outcome(parse(44, kNodeA)), "deny tunnel_id");
}

TEST(TunnelTest, A56_VxlanHeaders) {
  EXPECT_EQ(OutcomeIn(VxlanIn4({.vni = 43})), "deny tunnel_id");
  EXPECT_EQ(OutcomeIn(VxlanIn4({.vni = 0})), "deny tunnel_id");
  EXPECT_EQ(OutcomeIn(VxlanIn4({.flags = 0})), "deny tunnel_no_id");
  for (int bit = 0; bit < 32; ++bit) {  // GPE's next protocol, version and OAM are among them
    const uint32_t flags = 0x08000000 ^ 1u << bit;
    EXPECT_EQ(OutcomeIn(VxlanIn4({.flags = flags})),
              bit == 27 ? "deny tunnel_no_id" : "deny tunnel_flags")
        << bit;
  }
  for (int bit = 0; bit < 8; ++bit) {
    EXPECT_EQ(OutcomeIn(VxlanIn4({.reserved = static_cast<uint8_t>(1 << bit)})),
              "deny tunnel_flags");
  }
}

TEST(TunnelTest, A56_GeneveHeaders) {
  EXPECT_EQ(OutcomeIn(GeneveIn4({.vni = 41})), "deny tunnel_id");
  EXPECT_EQ(OutcomeIn(GeneveIn4({.version = 1})), "deny tunnel_version");
  EXPECT_EQ(OutcomeIn(GeneveIn4({.version = 2})), "deny tunnel_version");
  EXPECT_EQ(OutcomeIn(GeneveIn4({.flags = 0x80})), "deny tunnel_control");
  EXPECT_EQ(OutcomeIn(GeneveIn4({.flags = 0x40})), "judge") << "says that options are critical";
  for (int bit = 0; bit < 6; ++bit) {
    EXPECT_EQ(OutcomeIn(GeneveIn4({.flags = static_cast<uint8_t>(1 << bit)})), "deny tunnel_flags");
  }
  EXPECT_EQ(OutcomeIn(GeneveIn4({.reserved = 1})), "deny tunnel_flags");
  EXPECT_EQ(OutcomeIn(GeneveIn4({.protocol = 0x0806})), "deny tunnel_protocol");
  EXPECT_EQ(OutcomeIn(GeneveIn4({.protocol = 0x8847})), "deny tunnel_protocol");
}

TEST(TunnelTest, A56_GeneveOptions) {
  const auto outcome = [](const Bytes& options, int words = -1) {
    return OutcomeIn(GeneveIn4({.options = options, .option_words = words}));
  };
  EXPECT_EQ(outcome(Option(0x0102, 0x01)), "judge");
  EXPECT_EQ(outcome(Option(0x0102, 0x01, 0) + Option(0xffff, 0x7f, 31)), "judge");
  EXPECT_EQ(outcome(Option(0x0102, 0x80)), "deny tunnel_critical");
  EXPECT_EQ(outcome(Option(1, 1) + Option(0x0102, 0xff)), "deny tunnel_critical");
  EXPECT_EQ(outcome(Hex("0102 01 02") + Zeros(4)), "deny tunnel_option") << "ends past the options";
  EXPECT_EQ(outcome(Option(1, 1) + Hex("0102 01 1f")), "deny tunnel_option");
  EXPECT_EQ(outcome(Hex("0102 01 21") + Zeros(4)), "deny tunnel_flags");
  EXPECT_EQ(outcome({}, 63), "deny tunnel_option") << "all of them past the packet's end";
  EXPECT_EQ(OutcomeIn(GeneveIn4({.vni = 41, .options = Option(1, 0x80)})), "deny tunnel_id");
}

TEST(TunnelTest, A56_CriticalOptionsThatAreKnown) {
  OverlaySpec ovn = Spec(OverlayKind::kGeneve);
  ovn.critical_options = {{0x0102, 0x80}, {0x0103, 0x81}};
  const Overlays overlays = Of({ovn});
  const auto outcome = [&](const Bytes& options) {
    return Outcome(Parse(GeneveIn4({.flags = 0x40, .options = options}), {.overlays = &overlays}));
  };
  EXPECT_EQ(outcome(Option(0x0102, 0x80)), "judge");
  EXPECT_EQ(outcome(Option(0x0103, 0x81) + Option(0x0102, 0x80)), "judge");
  EXPECT_EQ(outcome(Option(0x0102, 0x81)), "deny tunnel_critical");
  EXPECT_EQ(outcome(Option(0x0103, 0x80)), "deny tunnel_critical");
  EXPECT_EQ(outcome(Option(0, 0x80)), "deny tunnel_critical") << "an unused place is no option";
  EXPECT_EQ(outcome(Option(0, 0x00)), "judge");
}

TEST(TunnelTest, A56_GreHeaders) {
  EXPECT_EQ(OutcomeIn(GreIn4(kKeyed)), "judge");
  EXPECT_EQ(OutcomeIn(GreIn4({.flags = 0x2000, .key = 50})), "judge");
  EXPECT_EQ(OutcomeIn(GreIn4({.flags = 0x2000, .key = 51})), "deny tunnel_id");
  EXPECT_EQ(OutcomeIn(GreIn4({})), "deny tunnel_no_id");
  EXPECT_EQ(OutcomeIn(GreIn4({.flags = 0x6000})), "deny tunnel_routing");
  for (uint16_t version = 1; version < 8; ++version) {  // 1 is PPTP's
    EXPECT_EQ(OutcomeIn(GreIn4({.flags = static_cast<uint16_t>(0x2000 | version)})),
              "deny tunnel_version");
  }
  for (int bit = 3; bit < 12; ++bit) {
    EXPECT_EQ(OutcomeIn(GreIn4({.flags = static_cast<uint16_t>(0x2000 | 1 << bit)})),
              "deny tunnel_flags");
  }
  for (const int protocol : {0, 0x0806, 0x8100, 0x8847, 0x880b, 0x88be, 0x6559}) {
    EXPECT_EQ(OutcomeIn(GreIn4({.flags = 0x2000, .protocol = static_cast<uint16_t>(protocol)})),
              "deny tunnel_protocol");
  }
  const Overlays any = Of({Spec(OverlayKind::kGre)});
  for (const int flags : {0, 0x1000, 0x2000, 0x3000, 0x8000, 0x9000, 0xa000, 0xb000}) {
    ExpectInner4(
        Parse(GreIn4({.flags = static_cast<uint16_t>(flags), .key = 77}), {.overlays = &any}),
        "any key");
  }
}

TEST(TunnelTest, A56_GreChecksums) {
  const Gre summed{.flags = 0xa000};
  EXPECT_EQ(OutcomeIn(GreIn4(summed)), "judge");
  EXPECT_EQ(OutcomeIn(GreIn4({.flags = 0xa000, .checksum = 0x1234})), "deny tunnel_checksum");
  Bytes odd = GrePacket(summed, kInnerFrame + Zeros(1));
  EXPECT_EQ(OutcomeIn(Outer4(kGre, odd)), "judge");
  EXPECT_EQ(OutcomeIn(Outer4(kGre, odd) + Bytes{9}), "judge") << "a trailer is not covered";
  odd.back() ^= 1;
  EXPECT_EQ(OutcomeIn(Outer4(kGre, odd)), "deny tunnel_checksum");
  Bytes reserved = GrePacket({.flags = 0xa000, .checksum = 0}, kInnerFrame);
  reserved[7] = 1;
  EXPECT_EQ(OutcomeIn(Outer4(kGre, reserved)), "deny tunnel_flags");
  const Bytes wrong = GreIn4({.flags = 0xa000, .checksum = 0x1234});
  for (const Checksums checksums : {Checksums::kIpOnly, Checksums::kIgnore}) {
    const ParseOptions options{.checksums = checksums, .overlays = &AllKinds()};
    EXPECT_EQ(Outcome(Parse(wrong, options)), "judge");
  }
  const auto captured = static_cast<int>(wrong.size() - 1);
  EXPECT_EQ(Outcome(ParseIn(wrong, captured)), "judge") << "not all of what it covers was captured";
}

TEST(TunnelTest, A56_OneTunnelInAnotherIsDenied) {
  const Bytes inner_vxlan =
      Packet(Ipv4{.protocol = kProtocolUdp}, InUdp(4789, VxlanHeader({}) + kInnerFrame));
  EXPECT_EQ(OutcomeIn(VxlanIn4({}, Ethernet(0x0800, inner_vxlan))), "deny tunnel_nested");
  EXPECT_EQ(OutcomeIn(Outer4(kIpip, inner_vxlan)), "deny tunnel_nested");
  EXPECT_EQ(OutcomeIn(Outer4(kIpip, Packet(Ipv4{.protocol = kIpip}, kInner4))),
            "deny tunnel_nested");
  EXPECT_EQ(OutcomeIn(Outer6(k6in4, Packet(Ipv6{.next = kGre}, GrePacket(kKeyed, kInnerFrame)))),
            "deny tunnel_nested");
  // Between endpoints or not.
  const Bytes between_nodes =
      Packet(Ipv4{.src = kNodeA, .dst = kNodeB, .protocol = kIpip}, kInner4);
  EXPECT_EQ(OutcomeIn(Outer4(kIpip, between_nodes)), "deny tunnel_nested");
  const ParsedPacket parsed = ParseIn(Outer4(kIpip, inner_vxlan));
  EXPECT_EQ(ToString(SourceOf(parsed.key)), "198.51.100.7") << "who made the inner tunnel is told";
  // Of a kind that is not configured, the inner packet is one like others.
  const Overlays only_ipip = Of({Spec(OverlayKind::kIpip)});
  const ParsedPacket other = Parse(Outer4(kIpip, inner_vxlan), {.overlays = &only_ipip});
  EXPECT_EQ(Outcome(other), "judge");
  EXPECT_EQ(other.key.dst_port, 4789);
}

TEST(TunnelTest, A56_FragmentsOfATunnelAreDenied) {
  const auto outer = [](uint8_t protocol, uint16_t fragment, const Bytes& inside,
                        const char* src = kNodeA) {
    return OutcomeIn(Ethernet(
        0x0800, Packet(Ipv4{.src = src, .dst = kNodeB, .protocol = protocol, .fragment = fragment},
                       inside)));
  };
  const Bytes vxlan = InUdp(4789, VxlanHeader({}) + kInnerFrame + Zeros(2));
  const Bytes gre = GrePacket(kKeyed, kInnerFrame + Zeros(2));
  constexpr uint16_t kMore = 0x2000, kLater = 100;
  for (const auto& [protocol, inside] :
       {std::pair{kProtocolUdp, vxlan}, {uint8_t{kGre}, gre}, {uint8_t{kIpip}, kInner4}}) {
    EXPECT_EQ(outer(protocol, kMore, inside), "deny tunnel_fragment");
    EXPECT_EQ(outer(protocol, kLater, inside), "deny tunnel_fragment");
    EXPECT_EQ(outer(protocol, kMore, inside, kStranger), "deny tunnel_endpoint");
    EXPECT_EQ(outer(protocol, kLater, inside, kStranger),
              protocol == kProtocolUdp ? "judge" : "deny tunnel_endpoint");
  }
  EXPECT_EQ(outer(kProtocolUdp, kMore, Udp(1, 53)), "judge") << "the first one has another port";
  EXPECT_EQ(outer(kProtocolTcp, kLater, Zeros(8)), "judge");
  const auto outer6 = [](uint16_t offset, bool more, const Bytes& inside) {
    return OutcomeIn(Outer6(44, FragmentHeader(kGre, offset, more) + inside));
  };
  EXPECT_EQ(outer6(0, true, gre), "deny tunnel_fragment");
  EXPECT_EQ(outer6(9, false, gre), "deny tunnel_fragment");
  EXPECT_EQ(outer6(0, false, gre), "judge") << "an atomic one is whole";
}

TEST(TunnelTest, InnerFragmentsAreAsOnABareWire) {
  const auto inside = [](uint8_t protocol, uint16_t fragment, const Bytes& payload) {
    return ParseIn(
        Outer4(kIpip, Packet(Ipv4{.protocol = protocol, .fragment = fragment}, payload)));
  };
  const ParsedPacket first = inside(kProtocolUdp, 0x2000, Udp(1, 53));
  EXPECT_EQ(Outcome(first), "judge");
  EXPECT_TRUE(first.fragment);
  EXPECT_EQ(first.fragment_id, 0x1234u);
  const ParsedPacket later = inside(kProtocolUdp, 9, Udp(1, 53));
  EXPECT_EQ(Outcome(later), "judge");
  EXPECT_TRUE(later.later_fragment);
  EXPECT_EQ(Outcome(inside(kGre, 9, Zeros(8))), "deny tunnel_nested");
  EXPECT_EQ(Outcome(inside(kProtocolUdp, 0x2000, Udp(1, 4789))), "deny tunnel_nested");
}

TEST(TunnelTest, WhatTheOuterHeaderHadIsForgotten) {
  // An atomic fragment and a Router Alert outside make no inner listener report or solicitation of
  // what is none.
  const Bytes solicitation =
      Packet(Ipv6{.src = "fe80::1", .dst = "fd00::2", .next = kProtocolIcmpv6, .hop_limit = 255},
             Icmp(135, 0, 0, AddressBytes("fd00::2")));
  EXPECT_EQ(OutcomeIn(Outer6(44, FragmentHeader(k6in4, 0, false) + solicitation)),
            "pass link_control");
  const Bytes report =
      Packet(Ipv6{.src = "fe80::1", .dst = "ff02::16", .next = kProtocolIcmpv6, .hop_limit = 1},
             Icmp(131, 0, 0, Zeros(16)));
  EXPECT_EQ(OutcomeIn(Outer6(0, OptionsHeader(k6in4, Hex("05 02 0000")) + report)),
            "deny neighbour_discovery");
}

TEST(TunnelTest, LinkControlInside) {
  const Bytes arp = Hex("0001 0800 06 04 0001 020000000002 0a000001 000000000000 0a000002");
  EXPECT_EQ(OutcomeIn(VxlanIn4({}, Ethernet(0x0806, arp))), "pass link_control");
  EXPECT_EQ(OutcomeIn(VxlanIn4({}, Ethernet(0x8847, arp))), "deny ethertype");
  EXPECT_EQ(OutcomeIn(VxlanIn4({}, Ethernet(0x0026, arp))), "deny llc");
}

TEST(TunnelTest, UdpEndsWhereItSays) {
  // What follows the datagram in the IP packet is none of the inner packet's.
  const Bytes cut =
      InUdp(4789, VxlanHeader({}) + Ethernet(0x0800, Bytes(kInner4.begin(), kInner4.begin() + 30)));
  const Bytes rest(kInner4.begin() + 30, kInner4.end());
  EXPECT_EQ(OutcomeIn(Outer4(kProtocolUdp, cut + rest)), "deny malformed");
  EXPECT_EQ(OutcomeIn(Outer4(kProtocolUdp, InUdp(4789, VxlanHeader({}) + kInnerFrame) + Zeros(9))),
            "judge");
}

TEST(TunnelTest, A56_WhatIsWrongInsideHasItsOwnReason) {
  EXPECT_EQ(OutcomeIn(Outer4(kIpip, Packet(Ipv4{.checksum = 1}, Segment({})))), "deny checksum");
  EXPECT_EQ(OutcomeIn(Outer4(kIpip, Packet(Ipv4{}, Segment({.dst_port = 1})))), "deny checksum")
      << "the segment's";
  EXPECT_EQ(OutcomeIn(Outer4(kIpip, Packet(Ipv4{.total_length = 900}, Segment({})))),
            "deny malformed")
      << "its length reaches past the outer packet";
  EXPECT_EQ(OutcomeIn(Outer4(kIpip, kInner6)), "deny malformed");
  EXPECT_EQ(OutcomeIn(Outer4(k6in4, kInner4)), "deny malformed");
  EXPECT_EQ(OutcomeIn(Outer4(kIpip, Packet(Ipv4{.src = "127.0.0.1"}, Segment({})))),
            "deny martian");
}

// What was sent and what was captured is cut at every byte, under AddressSanitizer.
TEST(TunnelTest, A56_EveryCut) {
  const Bytes frames[] = {
      VxlanIn4({}),
      GeneveIn4({.options = Option(1, 1, 2) + Option(2, 2, 0)}),
      GreIn4({.flags = 0x3000}),
      Outer4(kIpip, kInner4),
      Outer6(k6in4, kInner6),
      Outer6(kProtocolUdp, InUdp(4789, VxlanHeader({}) + Ethernet(0x86dd, kInner6)))};
  for (const Bytes& frame : frames) {
    ASSERT_EQ(OutcomeIn(frame), "judge");
    for (size_t cut = 0; cut < frame.size(); ++cut) {
      const ParsedPacket parsed = ParseIn(frame, static_cast<int>(cut));
      // Of an inner TCP header, 14 bytes are needed.
      const bool enough = cut + 6 >= frame.size();
      EXPECT_EQ(Outcome(parsed), enough ? "judge" : "deny truncated") << cut;
    }
  }
}

Bytes FirstBytes(const Bytes& bytes, size_t count) {
  return Bytes(bytes.begin(), bytes.begin() + static_cast<long>(count));
}

// The sender cut it, and the outer lengths are right.
TEST(TunnelTest, A56_EveryCutThatTheOuterHeaderKnows) {
  const Bytes vxlan = VxlanHeader({}) + kInnerFrame;
  const Bytes geneve = GeneveHeader({.options = Option(1, 1, 2)}) + kInnerFrame;
  const Bytes gre = GrePacket({.flags = 0x3000}, kInnerFrame);
  for (size_t cut = 0; cut < vxlan.size(); ++cut) {
    const std::string outcome =
        OutcomeIn(Outer4(kProtocolUdp, InUdp(4789, FirstBytes(vxlan, cut))));
    // From the inner IPv4 header on, its total length is more than there is.
    EXPECT_EQ(outcome, cut < 8 + 14 + 20 ? "deny truncated" : "deny malformed") << cut;
  }
  for (size_t cut = 0; cut < geneve.size(); ++cut) {
    const std::string outcome =
        OutcomeIn(Outer4(kProtocolUdp, InUdp(6081, FirstBytes(geneve, cut))));
    EXPECT_EQ(outcome, cut < 8             ? "deny truncated"
                       : cut < 8 + 12      ? "deny tunnel_option"
                       : cut < 8 + 12 + 34 ? "deny truncated"
                                           : "deny malformed")
        << cut;
  }
  for (size_t cut = 0; cut < gre.size(); ++cut) {
    EXPECT_EQ(OutcomeIn(Outer4(kGre, FirstBytes(gre, cut))),
              cut < 12 + 34 ? "deny truncated" : "deny malformed")
        << cut;
  }
}

}  // namespace
}  // namespace npf::testing
