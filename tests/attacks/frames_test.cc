// Attacks by how frames come: in pieces of memory, larger than any link carries, and one after
// another that differs in one field.
#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <string>
#include <vector>

#include "attacks/attack_bench.h"
#include "testing/world.h"

namespace npf::testing {
namespace {

// The server's port 80 is open to the client and to one block; the other server's is not.
std::string World() {
  const auto pod = [](const std::string& name, const std::string& last) {
    return "---\n{apiVersion: v1, kind: Pod, metadata: {name: " + name +
           ", namespace: x, labels: {app: " + name +
           "}}, spec: {containers: [{name: c}]}, status: {phase: Running, podIPs: [{ip: 10.0.0." +
           last + "}, {ip: 'fd00::" + last + "'}]}}\n";
  };
  return pod("client", "1") + pod("server", "2") + pod("stranger", "3") + pod("closed", "4") +
         PolicyYaml("x", "web",
                    "{podSelector: {matchLabels: {app: server}}, ingress: [{from: [{podSelector: "
                    "{matchLabels: {app: client}}}, {ipBlock: {cidr: 20.0.0.0/25}}, {ipBlock: "
                    "{cidr: '2001:db8::/65'}}], ports: [{port: 80}]}]}") +
         PolicyYaml("x", "closed", "{podSelector: {matchLabels: {app: closed}}}");
}

struct Addresses {
  std::string src, dst;
};
const Addresses kOf[2] = {{"10.0.0.1", "10.0.0.2"}, {"fd00::1", "fd00::2"}};

Bytes Between(const Addresses& addresses, uint8_t protocol, const Bytes& payload) {
  if (addresses.src.find(':') == std::string::npos) {
    const Ipv4 header{.src = addresses.src, .dst = addresses.dst, .protocol = protocol};
    return Ethernet(0x0800, Packet(header, payload));
  }
  const Ipv6 header{.src = addresses.src, .dst = addresses.dst, .next = protocol};
  return Ethernet(0x86dd, Packet(header, payload));
}

// What is decided of a frame of which the first `captured` bytes are in one piece.
std::string Decided(const Bytes& frame, size_t captured) {
  const ParsedPacket parsed =
      Parse(frame, {.checksums = Checksums::kIgnore}, static_cast<int>(captured));
  std::string text = Outcome(parsed);
  if (parsed.outcome == ParseOutcome::kJudge) {
    text.append(reinterpret_cast<const char*>(&parsed.key), sizeof parsed.key);
  }
  return text;
}

// The library reads one piece of memory (PacketView); what a caller leaves in further ones is not
// captured. So a frame that is split anywhere is judged as the whole one is, or not at all; and as
// the whole one is once its headers are in the first piece.
TEST(FramesAttack, A49OneSplitAnywhereIsJudgedAsTheWholeOrIsTruncated) {
  struct Split {
    Bytes frame;
    size_t headers;  // bytes
  };
  const Bytes syn = Segment({.data_offset = 8, .options = Zeros(12)}) + Zeros(30);
  const Bytes options = OptionsHeader(60, Hex("01 04 00 00 00 00"));
  const Bytes chain = options + OptionsHeader(kProtocolTcp, Hex("01 0c") + Zeros(12));
  const std::vector<Split> splits = {
      {Between(kOf[0], kProtocolTcp, syn), 14 + 20 + 32},
      {Between(kOf[0], kProtocolUdp, Udp(1000, 53)), 14 + 20 + 8},
      {Between(kOf[0], kProtocolSctp, Sctp(1000, 9, 1)), 14 + 20 + 12 + 20},
      {Between(kOf[0], kProtocolIcmp, Icmp(8, 0, 7)), 14 + 20 + 8},
      {Between(kOf[0], 47, Zeros(16)), 14 + 20},
      {Ethernet(0x8100, Tag(0x0800) + Packet(Ipv4{.options = Zeros(8)}, syn)), 14 + 4 + 28 + 32},
      {Ethernet(0x0800, Packet(Ipv4{.fragment = 3}, Zeros(64))), 14 + 20},
      {Between(kOf[1], kProtocolTcp, syn), 14 + 40 + 32},
      {Between(kOf[1], 0, chain + syn), 14 + 40 + chain.size() + 32},
      {Between(kOf[1], 44, FragmentHeader(kProtocolTcp, 0, true) + syn + Zeros(2)),
       14 + 40 + 8 + 32},
      {Ethernet(0x0806, Hex("0001 0800 06 04 0001") + Zeros(20)), 14 + 28}};
  size_t cuts = 0;
  for (const Split& split : splits) {
    const std::string whole = Decided(split.frame, split.frame.size());
    for (size_t cut = 0; cut < split.frame.size(); ++cut) {
      const std::string piece = Decided(split.frame, cut);
      if (cut < split.headers && piece == "deny truncated") continue;
      ++cuts;
      EXPECT_EQ(piece, whole) << "frame " << &split - splits.data() << ", cut at " << cut;
    }
  }
  EXPECT_GT(cuts, 300u);
}

// What offloads hand over: one header in front of many segments' bytes. Captured whole, and cut as
// a capture or a first piece of memory cuts it.
TEST(FramesAttack, A58ASuperPacketIsJudgedByItsHeaders) {
  const Program program = ProgramOf(World());
  for (const Addresses& addresses : kOf) {
    const Addresses back = {addresses.dst, addresses.src};
    const size_t most = &addresses == &kOf[0] ? 65535 - 40 : 65535 - 20;
    for (const size_t bytes : {size_t{1460}, size_t{8961}, size_t{32768}, most}) {
      AttackBench bench(program);
      const auto outcome = [&](const Tcp& segment, const Addresses& way, size_t captured = 128) {
        const Bytes frame = Between(way, kProtocolTcp, Segment(segment));
        Frame view = AttackBench::FrameOf(frame);
        view.packet.length = static_cast<uint32_t>(std::min(captured, frame.size()));
        return bench.Outcome(view);
      };
      constexpr size_t kAll = 1 << 17;
      EXPECT_EQ(outcome({.dst_port = 22, .data_bytes = bytes}, addresses), "deny policy");
      EXPECT_EQ(outcome({.window = 0xffff}, addresses), "allow policy");
      EXPECT_EQ(outcome({.src_port = 80,
                         .dst_port = 40000,
                         .flags = kSyn | kAck,
                         .acknowledgement = 1,
                         .window = 0xffff},
                        back),
                "allow established");
      Tcp data{.flags = kAck, .data_bytes = bytes, .sequence = 1, .acknowledgement = 1};
      EXPECT_EQ(outcome(data, addresses, kAll), "allow established") << bytes;
      EXPECT_EQ(outcome(data, addresses), "allow established") << bytes;
      const auto sent = static_cast<uint32_t>(1 + bytes);
      EXPECT_EQ(outcome({.src_port = 80,
                         .dst_port = 40000,
                         .flags = kAck,
                         .sequence = 1,
                         .acknowledgement = sent,
                         .window = 0xffff},
                        back),
                "allow established");
      data.sequence = sent + 0x10000;
      EXPECT_EQ(outcome(data, addresses), "deny tcp_window") << "it was counted byte by byte";
    }
  }
}

// Two frames that differ in one field which a rule reads; the first is allowed, the second is not.
struct Pair {
  const char* field;
  Bytes allowed, denied;
};

// A TCP SYN from port 40000 to 80 whose bytes are a UDP header, too: what stands where the length
// is, is the upper half of the sequence number.
Bytes AnyTransport(uint16_t port = 80, uint8_t flags = kSyn) {
  return Segment({.dst_port = port, .flags = flags, .sequence = 20 << 16, .window = 100});
}

std::vector<Pair> Pairs(bool v6) {
  const auto to = [&](const char* src4, const char* src6, const char* dst4 = "10.0.0.2",
                      const char* dst6 = "fd00::2") {
    return Between(v6 ? Addresses{src6, dst6} : Addresses{src4, dst4}, kProtocolTcp,
                   AnyTransport());
  };
  const Addresses& pods = kOf[v6 ? 1 : 0];
  const Bytes good = Between(pods, kProtocolTcp, AnyTransport());
  std::vector<Pair> pairs = {
      {"source pod", good, to("10.0.0.3", "fd00::3")},
      {"source in a block", to("20.0.0.127", "2001:db8::7fff:ffff:ffff:ffff"),
       to("20.0.0.128", "2001:db8:0:0:8000::")},
      {"source before a block", to("20.0.0.0", "2001:db8::"), to("19.255.255.255", "2001:db7::")},
      {"destination", good, to("10.0.0.1", "fd00::1", "10.0.0.4", "fd00::4")},
  };
  for (const uint8_t protocol : std::initializer_list<uint8_t>{0, 17, 50, 132, 253}) {
    if (v6 && protocol == 0) continue;  // Hop-by-Hop
    pairs.push_back({"protocol", good, Between(pods, protocol, AnyTransport())});
  }
  for (const uint16_t bit : std::initializer_list<uint16_t>{1, 2, 256, 0x8000}) {
    const auto port = static_cast<uint16_t>(80 ^ bit);
    pairs.push_back({"port", good, Between(pods, kProtocolTcp, AnyTransport(port))});
  }
  // Where ports are not known, rules with ports do not match.
  if (!v6) {
    const Ipv4 later{.src = pods.src, .dst = pods.dst, .fragment = 3};
    pairs.push_back({"fragment", good, Ethernet(0x0800, Packet(later, AnyTransport()))});
  }
  return pairs;
}

// In one call and in many, in both orders, twice.
void ExpectApart(const Program& program, const Pair& pair, const WorkerOptions& options) {
  for (const bool allowed_first : {true, false}) {
    std::vector<Bytes> frames;
    for (size_t i = 0; i < 4; ++i) {
      frames.push_back((i % 2 == 0) == allowed_first ? pair.allowed : pair.denied);
    }
    AttackBench in_one(program, options), in_many(program, options);
    const std::vector<std::string> together = in_one.Outcomes(frames);
    for (size_t i = 0; i < frames.size(); ++i) {
      const std::string wanted = (i % 2 == 0) == allowed_first ? "allow" : "deny";
      EXPECT_EQ(together[i].substr(0, wanted.size()), wanted) << pair.field << " " << i;
      EXPECT_EQ(in_many.Outcome(frames[i]), together[i]) << pair.field << " " << i;
    }
  }
}

TEST(FramesAttack, A130NoFieldThatARuleReadsIsLeftOutOfAnAnswer) {
  const Program program = ProgramOf(World());
  size_t compared = 0;
  for (const Kernel kernel : {Kernel::kScalar, Kernel::kAvx512}) {
    if (!SelectKernel(kernel)) continue;
    for (const bool v6 : {false, true}) {
      for (const bool stateless : {false, true}) {
        for (const Pair& pair : Pairs(v6)) {
          SCOPED_TRACE(std::string(Name(kernel)) + (v6 ? " v6" : " v4") +
                       (stateless ? " stateless" : ""));
          ExpectApart(program, pair, {.stateless = stateless, .datagrams_max = 64});
          ++compared;
        }
      }
    }
  }
  SelectKernel(Kernel::kAuto);
  EXPECT_GE(compared, 46u);
}

// Nor what a connection reads: of packets that policy allows alike, only the one that begins a
// connection is its first.
TEST(FramesAttack, A130WhatBeginsAConnectionIsToldFromWhatDoesNot) {
  const Program program = ProgramOf(World());
  for (const Addresses& addresses : kOf) {
    for (const uint8_t flags : std::initializer_list<uint8_t>{kAck, kAck | kPsh, kSyn | kAck}) {
      const Pair pair{"flags", Between(addresses, kProtocolTcp, AnyTransport()),
                      Between(addresses, kProtocolTcp, AnyTransport(80, flags))};
      AttackBench bench(program);
      EXPECT_EQ(bench.Outcomes({pair.denied, pair.allowed}),
                (std::vector<std::string>{"deny no_state", "allow policy"}));
      EXPECT_EQ(bench.Outcome(pair.denied).substr(0, 4), "deny") << "no answer came yet";
    }
  }
}

}  // namespace
}  // namespace npf::testing
