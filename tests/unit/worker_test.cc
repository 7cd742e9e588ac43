// The engine: which packets make a connection known, what passes as established, and what a change
// of policy does.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "npf/worker.h"
#include "testing/world.h"
#include "unit/packet_builder.h"

namespace npf::testing {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
enum : uint8_t { kFin = 1, kSyn = 2, kRst = 4, kAck = 16 };

constexpr char kPods[] = R"(
{apiVersion: v1, kind: Namespace, metadata: {name: x}}
---
{apiVersion: v1, kind: Pod, metadata: {name: client, namespace: x, labels: {app: client}},
 status: {podIPs: [{ip: 10.0.0.1}, {ip: "fd00::1"}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: server, namespace: x, labels: {app: server}},
 status: {podIPs: [{ip: 10.0.0.2}, {ip: "fd00::2"}]}}
)";
constexpr char kOnlyPort80[] = R"(
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: all, namespace: x}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: x}
spec:
  podSelector: {matchLabels: {app: server}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: client}}}]
    ports: [{port: 80}, {port: 53, protocol: UDP}, {port: 9, protocol: SCTP}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: x}
spec:
  podSelector: {matchLabels: {app: client}}
  policyTypes: [Egress]
  egress: [{}]
)";
constexpr char kNothing[] = R"(
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: all, namespace: x}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
)";
constexpr char kNoPorts[] = R"(
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: all, namespace: x}
spec:
  podSelector: {matchLabels: {app: server}}
  ingress: [{from: [{podSelector: {matchLabels: {app: client}}}]}]
)";
constexpr char kServerGoesNowhere[] = R"(
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: x}
spec: {podSelector: {matchLabels: {app: server}}, policyTypes: [Egress]}
)";

Program ProgramOf(const char* policies) {
  return testing::ProgramOf(std::string(kPods) + policies);
}

constexpr char kClient[] = "10.0.0.1";
constexpr char kServer[] = "10.0.0.2";

// Both ends begin with sequence number 0, and say nothing.
Bytes Tcp4(uint16_t src_port, uint16_t dst_port, uint8_t flags, bool reply = false,
           std::optional<uint32_t> sequence = {}) {
  const uint32_t begin = (flags & kSyn) != 0 ? 0 : 1;
  return Packet(Ipv4{.src = reply ? kServer : kClient, .dst = reply ? kClient : kServer},
                Segment({.src_port = src_port,
                         .dst_port = dst_port,
                         .flags = flags,
                         .sequence = sequence.value_or(begin),
                         .acknowledgement = (flags & kAck) != 0 ? 1u : 0u,
                         .window = 0xffff}));
}

Bytes Udp4(uint16_t src_port, uint16_t dst_port, bool reply = false) {
  return Packet(Ipv4{.src = reply ? kServer : kClient,
                     .dst = reply ? kClient : kServer,
                     .protocol = kProtocolUdp},
                Udp(src_port, dst_port));
}

class Bench {
 public:
  explicit Bench(const char* policies = kOnlyPort80, WorkerOptions options = {})
      : worker(ProgramOf(policies), WithoutChecksums(options)) {}

  Judgement Judge(const Bytes& packet) {
    const Frame frame{.packet = {.data = packet.data(),
                                 .length = static_cast<uint32_t>(packet.size()),
                                 .wire_length = static_cast<uint32_t>(packet.size())},
                      .link = LinkLayer::kRawIp};
    Judgement judgement;
    worker.Process({&frame, 1}, now_ns, {&judgement, 1});
    return judgement;
  }
  // "allow policy", "deny no_state", ...
  std::string Outcome(const Bytes& packet) { return Text(Judge(packet)); }

  static std::string Text(const Judgement& judgement) {
    return (judgement.verdict.allowed != 0 ? "allow " : "deny ") +
           std::string(Name(static_cast<Reason>(judgement.verdict.reason)));
  }

  Worker worker;
  uint64_t now_ns = kSecondNs;

 private:
  static WorkerOptions WithoutChecksums(WorkerOptions options) {
    options.checksums = Checksums::kIgnore;
    options.flows_max = std::min<size_t>(options.flows_max, 1000);
    return options;
  }
};

TEST(WorkerTest, RepliesOfAnAllowedConnectionPass) {
  Bench bench;
  const Judgement first = bench.Judge(Tcp4(1000, 80, kSyn));
  EXPECT_EQ(Bench::Text(first), "allow policy");
  EXPECT_EQ(first.verdict.directions, kIngressAllowed | kEgressAllowed);
  EXPECT_EQ(first.verdict.generation, 1u);
  const Judgement answer = bench.Judge(Tcp4(80, 1000, kSyn | kAck, true));
  EXPECT_EQ(Bench::Text(answer), "allow established");
  EXPECT_TRUE(answer.reply);
  EXPECT_EQ(answer.flow_reason, Reason::kPolicy);
  EXPECT_EQ(answer.verdict.cell, kNoCell);
  EXPECT_EQ(bench.Outcome(Tcp4(1000, 80, kAck)), "allow established");
  EXPECT_EQ(bench.worker.counts().flows, 1u);
}

// A109: a process that comes after another goes on where policy still allows.
TEST(WorkerTest, A109_AnotherWorkerTakesOverWhatIsStillAllowed) {
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  const size_t lines = Worker::FlowsBytes(1000) / sizeof(Line) + 1;
  std::vector<Line> old_memory(lines);
  Bench before(kOnlyPort80,
               {.flows_max = 1000, .flows_memory = std::as_writable_bytes(std::span(old_memory))});
  EXPECT_EQ(before.Outcome(Tcp4(1000, 80, kSyn)), "allow policy");
  EXPECT_EQ(before.Outcome(Tcp4(80, 1000, kSyn | kAck, true)), "allow established");
  EXPECT_EQ(before.Outcome(Tcp4(1000, 80, kAck)), "allow established");
  for (const bool allowed : {true, false}) {
    Bench after(allowed ? kNoPorts : kNothing);
    const TakenOver taken =
        after.worker.Adopt(std::as_bytes(std::span(old_memory)), before.now_ns + kSecondNs);
    EXPECT_EQ(taken.problem, "");
    EXPECT_EQ(taken.connections, 1u);
    EXPECT_EQ(after.Outcome(Tcp4(80, 1000, kAck, true)),
              allowed ? "allow established" : "deny policy");
    EXPECT_EQ(after.worker.counts().flows, allowed ? 1u : 0u);
  }
  old_memory[0].bytes[0] ^= std::byte{1};
  Bench damaged;
  EXPECT_NE(damaged.worker.Adopt(std::as_bytes(std::span(old_memory)), before.now_ns).problem, "");
  EXPECT_EQ(damaged.worker.counts().flows, 0u);
}

// What nobody looks into is denied where that is asked for, connections of it too.
TEST(WorkerTest, OpaquePacketsAreDeniedWhereAsked) {
  const auto of_protocol = [](uint8_t protocol) {
    return Packet(Ipv4{.src = kClient, .dst = kServer, .protocol = protocol}, Bytes(32));
  };
  for (const bool deny : {false, true}) {
    Bench bench(kNoPorts, {.opaque_deny = deny});
    const std::string opaque = deny ? "deny opaque" : "allow policy";
    for (const uint8_t protocol : std::initializer_list<uint8_t>{4, 41, 47, 50, 97}) {
      EXPECT_EQ(bench.Outcome(of_protocol(protocol)), opaque) << int{protocol};
    }
    EXPECT_EQ(bench.Outcome(of_protocol(89)), "allow policy");
    for (const uint16_t port : std::initializer_list<uint16_t>{4789, 8472, 6081, 51820, 51871}) {
      EXPECT_EQ(bench.Outcome(Udp4(4000, port)), opaque) << port;
    }
    EXPECT_EQ(bench.Outcome(Udp4(4000, 53)), "allow policy");
    EXPECT_EQ(bench.Outcome(Udp4(53, 4000, true)), "allow established");
  }
}

TEST(WorkerTest, ListsItsConnections) {
  Bench bench;
  for (uint16_t port = 1000; port < 1200; ++port) bench.Judge(Tcp4(port, 80, kSyn));
  bench.Judge(Tcp4(80, 1000, kSyn | kAck, true));
  bench.Judge(Tcp4(1000, 80, kAck));
  std::set<uint16_t> ports;
  std::array<KnownConnection, 384> some;
  uint32_t part = 0;
  do {
    const size_t count = bench.worker.List(part, some);
    for (size_t i = 0; i < count; ++i) {
      EXPECT_TRUE(ports.insert(some[i].key.src_port).second);
      EXPECT_EQ(some[i].state, some[i].key.src_port == 1000 ? KnownConnection::State::kEstablished
                                                            : KnownConnection::State::kOpening);
      EXPECT_EQ(some[i].generation, 1u);
    }
  } while (part != 0);
  EXPECT_EQ(ports.size(), 200u);
}

TEST(WorkerTest, ADeniedPacketLeavesNothingBehind) {
  Bench bench;
  const Judgement first = bench.Judge(Tcp4(1000, 81, kSyn));
  EXPECT_EQ(Bench::Text(first), "deny policy");
  EXPECT_EQ(first.verdict.directions, kEgressAllowed);
  EXPECT_EQ(bench.Outcome(Tcp4(1000, 81, kSyn)), "deny policy");  // sent again (A60)
  EXPECT_EQ(bench.Outcome(Tcp4(1000, 81, kAck)), "deny no_state");
  EXPECT_EQ(bench.Outcome(Tcp4(81, 1000, kSyn | kAck, true)), "deny no_state");
  EXPECT_EQ(bench.worker.counts().flows, 0u);
}

TEST(WorkerTest, OnlyTheExactReverseIsAReply) {
  Bench bench;
  EXPECT_EQ(bench.Outcome(Udp4(53, 4000, true)), "deny policy");  // before any question
  EXPECT_EQ(bench.Outcome(Udp4(4000, 53)), "allow policy");
  EXPECT_EQ(bench.Outcome(Udp4(53, 4000, true)), "allow established");
  EXPECT_EQ(bench.Outcome(Udp4(54, 4000, true)), "deny policy");
  EXPECT_EQ(bench.Outcome(Udp4(53, 4001, true)), "deny policy");
  EXPECT_EQ(bench.Outcome(Tcp4(53, 4000, kSyn, true)), "deny policy");
  bench.now_ns += 301 * kSecondNs;
  EXPECT_EQ(bench.Outcome(Udp4(53, 4000, true)), "deny policy");  // A75
}

TEST(WorkerTest, AnAnswerWithinOneBatch) {
  Bench bench;
  std::vector<Bytes> packets;
  for (uint16_t port = 1000; port < 1100; ++port) {
    packets.push_back(Tcp4(port, 80, kSyn));
    packets.push_back(Tcp4(80, port, kSyn | kAck, true));
  }
  std::vector<Frame> frames;
  for (const Bytes& packet : packets) {
    const auto length = static_cast<uint32_t>(packet.size());
    frames.push_back({.packet = {packet.data(), length, length}, .link = LinkLayer::kRawIp});
  }
  std::vector<Judgement> judgements(frames.size());
  bench.worker.Process(frames, bench.now_ns, judgements);
  for (size_t i = 0; i < judgements.size(); ++i) {
    EXPECT_EQ(Bench::Text(judgements[i]), i % 2 == 0 ? "allow policy" : "allow established") << i;
  }
}

TEST(WorkerTest, StatelessJudgesEachPacketByItself) {
  Bench bench(kOnlyPort80, {.stateless = true});
  EXPECT_EQ(bench.Outcome(Tcp4(1000, 80, kSyn)), "allow policy");
  EXPECT_EQ(bench.Outcome(Tcp4(80, 1000, kSyn | kAck, true)), "deny policy");
  EXPECT_EQ(bench.Outcome(Tcp4(1000, 80, kAck)), "allow policy");
  EXPECT_EQ(bench.worker.counts().flows, 0u);
}

TEST(WorkerTest, Midstream) {
  Bench strict;
  EXPECT_EQ(strict.Outcome(Tcp4(1000, 80, kAck)), "deny no_state");
  Bench allow(kOnlyPort80, {.midstream_allow = true});
  EXPECT_EQ(allow.Outcome(Tcp4(1000, 80, kAck)), "allow policy");
  EXPECT_EQ(allow.Outcome(Tcp4(1000, 80, kAck)), "allow established");
  EXPECT_EQ(allow.Outcome(Tcp4(1001, 81, kAck)), "deny policy");
  const Judgement answer = allow.Judge(Tcp4(80, 1002, kAck, true));  // the server's, first seen
  EXPECT_EQ(Bench::Text(answer), "allow policy");
  EXPECT_TRUE(answer.reply);
  EXPECT_EQ(allow.Outcome(Tcp4(1002, 80, kAck)), "allow established");
  EXPECT_EQ(allow.Outcome(Tcp4(81, 1003, kAck, true)), "deny policy");
  // Answers to nothing, and ends of nothing.
  EXPECT_EQ(allow.Outcome(Tcp4(1004, 80, kSyn | kAck)), "deny no_state");
  EXPECT_EQ(allow.Outcome(Tcp4(1005, 80, kRst)), "deny no_state");
}

TEST(WorkerTest, NoAssociationBeginsWithItsEnd) {
  const auto packet = [](uint8_t chunk) {
    return Packet(Ipv4{.src = kClient, .dst = kServer, .protocol = kProtocolSctp},
                  Sctp(1000, 9, chunk));
  };
  Bench bench(kOnlyPort80, {.midstream_allow = true});
  constexpr uint8_t kInitAck = 2, kAbort = 6, kShutdownComplete = 14, kHeartbeat = 4;
  for (const uint8_t chunk : {kInitAck, kAbort, kShutdownComplete}) {
    EXPECT_EQ(bench.Outcome(packet(chunk)), "deny no_state") << int{chunk};
  }
  EXPECT_EQ(bench.Outcome(packet(kHeartbeat)), "allow policy");
}

TEST(WorkerTest, OthersThanPodsNeedNoState) {
  Bench bench;
  const Bytes packet =
      Packet(Ipv4{.src = "192.0.2.1", .dst = "192.0.2.2"}, Segment({.flags = kAck}));
  EXPECT_EQ(bench.Outcome(packet), "allow not_a_pod");
  EXPECT_EQ(bench.worker.counts().flows, 0u);
  const Bytes loopback = Packet(Ipv4{.src = kServer, .dst = kServer}, Segment({.flags = kAck}));
  EXPECT_EQ(bench.Outcome(loopback), "allow loopback");
}

TEST(WorkerTest, ASynAgainstTheDirectionIsJudgedByItself) {
  Bench bench;
  EXPECT_EQ(bench.Outcome(Tcp4(1000, 80, kSyn)), "allow policy");
  EXPECT_EQ(bench.Outcome(Tcp4(80, 1000, kSyn, true)), "deny policy");  // A67
  EXPECT_EQ(bench.Outcome(Tcp4(80, 1000, kSyn | kAck, true)), "allow established");
}

TEST(WorkerTest, ASynAfterAFinBeginsAnew) {
  Bench bench;
  bench.Judge(Tcp4(1000, 80, kSyn));
  bench.Judge(Tcp4(80, 1000, kSyn | kAck, true));
  bench.Judge(Tcp4(1000, 80, kFin | kAck));
  const Judgement again = bench.Judge(Tcp4(1000, 80, kSyn));
  EXPECT_EQ(Bench::Text(again), "allow policy");
  EXPECT_EQ(bench.worker.counts().flows, 1u);
  bench.Judge(Tcp4(1000, 80, kFin | kAck));
  bench.worker.Replace(ProgramOf(kNothing));
  EXPECT_EQ(bench.Outcome(Tcp4(1000, 80, kSyn)), "deny policy");
}

TEST(WorkerTest, ARstEndsTheConnection) {
  Bench bench;
  bench.Judge(Tcp4(1000, 80, kSyn));
  bench.Judge(Tcp4(80, 1000, kSyn | kAck, true));
  EXPECT_EQ(bench.Outcome(Tcp4(1000, 80, kRst, false, 7)), "allow established");
  EXPECT_EQ(bench.Outcome(Tcp4(1000, 80, kRst, false, 0x70000000)), "deny tcp_window");
  EXPECT_EQ(bench.Outcome(Tcp4(1000, 80, kAck)), "allow established");
  EXPECT_EQ(bench.Outcome(Tcp4(1000, 80, kRst)), "allow established");
  EXPECT_EQ(bench.Outcome(Tcp4(1000, 80, kAck)), "deny no_state");
}

// RFC 9293, 3.10.7.4; A70.
TEST(WorkerTest, DataOutsideTheWindowAreForged) {
  Bench bench;
  bench.Judge(Tcp4(1000, 80, kSyn));
  bench.Judge(Tcp4(80, 1000, kSyn | kAck, true));
  EXPECT_EQ(bench.Outcome(Tcp4(1000, 80, kAck)), "allow established");
  const Judgement forged = bench.Judge(Tcp4(1000, 80, kAck, false, 0x20000));
  EXPECT_EQ(Bench::Text(forged), "deny tcp_window");
  EXPECT_EQ(forged.verdict.directions, 0);
}

// RFC 9260, 8.5; A80.
TEST(WorkerTest, AWrongTagIsForged) {
  const auto packet = [](bool reply, uint8_t chunk) {
    return Packet(Ipv4{.src = reply ? kServer : kClient,
                       .dst = reply ? kClient : kServer,
                       .protocol = kProtocolSctp},
                  reply ? Sctp(9, 1000, chunk) : Sctp(1000, 9, chunk));
  };
  Bench bench;
  EXPECT_EQ(bench.Outcome(packet(false, 1)), "allow policy");
  EXPECT_EQ(bench.Outcome(packet(true, 2)), "deny sctp_tag") << "7, where 0 was asked for";
  EXPECT_EQ(bench.Outcome(packet(false, 0)), "deny sctp_tag");
}

TEST(WorkerTest, AChangeOfPolicyJudgesAgain) {
  Bench bench;
  bench.Judge(Tcp4(1000, 80, kSyn));
  bench.Judge(Udp4(4000, 53));
  bench.worker.Replace(ProgramOf(kOnlyPort80));
  const Judgement same = bench.Judge(Tcp4(80, 1000, kSyn | kAck, true));
  EXPECT_EQ(Bench::Text(same), "allow established");
  EXPECT_EQ(same.verdict.generation, 2u);
  bench.worker.Replace(ProgramOf(kNothing));
  const Judgement denied = bench.Judge(Tcp4(80, 1000, kAck, true));
  EXPECT_EQ(Bench::Text(denied), "deny policy");
  EXPECT_EQ(denied.verdict.generation, 3u);
  EXPECT_EQ(bench.Outcome(Tcp4(80, 1000, kAck, true)), "deny no_state");
  // Allowed again: what was ended stays ended.
  bench.worker.Replace(ProgramOf(kOnlyPort80));
  EXPECT_EQ(bench.Outcome(Tcp4(1000, 80, kAck)), "deny no_state");
  EXPECT_EQ(bench.Outcome(Udp4(53, 4000, true)), "allow established");
}

TEST(WorkerTest, KnownConnectionsMayOutliveTheirPolicy) {
  Bench bench(kOnlyPort80, {.established_keep = true});
  bench.Judge(Tcp4(1000, 80, kSyn));
  bench.worker.Replace(ProgramOf(kNothing));
  EXPECT_EQ(bench.Outcome(Tcp4(80, 1000, kSyn | kAck, true)), "allow established");
  EXPECT_EQ(bench.Outcome(Tcp4(1001, 80, kSyn)), "deny policy");
}

TEST(WorkerTest, AFullTableDeniesNewConnectionsOnly) {
  Bench bench(kOnlyPort80, {.flows_max = 2, .openings_max = 2, .flows_per_source_max = 9});
  for (const uint16_t port : {uint16_t{1000}, uint16_t{1001}}) {
    EXPECT_EQ(bench.Outcome(Udp4(port, 53)), "allow policy");
    EXPECT_EQ(bench.Outcome(Udp4(53, port, true)), "allow established");
  }
  const Judgement third = bench.Judge(Tcp4(1002, 80, kSyn));
  EXPECT_EQ(Bench::Text(third), "deny ct_full");
  EXPECT_EQ(third.verdict.directions, 0);
  EXPECT_EQ(bench.Outcome(Udp4(53, 1000, true)), "allow established");
  EXPECT_EQ(bench.worker.counts().table_full, 1u);
  EXPECT_EQ(bench.worker.counts().openings, 0u);
}

TEST(WorkerTest, ASourceHasAQuota) {
  Bench bench(kOnlyPort80, {.flows_per_source_max = 1});
  EXPECT_EQ(bench.Outcome(Tcp4(1000, 80, kSyn)), "allow policy");
  EXPECT_EQ(bench.Outcome(Tcp4(1001, 80, kSyn)), "deny ct_source_full");
  EXPECT_EQ(bench.worker.counts().source_full, 1u);
}

Bytes Echo(uint8_t type, uint16_t id, bool reply) {
  return Packet(Ipv4{.src = reply ? kServer : kClient,
                     .dst = reply ? kClient : kServer,
                     .protocol = kProtocolIcmp},
                Icmp(type, 0, id));
}

TEST(WorkerTest, EchoRepliesFollowTheirRequest) {
  Bench with_ports;
  EXPECT_EQ(with_ports.Outcome(Echo(8, 7, false)), "deny policy");
  Bench bench(kNoPorts);
  EXPECT_EQ(bench.Outcome(Echo(0, 7, true)), "deny no_state");
  EXPECT_EQ(bench.Outcome(Echo(8, 7, false)), "allow policy");
  EXPECT_EQ(bench.Outcome(Echo(0, 7, true)), "allow established");
  EXPECT_EQ(bench.Outcome(Echo(0, 8, true)), "deny no_state");
  EXPECT_EQ(bench.Outcome(Echo(3, 7, true)), "allow no_policy");  // an error is judged by itself
}

TEST(WorkerTest, LaterFragmentsPassOnlyWhereEveryPortWould) {
  const Bytes later =
      Packet(Ipv4{.src = kClient, .dst = kServer, .fragment = 3}, Segment({.dst_port = 80}));
  Bench with_ports;
  const Judgement denied = with_ports.Judge(later);
  EXPECT_EQ(Bench::Text(denied), "deny frag_no_first");
  Bench without_ports(kNoPorts);
  EXPECT_EQ(without_ports.Outcome(later), "allow policy");
  EXPECT_EQ(without_ports.worker.counts().flows, 0u);
}

// A fragment of a datagram of UDP; `bytes` of its payload, from `offset` on.
Bytes Part(uint16_t port, size_t offset, size_t bytes, bool more, bool reply = false) {
  const Bytes whole = reply ? Udp(port, 1000, 1000) : Udp(1000, port, 1000);
  constexpr uint16_t kMore = 0x2000;
  const Bytes payload(whole.begin() + static_cast<ptrdiff_t>(offset),
                      whole.begin() + static_cast<ptrdiff_t>(offset + bytes));
  return Packet(Ipv4{.src = reply ? kServer : kClient,
                     .dst = reply ? kClient : kServer,
                     .protocol = kProtocolUdp,
                     .fragment = static_cast<uint16_t>((more ? kMore : 0) | offset / 8)},
                payload);
}

TEST(WorkerTest, LaterFragmentsFollowTheirFirst) {
  Bench bench;
  EXPECT_EQ(bench.Outcome(Part(53, 512, 200, true)), "deny frag_no_first");  // A6
  EXPECT_EQ(bench.Outcome(Part(53, 0, 512, true)), "allow policy");
  EXPECT_EQ(bench.Outcome(Part(53, 512, 200, true)), "allow policy");
  EXPECT_EQ(bench.Outcome(Part(53, 712, 296, false)), "allow policy");
  EXPECT_EQ(bench.Outcome(Part(53, 712, 296, false)), "deny frag_no_first") << "it was complete";
  EXPECT_EQ(bench.Outcome(Part(54, 0, 512, true)), "deny policy");
  EXPECT_EQ(bench.Outcome(Part(54, 512, 496, false)), "deny frag_first_denied");  // A2
  // Of a reply, by the connection that it belongs to.
  EXPECT_EQ(bench.Outcome(Part(53, 0, 512, true, true)), "allow established");
  EXPECT_EQ(bench.Outcome(Part(53, 512, 496, false, true)), "allow established");
}

// Policy would let the others pass without ports.
TEST(WorkerTest, A2TheOthersOfAFirstFragmentThatIsRefusedAreDenied) {
  const auto part = [](const Bytes& payload, uint16_t field, uint16_t id) {
    return Packet(Ipv4{.src = kClient, .dst = kServer, .fragment = field, .id = id}, payload);
  };
  constexpr uint16_t kMore = 0x2000, kThirdUnit = 3;
  const Bytes segment = Segment({.flags = kSyn, .data_bytes = 4});
  const Bytes no_flags = Segment({.flags = 0, .data_bytes = 4});
  Bench bench(kNoPorts);
  EXPECT_EQ(bench.Outcome(part(Zeros(8), kThirdUnit, 1)), "allow policy");
  EXPECT_EQ(bench.Outcome(part(no_flags, kMore, 2)), "deny tcp_flags");
  EXPECT_EQ(bench.Outcome(part(Zeros(8), kThirdUnit, 2)), "deny frag_first_denied");
  EXPECT_EQ(bench.Outcome(part(Bytes(segment.begin(), segment.begin() + 8), kMore, 3)),
            "deny frag_tiny");
  EXPECT_EQ(bench.Outcome(part(Zeros(8), kThirdUnit, 3)), "deny frag_first_denied");
  // One that reaches nobody takes nothing back.
  EXPECT_EQ(bench.Outcome(part(segment, kMore, 4)), "allow policy");
  EXPECT_EQ(bench.Outcome(part(no_flags, kMore, 4)), "deny tcp_flags");
  EXPECT_EQ(bench.Outcome(part(Zeros(8), kThirdUnit, 4)), "allow policy");
  bench.now_ns += 31 * kSecondNs;
  EXPECT_EQ(bench.Outcome(part(Zeros(8), kThirdUnit, 2)), "allow policy") << "forgotten";
}

TEST(WorkerTest, OverlappingFragmentsPoisonTheDatagram) {
  Bench bench;
  EXPECT_EQ(bench.Outcome(Part(53, 0, 512, true)), "allow policy");
  EXPECT_EQ(bench.Outcome(Part(53, 504, 104, true)), "deny frag_overlap");
  EXPECT_EQ(bench.Outcome(Part(53, 608, 400, false)), "deny frag_overlap");
  bench.now_ns += 31 * kSecondNs;
  EXPECT_EQ(bench.Outcome(Part(53, 0, 512, true)), "allow established") << "another datagram";
  EXPECT_EQ(bench.Outcome(Part(54, 0, 512, true)), "deny frag_overlap") << "two firsts";
  EXPECT_EQ(bench.Outcome(Part(53, 512, 496, false)), "deny frag_overlap");
}

TEST(WorkerTest, AChangeOfPolicyJudgesFragmentsAgain) {
  for (const bool keep : {false, true}) {
    Bench bench(kOnlyPort80, {.established_keep = keep});
    EXPECT_EQ(bench.Outcome(Part(53, 0, 512, true)), "allow policy");
    bench.worker.Replace(ProgramOf(kNothing));
    EXPECT_EQ(bench.Outcome(Part(53, 512, 496, false)), keep ? "allow policy" : "deny policy");
  }
}

// An echo request against the direction of a known echo was judged by itself; and so it is again.
TEST(WorkerTest, AFragmentOfAStartIsJudgedAgainAsOne) {
  const auto part = [](bool reply, uint8_t type, bool first) {
    constexpr uint16_t kMore = 0x2000, kThirdUnit = 2;
    return Packet(Ipv4{.src = reply ? kServer : kClient,
                       .dst = reply ? kClient : kServer,
                       .protocol = kProtocolIcmp,
                       .fragment = first ? kMore : kThirdUnit},
                  first ? Icmp(type, 0, 7) + Zeros(8) : Zeros(8));
  };
  Bench bench("");
  EXPECT_EQ(bench.Outcome(Echo(8, 7, false)), "allow no_policy");
  EXPECT_EQ(bench.Outcome(part(true, 8, true)), "allow no_policy");
  bench.worker.Replace(ProgramOf(kServerGoesNowhere));
  EXPECT_EQ(bench.Outcome(part(true, 8, false)), "deny policy");
}

TEST(WorkerTest, FragmentsOfAnotherVlanAreOfAnotherDatagram) {
  Bench bench;
  const auto outcome = [&](uint16_t vlan, const Bytes& packet) {
    const Bytes frame = Ethernet(
        0x8100,
        Bytes{static_cast<uint8_t>(vlan >> 8), static_cast<uint8_t>(vlan), 0x08, 0x00} + packet);
    const auto length = static_cast<uint32_t>(frame.size());
    const Frame tagged{.packet = {frame.data(), length, length}};
    Judgement judgement;
    bench.worker.Process({&tagged, 1}, bench.now_ns, {&judgement, 1});
    return Bench::Text(judgement);
  };
  EXPECT_EQ(outcome(10, Part(53, 0, 512, true)), "allow policy");
  EXPECT_EQ(outcome(11, Part(53, 512, 496, false)), "deny frag_no_first");  // A10
  EXPECT_EQ(outcome(10, Part(53, 512, 496, false)), "allow policy");
}

// "Port unreachable", or too big, from `from` to the client about what it sent.
Bytes Error(const std::string& from, const Bytes& quoted, const char* to = kClient) {
  constexpr uint8_t kUnreachable = 3;
  return Packet(Ipv4{.src = from, .dst = to, .protocol = kProtocolIcmp},
                Icmp(kUnreachable, 3, 0, quoted));
}

TEST(WorkerTest, ErrorsAboutAKnownConnectionAreRelated) {
  const std::string router = "192.0.2.1";
  const Bytes sent = Udp4(1000, 53);
  const Bytes head(sent.begin(), sent.begin() + 28);  // a header and eight bytes
  Bench bench;
  EXPECT_EQ(bench.Outcome(Error(router, head)), "deny policy") << "of no connection";
  EXPECT_EQ(bench.Outcome(sent), "allow policy");
  EXPECT_EQ(bench.Outcome(Error(kServer, head)), "allow related");
  EXPECT_EQ(bench.Outcome(Error(router, head)), "allow related");
  EXPECT_EQ(bench.Outcome(Error(router, Bytes(head.begin(), head.end() - 6))), "deny policy")
      << "it lacks the ports";
  EXPECT_EQ(bench.Outcome(Error(router, head, kServer)), "deny icmp_mismatch");
  EXPECT_EQ(bench.Outcome(Error(router, Udp4(1001, 53))), "deny policy");
  bench.worker.Replace(ProgramOf(kNothing));
  EXPECT_EQ(bench.Outcome(Error(router, head)), "deny policy");
}

TEST(WorkerTest, ErrorsQuotePacketsOfTheirOwnFamily) {
  Bench bench(kNoPorts);
  const Bytes sent =
      Packet(Ipv6{.src = "fd00::1", .dst = "fd00::2", .next = kProtocolUdp}, Udp(1000, 53));
  EXPECT_EQ(bench.Outcome(sent), "allow policy");
  EXPECT_EQ(bench.Outcome(Error(kServer, sent)), "allow no_policy") << "not related, nor forged";
}

// IPv6 then says a length of zero, and an error does not say how long the packet was.
TEST(WorkerTest, ErrorsQuotePacketsWithoutPayload) {
  constexpr uint8_t kGre = 47;
  Bench bench(kNoPorts);
  const Bytes sent = Packet(Ipv6{.src = "fd00::1", .dst = "fd00::2", .next = kGre}, {});
  EXPECT_EQ(bench.Outcome(sent), "allow policy");
  const Bytes error = Packet(Ipv6{.src = "2001:db8::1", .dst = "fd00::1", .next = kProtocolIcmpv6},
                             Icmp(1, 0, 0, sent));
  EXPECT_EQ(bench.Outcome(error), "allow related");
}

TEST(WorkerTest, ErrorsAboutASegmentThatIsNotUnderWayAreForged) {
  Bench bench;
  EXPECT_EQ(bench.Outcome(Tcp4(1000, 80, kSyn, false, 5000)), "allow policy");
  EXPECT_EQ(bench.Outcome(Error("192.0.2.1", Tcp4(1000, 80, kSyn, false, 5000))), "allow related");
  EXPECT_EQ(bench.Outcome(Error("192.0.2.1", Tcp4(1000, 80, kSyn, false, 5002))),
            "deny icmp_mismatch");
}

TEST(WorkerTest, WhoHoldsNothingHasNothingToGiveUp) {
  Bench bench;
  EXPECT_EQ(bench.Outcome(Udp4(1000, 53)), "allow policy");
  bench.worker.GiveUp(1);
  EXPECT_EQ(bench.Outcome(Udp4(53, 1000, true)), "allow established");
  EXPECT_TRUE(bench.worker.released().empty());
}

TEST(WorkerTest, OneDirection) {
  WorkerOptions options;
  options.classify.directions = DirectionMask::kEgress;
  Bench bench(kOnlyPort80, options);
  const Judgement judgement = bench.Judge(Tcp4(1000, 81, kSyn));
  EXPECT_EQ(Bench::Text(judgement), "allow policy");
  const Judgement refused = bench.Judge(Packet(Ipv4{.fragment = 0x8000}, Segment({})));
  EXPECT_EQ(Bench::Text(refused), "deny ip_flags");
  EXPECT_EQ(refused.verdict.directions, kIngressAllowed);
}

TEST(WorkerTest, TablesAndOptionsSurviveAMove) {
  Bench bench;
  bench.Judge(Tcp4(1000, 80, kSyn));
  Worker moved = std::move(bench.worker);
  EXPECT_EQ(moved.counts().flows, 1u);
  EXPECT_EQ(moved.generation(), 1u);
}

}  // namespace
}  // namespace npf::testing
