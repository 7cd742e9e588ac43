#include <algorithm>

#include "parser/frame_seeds.h"

namespace npf::testing {
namespace {

constexpr uint8_t kHop = 0;
constexpr uint8_t kRouting = 43;
constexpr uint8_t kFragment = 44;
constexpr uint8_t kAh = 51;
constexpr uint8_t kOptions = 60;

const Ipv4 kV4;
const Ipv6 kV6;
const std::string kLinkLocal = "fe80::7";
const std::string kAllNodes = "ff02::1";

// Of either family, with what their checksums need.
struct Carried {
  uint8_t protocol;
  Bytes v4;
  Bytes v6;
};

Carried Both(uint8_t protocol, const Bytes& payload) { return {protocol, payload, payload}; }

Carried TcpOf(const Tcp& header) {
  return {kProtocolTcp, Segment(header, kV4.src, kV4.dst), Segment(header, kV6.src, kV6.dst)};
}

Bytes Init(size_t parameters) {
  Bytes init = Sctp(5000, 3868, 1);
  init[15] = static_cast<uint8_t>(20 + parameters);
  return init + Zeros((parameters + 3) / 4 * 4);
}

std::vector<Carried> Transports() {
  std::vector<Carried> all;
  // SYN, data, SYN-ACK, FIN-ACK, RST; two that no stack sends.
  for (const uint8_t flags : Bytes{0x02, 0xc2, 0x10, 0x18, 0x12, 0x11, 0x04, 0x14, 0x00, 0x03}) {
    for (const size_t data_bytes : {0, 7, 24}) {
      all.push_back(TcpOf({.flags = flags, .data_bytes = data_bytes}));
    }
    all.push_back(TcpOf({.flags = flags, .data_offset = 8, .data_bytes = 3}));
  }
  // A scale of 7, of 15, behind something broken, and behind the end.
  for (const char* options : {"020405b4 01030307", "0303 0f 00", "0405 0307 030307", "00 030307"}) {
    for (const uint8_t flags : Bytes{0x02, 0x12}) {
      all.push_back(TcpOf({.flags = flags, .data_offset = 8, .options = Hex(options)}));
    }
  }
  all.push_back(Both(kProtocolUdp, Udp(40000, 53, 20)));
  all.push_back(Both(kProtocolUdp, Udp(40000, 4789, 20, 12)));
  all.push_back(Both(kProtocolUdp, Udp(40000, 53, 20, 7)));
  all.push_back(Both(kProtocolUdp, Udp(68, 67, 40)));
  for (const size_t parameters : {0, 5, 8}) all.push_back(Both(kProtocolSctp, Init(parameters)));
  all.push_back(Both(kProtocolSctp, Init(0) + Bytes{0, 0, 0, 16} + Zeros(12)));
  all.push_back(Both(kProtocolSctp, Sctp(5000, 3868, 0) + Bytes{3, 0, 0, 16} + Zeros(12)));
  all.push_back(Both(kProtocolSctp, Sctp(5000, 3868, 2)));
  for (const uint8_t protocol :
       Bytes{0, 2, 4, 33, 41, 47, 50, 51, 59, 89, 112, 135, 136, 253, 255}) {
    all.push_back(Both(protocol, Zeros(24)));
  }
  return all;
}

Bytes First(size_t count, Bytes bytes) {
  bytes.resize(count);
  return bytes;
}

std::vector<Bytes> Icmps() {
  std::vector<Bytes> all;
  const Bytes tcp = Segment({.flags = 0x10, .data_bytes = 30});
  const std::vector<Bytes> quoted = {
      Packet(kV4, tcp),
      First(28, Packet(kV4, tcp)),
      Packet(Ipv4{.protocol = kProtocolUdp}, Udp(53, 40000, 12)),
      Packet(Ipv4{.protocol = kProtocolSctp}, Sctp(5000, 3868, 0)),
      Packet(Ipv4{.protocol = kProtocolIcmp}, Icmp(8, 0, 77, Zeros(8))),
      Packet(Ipv4{.protocol = kProtocolIcmp}, Icmp(3, 1, 0, Packet(kV4, tcp))),
      Packet(Ipv4{.fragment = 0x2000}, Segment({.data_bytes = 20})),
      Packet(Ipv4{.protocol = kProtocolSctp, .fragment = 0x2000}, Zeros(8)),
      Packet(Ipv4{.fragment = 0x2000}, Zeros(16)),
      Packet(Ipv4{.fragment = 0x0005}, Zeros(16)),
      Packet(kV6, tcp)};
  for (const uint8_t type : Bytes{0, 3, 4, 5, 8, 11, 12, 13, 14, 17}) {
    all.push_back(Icmp(type, 0, 77));
    all.push_back(Icmp(type, 1, 77, Zeros(20)));
  }
  for (const uint8_t type : Bytes{3, 4, 11, 12}) {
    for (const Bytes& packet : quoted) all.push_back(Icmp(type, 1, 0, packet));
  }
  return all;
}

std::vector<Bytes> Icmpv6s() {
  std::vector<Bytes> all;
  const Bytes tcp = Segment({.flags = 0x10, .data_bytes = 30});
  const std::vector<Bytes> quoted = {
      Packet(kV6, tcp),
      Packet(Ipv6{.next = kProtocolUdp}, Udp(53, 40000, 12)),
      Packet(Ipv6{.next = kProtocolSctp}, Sctp(5000, 3868, 0)),
      Packet(Ipv6{.next = kProtocolIcmpv6}, Icmp(128, 0, 77, Zeros(8))),
      Packet(Ipv6{.next = kOptions}, OptionsHeader(kProtocolTcp, Hex("0104 00000000")) + tcp),
      Packet(Ipv6{.next = kFragment}, FragmentHeader(kProtocolTcp, 0, true) + tcp + Zeros(6)),
      Packet(Ipv6{.next = kFragment}, FragmentHeader(kProtocolTcp, 3, false) + tcp),
      Packet(kV4, tcp)};
  for (const uint8_t type : Bytes{1, 2, 3, 4, 127, 128, 129, 138, 139, 151}) {
    all.push_back(Icmp(type, 0, 77));
    all.push_back(Icmp(type, 1, 77, Zeros(20)));
  }
  for (const uint8_t type : Bytes{1, 2, 3, 4}) {
    for (const Bytes& packet : quoted) all.push_back(Icmp(type, 0, 0, packet));
  }
  return all;
}

Bytes Neighbour(const Ipv6& header, uint8_t type, uint8_t flags, const Bytes& rest) {
  Bytes message = Icmp(type, 0, 0, rest);
  message[4] = flags;
  Ipv6 ip = header;
  ip.next = kProtocolIcmpv6;
  ip.hop_limit = 255;
  return Packet(ip, message);
}

std::vector<Bytes> NeighbourDiscovery() {
  const Bytes target = AddressBytes("fd00:1::10");
  const Bytes router = AddressBytes("fe80::1");
  const Bytes source_link = Hex("01 01 02 00 00 00 00 01");
  const Bytes target_link = Hex("02 01 02 00 00 00 00 01");
  const Bytes prefix = Hex("03 04 40 c0 00000e10 00000e10 00000000") + AddressBytes("fd00:1::");
  const Ipv6 solicited{.src = "::", .dst = "ff02::1:ff00:10"};
  const Ipv6 routers{.src = kLinkLocal, .dst = "ff02::2"};
  const Ipv6 all_nodes{.src = kLinkLocal, .dst = kAllNodes};
  std::vector<Bytes> all;
  for (int i = 0; i < 3; ++i) {  // few packets with many rules
    all.push_back(Neighbour(routers, 133, 0, source_link));
    all.push_back(Neighbour({.src = "::", .dst = "ff02::2"}, 133, 0, {}));
    all.push_back(Neighbour(all_nodes, 134, 0, Zeros(8) + source_link + prefix));
    all.push_back(Neighbour({}, 135, 0, target + source_link));
    all.push_back(Neighbour(solicited, 135, 0, target));
    all.push_back(Neighbour(solicited, 135, 0, target + source_link));
    all.push_back(Neighbour({}, 136, 0x60, target + target_link));
    all.push_back(Neighbour({.dst = kAllNodes}, 136, 0x20, target + target_link));
    all.push_back(Neighbour(all_nodes, 137, 0, router + target + target_link));
    all.push_back(Neighbour(all_nodes, 137, 0, target + target));
    all.push_back(Neighbour(all_nodes, 137, 0, router + AddressBytes("ff05::2")));
  }
  return all;
}

std::vector<Bytes> ListenerDiscovery() {
  const Bytes alert = OptionsHeader(kProtocolIcmpv6, Hex("0502 0000"));
  const Bytes group = AddressBytes("ff02::1:ff00:10");
  std::vector<Bytes> all;
  for (const std::string& src : {kLinkLocal, std::string("::"), kV6.src}) {
    const Ipv6 ip{.src = src, .dst = kAllNodes, .next = kHop, .hop_limit = 1};
    for (const uint8_t type : Bytes{130, 131, 132}) {
      all.push_back(Packet(ip, alert + Icmp(type, 0, 0, group)));
    }
    all.push_back(Packet(ip, alert + Icmp(143, 0, 0, Hex("04 00 00 00") + group)));
  }
  const Ipv6 first{.src = kLinkLocal, .dst = kAllNodes, .next = kHop, .hop_limit = 1};
  all.push_back(Packet(first, OptionsHeader(kFragment, Hex("0502 0000")) +
                                  FragmentHeader(kProtocolIcmpv6, 0, false) +
                                  Icmp(131, 0, 0, group)));
  const Ipv6 other{.src = kLinkLocal, .dst = kAllNodes, .next = kOptions, .hop_limit = 1};
  all.push_back(Packet(other, alert + Icmp(131, 0, 0, group)));
  const Bytes rsvp = OptionsHeader(kProtocolIcmpv6, Hex("0502 0001"));
  all.push_back(Packet(first, rsvp + Icmp(131, 0, 0, group)));
  return all;
}

std::vector<Bytes> Ipv4Packets() {
  std::vector<Bytes> all;
  for (const Carried& carried : Transports()) {
    all.push_back(Packet(Ipv4{.protocol = carried.protocol}, carried.v4));
  }
  for (const Bytes& icmp : Icmps()) all.push_back(Packet(Ipv4{.protocol = kProtocolIcmp}, icmp));
  all.push_back(Packet(Ipv4{.protocol = kProtocolIcmpv6}, Icmp(128)));
  for (const char* options :
       {"01010101", "94040000", "01010100", "07070400 00000000", "83070400 00000000",
        "89070400 00000000", "44080500 00000000", "86060000 00010000", "82040000 94040000"}) {
    all.push_back(Packet(Ipv4{.options = Hex(options)}, TcpOf({}).v4));
  }
  all.push_back(Packet(Ipv4{.src = "0.0.0.0", .dst = "255.255.255.255", .protocol = kProtocolUdp},
                       Udp(68, 67, 40)));
  all.push_back(Packet(Ipv4{.dst = "224.0.0.251", .protocol = kProtocolUdp}, Udp(5353, 5353)));
  all.push_back(Packet(Ipv4{.src = kV4.dst}, Segment({.src_port = 80, .flags = 0x10})));
  for (const uint16_t fragment : std::initializer_list<uint16_t>{0x2000, 0x2001, 0x2003, 0x0002,
                                                                 0x6000, 0x3fff, 0x1fff, 0x8000}) {
    for (const Bytes& payload : {Segment({.data_bytes = 20}), Zeros(8), Zeros(24)}) {
      all.push_back(Packet(Ipv4{.fragment = fragment}, payload));
    }
    all.push_back(Packet(Ipv4{.protocol = kProtocolUdp, .fragment = fragment}, Udp(1, 2, 8, 900)));
    all.push_back(Packet(Ipv4{.protocol = kProtocolSctp, .fragment = fragment}, Init(0)));
    all.push_back(Packet(Ipv4{.protocol = kProtocolIcmp, .fragment = fragment}, Icmp(8, 0, 7)));
  }
  return all;
}

const Bytes kPadding = Hex("0104 00000000");  // an option's, of six bytes

// Headers that lead to a TCP segment.
Bytes Chain(uint8_t next, const Bytes& headers) {
  return Packet(Ipv6{.next = next}, headers + TcpOf({}).v6);
}

std::vector<Bytes> Ipv6Chains() {
  const Bytes& pad = kPadding;
  const Bytes ah = Hex("06 04 0000 00000001 00000001") + Zeros(12);
  return {
      Chain(kHop, OptionsHeader(kProtocolTcp, pad)),
      Chain(kHop,
            OptionsHeader(kOptions, Hex("0502 0000")) + OptionsHeader(kProtocolTcp, Zeros(14))),
      Chain(kAh, ah),
      Chain(kOptions, OptionsHeader(kAh, pad) + ah),
      Chain(kRouting, Hex("06 00 00 00 00000000")),
      Chain(kRouting, Hex("06 02 04 01 00000000") + Zeros(16)),
      Chain(kOptions, OptionsHeader(kProtocolTcp, Hex("c910") + AddressBytes("2001:db8::1"))),
      Chain(kHop, OptionsHeader(kProtocolTcp, Hex("c204 00010000"))),
      Chain(kHop, OptionsHeader(kHop, pad) + OptionsHeader(kProtocolTcp, pad)),
      Chain(kFragment, FragmentHeader(kProtocolTcp, 0, false)),
      Chain(kFragment, FragmentHeader(kFragment, 0, false) + FragmentHeader(kProtocolTcp, 0, true)),
      Packet(Ipv6{.next = 59}, {}),
      Packet(Ipv6{.next = kHop, .payload_length = 0},
             OptionsHeader(kProtocolTcp, pad) + Segment({}))};
}

std::vector<Bytes> LongIpv6Chains() {
  const Bytes& pad = kPadding;
  std::vector<Bytes> all;
  for (const size_t count : {3, 7, 8}) {
    for (const uint8_t last : Bytes{kHop, kRouting, kFragment, kAh, kOptions, kProtocolTcp}) {
      Bytes headers;
      for (size_t i = 1; i < count; ++i) headers = headers + OptionsHeader(kOptions, pad);
      headers = headers + OptionsHeader(last, pad);
      all.push_back(Chain(kOptions, headers + Bytes{kProtocolTcp, 0, 0, 0, 0, 0, 0, 0}));
    }
  }
  // The longest headers; offsets and lengths need all of their bits.
  Bytes longest;
  for (int i = 1; i < 8; ++i) longest = longest + OptionsHeader(kOptions, Zeros(2046));
  all.push_back(Chain(kOptions, longest + OptionsHeader(kProtocolTcp, Zeros(2046))));
  all.push_back(Packet(Ipv6{.next = kProtocolIcmpv6}, Icmp(1, 0, 0, Zeros(65527))));
  // First fragments whose chain ends where the next one would begin.
  for (const uint8_t next : Bytes{kRouting, kFragment, kAh, kOptions, kProtocolTcp, kProtocolUdp,
                                  kProtocolSctp, kProtocolIcmpv6}) {
    all.push_back(Packet(Ipv6{.next = kFragment},
                         FragmentHeader(kOptions, 0, true) + OptionsHeader(next, pad)));
  }
  return all;
}

std::vector<Bytes> Ipv6Fragments() {
  const Bytes& pad = kPadding;
  std::vector<Bytes> all;
  for (const auto& [offset, more] : std::vector<std::pair<uint16_t, bool>>{
           {0, true}, {1, true}, {3, false}, {3, true}, {0x1fff, false}}) {
    const auto fragment = [begin = offset, goes_on = more](uint8_t next, const Bytes& payload) {
      return FragmentHeader(next, begin, goes_on) + payload;
    };
    const Ipv6 ip{.next = kFragment};
    all.push_back(Packet(ip, fragment(kProtocolTcp, Segment({.data_bytes = 20}))));
    all.push_back(Packet(ip, fragment(kProtocolTcp, Zeros(8))));
    all.push_back(Packet(ip, fragment(kProtocolUdp, Udp(1, 2, 8, 900))));
    all.push_back(Packet(ip, fragment(kProtocolSctp, Init(0))));
    all.push_back(Packet(ip, fragment(kProtocolIcmpv6, Icmp(128, 0, 7))));
    all.push_back(Packet(
        ip, fragment(kOptions, OptionsHeader(kProtocolTcp, pad) + Segment({.data_bytes = 4}))));
    all.push_back(Packet(ip, fragment(kAh, Hex("06 04 0000 00000001 00000001") + Zeros(12) +
                                               Segment({.data_bytes = 4}))));
    all.push_back(Packet(ip, fragment(kRouting, Hex("06 02 04 01 00000000") + Zeros(16))));
    all.push_back(Packet(ip, fragment(kFragment, fragment(kProtocolTcp, Zeros(24)))));
    all.push_back(Packet(Ipv6{.next = kHop},
                         OptionsHeader(kFragment, pad) + fragment(kProtocolUdp, Udp(1, 2, 8))));
  }
  return all;
}

std::vector<Bytes> Ipv6Packets() {
  std::vector<Bytes> all;
  for (const Carried& carried : Transports()) {
    all.push_back(Packet(Ipv6{.next = carried.protocol}, carried.v6));
  }
  for (const Bytes& icmp : Icmpv6s()) all.push_back(Packet(Ipv6{.next = kProtocolIcmpv6}, icmp));
  all.push_back(Packet(Ipv6{.next = kProtocolIcmp}, Icmp(8)));
  all.push_back(Packet(Ipv6{.src = kV6.dst}, Segment({.src_port = 80, .flags = 0x10})));
  for (const auto& packets : {NeighbourDiscovery(), ListenerDiscovery(), Ipv6Chains(),
                              LongIpv6Chains(), Ipv6Fragments()}) {
    all.insert(all.end(), packets.begin(), packets.end());
  }
  return all;
}

// One packet under every link layer, untagged and tagged.
void AddUnderEveryLink(uint16_t ethertype, const Bytes& packet, std::vector<FrameSeed>& seeds) {
  const auto add = [&](LinkLayer link, const Bytes& bytes) {
    seeds.push_back({link, bytes, static_cast<uint32_t>(bytes.size())});
  };
  const Bytes padding = Zeros(packet.size() < 46 ? 46 - packet.size() : 0);
  for (int i = 0; i < 4; ++i) add(LinkLayer::kEthernet, Ethernet(ethertype, packet + padding));
  add(LinkLayer::kEthernet, Ethernet(0x8100, Tag(ethertype) + packet));
  add(LinkLayer::kEthernet, Ethernet(0x88a8, Tag(0x8100) + Tag(ethertype) + packet));
  add(LinkLayer::kLinuxSll, Hex("0000 0001 0006 020000000001 0000") + U16(ethertype) + packet);
  add(LinkLayer::kLinuxSll2,
      U16(ethertype) + Hex("0000 00000002 0001 00 06 020000000001 0000") + packet);
  if (ethertype != 0x0800 && ethertype != 0x86dd) return;
  const bool v4 = ethertype == 0x0800;
  add(LinkLayer::kRawIp, packet);
  add(LinkLayer::kNull, (v4 ? Hex("02000000") : Hex("1e000000")) + packet);
  add(LinkLayer::kNull, (v4 ? Hex("00000002") : Hex("00000018")) + packet);
  add(LinkLayer::kLoop, (v4 ? Hex("00000002") : Hex("0000001c")) + packet);
}

}  // namespace

std::vector<FrameSeed> BuiltSeeds() {
  std::vector<FrameSeed> seeds;
  for (const Bytes& packet : Ipv4Packets()) AddUnderEveryLink(0x0800, packet, seeds);
  for (const Bytes& packet : Ipv6Packets()) AddUnderEveryLink(0x86dd, packet, seeds);
  const Bytes arp = Hex("0001 0800 06 04 0001 020000000001 0a000101 000000000000 0a000102");
  Bytes reply = arp;
  reply[7] = 2;
  for (const Bytes& packet : {arp, reply, arp, reply}) AddUnderEveryLink(0x0806, packet, seeds);
  for (const uint16_t type :
       std::initializer_list<uint16_t>{0x0026, 0x05ff, 0x0600, 0x8847, 0x8864, 0x9000, 0x88cc}) {
    AddUnderEveryLink(type, Hex("aaaa03 000000 0800") + Packet(kV4, TcpOf({}).v4), seeds);
  }
  for (const uint16_t type : std::initializer_list<uint16_t>{0x8100, 0x88a8, 0x9100}) {
    const Bytes packet = Packet(kV4, TcpOf({}).v4);
    AddUnderEveryLink(type, Tag(type) + Tag(0x0800) + packet, seeds);
    AddUnderEveryLink(type, Tag(type) + Tag(type) + Tag(0x0800) + packet, seeds);
  }
  return seeds;
}

}  // namespace npf::testing
