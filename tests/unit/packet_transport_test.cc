// TCP, UDP, SCTP, ICMP, neighbour discovery and multicast listener discovery.
#include <gtest/gtest.h>

#include "unit/packet_builder.h"

namespace npf::testing {
namespace {

ParsedPacket Parse4(uint8_t protocol, const Bytes& payload) {
  return ParseIp(Packet(Ipv4{.protocol = protocol}, payload));
}

TEST(TransportTest, EveryCutOfAHeaderOnTheWire) {
  const std::pair<uint8_t, Bytes> kHeaders[] = {{kProtocolTcp, Segment(Tcp{})},
                                                {kProtocolUdp, Udp(1, 2, 0)},
                                                {kProtocolSctp, Bytes(12, 1)},
                                                {kProtocolIcmp, Icmp(8)}};
  for (const auto& [protocol, header] : kHeaders) {
    EXPECT_EQ(Outcome(Parse4(protocol, header)), "judge") << int{protocol};
    for (size_t cut = 0; cut < header.size(); ++cut) {
      const Bytes part(header.begin(), header.begin() + static_cast<long>(cut));
      EXPECT_EQ(Outcome(Parse4(protocol, part)), "deny truncated") << int{protocol} << " " << cut;
    }
  }
}

TEST(TransportTest, ACutCaptureIsRefusedOnlyWhereItLacksWhatIsNeeded) {
  const struct {
    uint8_t protocol;
    int needed;
    Bytes payload;
  } kCases[] = {{kProtocolTcp, 14, Segment({.data_bytes = 400})},
                {kProtocolUdp, 6, Udp(7, 9, 400)},
                {kProtocolSctp, 4, Sctp(7, 9, 0) + Zeros(400)}};
  for (const auto& [protocol, needed, payload] : kCases) {
    const Bytes packet = Packet(Ipv4{.protocol = protocol}, payload);
    for (int captured = 20; captured <= 60; ++captured) {
      const ParsedPacket parsed = Parse(packet, {.link = LinkLayer::kRawIp}, captured);
      EXPECT_EQ(Outcome(parsed), captured < 20 + needed ? "deny truncated" : "judge")
          << int{protocol} << " " << captured;
      EXPECT_TRUE(parsed.captured_short);
    }
  }
}

TEST(TransportTest, TcpDataOffset) {
  for (const uint8_t offset : Bytes{0, 4, 6, 15}) {
    Bytes segment = Segment(Tcp{});
    segment[12] = static_cast<uint8_t>(offset << 4);
    EXPECT_EQ(Outcome(Parse4(kProtocolTcp, segment)), "deny malformed") << int{offset};
  }
  EXPECT_EQ(Outcome(Parse4(kProtocolTcp, Segment({.data_offset = 15}))), "judge");
}

TEST(TransportTest, TcpFlags) {
  enum : uint8_t {
    kFin = 1,
    kSyn = 2,
    kRst = 4,
    kPsh = 8,
    kAck = 16,
    kUrg = 32,
    kEce = 64,
    kCwr = 128
  };
  const auto outcome = [](int flags) {
    return Outcome(Parse4(kProtocolTcp, Segment({.flags = static_cast<uint8_t>(flags)})));
  };
  for (const int flags :
       {kSyn | kFin, kSyn | kRst, 0, int{kFin}, kFin | kPsh | kUrg, 255, kSyn | kRst | kAck,
        kSyn | kFin | kAck, kRst | kFin, int{kPsh}, int{kUrg}, kRst | kUrg, int{kEce}}) {
    EXPECT_EQ(outcome(flags), "deny tcp_flags") << flags;
  }
  for (const int flags :
       {int{kSyn}, kSyn | kAck, int{kAck}, kAck | kPsh, kAck | kFin, int{kRst}, kRst | kAck,
        kSyn | kEce | kCwr, kAck | kUrg, kAck | kPsh | kFin | kUrg}) {
    EXPECT_EQ(outcome(flags), "judge") << flags;
  }
  EXPECT_TRUE(Parse4(kProtocolTcp, Segment({.flags = kSyn})).starts_connection);
  EXPECT_FALSE(Parse4(kProtocolTcp, Segment({.flags = kSyn | kAck})).starts_connection);
  EXPECT_FALSE(Parse4(kProtocolTcp, Segment({.flags = kAck})).starts_connection);
}

TEST(TransportTest, TcpChecksumOfSegmentsThatChangeState) {
  const auto outcome = [](uint8_t flags, Checksums checksums, bool v6, int captured = -1) {
    const Bytes segment = Segment({.flags = flags, .data_bytes = 5});
    const Bytes packet = v6 ? Packet(Ipv6{}, segment) : Packet(Ipv4{}, segment);
    return Outcome(Parse(packet, {.link = LinkLayer::kRawIp, .checksums = checksums}, captured));
  };
  for (const bool v6 : {false, true}) {
    for (const uint8_t flags : Bytes{2, 18, 4, 20, 17}) {
      EXPECT_EQ(outcome(flags, Checksums::kVerify, v6), "deny checksum") << int{flags};
      EXPECT_EQ(outcome(flags, Checksums::kIpOnly, v6), "judge");
    }
    EXPECT_EQ(outcome(16, Checksums::kVerify, v6), "judge");               // data
    EXPECT_EQ(outcome(2, Checksums::kVerify, v6, v6 ? 64 : 44), "judge");  // not all captured
  }
  for (const size_t data_bytes : {0, 1, 2, 5}) {
    const Tcp header{.data_bytes = data_bytes};
    EXPECT_EQ(Outcome(Parse(Packet(Ipv4{}, Segment(header, "198.51.100.7", "10.0.1.10")),
                            {.link = LinkLayer::kRawIp})),
              "judge");
    EXPECT_EQ(Outcome(Parse(Packet(Ipv6{}, Segment(header, "2001:db8::7", "fd00:1::10")),
                            {.link = LinkLayer::kRawIp})),
              "judge");
  }
}

TEST(TransportTest, UdpLength) {
  for (const int length : {0, 7, 17, 65535}) {
    EXPECT_EQ(Outcome(Parse4(kProtocolUdp, Udp(1, 2, 8, length))), "deny malformed") << length;
    EXPECT_EQ(Outcome(ParseIp(Packet(Ipv6{.next = kProtocolUdp}, Udp(1, 2, 8, length)))),
              "deny malformed");
  }
  EXPECT_EQ(Outcome(Parse4(kProtocolUdp, Udp(1, 2, 8, 16))), "judge");
  EXPECT_EQ(Outcome(Parse4(kProtocolUdp, Udp(1, 2, 8, 8))), "judge");  // a tail that is ignored
}

TEST(TransportTest, Land) {
  const auto outcome = [](uint8_t protocol, const Bytes& payload) {
    return Outcome(ParseIp(
        Packet(Ipv4{.src = "10.0.1.10", .dst = "10.0.1.10", .protocol = protocol}, payload)));
  };
  EXPECT_EQ(outcome(kProtocolTcp, Segment({.src_port = 80, .dst_port = 80})), "deny land");
  EXPECT_EQ(outcome(kProtocolTcp, Segment({.src_port = 81, .dst_port = 80})), "judge");
  EXPECT_EQ(outcome(kProtocolUdp, Udp(53, 53)), "deny land");
  EXPECT_EQ(outcome(kProtocolSctp, Sctp(9, 9, 1)), "deny land");
  EXPECT_EQ(outcome(kProtocolIcmp, Icmp(8)), "judge");
}

TEST(TransportTest, SctpBeginsWithInit) {
  EXPECT_TRUE(Parse4(kProtocolSctp, Sctp(1, 2, 1)).starts_connection);
  EXPECT_FALSE(Parse4(kProtocolSctp, Sctp(1, 2, 0)).starts_connection);
  EXPECT_EQ(Parse4(kProtocolSctp, Sctp(1, 3868, 1)).key.dst_port, 3868);
  const auto changed = [](uint8_t chunk, size_t at, uint8_t value) {
    Bytes packet = Sctp(1, 2, chunk);
    packet[at] = value;
    return Outcome(Parse4(kProtocolSctp, packet));
  };
  EXPECT_EQ(changed(1, 7, 0), "judge");
  EXPECT_EQ(changed(1, 7, 9), "deny malformed");    // an INIT with a tag
  EXPECT_EQ(changed(0, 7, 0), "deny malformed");    // anything else without one
  EXPECT_EQ(changed(1, 15, 24), "deny malformed");  // a chunk past the end
  EXPECT_EQ(changed(1, 15, 19), "deny malformed");  // too short for an INIT
  EXPECT_EQ(Outcome(Parse4(kProtocolSctp, Sctp(1, 2, 1) + Bytes{0, 0, 0, 4})), "deny malformed");
  const auto fragmented = [](uint8_t init_bytes, size_t more) {
    Bytes packet = Sctp(1, 2, 1);
    packet[15] = init_bytes;
    return Outcome(
        ParseIp(Packet(Ipv4{.protocol = kProtocolSctp, .fragment = 0x2000}, packet + Zeros(more))));
  };
  EXPECT_EQ(fragmented(20, 0), "judge");
  EXPECT_EQ(fragmented(200, 8), "judge");  // its parameters are in the next one
  EXPECT_EQ(fragmented(20, 8), "deny malformed");
  EXPECT_EQ(fragmented(19, 0), "deny malformed");
}

TEST(TransportTest, IcmpEcho) {
  const ParsedPacket request = Parse4(kProtocolIcmp, Icmp(8, 0, 77));
  EXPECT_EQ(Outcome(request), "judge");
  EXPECT_EQ(request.icmp_type, 8);
  EXPECT_EQ(request.key.src_port, 77);
  EXPECT_EQ(request.key.dst_port, 0);
  EXPECT_FALSE(request.ports_known);
  EXPECT_TRUE(request.starts_connection);
  EXPECT_FALSE(Parse4(kProtocolIcmp, Icmp(0, 0, 77)).starts_connection);
  EXPECT_EQ(Outcome(Parse4(kProtocolIcmp, Icmp(3, 1))), "judge");
  EXPECT_EQ(Outcome(Parse4(kProtocolIcmp, Icmp(5, 1))), "deny neighbour_discovery");
}

struct Control {
  uint8_t type;
  std::string src = "fe80::1";
  std::string dst = "fe80::2";
  size_t rest_bytes;  // behind the first eight
  uint8_t hop_limit = 255;
};

ParsedPacket ParseControl(const Control& message, const Bytes& options = {}) {
  const Bytes payload = Icmp(message.type, 0, 0, Bytes(message.rest_bytes, 0x20) + options);
  return ParseIp(Packet(Ipv6{.src = message.src,
                             .dst = message.dst,
                             .next = kProtocolIcmpv6,
                             .hop_limit = message.hop_limit},
                        payload));
}

constexpr char kPass[] = "pass link_control";
constexpr char kBad[] = "deny neighbour_discovery";

TEST(NeighbourDiscoveryTest, WellFormedPasses) {
  EXPECT_EQ(Outcome(ParseControl({.type = 133, .rest_bytes = 0})), kPass);
  EXPECT_EQ(Outcome(ParseControl({.type = 134, .rest_bytes = 8})), kPass);
  EXPECT_EQ(Outcome(ParseControl({.type = 135, .src = "fd00::1", .rest_bytes = 16})), kPass);
  EXPECT_EQ(Outcome(ParseControl({.type = 136, .src = "fd00::1", .rest_bytes = 16})), kPass);
  EXPECT_EQ(Outcome(ParseControl({.type = 137, .rest_bytes = 32})), kPass);
  EXPECT_EQ(Outcome(ParseControl({.type = 135, .rest_bytes = 16}, Hex("0101020000000002"))), kPass);
}

TEST(NeighbourDiscoveryTest, OnlyFromTheLinkAndWhole) {
  const std::pair<uint8_t, size_t> kMessages[] = {
      {133, 0}, {134, 8}, {135, 16}, {136, 16}, {137, 32}};
  for (const auto& [type, rest] : kMessages) {
    EXPECT_EQ(Outcome(ParseControl({.type = type, .rest_bytes = rest, .hop_limit = 254})), kBad);
    if (rest > 0) {
      EXPECT_EQ(Outcome(ParseControl({.type = type, .rest_bytes = rest - 1})), kBad);
    }
    EXPECT_EQ(Outcome(ParseControl({.type = type, .rest_bytes = rest}, Zeros(8))), kBad);
    EXPECT_EQ(Outcome(ParseControl({.type = type, .rest_bytes = rest}, Hex("0102000000000000"))),
              kBad);
    EXPECT_EQ(Outcome(ParseControl({.type = type, .rest_bytes = rest}, Hex("01"))), kBad);
    const Bytes fragmented =
        FragmentHeader(kProtocolIcmpv6, 0, false) + Icmp(type, 0, 0, Bytes(rest, 0x20));
    EXPECT_EQ(
        Outcome(ParseIp(Packet(Ipv6{.src = "fe80::1", .next = 44, .hop_limit = 255}, fragmented))),
        kBad);
  }
}

TEST(NeighbourDiscoveryTest, RoutersSpeakFromLinkLocalAddresses) {
  EXPECT_EQ(Outcome(ParseControl({.type = 134, .src = "fd00::1", .rest_bytes = 8})), kBad);
  EXPECT_EQ(Outcome(ParseControl({.type = 137, .src = "fd00::1", .rest_bytes = 32})), kBad);
}

TEST(NeighbourDiscoveryTest, RedirectsAreToARouterOrToTheDestination) {
  const auto outcome = [](const char* target, const char* destination) {
    return Outcome(ParseControl({.type = 137, .rest_bytes = 0},
                                AddressBytes(target) + AddressBytes(destination)));
  };
  EXPECT_EQ(outcome("fe80::2", "fd00:1::10"), kPass);
  EXPECT_EQ(outcome("fd00:1::10", "fd00:1::10"), kPass);
  EXPECT_EQ(outcome("fd00:1::11", "fd00:1::10"), kBad);
  EXPECT_EQ(outcome("fe80::2", "ff02::1"), kBad);
  EXPECT_EQ(outcome("ff02::1", "ff02::1"), kBad);
}

TEST(NeighbourDiscoveryTest, WhatTheCaptureLacksIsNotTheSendersFault) {
  const Bytes packet =
      Packet(Ipv6{.src = "fe80::1", .next = kProtocolIcmpv6, .hop_limit = 255},
             Icmp(135, 0, 0, Bytes(16, 0x20)) + Hex("0101020000000002 0e01000000000000"));
  for (int captured = 42; captured <= 80; ++captured) {
    // All of the message, and what says how long its options are.
    const bool enough = captured >= 74;
    EXPECT_EQ(Outcome(Parse(packet, {.link = LinkLayer::kRawIp}, captured)),
              enough ? kPass : "deny truncated")
        << captured;
  }
}

TEST(NeighbourDiscoveryTest, DuplicateAddressDetection) {
  const auto outcome = [](const char* dst, const Bytes& options) {
    return Outcome(ParseControl({.type = 135, .src = "::", .dst = dst, .rest_bytes = 16}, options));
  };
  EXPECT_EQ(outcome("ff02::1:ff00:10", {}), kPass);
  EXPECT_EQ(outcome("ff02::1", {}), kBad);
  EXPECT_EQ(outcome("ff02::1:ff00:10", Hex("0101020000000002")), kBad);
  EXPECT_EQ(Outcome(ParseControl({.type = 136, .src = "::", .rest_bytes = 16})), kBad);
  // Any other message from nobody.
  EXPECT_EQ(Outcome(ParseControl({.type = 128, .src = "::", .rest_bytes = 0})), "deny martian");
}

TEST(ListenerDiscoveryTest, WithHopLimitOneAndRouterAlert) {
  const auto outcome = [](uint8_t type, const char* src, uint8_t hop_limit, const char* option) {
    const Bytes payload = OptionsHeader(kProtocolIcmpv6, Hex(option)) + Icmp(type, 0, 0, Zeros(16));
    return Outcome(ParseIp(
        Packet(Ipv6{.src = src, .dst = "ff02::16", .next = 0, .hop_limit = hop_limit}, payload)));
  };
  constexpr char kAlert[] = "0502 0000";
  for (const uint8_t type : Bytes{130, 131, 132, 143}) {
    EXPECT_EQ(outcome(type, "fe80::1", 1, kAlert), kPass);
    EXPECT_EQ(outcome(type, "::", 1, kAlert), type == 130 ? kBad : kPass);
    EXPECT_EQ(outcome(type, "fd00::1", 1, kAlert), kBad);
    EXPECT_EQ(outcome(type, "fe80::1", 2, kAlert), kBad);
    EXPECT_EQ(outcome(type, "fe80::1", 1, "0102 0000"), kBad);
    EXPECT_EQ(outcome(type, "fe80::1", 1, "0502 0001"), kBad);  // about RSVP
    EXPECT_EQ(outcome(type, "fe80::1", 1, "0503 000000"), kBad);
    const Ipv6 elsewhere{.src = "fe80::1", .dst = "ff02::16", .next = 60, .hop_limit = 1};
    EXPECT_EQ(Outcome(ParseIp(Packet(elsewhere, OptionsHeader(kProtocolIcmpv6, Hex(kAlert)) +
                                                    Icmp(type, 0, 0, Zeros(16))))),
              kBad);
  }
}

// RFC 7323, 2.2 and 2.3.
TEST(TcpTest, ASynOffersAScale) {
  const auto scale = [](const char* options, uint8_t flags = 2) {
    return ParseIp(Packet(Ipv4{}, Segment({.flags = flags,
                                           .data_offset = 8,
                                           .window = 77,
                                           .options = Hex(options)})))
        .tcp_window_scale;
  };
  EXPECT_EQ(scale("020405b4 01030307"), 7);
  EXPECT_EQ(scale("020405b4 01030307", 0x12), 7);
  EXPECT_EQ(scale("03030e"), 14);
  EXPECT_EQ(scale("0303ff"), 14);
  EXPECT_EQ(scale("020405b4"), kNoTcpWindowScale);
  EXPECT_EQ(scale("00030307"), kNoTcpWindowScale) << "behind the end of the list";
  EXPECT_EQ(scale("02000303 07"), kNoTcpWindowScale) << "behind a broken option";
  EXPECT_EQ(scale("0304 0707"), kNoTcpWindowScale) << "of a wrong length";
  EXPECT_EQ(scale("01010101 01010101 0101 0303"), kNoTcpWindowScale) << "past the end";
  EXPECT_EQ(scale("020405b4 01030307", 0x10), kNoTcpWindowScale) << "no SYN";
  const Bytes syn = Packet(Ipv4{}, Segment({.data_offset = 8, .window = 77}));
  const ParseOptions options{.link = LinkLayer::kRawIp, .checksums = Checksums::kIgnore};
  EXPECT_EQ(Parse(syn, options).tcp_window, 77);
  EXPECT_EQ(Parse(syn, options, 51).tcp_window_scale, kTcpWindowScaleMax) << "not captured";
  EXPECT_EQ(Parse(syn, options, 35).tcp_window, 0xffff) << "not captured";
}

TEST(SctpTest, TagsAreRead) {
  const auto parse = [](const Bytes& payload, int captured = -1) {
    return Parse(Packet(Ipv4{.protocol = kProtocolSctp}, payload),
                 {.link = LinkLayer::kRawIp, .checksums = Checksums::kIgnore}, captured);
  };
  Bytes init = Sctp(5000, 9, 1);
  init[19] = 5;
  EXPECT_TRUE(parse(init).sctp_known);
  EXPECT_EQ(parse(init).sctp_initiate_tag, 5u);
  EXPECT_EQ(parse(init).sctp_chunk, 1);
  EXPECT_FALSE(parse(init, 39).sctp_known) << "its tag was not captured";
  const Bytes data = Sctp(5000, 9, 0);
  EXPECT_EQ(parse(data).sctp_tag, 7u);
  EXPECT_EQ(parse(data).sctp_initiate_tag, 0u);
  EXPECT_TRUE(parse(data, 36).sctp_known);
  EXPECT_FALSE(parse(data, 35).sctp_known);
}

// What a first fragment quotes may go on in the next one.
TEST(IcmpErrorTest, QuotesOnlyWhereItIsWhole) {
  const Bytes quoted = Packet(Ipv4{.src = "10.0.1.10", .dst = "198.51.100.7"}, Segment({}));
  const Bytes error = Icmp(3, 3, 0, quoted);
  ASSERT_EQ(error.size() % 8, 0u);
  const ParsedPacket whole = ParseIp(Packet(Ipv4{.protocol = kProtocolIcmp}, error));
  EXPECT_EQ(whole.quoted_offset, 28);
  EXPECT_EQ(whole.quoted_bytes, quoted.size());
  const ParsedPacket first =
      ParseIp(Packet(Ipv4{.protocol = kProtocolIcmp, .fragment = 0x2000}, error));
  EXPECT_EQ(Outcome(first), "judge");
  EXPECT_EQ(first.quoted_bytes, 0);
}

TEST(PacketTest, BatchesAreParsedAsSinglePackets) {
  const Bytes good = Ethernet(0x0800, Packet(Ipv4{}, Segment({}, "198.51.100.7", "10.0.1.10")));
  const Bytes bad = Ethernet(0x9000, {});
  const PacketView views[] = {{good.data(), static_cast<uint32_t>(good.size()), 60},
                              {bad.data(), static_cast<uint32_t>(bad.size()), 60},
                              {good.data(), static_cast<uint32_t>(good.size()), 60}};
  ParsedPacket parsed[3];
  ParsePackets(views, {}, parsed);
  EXPECT_EQ(Outcome(parsed[0]), "judge");
  EXPECT_EQ(Outcome(parsed[1]), "deny ethertype");
  EXPECT_EQ(Outcome(parsed[2]), "judge");
}

}  // namespace
}  // namespace npf::testing
