#include <gtest/gtest.h>

#include <limits>

#include "unit/packet_builder.h"

namespace npf::testing {
namespace {

constexpr uint16_t kMore = 0x2000;

std::string OutcomeOf(const Ipv4& header, const Bytes& payload = Segment(Tcp{})) {
  return Outcome(ParseIp(Packet(header, payload)));
}

TEST(Ipv4Test, LengthsAndVersion) {
  EXPECT_EQ(OutcomeOf({}), "judge");
  for (const uint8_t version : Bytes{0, 5, 15}) {
    const Bytes packet = Packet(Ipv4{.version = version}, Segment(Tcp{}));
    EXPECT_EQ(Outcome(Parse(Ethernet(0x0800, packet))), "deny malformed") << int{version};
  }
  for (const int words : {0, 1, 4, 15}) {
    EXPECT_EQ(OutcomeOf({.header_words = words}), "deny malformed") << words;
  }
  for (const int length : {0, 19, 41, 2000, 65535}) {
    EXPECT_EQ(OutcomeOf({.total_length = length}), "deny malformed") << length;
  }
  EXPECT_EQ(OutcomeOf({.total_length = 20}), "deny truncated");  // no TCP header left
  EXPECT_EQ(OutcomeOf({.total_length = 39}), "deny truncated");
}

TEST(Ipv4Test, PaddingIsNoPartOfThePacket) {
  const ParsedPacket parsed =
      ParseIp(Packet(Ipv4{.total_length = 40}, Segment(Tcp{}) + Zeros(999)));
  EXPECT_EQ(Outcome(parsed), "judge");
  // A checksum over the padding would be wrong.
  const Bytes segment = Segment(Tcp{}, "198.51.100.7", "10.0.1.10");
  const Bytes padded = Packet(Ipv4{.total_length = 40}, segment + Bytes(6, 0xff));
  EXPECT_EQ(Outcome(Parse(Ethernet(0x0800, padded))), "judge");
}

TEST(Ipv4Test, EveryCutOfTheHeader) {
  const Bytes packet = Packet(Ipv4{}, Segment(Tcp{}));
  const Bytes frame = Ethernet(0x0800, packet);
  for (long cut = 14; cut < 34; ++cut) {
    EXPECT_EQ(Outcome(Parse(Bytes(frame.begin(), frame.begin() + cut))), "deny truncated") << cut;
    EXPECT_EQ(Outcome(Parse(frame, {}, static_cast<int>(cut))), "deny truncated") << cut;
  }
}

TEST(Ipv4Test, Options) {
  const auto with = [](const char* hex) { return OutcomeOf({.options = Hex(hex)}); };
  EXPECT_EQ(with("01010101"), "judge");
  EXPECT_EQ(with("00ffffff"), "judge");  // behind the end of the list is padding
  EXPECT_EQ(with("94040000"), "judge");  // router alert
  EXPECT_EQ(with("07070400 00000000"), "deny ip_option");
  EXPECT_EQ(with("44080500 00000000"), "deny ip_option");
  EXPECT_EQ(with("83070400 00000000"), "deny source_route");
  EXPECT_EQ(with("89070400 00000000"), "deny source_route");
  EXPECT_EQ(with("01838304 00000000"), "deny malformed");
  EXPECT_EQ(with("94000000"), "deny malformed");
  EXPECT_EQ(with("94010000"), "deny malformed");
  EXPECT_EQ(with("94050000"), "deny malformed");
  EXPECT_EQ(with("01010194"), "deny malformed");  // an option without a length
  const ParsedPacket parsed = ParseIp(Packet(Ipv4{.options = Bytes(40, 1)}, Segment(Tcp{})));
  EXPECT_EQ(Outcome(parsed), "judge");
  EXPECT_EQ(parsed.l4_offset, 60);
  EXPECT_EQ(parsed.key.dst_port, 80);
}

TEST(Ipv4Test, Checksum) {
  const Bytes packet = Packet(Ipv4{.protocol = kProtocolUdp, .checksum = 0x1234}, Udp(1000, 53));
  const auto outcome = [&](Checksums checksums) {
    return Outcome(Parse(packet, {.link = LinkLayer::kRawIp, .checksums = checksums}));
  };
  EXPECT_EQ(outcome(Checksums::kVerify), "deny checksum");
  EXPECT_EQ(outcome(Checksums::kIpOnly), "deny checksum");
  EXPECT_EQ(outcome(Checksums::kIgnore), "judge");
}

TEST(Ipv4Test, Martians) {
  for (const char* src : {"127.0.0.1", "127.255.255.254", "224.0.0.1", "239.255.255.255",
                          "240.0.0.1", "255.255.255.255", "0.0.0.0", "0.1.2.3"}) {
    EXPECT_EQ(OutcomeOf({.src = src}), "deny martian") << src;
  }
  for (const char* src : {"1.0.0.0", "126.255.255.255", "128.0.0.0", "223.255.255.255"}) {
    EXPECT_EQ(OutcomeOf({.src = src}), "judge") << src;
  }
  EXPECT_EQ(OutcomeOf({.dst = "127.0.0.1"}), "deny martian");
  EXPECT_EQ(OutcomeOf({.dst = "0.0.0.0"}), "deny martian");
  // Policy decides about groups (A89).
  EXPECT_EQ(OutcomeOf({.dst = "224.0.0.251"}), "judge");
  EXPECT_EQ(OutcomeOf({.dst = "255.255.255.255"}), "judge");
}

TEST(Ipv4Test, DhcpClientMayHaveNoAddress) {
  const auto outcome = [](const char* dst, uint16_t src_port, uint16_t dst_port) {
    return OutcomeOf({.src = "0.0.0.0", .dst = dst, .protocol = kProtocolUdp},
                     Udp(src_port, dst_port));
  };
  EXPECT_EQ(outcome("255.255.255.255", 68, 67), "judge");
  EXPECT_EQ(outcome("255.255.255.255", 68, 53), "deny martian");
  EXPECT_EQ(outcome("255.255.255.255", 67, 67), "deny martian");
  EXPECT_EQ(outcome("10.0.1.10", 68, 67), "deny martian");
  // It sends no fragments.
  EXPECT_EQ(OutcomeOf({.src = "0.0.0.0", .dst = "255.255.255.255", .fragment = 3}), "deny martian");
}

TEST(Ipv4Test, Fragments) {
  EXPECT_EQ(OutcomeOf({.fragment = 0x8000}), "deny ip_flags");
  EXPECT_EQ(OutcomeOf({.fragment = 0x4000}), "judge");  // do not fragment
  const ParsedPacket first = ParseIp(Packet(Ipv4{.fragment = kMore}, Segment({.data_bytes = 4})));
  EXPECT_EQ(Outcome(first), "judge");
  EXPECT_EQ(first.key.dst_port, 80);
  EXPECT_FALSE(first.later_fragment);
  const ParsedPacket later = ParseIp(Packet(Ipv4{.fragment = 3}, Segment(Tcp{})));
  EXPECT_EQ(Outcome(later), "judge");
  EXPECT_TRUE(later.later_fragment);
  EXPECT_FALSE(later.ports_known);
  EXPECT_EQ(later.key.protocol, kProtocolUnknown);
  EXPECT_EQ(later.key.dst_port, 0);
  EXPECT_EQ(later.l4_offset, 20);
  EXPECT_EQ(OutcomeOf({.fragment = 3}, {}), "deny frag_bad");
  EXPECT_EQ(OutcomeOf({.fragment = kMore}, {}), "deny frag_bad");
  EXPECT_EQ(OutcomeOf({.fragment = kMore}, Zeros(21)), "deny frag_bad");
  EXPECT_EQ(OutcomeOf({.fragment = kMore | 4}, Zeros(9)), "deny frag_bad");
  EXPECT_EQ(OutcomeOf({.fragment = 4}, Zeros(9)), "judge");
}

TEST(Ipv4Test, FragmentsEndWithinADatagram) {
  // The datagram's header counts: 20 + 65512 + 3 = 65535.
  EXPECT_EQ(OutcomeOf({.protocol = kProtocolUdp, .fragment = 8189}, Zeros(3)), "judge");
  EXPECT_EQ(OutcomeOf({.protocol = kProtocolUdp, .fragment = 8189}, Zeros(4)),
            "deny frag_oversize");
  EXPECT_EQ(OutcomeOf({.protocol = kProtocolUdp, .fragment = 8191}, Zeros(8)),
            "deny frag_oversize");
}

TEST(Ipv4Test, TinyFragments) {
  EXPECT_EQ(OutcomeOf({.fragment = kMore}, Zeros(8)), "deny frag_tiny");
  EXPECT_EQ(OutcomeOf({.fragment = kMore}, Zeros(16)), "deny frag_tiny");
  EXPECT_EQ(OutcomeOf({.fragment = 1}, Zeros(40)), "deny frag_tiny");
  EXPECT_EQ(OutcomeOf({.protocol = kProtocolUdp, .fragment = 1}, Zeros(40)), "judge");
  EXPECT_EQ(OutcomeOf({.protocol = kProtocolSctp, .fragment = kMore}, Zeros(8)), "deny frag_tiny");
  EXPECT_EQ(OutcomeOf({.protocol = kProtocolUdp, .fragment = kMore}, Udp(1, 2, 0, 500)), "judge");
  // Its options are in the next one.
  EXPECT_EQ(OutcomeOf({.fragment = kMore}, Segment(Tcp{}) + Zeros(4)), "judge");
  Bytes options_cut = Segment(Tcp{}) + Zeros(4);
  options_cut[12] = 0xf0;
  EXPECT_EQ(OutcomeOf({.fragment = kMore}, options_cut), "deny frag_tiny");
}

TEST(Ipv4Test, EqualAddressesInALaterFragmentMayBeLand) {
  EXPECT_EQ(OutcomeOf({.src = "10.0.1.10", .fragment = 3}), "deny land");
}

TEST(Ipv4Test, OtherFamilysIcmp) {
  EXPECT_EQ(OutcomeOf({.protocol = kProtocolIcmpv6}, Icmp(128)), "deny icmp_mismatch");
}

TEST(Ipv4Test, ProtocolsWithoutPorts) {
  for (const uint8_t protocol : Bytes{0, 2, 4, 33, 41, 47, 50, 51, 89, 136, 255}) {
    const ParsedPacket parsed = ParseIp(Packet(Ipv4{.protocol = protocol}, Segment(Tcp{})));
    EXPECT_EQ(Outcome(parsed), "judge") << int{protocol};
    EXPECT_FALSE(parsed.ports_known);
    EXPECT_EQ(parsed.key.protocol, protocol);
    EXPECT_EQ(parsed.key.dst_port, 0);
  }
}

}  // namespace
}  // namespace npf::testing
