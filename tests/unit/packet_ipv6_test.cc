#include <gtest/gtest.h>

#include "unit/packet_builder.h"

namespace npf::testing {
namespace {

constexpr uint8_t kHop = 0;
constexpr uint8_t kRouting = 43;
constexpr uint8_t kFragment = 44;
constexpr uint8_t kEsp = 50;
constexpr uint8_t kAh = 51;
constexpr uint8_t kNone = 59;
constexpr uint8_t kOptions = 60;

const Bytes kTcp = Segment(Tcp{});

std::string OutcomeOf(const Ipv6& header, const Bytes& payload = kTcp) {
  return Outcome(ParseIp(Packet(header, payload)));
}

std::string ChainOutcome(uint8_t next, const Bytes& payload) {
  return OutcomeOf({.next = next}, payload);
}

TEST(Ipv6Test, LengthsAndVersion) {
  EXPECT_EQ(OutcomeOf({}), "judge");
  EXPECT_EQ(Outcome(Parse(Ethernet(0x86dd, Packet(Ipv6{.version = 4}, kTcp)))), "deny malformed");
  EXPECT_EQ(OutcomeOf({.payload_length = 21}), "deny truncated");
  EXPECT_EQ(OutcomeOf({.payload_length = 19}), "deny truncated");
  EXPECT_EQ(OutcomeOf({.payload_length = 20}, kTcp + Zeros(30)), "judge");
  EXPECT_EQ(OutcomeOf({.payload_length = 0}), "deny malformed");
  EXPECT_EQ(OutcomeOf({.next = kHop, .payload_length = 0},
                      OptionsHeader(kProtocolTcp, Hex("c204 00010000")) + kTcp),
            "deny jumbo");
  EXPECT_EQ(OutcomeOf({.next = kNone, .payload_length = 0}, {}), "judge");
  EXPECT_EQ(OutcomeOf({.next = kNone, .payload_length = 0}, Zeros(6)), "judge");  // padding
}

TEST(Ipv6Test, EveryCutOfHeaderAndChain) {
  const Bytes packet =
      Packet(Ipv6{.next = kHop}, OptionsHeader(kOptions, Hex("0502 0000")) +
                                     OptionsHeader(kProtocolTcp, Hex("0104 00000000")) + kTcp);
  const Bytes frame = Ethernet(0x86dd, packet);
  ASSERT_EQ(Outcome(Parse(frame)), "deny checksum");
  // Flags are the last that is needed: byte 13 of TCP.
  for (long cut = 0; cut < 14 + 40 + 16 + 14; ++cut) {
    EXPECT_EQ(Outcome(Parse(Bytes(frame.begin(), frame.begin() + cut))), "deny truncated") << cut;
    EXPECT_EQ(Outcome(Parse(frame, {}, static_cast<int>(cut))), "deny truncated") << cut;
  }
  EXPECT_EQ(Outcome(Parse(frame, {}, 14 + 40 + 16 + 14)), "judge");
}

TEST(Ipv6Test, ExtensionHeadersLeadToTheTransport) {
  const Bytes chain =
      OptionsHeader(kOptions, Hex("0502 0000")) + OptionsHeader(kProtocolTcp, Zeros(14)) + kTcp;
  const ParsedPacket parsed = ParseIp(Packet(Ipv6{.next = kHop}, chain));
  EXPECT_EQ(Outcome(parsed), "judge");
  EXPECT_EQ(parsed.key.protocol, kProtocolTcp);
  EXPECT_EQ(parsed.key.dst_port, 80);
  EXPECT_EQ(parsed.l4_offset, 40 + 8 + 16);
}

TEST(Ipv6Test, LongOptionHeadersDoNotWrap) {
  // 2,048 bytes; its length field is 255.
  const Bytes longest = OptionsHeader(kProtocolTcp, Zeros(2046));
  ASSERT_EQ(longest.size(), 2048u);
  const ParsedPacket parsed = ParseIp(Packet(Ipv6{.next = kOptions}, longest + kTcp));
  EXPECT_EQ(Outcome(parsed), "judge");
  EXPECT_EQ(parsed.l4_offset, 40 + 2048);
  Bytes lies = OptionsHeader(kProtocolTcp, Zeros(6));
  lies[1] = 255;
  EXPECT_EQ(ChainOutcome(kOptions, lies + kTcp), "deny truncated");
}

TEST(Ipv6Test, ChainsAreLimited) {
  for (const int count : {7, 8, 9, 64}) {
    Bytes chain;
    for (int i = 1; i < count; ++i) chain = chain + OptionsHeader(kOptions, Zeros(6));
    chain = chain + OptionsHeader(kProtocolTcp, Zeros(6)) + kTcp;
    EXPECT_EQ(ChainOutcome(kOptions, chain), count <= 8 ? "judge" : "deny eh_limit") << count;
  }
}

TEST(Ipv6Test, HopByHopIsFirstAndOnce) {
  const Bytes hop = OptionsHeader(kProtocolTcp, Zeros(6));
  EXPECT_EQ(ChainOutcome(kHop, hop + kTcp), "judge");
  EXPECT_EQ(ChainOutcome(kOptions, OptionsHeader(kHop, Zeros(6)) + hop + kTcp), "deny eh_order");
  EXPECT_EQ(ChainOutcome(kHop, OptionsHeader(kHop, Zeros(6)) + hop + kTcp), "deny eh_order");
}

TEST(Ipv6Test, BadOptions) {
  const auto with = [](const char* hex) {
    return ChainOutcome(kHop, OptionsHeader(kProtocolTcp, Hex(hex)) + kTcp);
  };
  EXPECT_EQ(with("01 04 00000000"), "judge");
  EXPECT_EQ(with("01 05 00000000"), "deny eh_bad");
  EXPECT_EQ(with("00 00 00 00 00 05"), "deny eh_bad");
  EXPECT_EQ(with("c2 04 00010000"), "deny jumbo");
  EXPECT_EQ(with("c9 10"
                 "20010db8000000000000000000000001"),
            "deny eh_bad");
}

TEST(Ipv6Test, RoutingHeaders) {
  for (const char* header : {"06 00 00 00 00000000", "06 00 00 01 00000000", "06 00 02 01 00000000",
                             "06 00 04 01 00000000"}) {
    EXPECT_EQ(ChainOutcome(kRouting, Hex(header) + kTcp), "deny source_route") << header;
  }
}

TEST(Ipv6Test, AuthenticationHeader) {
  EXPECT_EQ(ChainOutcome(kAh, Hex("06 04 0000 00000001 00000001") + Zeros(12) + kTcp), "judge");
  EXPECT_EQ(ChainOutcome(kAh, Hex("06 00 0000 00000001 00000001") + Zeros(12) + kTcp),
            "deny eh_bad");
  EXPECT_EQ(ChainOutcome(kAh, Hex("06 ff 0000 00000001 00000001") + Zeros(12) + kTcp),
            "deny truncated");
}

TEST(Ipv6Test, WhatIsNoExtensionHeaderEndsTheChain) {
  // Walked as a header of options, each would lead to TCP.
  for (const uint8_t protocol : Bytes{4, 33, 41, 47, 103, 115, 136, 253}) {
    const ParsedPacket parsed =
        ParseIp(Packet(Ipv6{.next = protocol}, OptionsHeader(kProtocolTcp, Zeros(6)) + kTcp));
    EXPECT_EQ(Outcome(parsed), "judge") << int{protocol};
    EXPECT_FALSE(parsed.ports_known);
    EXPECT_EQ(parsed.key.protocol, protocol);
  }
  EXPECT_EQ(ParseIp(Packet(Ipv6{.next = kEsp}, kTcp)).key.protocol, kEsp);
  EXPECT_EQ(ParseIp(Packet(Ipv6{.next = kNone}, kTcp)).key.protocol, kNone);
  EXPECT_EQ(ChainOutcome(kProtocolIcmp, Icmp(8)), "deny icmp_mismatch");
}

TEST(Ipv6Test, Fragments) {
  const auto fragment = [](uint16_t units, bool more, const Bytes& payload,
                           uint8_t next = kProtocolTcp) {
    return ParseIp(Packet(Ipv6{.next = kFragment}, FragmentHeader(next, units, more) + payload));
  };
  const ParsedPacket atomic = fragment(0, false, kTcp);
  EXPECT_EQ(Outcome(atomic), "judge");
  EXPECT_EQ(atomic.key.dst_port, 80);
  EXPECT_FALSE(atomic.later_fragment);
  EXPECT_EQ(Outcome(fragment(0, true, kTcp + Zeros(4))), "judge");
  const ParsedPacket later = fragment(3, false, kTcp);
  EXPECT_TRUE(later.later_fragment);
  EXPECT_EQ(later.key.protocol, kProtocolUnknown);
  EXPECT_EQ(later.l4_offset, 48);
  EXPECT_EQ(OutcomeOf({.src = "::", .next = kFragment}, FragmentHeader(58, 3, false) + kTcp),
            "deny martian");
  EXPECT_EQ(Outcome(fragment(0, true, kTcp)), "deny frag_bad");  // 20 bytes
  EXPECT_EQ(Outcome(fragment(3, false, {})), "deny frag_bad");
  EXPECT_EQ(Outcome(fragment(0, true, Zeros(16))), "deny frag_tiny");
  EXPECT_EQ(Outcome(fragment(1, false, Zeros(24))), "deny frag_tiny");
  EXPECT_EQ(Outcome(fragment(8191, false, Zeros(7))), "judge");
  EXPECT_EQ(Outcome(fragment(8191, false, Zeros(8))), "deny frag_oversize");
  EXPECT_EQ(Outcome(fragment(0, true, OptionsHeader(kProtocolTcp, Zeros(6)), kOptions)),
            "deny frag_tiny");  // RFC 7112
  for (const bool first_more : {false, true}) {
    EXPECT_EQ(Outcome(fragment(0, first_more,
                               FragmentHeader(kProtocolTcp, 0, !first_more) + kTcp + Zeros(4),
                               kFragment)),
              "deny frag_bad");
  }
  EXPECT_EQ(ChainOutcome(kFragment, Hex("06 00 00")), "deny truncated");
}

TEST(Ipv6Test, AddressesThatEmbedIpv4AreMartians) {
  const char* const kMapped = "hex:00000000000000000000ffff0a000114";
  const char* const kCompatible = "hex:0000000000000000000000000a000114";
  for (const char* address : {kMapped, kCompatible, "::1"}) {
    EXPECT_EQ(OutcomeOf({.src = address}), "deny martian") << address;
    EXPECT_EQ(OutcomeOf({.dst = address}), "deny martian") << address;
  }
  EXPECT_EQ(OutcomeOf({.src = "ff02::1"}), "deny martian");
  EXPECT_EQ(OutcomeOf({.src = "::"}), "deny martian");
  EXPECT_EQ(OutcomeOf({.dst = "::"}), "deny martian");
  EXPECT_EQ(OutcomeOf({.dst = "ff02::fb"}), "judge");
  // Addresses of their own, whatever they stand for (A57).
  EXPECT_EQ(OutcomeOf({.src = "64:ff9b::a00:114"}), "judge");
  EXPECT_EQ(OutcomeOf({.src = "2002:a00:114::1"}), "judge");
}

}  // namespace
}  // namespace npf::testing
