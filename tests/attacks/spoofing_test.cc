// A87: packets from where their source is not.
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "attacks/attack_bench.h"
#include "npf/sources.h"
#include "testing/random.h"
#include "testing/world.h"
#include "unit/tunnel_builder.h"

namespace npf::testing {
namespace {

constexpr uint16_t kPortA = 3, kPortB = 4, kUplink = 0;
constexpr EthernetAddress kMacA = {2, 0, 0, 0, 0, 0xa}, kMacB = {2, 0, 0, 0, 0, 0xb};
constexpr char kPodA[] = "10.0.0.1", kPodB[] = "10.0.0.2", kPodA6[] = "fd00::1";

// Pod B may be asked by pod A only.
std::string World() {
  return PodYaml("x", "a", kPodA, "app: a") + PodYaml("x", "b", kPodB, "app: b") +
         PolicyYaml("x", "p",
                    "{podSelector: {matchLabels: {app: b}}, ingress: [{from: [{podSelector: "
                    "{matchLabels: {app: a}}}]}]}");
}

SourceBinding Bind(const std::string& prefix, uint16_t port,
                   std::optional<EthernetAddress> ethernet = {}) {
  return {.source = ParseIpPrefix(prefix).prefix, .port = port, .ethernet = ethernet};
}

// Each pod behind its port and under its Ethernet address, everybody else behind the uplink.
SourceBindings Bindings() {
  return *SourceBindings::Make(
      std::vector{Bind("10.0.0.1/32", kPortA, kMacA), Bind("fd00::1/128", kPortA, kMacA),
                  Bind("10.0.0.2/32", kPortB, kMacB), Bind("fd00::2/128", kPortB, kMacB),
                  Bind("0.0.0.0/0", kUplink), Bind("::/0", kUplink)});
}

Bytes From(const EthernetAddress& ethernet, Bytes frame) {
  std::copy(ethernet.begin(), ethernet.end(), frame.begin() + 6);
  return frame;
}

Frame At(uint16_t port, const Bytes& bytes, LinkLayer link = LinkLayer::kEthernet) {
  Frame frame = AttackBench::FrameOf(bytes, link);
  frame.port = port;
  return frame;
}

Bytes Tcp4(const std::string& src, uint8_t flags = kSyn, uint32_t sequence = 0) {
  return Ethernet(0x0800, Packet(Ipv4{.src = src, .dst = kPodB},
                                 Segment({.flags = flags, .sequence = sequence, .window = 99})));
}

TEST(SpoofingAttack, A87ASourceComesFromItsOwnPortAndAddress) {
  const SourceBindings sources = Bindings();
  const Bytes syn = Tcp4(kPodA);
  for (const bool stateless : {false, true}) {
    AttackBench bench(ProgramOf(World()), {.sources = &sources, .stateless = stateless});
    EXPECT_EQ(bench.Outcome(At(kPortB, From(kMacB, syn))), "deny spoofed");
    EXPECT_EQ(bench.Outcome(At(kPortB, From(kMacA, syn))), "deny spoofed");
    EXPECT_EQ(bench.Outcome(At(kPortA, From(kMacB, syn))), "deny spoofed");
    EXPECT_EQ(bench.worker.counts().flows, 0u);
    EXPECT_EQ(bench.Outcome(At(kPortA, From(kMacA, syn))), "allow policy");
    EXPECT_EQ(bench.Outcome(At(kUplink, From(kMacA, syn))), "deny spoofed") << "from the network";
    EXPECT_EQ(bench.Outcome(At(kUplink, Tcp4("198.51.100.7"))), "deny policy");
    EXPECT_EQ(bench.Outcome(At(kPortA, From(kMacA, Tcp4("198.51.100.7")))), "deny spoofed");
    // What denies a packet anyway keeps its reason.
    const Bytes bad = Ethernet(0x0800, Packet(Ipv4{.src = kPodA, .version = 7}, Segment({})));
    EXPECT_EQ(bench.Outcome(At(kPortB, bad)), "deny malformed");
  }
  AttackBench unbound(ProgramOf(World()));
  EXPECT_EQ(unbound.Outcome(At(kPortB, From(kMacB, syn))), "allow policy");
}

TEST(SpoofingAttack, A87AConnectionIsItsEndsOwn) {
  const SourceBindings sources = Bindings();
  AttackBench bench(ProgramOf(World()), {.sources = &sources});
  EXPECT_EQ(bench.Outcome(At(kPortA, From(kMacA, Tcp4(kPodA)))), "allow policy");
  const Bytes answer =
      Ethernet(0x0800, Packet(Ipv4{.src = kPodB, .dst = kPodA}, Segment({.src_port = 80,
                                                                         .dst_port = 40000,
                                                                         .flags = kSyn | kAck,
                                                                         .acknowledgement = 1,
                                                                         .window = 99})));
  EXPECT_EQ(bench.Outcome(At(kUplink, From(kMacB, answer))), "deny spoofed");
  EXPECT_EQ(bench.Outcome(At(kPortB, From(kMacB, answer))), "allow established");
  const Tcp ack{.flags = kAck, .sequence = 1, .acknowledgement = 1, .window = 99};
  const Bytes data = Ethernet(0x0800, Packet(Ipv4{.src = kPodA, .dst = kPodB}, Segment(ack)));
  const Bytes reset = Tcp4(kPodA, kRst, 1);
  EXPECT_EQ(bench.Outcome(At(kPortB, From(kMacB, data))), "deny spoofed");
  EXPECT_EQ(bench.Outcome(At(kPortB, From(kMacB, reset))), "deny spoofed");
  EXPECT_EQ(bench.Outcome(At(kPortA, From(kMacA, data))), "allow established");
}

// A part from elsewhere neither becomes part of a datagram nor spoils one.
TEST(SpoofingAttack, A87AFragmentFromElsewhereTouchesNoDatagram) {
  const SourceBindings sources = Bindings();
  const auto part = [](size_t offset, size_t bytes, bool more, uint16_t id) {
    const Bytes whole = Udp(1000, 53, 100);
    const Bytes payload(whole.begin() + static_cast<ptrdiff_t>(offset),
                        whole.begin() + static_cast<ptrdiff_t>(offset + bytes));
    const auto field = static_cast<uint16_t>((more ? 0x2000 : 0) | offset / 8);
    return From(kMacA, Ethernet(0x0800, Packet(Ipv4{.src = kPodA,
                                                    .dst = kPodB,
                                                    .protocol = kProtocolUdp,
                                                    .fragment = field,
                                                    .id = id},
                                               payload)));
  };
  AttackBench track(ProgramOf(World()), {.sources = &sources});
  EXPECT_EQ(track.Outcome(At(kPortB, part(0, 64, true, 1))), "deny spoofed");
  EXPECT_EQ(track.Outcome(At(kPortA, part(0, 64, true, 1))), "allow policy");
  EXPECT_EQ(track.Outcome(At(kPortB, part(64, 44, false, 1))), "deny spoofed");
  EXPECT_EQ(track.Outcome(At(kPortA, part(64, 44, false, 1))), "allow policy");

  AttackBench whole(ProgramOf(World()), {.sources = &sources, .fragments = Fragments::kReassemble});
  EXPECT_EQ(whole.Outcome(At(kPortA, part(64, 44, false, 2))), "deny frag_held");
  EXPECT_EQ(whole.Outcome(At(kPortB, part(0, 64, true, 2))), "deny spoofed");
  EXPECT_TRUE(whole.worker.released().empty());
  EXPECT_EQ(whole.Outcome(At(kPortA, part(0, 64, true, 2))), "deny frag_held");
  ASSERT_EQ(whole.worker.released().size(), 1u);
  EXPECT_EQ(Text(whole.worker.released()[0].verdict), "allow policy");
  // One that is too short for its header would be held as well.
  const Bytes tiny =
      Ethernet(0x0800, Packet(Ipv4{.src = kPodA, .dst = kPodB, .fragment = 0x2000}, Zeros(8)));
  EXPECT_EQ(whole.Outcome(At(kPortB, From(kMacB, tiny))), "deny spoofed");
}

Bytes Arp(const EthernetAddress& frame_from, const EthernetAddress& told, const std::string& sender,
          uint8_t operation = 2) {
  Bytes arp = Hex("0001 0800 06 04 00") + Bytes{operation};
  arp.insert(arp.end(), told.begin(), told.end());
  return From(frame_from,
              Ethernet(0x0806, arp + AddressBytes(sender) + Zeros(6) + AddressBytes(kPodB)));
}

// A79, A88.
TEST(SpoofingAttack, A87_A88ArpSpeaksForItsSenderOnly) {
  const SourceBindings sources = Bindings();
  AttackBench bench(ProgramOf(World()), {.sources = &sources});
  for (const uint8_t operation : {uint8_t{1}, uint8_t{2}}) {
    const Bytes own = Arp(kMacB, kMacB, kPodB, operation);
    EXPECT_EQ(bench.Outcome(At(kPortB, own)), "allow link_control");
    EXPECT_EQ(bench.Outcome(At(kPortA, own)), "deny spoofed");
    const Bytes foreign = Arp(kMacB, kMacB, kPodA, operation);
    EXPECT_EQ(bench.Outcome(At(kPortB, foreign)), "deny spoofed");
    const Bytes elsewhere = Arp(kMacA, kMacB, kPodA, operation);
    EXPECT_EQ(bench.Outcome(At(kPortA, elsewhere)), "deny spoofed") << "told to be at B's";
    EXPECT_EQ(bench.Outcome(At(kPortA, Arp(kMacB, kMacA, kPodA, operation))), "deny spoofed");
    EXPECT_EQ(bench.Outcome(At(kPortB, Arp(kMacB, kMacB, "0.0.0.0", operation))),
              "allow link_control")
        << "a probe";
    Frame cut = At(kPortB, own);
    cut.packet.length = 14 + 20;
    EXPECT_EQ(bench.Outcome(cut), "deny truncated");
  }
}

// `body`: from the target on.
Bytes Neighbour(uint8_t type, const std::string& src, const std::string& dst, const Bytes& body) {
  const Bytes message = Bytes{type, 0, 0, 0} + Zeros(4) + body;
  const Ipv6 header{.src = src, .dst = dst, .next = kProtocolIcmpv6, .hop_limit = 255};
  return Ethernet(0x86dd, Packet(header, message));
}

Bytes LinkAddress(uint8_t option, const EthernetAddress& told) {
  return Bytes{option, 1} + Bytes(told.begin(), told.end());
}

// A79.
TEST(SpoofingAttack, A87_A79NeighbourDiscoverySpeaksForItsSenderAndItsTarget) {
  const SourceBindings sources = Bindings();
  AttackBench bench(ProgramOf(World()), {.sources = &sources});
  const auto at_b = [&](const Bytes& frame) {
    return bench.Outcome(At(kPortB, From(kMacB, frame)));
  };
  const auto advertise = [&](const std::string& src, const std::string& target, const Bytes& told) {
    return at_b(Neighbour(136, src, "ff02::1", AddressBytes(target) + told));
  };
  constexpr char kLink[] = "fe80::b";
  EXPECT_EQ(advertise("fd00::2", "fd00::2", {}), "allow link_control");
  EXPECT_EQ(advertise(kLink, "fd00::2", LinkAddress(2, kMacB)), "allow link_control");
  EXPECT_EQ(advertise(kLink, kPodA6, {}), "deny spoofed");
  EXPECT_EQ(advertise("fd00::2", kPodA6, LinkAddress(2, kMacB)), "deny spoofed");
  EXPECT_EQ(advertise(kPodA6, "fd00::2", {}), "deny spoofed");
  EXPECT_EQ(advertise(kLink, "fd00::2", LinkAddress(2, kMacA)), "deny spoofed");
  EXPECT_EQ(advertise(kLink, "fd00::2", LinkAddress(2, kMacB) + LinkAddress(2, kMacA)),
            "deny spoofed");

  const auto solicit = [&](const std::string& src, const std::string& target, const Bytes& told) {
    return at_b(Neighbour(135, src, "ff02::1:ff00:1", AddressBytes(target) + told));
  };
  EXPECT_EQ(solicit("fd00::2", kPodA6, LinkAddress(1, kMacB)), "allow link_control");
  EXPECT_EQ(solicit("fd00::2", kPodA6, LinkAddress(1, kMacA)), "deny spoofed");
  EXPECT_EQ(solicit(kPodA6, "fd00::2", LinkAddress(1, kMacB)), "deny spoofed");
  EXPECT_EQ(solicit("::", "fd00::2", {}), "allow link_control") << "is my address free?";
  EXPECT_EQ(solicit("::", kPodA6, {}), "deny spoofed");
  EXPECT_EQ(solicit(kLink, kLink, {}), "allow link_control") << "link-local ones are nobody's";

  const Bytes redirect = Neighbour(
      137, kLink, "fd00::9", AddressBytes(kPodA6) + AddressBytes(kPodA6) + LinkAddress(2, kMacB));
  EXPECT_EQ(at_b(redirect), "deny spoofed");
  Frame cut = At(kPortB, redirect);
  const Bytes told = From(
      kMacB, Neighbour(136, kLink, "ff02::1", AddressBytes("fd00::2") + LinkAddress(2, kMacB)));
  cut = At(kPortB, told);
  cut.packet.length -= 2;
  EXPECT_EQ(bench.Outcome(cut), "deny truncated");
}

// The tunnel is bound by its endpoint, what is inside by the port that it came by.
TEST(SpoofingAttack, A87InsideATunnelThePortCounts) {
  const SourceBindings sources = *SourceBindings::Make(
      std::vector{Bind(std::string(kNodeA) + "/32", kUplink, kMacA),
                  Bind("10.0.0.1/32", kUplink, kMacB), Bind("10.0.0.2/32", kPortB)});
  AttackBench bench(ProgramOf(World()), {.overlays = &AllKinds(), .sources = &sources});
  const auto tunnel = [](const std::string& src) {
    return From(kMacA, Outer4(kProtocolUdp, InUdp(4789, VxlanHeader({}) + Tcp4(src))));
  };
  EXPECT_EQ(bench.Outcome(At(kUplink, tunnel(kPodA))), "allow policy");
  EXPECT_EQ(bench.Outcome(At(kPortB, tunnel(kPodA))), "deny spoofed");
  EXPECT_EQ(bench.Outcome(At(kUplink, From(kMacB, tunnel(kPodA)))), "deny spoofed")
      << "the endpoint is at another Ethernet address";
  EXPECT_EQ(bench.Outcome(At(kUplink, tunnel(kPodB))), "deny spoofed") << "who is not behind it";
}

TEST(SpoofingAttack, A87WhatIsNobodysIsFreeUnlessItIsBound) {
  const SourceBindings sources = Bindings();
  AttackBench bench(ProgramOf(World()), {.sources = &sources});
  const Bytes dhcp = Ethernet(
      0x0800, Packet(Ipv4{.src = "0.0.0.0", .dst = "255.255.255.255", .protocol = kProtocolUdp},
                     Udp(68, 67)));
  EXPECT_EQ(bench.Outcome(At(kPortB, dhcp)), "allow not_a_pod");
  const SourceBindings bound = *SourceBindings::Make(
      std::vector{Bind("0.0.0.0/32", kPortA), Bind("10.0.0.1/32", kAnyPort, kMacA)});
  AttackBench strict(ProgramOf(World()), {.sources = &bound});
  EXPECT_EQ(strict.Outcome(At(kPortB, dhcp)), "deny spoofed");
  EXPECT_EQ(strict.Outcome(At(kPortB, From(kMacA, Tcp4(kPodA)))), "allow policy");
  EXPECT_EQ(strict.Outcome(At(kPortB, Tcp4("198.51.100.7"))), "deny policy") << "not bound";
  // Where no Ethernet address is known, a binding that names one is not met.
  const Bytes raw = Packet(Ipv4{.src = kPodA, .dst = kPodB}, Segment({}));
  EXPECT_EQ(strict.Outcome(At(kPortA, raw, LinkLayer::kRawIp)), "deny spoofed");
}

TEST(SpoofingAttack, BindingsThatMakeNoSenseAreRefused) {
  const auto fault = [](std::vector<SourceBinding> bindings) {
    return std::string(SourceBindings::Make(bindings).status().message());
  };
  EXPECT_EQ(fault({Bind("10.0.0.0/8", 1)}), "");
  EXPECT_EQ(fault({Bind("10.0.0.0/8", 1), Bind("10.0.0.0/8", 1, EthernetAddress{1})}),
            "source binding 2 (10.0.0.0/8): names a group of Ethernet addresses, which sends "
            "nothing");
  EXPECT_EQ(fault({{.source = {.address = IpAddress::V4(0), .length = 33}}}),
            "source binding 1 (0.0.0.0/33): is longer than 32 bits");
  EXPECT_EQ(fault(std::vector(9, Bind("10.0.0.0/8", 1))),
            "10.0.0.0/8 has 9 source bindings; at most 8");
  EXPECT_EQ(fault(std::vector(SourceBindings::kBindingsMax + 1, Bind("10.0.0.0/8", 1))),
            "262145 source bindings; at most 262144");
}

// The slow, obvious way: all bindings, the longest that hold the address.
bool Reference(const std::vector<SourceBinding>& bindings, const IpAddress& source, uint16_t port,
               const EthernetAddress& ethernet) {
  int longest = -1;
  for (const SourceBinding& one : bindings) {
    if (one.source.Contains(source)) longest = std::max<int>(longest, one.source.length);
  }
  const bool nobodys = source == IpAddress::V4(0) || source == *ParseIpAddress("::");
  const bool link = ParseIpPrefix("fe80::/10").prefix.Contains(source);
  if (longest < 0 || (nobodys && longest < source.bit_count()) || (link && longest < 10))
    return true;
  for (const SourceBinding& one : bindings) {
    if (one.source.length != longest || !one.source.Contains(source)) continue;
    if (one.port != kAnyPort && one.port != port) continue;
    if (!one.ethernet || *one.ethernet == ethernet) return true;
  }
  return false;
}

TEST(SpoofingAttack, A87MayComeIsWhatALoopOverAllBindingsSays) {
  Random random(87);
  const std::vector<EthernetAddress> macs = {kMacA, kMacB, {}};
  const auto address = [&](bool v6) {  // few, so that prefixes nest
    IpAddress made = v6 ? *ParseIpAddress(random.Chance(20) ? "fe80::" : "::") : IpAddress::V4(0);
    if (random.Chance(90)) made.bytes[v6 ? 15 : 3] = static_cast<uint8_t>(random.Below(4));
    if (random.Chance(50)) made.bytes[1] = static_cast<uint8_t>(random.Below(2) * 0x80 + 1);
    if (v6 && random.Chance(30)) made.bytes[7] = static_cast<uint8_t>(random.Below(3));
    if (random.Chance(10)) made = LastAddress({made, static_cast<uint8_t>(random.Below(32))});
    return made;
  };
  size_t spoofed = 0, asked = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<SourceBinding> bindings;
    for (size_t i = random.Below(14); i > 0; --i) {
      SourceBinding one{.source = {.address = address(random.Chance(50))}};
      const auto bits = static_cast<size_t>(one.source.address.bit_count());
      one.source.length = static_cast<uint8_t>(random.Chance(40) ? bits : random.Below(bits + 1));
      one.source = Masked(one.source);
      one.port = random.Chance(20) ? kAnyPort : static_cast<uint16_t>(random.Below(3));
      if (random.Chance(50)) one.ethernet = random.Pick(macs);
      bindings.push_back(one);
      if (random.Chance(30)) {
        one.port = static_cast<uint16_t>(random.Below(3));
        bindings.push_back(one);
      }
    }
    const absl::StatusOr<SourceBindings> made = SourceBindings::Make(bindings);
    if (!made.ok()) continue;  // too many of one prefix
    for (int question = 0; question < 300; ++question) {
      const IpAddress source = address(random.Chance(50));
      const auto port = static_cast<uint16_t>(random.Below(3));
      const EthernetAddress mac = random.Pick(macs);
      const bool may = made->MayCome(static_cast<uint8_t>(source.family), source.bytes.data(), port,
                                     SourceBindings::NumberOf(mac.data()));
      ASSERT_EQ(may, Reference(bindings, source, port, mac)) << ToString(source) << " " << port;
      spoofed += may ? 0 : 1;
      ++asked;
    }
  }
  EXPECT_GT(spoofed, asked / 10);
  EXPECT_LT(spoofed, asked * 9 / 10);
}

}  // namespace
}  // namespace npf::testing
