// Whatever is inside a tunnel is parsed as on a bare wire, byte for byte. NPF_TUNNEL_SEED sets the
// first seed, NPF_TUNNEL_FRAMES how many frames are made from it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include "testing/random.h"
#include "unit/tunnel_builder.h"

namespace npf::testing {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// IP packets of every kind, many with something wrong about them, with Ethernet before them or not.
class InnerMaker {
 public:
  explicit InnerMaker(uint64_t seed) : random_(seed) {}
  Random& random() { return random_; }

  // Whose first four bits say the family.
  Bytes Ip(bool v6) {
    Bytes packet = v6 ? Ip6() : Ip4();
    Spoil(packet, 1);
    return packet;
  }
  Bytes Frame() {
    const bool v6 = random_.Chance(40);
    Bytes frame = v6 ? Ethernet(0x86dd, Ip6()) : Ethernet(0x0800, Ip4());
    if (random_.Chance(15)) frame = Ethernet(0x8100, Tag(0x88a8) + Tag(0x0800) + Ip4());
    if (random_.Chance(5))
      frame = Ethernet(0x8100, Tag(v6 ? 0x86dd : 0x0800) + (v6 ? Ip6() : Ip4()));
    if (random_.Chance(5)) {
      frame = Ethernet(0x0806, Hex("0001 0800 0604 0001 020000000002 0a000001") + Zeros(28));
    }
    if (random_.Chance(5)) frame = Ethernet(static_cast<uint16_t>(random_.Next()), Noise());
    Spoil(frame, 0);
    return frame;
  }

 private:
  Bytes Noise() {
    Bytes bytes(random_.Below(120));
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random_.Next());
    return bytes;
  }
  uint16_t Port() { return random_.Chance(10) ? 4789 : static_cast<uint16_t>(random_.Below(6090)); }

  Bytes Payload(uint8_t protocol) {
    switch (protocol) {
      case kProtocolTcp:
        return Segment({.dst_port = Port(),
                        .flags = static_cast<uint8_t>(random_.Below(64)),
                        .data_offset = static_cast<uint8_t>(4 + random_.Below(8)),
                        .data_bytes = random_.Below(30)});
      case kProtocolUdp:
        return Udp(7, Port(), 2 + random_.Below(30));
      case kProtocolSctp:
        return Sctp(7, Port(), static_cast<uint8_t>(random_.Below(3)));
      case kProtocolIcmp:
        return Icmp(static_cast<uint8_t>(random_.Below(14)), 0, Port(),
                    Packet(Ipv4{}, Segment({})));
      case kProtocolIcmpv6:
        return Icmp(static_cast<uint8_t>(random_.Chance(50) ? 1 + random_.Below(4)
                                                            : 128 + random_.Below(16)),
                    0, Port(), Packet(Ipv6{}, Segment({})));
      default:
        return Noise();
    }
  }
  uint8_t Protocol() {
    static const std::vector<uint8_t> kProtocols = {6, 6, 6, 17, 17, 17, 132, 1, 58, 4, 41, 47, 50};
    return random_.Pick(kProtocols);
  }

  Bytes Ip4() {
    Ipv4 ip{.protocol = Protocol()};
    if (random_.Chance(20)) ip.fragment = static_cast<uint16_t>(random_.Next() & 0x3fff);
    if (random_.Chance(10)) ip.options = Hex("94040000");
    if (random_.Chance(5)) ip.src = "0.0.0.0";
    if (random_.Chance(5)) ip.src = ip.dst;
    return Packet(ip, Payload(ip.protocol)) + Zeros(random_.Below(6));
  }
  Bytes Ip6() {
    const uint8_t protocol = Protocol();
    Bytes payload = Payload(protocol);
    uint8_t next = protocol;
    if (random_.Chance(20)) {
      payload = FragmentHeader(next, static_cast<uint16_t>(random_.Below(3)), random_.Chance(50)) +
                payload;
      next = 44;
    }
    if (random_.Chance(20)) {
      payload = OptionsHeader(next, Hex("01 02 0000")) + payload;
      next = random_.Chance(50) ? 0 : 60;
    }
    Ipv6 ip{.next = next};
    if (random_.Chance(30)) ip.hop_limit = 255;
    if (random_.Chance(20)) ip.src = "fe80::1";
    return Packet(ip, payload) + Zeros(random_.Below(6));
  }

  // A bit, or the end. The first `kept` bytes stay.
  void Spoil(Bytes& bytes, size_t kept) {
    const size_t reach = std::min<size_t>(bytes.size(), 90);
    if (random_.Chance(30) && reach > kept) {
      bytes[random_.Between(kept, reach - 1)] ^= static_cast<uint8_t>(1u << random_.Below(8));
    }
    if (random_.Chance(15)) bytes.resize(random_.Between(kept, bytes.size()));
  }

  Random random_;
};

struct Tunnel {
  Bytes frame;
  LinkLayer inner_link;
};

Tunnel Wrap(InnerMaker& maker, Bytes& inner) {
  Random& random = maker.random();
  const bool v6 = random.Chance(50);
  const bool inner_v6 = random.Chance(50);
  const auto outer = [&](uint8_t protocol, const Bytes& inside) {
    return v6 ? Outer6(protocol, inside) : Outer4(protocol, inside);
  };
  const size_t kind = random.Below(7);
  const bool bridged = kind < 3;
  inner = bridged ? maker.Frame() : maker.Ip(inner_v6);
  const uint16_t type = bridged ? 0x6558 : (inner_v6 ? 0x86dd : 0x0800);
  const auto gre_flags = static_cast<uint16_t>(random.Below(4) << 14 & 0x8000);
  const Bytes geneve =
      GeneveHeader({.protocol = type, .options = random.Chance(50) ? Option(9, 9, 3) : Bytes{}});
  const LinkLayer link = bridged ? LinkLayer::kEthernet : LinkLayer::kRawIp;
  switch (kind) {
    case 0:
      return {outer(kProtocolUdp, InUdp(4789, VxlanHeader({}) + inner)), link};
    case 1:
    case 3:
      return {outer(kProtocolUdp, InUdp(6081, geneve + inner)), link};
    case 2:
    case 4:
      return {outer(47, GrePacket(
                            {.flags = static_cast<uint16_t>(0x2000 | gre_flags), .protocol = type},
                            inner)),
              link};
    default:
      return {outer(inner_v6 ? 41 : 4, inner), link};
  }
}

// Judged on a bare wire, but a tunnel of an overlay.
bool IsNested(const ParsedPacket& bare) {
  // These two may be found behind the place where tunnels are looked for.
  const bool late_martian = bare.reason == Reason::kMartian && bare.l4_offset != 0;
  const bool reached =
      bare.outcome == ParseOutcome::kJudge || late_martian || bare.reason == Reason::kLand;
  if (!reached) return false;
  const uint8_t protocol = bare.later_fragment ? bare.fragment_protocol : bare.key.protocol;
  if (protocol == kProtocolUdp) {
    return bare.ports_known && (bare.key.dst_port == 4789 || bare.key.dst_port == 6081);
  }
  return protocol == 4 || protocol == 41 || protocol == 47;
}

bool SameBut(const ParsedPacket& inside, const ParsedPacket& bare, uint32_t shift) {
  const auto moved = [&](uint16_t there, uint16_t here) {
    return here == 0 || there == here + shift;
  };
  return std::memcmp(&inside.key, &bare.key, sizeof bare.key) == 0 &&
         inside.outcome == bare.outcome && inside.reason == bare.reason &&
         inside.tcp_flags == bare.tcp_flags && inside.icmp_type == bare.icmp_type &&
         inside.tcp_sequence == bare.tcp_sequence &&
         inside.tcp_acknowledgement == bare.tcp_acknowledgement &&
         inside.tcp_length == bare.tcp_length && inside.ports_known == bare.ports_known &&
         inside.starts_connection == bare.starts_connection &&
         inside.later_fragment == bare.later_fragment && inside.fragment == bare.fragment &&
         inside.fragment_id == bare.fragment_id && inside.fragment_begin == bare.fragment_begin &&
         inside.fragment_end == bare.fragment_end && inside.fragment_more == bare.fragment_more &&
         inside.fragment_protocol == bare.fragment_protocol &&
         inside.captured_short == bare.captured_short &&
         (inside.network & 0x0fff0fff) == bare.network &&
         inside.quoted_bytes == bare.quoted_bytes &&
         moved(inside.quoted_offset, bare.quoted_offset) &&
         moved(inside.l3_offset, bare.l3_offset) && moved(inside.l4_offset, bare.l4_offset);
}

TEST(TunnelProperty, A56_InsideIsAsOnABareWire) {
  const uint64_t seed = FromEnvironment("NPF_TUNNEL_SEED", 20261);
  const uint64_t frames = FromEnvironment("NPF_TUNNEL_FRAMES", 200'000);
  std::printf("seed %llu, %llu frames\n", static_cast<unsigned long long>(seed),
              static_cast<unsigned long long>(frames));
  InnerMaker maker(seed);
  size_t judged = 0, nested = 0;
  for (uint64_t i = 0; i < frames; ++i) {
    Bytes inner;
    const Tunnel tunnel = Wrap(maker, inner);
    Random& random = maker.random();
    const size_t missing = random.Chance(20) ? random.Below(inner.size() + 1) : 0;
    const auto shift = static_cast<uint32_t>(tunnel.frame.size() - inner.size());
    const auto checksums = static_cast<Checksums>(random.Below(3));
    const bool vlan = random.Chance(90);
    const ParsedPacket bare =
        Parse(inner, {.link = tunnel.inner_link, .vlan = vlan, .checksums = checksums},
              static_cast<int>(inner.size() - missing));
    const ParsedPacket inside =
        Parse(tunnel.frame, {.vlan = vlan, .checksums = checksums, .overlays = &AllKinds()},
              static_cast<int>(tunnel.frame.size() - missing));
    ASSERT_GT(inside.overlay, 0) << "frame " << i << " of seed " << seed << ": " << Outcome(inside);
    if (IsNested(bare)) {
      ++nested;
      ASSERT_EQ(Outcome(inside), "deny tunnel_nested") << "frame " << i << " of seed " << seed;
      continue;
    }
    judged += bare.outcome == ParseOutcome::kJudge ? 1 : 0;
    ASSERT_TRUE(SameBut(inside, bare, shift))
        << "frame " << i << " of seed " << seed << ": " << Outcome(inside) << ", on a bare wire "
        << Outcome(bare);
  }
  EXPECT_GT(judged, frames / 5);
  EXPECT_GT(nested, frames / 200);
}

}  // namespace
}  // namespace npf::testing
