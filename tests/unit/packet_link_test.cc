// Ethernet, VLAN tags, LLC, ARP, and the other ways in which a frame may begin.
#include <gtest/gtest.h>

#include "unit/packet_builder.h"

namespace npf::testing {
namespace {

const Bytes kIpv4 = Packet(Ipv4{}, Segment({}, "198.51.100.7", "10.0.1.10"));
const Bytes kIpv6 = Packet(Ipv6{}, Segment({}, "2001:db8::7", "fd00:1::10"));
const Bytes kArp = Hex("0001 0800 06 04 0001 020000000002 0a000001 000000000000 0a000002");

std::string OutcomeOf(uint16_t ethertype, const Bytes& payload, const ParseOptions& options = {}) {
  return Outcome(Parse(Ethernet(ethertype, payload), options));
}

TEST(LinkTest, EthernetLeadsToBothFamilies) {
  const ParsedPacket v4 = Parse(Ethernet(0x0800, kIpv4));
  EXPECT_EQ(Outcome(v4), "judge");
  EXPECT_EQ(v4.key.family, 4);
  EXPECT_EQ(v4.key.dst_port, 80);
  EXPECT_EQ(v4.l3_offset, 14);
  EXPECT_EQ(v4.l4_offset, 34);
  EXPECT_TRUE(v4.ports_known);
  EXPECT_TRUE(v4.starts_connection);
  EXPECT_EQ(ToString(SourceOf(v4.key)), "198.51.100.7");
  EXPECT_EQ(ToString(DestinationOf(v4.key)), "10.0.1.10");
  const ParsedPacket v6 = Parse(Ethernet(0x86dd, kIpv6));
  EXPECT_EQ(Outcome(v6), "judge");
  EXPECT_EQ(v6.key.family, 6);
  EXPECT_EQ(ToString(SourceOf(v6.key)), "2001:db8::7");
  EXPECT_EQ(v6.l4_offset, 54);
}

TEST(LinkTest, TwoTagsAreLookedThrough) {
  EXPECT_EQ(OutcomeOf(0x8100, Tag(0x0800) + kIpv4), "judge");
  EXPECT_EQ(OutcomeOf(0x88a8, Tag(0x8100) + Tag(0x86dd) + kIpv6), "judge");
  EXPECT_EQ(OutcomeOf(0x8100, Tag(0x8100) + Tag(0x0800) + kIpv4), "judge");
  EXPECT_EQ(OutcomeOf(0x8100, Tag(0x8100) + Tag(0x8100) + Tag(0x0800) + kIpv4), "deny vlan_depth");
  EXPECT_EQ(OutcomeOf(0x8100, Tag(0x0800) + kIpv4, {.vlan = false}), "deny vlan_off");
  EXPECT_EQ(OutcomeOf(0x0800, kIpv4, {.vlan = false}), "judge");
  EXPECT_EQ(OutcomeOf(0x8100, {}), "deny truncated");
  EXPECT_EQ(OutcomeOf(0x8100, Hex("00 64 08")), "deny truncated");
}

TEST(LinkTest, WhatIsNoIpIsRefused) {
  EXPECT_EQ(OutcomeOf(0x0026, Hex("aaaa03 000000 0800") + kIpv4), "deny llc");
  EXPECT_EQ(OutcomeOf(0x8100, Tag(0x0026) + Hex("aaaa03 000000 0800") + kIpv4), "deny llc");
  EXPECT_EQ(OutcomeOf(0x05ff, kIpv4), "deny llc");
  EXPECT_EQ(OutcomeOf(0x8847, kIpv4), "deny ethertype");
  EXPECT_EQ(OutcomeOf(0x8864, kIpv4), "deny ethertype");
  EXPECT_EQ(OutcomeOf(0x9000, kIpv4), "deny ethertype");
  EXPECT_EQ(OutcomeOf(0x0800, kIpv6), "deny malformed");
  EXPECT_EQ(OutcomeOf(0x86dd, kIpv4), "deny malformed");
}

TEST(LinkTest, WellFormedArpPasses) {
  EXPECT_EQ(OutcomeOf(0x0806, kArp), "pass link_control");
  EXPECT_EQ(OutcomeOf(0x0806, kArp + Zeros(18)), "pass link_control");
  Bytes reply = kArp;
  reply[7] = 2;
  EXPECT_EQ(OutcomeOf(0x0806, reply), "pass link_control");
  for (size_t cut = 0; cut < kArp.size(); ++cut) {
    EXPECT_EQ(OutcomeOf(0x0806, Bytes(kArp.begin(), kArp.begin() + static_cast<long>(cut))),
              "deny truncated")
        << cut;
  }
  // Protocol, lengths, operation.
  for (const auto& [at, value] : {std::pair{2, 0x86}, {4, 200}, {5, 16}, {7, 3}, {7, 0}}) {
    Bytes wrong = kArp;
    wrong[static_cast<size_t>(at)] = static_cast<uint8_t>(value);
    EXPECT_EQ(OutcomeOf(0x0806, wrong), "deny malformed") << at << " " << value;
  }
}

TEST(LinkTest, EveryCutOfAnEthernetHeader) {
  const Bytes frame = Ethernet(0x0800, kIpv4);
  for (long cut = 0; cut < 14; ++cut) {
    EXPECT_EQ(Outcome(Parse(Bytes(frame.begin(), frame.begin() + cut))), "deny truncated") << cut;
  }
}

TEST(LinkTest, OtherLinkLayers) {
  const auto outcome = [](LinkLayer link, const Bytes& frame) {
    return Outcome(Parse(frame, {.link = link}));
  };
  EXPECT_EQ(outcome(LinkLayer::kRawIp, kIpv4), "judge");
  EXPECT_EQ(outcome(LinkLayer::kRawIp, kIpv6), "judge");
  EXPECT_EQ(outcome(LinkLayer::kRawIp, {}), "deny truncated");
  EXPECT_EQ(outcome(LinkLayer::kRawIp, Hex("50")), "deny malformed");
  const Bytes cooked = Hex("0000 0001 0006 0200000000020000");
  EXPECT_EQ(outcome(LinkLayer::kLinuxSll, cooked + U16(0x0800) + kIpv4), "judge");
  EXPECT_EQ(outcome(LinkLayer::kLinuxSll, cooked + U16(0x8100) + Tag(0x86dd) + kIpv6), "judge");
  EXPECT_EQ(outcome(LinkLayer::kLinuxSll, cooked + U16(0x0004) + kIpv4), "deny llc");
  EXPECT_EQ(outcome(LinkLayer::kLinuxSll, cooked), "deny truncated");
  for (const char* device : {"0302", "0323", "0338"}) {  // Frame Relay, radiotap, netlink
    const Bytes foreign = Hex("0000 " + std::string(device) + " 0000 0000000000000000 0800");
    EXPECT_EQ(outcome(LinkLayer::kLinuxSll, foreign + kIpv4), "deny ethertype") << device;
    const Bytes foreign2 = Hex("0800 0000 00000002 " + std::string(device) + " 00 06");
    EXPECT_EQ(outcome(LinkLayer::kLinuxSll2, foreign2 + Zeros(8) + kIpv4), "deny ethertype");
  }
  const Bytes cooked2 = Hex("0000 00000002 0001 00 06 0200000000020000");
  EXPECT_EQ(outcome(LinkLayer::kLinuxSll2, U16(0x0800) + cooked2 + kIpv4), "judge");
  EXPECT_EQ(outcome(LinkLayer::kLinuxSll2, U16(0x0800) + Zeros(17)), "deny truncated");
  EXPECT_EQ(outcome(LinkLayer::kNull, Hex("02000000") + kIpv4), "judge");
  EXPECT_EQ(outcome(LinkLayer::kNull, Hex("00000002") + kIpv4), "judge");
  for (const char* family : {"0a000000", "18000000", "1c000000", "1e000000", "0000001e"}) {
    EXPECT_EQ(outcome(LinkLayer::kNull, Hex(family) + kIpv6), "judge") << family;
  }
  EXPECT_EQ(outcome(LinkLayer::kLoop, Hex("00000002") + kIpv4), "judge");
  EXPECT_EQ(outcome(LinkLayer::kLoop, Hex("02000000") + kIpv4), "deny ethertype");
  EXPECT_EQ(outcome(LinkLayer::kLoop, Hex("000000")), "deny truncated");
}

}  // namespace
}  // namespace npf::testing
