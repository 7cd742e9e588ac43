// The engine under overlays: policy judges what is inside, and networks are kept apart.
#include <gtest/gtest.h>

#include <string>

#include "npf/worker.h"
#include "testing/world.h"
#include "unit/tunnel_builder.h"

namespace npf::testing {
namespace {

constexpr char kClient[] = "10.0.0.1";
constexpr char kServer[] = "10.0.0.2";
constexpr char kObjects[] = R"(
{apiVersion: v1, kind: Namespace, metadata: {name: x}}
---
{apiVersion: v1, kind: Pod, metadata: {name: client, namespace: x, labels: {app: client}},
 status: {podIPs: [{ip: 10.0.0.1}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: server, namespace: x, labels: {app: server}},
 status: {podIPs: [{ip: 10.0.0.2}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: x}
spec:
  podSelector: {matchLabels: {app: server}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: client}}}]
    ports: [{port: 80}, {port: 53, protocol: UDP}]
)";

class Bench {
 public:
  explicit Bench(const Overlays* overlays)
      : worker_(ProgramOf(kObjects),
                {.checksums = Checksums::kIgnore, .overlays = overlays, .flows_max = 1000}) {}

  std::string Outcome(const Bytes& frame) {
    const auto length = static_cast<uint32_t>(frame.size());
    const Frame judged{.packet = {frame.data(), length, length}};
    Judgement judgement;
    worker_.Process({&judged, 1}, 1, {&judgement, 1});
    return (judgement.verdict.allowed != 0 ? "allow " : "deny ") +
           std::string(Name(static_cast<Reason>(judgement.verdict.reason)));
  }

 private:
  Worker worker_;
};

Bytes Vxlan(const Bytes& packet, uint32_t vni = 42, const char* src = kNodeA,
            const char* dst = kNodeB) {
  return Outer4(kProtocolUdp, InUdp(4789, VxlanHeader({.vni = vni}) + Ethernet(0x0800, packet)),
                src, dst);
}

Bytes Tcp(uint16_t port, uint8_t flags = 0x02) {
  return Packet(Ipv4{.src = kClient, .dst = kServer}, Segment({.dst_port = port, .flags = flags}));
}

TEST(EngineOverlayTest, A54_A55_PodsCannotTunnelPastPolicy) {
  // What a pod sends itself: with overlays or without, the inner packet is not believed.
  const Bytes inner = Packet(Ipv4{.src = kClient, .dst = kServer}, Segment({.dst_port = 80}));
  for (const Overlays* overlays : {static_cast<const Overlays*>(nullptr), &AllKinds()}) {
    Bench bench(overlays);
    const char* denied = overlays == nullptr ? "deny policy" : "deny tunnel_endpoint";
    EXPECT_EQ(bench.Outcome(Outer4(4, inner, "10.0.0.9", kServer)), denied);
    EXPECT_EQ(bench.Outcome(Vxlan(Tcp(80), 42, "10.0.0.9", kServer)), denied);
  }
  EXPECT_EQ(Bench(nullptr).Outcome(Vxlan(Tcp(80), 42, kClient, kNodeB)), "allow no_policy");
  EXPECT_EQ(Bench(&AllKinds()).Outcome(Vxlan(Tcp(80), 42, kClient, kNodeB)),
            "deny tunnel_endpoint");
}

TEST(EngineOverlayTest, A56_PolicyJudgesWhatIsInside) {
  Bench bench(&AllKinds());
  EXPECT_EQ(bench.Outcome(Vxlan(Tcp(80))), "allow policy");
  EXPECT_EQ(bench.Outcome(Vxlan(Tcp(22))), "deny policy");
  EXPECT_EQ(Bench(nullptr).Outcome(Vxlan(Tcp(22))), "allow not_a_pod") << "between nodes";
  const Bytes answer =
      Packet(Ipv4{.src = kServer, .dst = kClient},
             Segment({.src_port = 80, .dst_port = 40000, .flags = 0x12, .acknowledgement = 1}));
  EXPECT_EQ(bench.Outcome(Vxlan(answer, 42, kNodeB, kNodeA)), "allow established");
}

TEST(EngineOverlayTest, ErrorsInsideAreRelated) {
  Bench bench(&AllKinds());
  const Bytes datagram =
      Packet(Ipv4{.src = kClient, .dst = kServer, .protocol = kProtocolUdp}, Udp(7, 53));
  EXPECT_EQ(bench.Outcome(Vxlan(datagram)), "allow policy");
  const Bytes error = Packet(Ipv4{.src = kServer, .dst = kClient, .protocol = kProtocolIcmp},
                             Icmp(3, 3, 0, datagram));
  EXPECT_EQ(bench.Outcome(Vxlan(error, 42, kNodeB, kNodeA)), "allow related");
}

// A10: equal addresses and identifiers under two VNIs are two datagrams.
TEST(EngineOverlayTest, A10_A56_DatagramsOfTwoNetworksAreTwo) {
  const auto part = [](uint16_t fragment, uint16_t port) {
    return Packet(
        Ipv4{.src = kClient, .dst = kServer, .protocol = kProtocolUdp, .fragment = fragment},
        Udp(7, port, 8));
  };
  constexpr uint16_t kMore = 0x2000, kLater = 2;
  for (const bool apart : {true, false}) {
    OverlaySpec spec = Spec(OverlayKind::kVxlan, {{1, 2}});
    spec.network_by_identifier = apart;
    const Overlays overlays = Of({spec});
    Bench bench(&overlays);
    EXPECT_EQ(bench.Outcome(Vxlan(part(kMore, 53), 1)), "allow policy");
    EXPECT_EQ(bench.Outcome(Vxlan(part(kLater, 53), 2)),
              apart ? "deny frag_no_first" : "allow policy");
    if (!apart) continue;
    EXPECT_EQ(bench.Outcome(Vxlan(part(kLater, 53), 1)), "allow policy");
  }
}

}  // namespace
}  // namespace npf::testing
