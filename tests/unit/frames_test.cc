// ClassifyFrames gives the verdicts that ParsePacket and Classify give, whatever the frames, the
// kernel and the batch.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "npf/compiler.h"
#include "npf/frames.h"
#include "npf/load.h"
#include "npf/worker.h"
#include "packet/plain.h"
#include "unit/packet_builder.h"
#include "unit/tunnel_builder.h"
#include "workload.h"

namespace npf::testing {
namespace {

Snapshot MakeSnapshot() {
  bench::ClusterShape shape;
  shape.pods = 300;
  shape.policies = 100;
  shape.cidrs = 20;
  return bench::Freeze(bench::MakeCluster(shape));
}

// Frames of every kind, most of them plain, between pods and others, some with a byte or a length
// that is wrong.
class FrameMaker {
 public:
  FrameMaker(const Snapshot& snapshot, uint64_t seed) : snapshot_(snapshot), random_(seed) {}

  Bytes Make() {
    Bytes frame = MakeWhole();
    if (random_.Percent(25)) {  // within the headers, mostly
      const auto reach = static_cast<uint32_t>(std::min<size_t>(frame.size(), 56));
      frame[random_.Below(reach)] ^= static_cast<uint8_t>(1u << random_.Below(8));
    }
    if (random_.Percent(8)) frame.resize(random_.Below(static_cast<uint32_t>(frame.size())));
    return frame;
  }

  PacketView View(const Bytes& frame) {
    const auto length = static_cast<uint32_t>(frame.size());
    const uint32_t more = random_.Percent(5) ? random_.Below(1400) : 0;
    return {frame.data(), length, random_.Percent(3) ? length / 2 : length + more};
  }

 private:
  std::string Pod() {
    const auto& pods = snapshot_.pods();
    return pods[random_.Below(static_cast<uint32_t>(pods.size()))].ips.front();
  }
  std::string AnyAddress() {
    if (random_.Percent(80)) return Pod();
    return ToString(IpAddress::V4(static_cast<uint32_t>(random_.Next())));
  }

  Bytes MakeWhole() {
    Ipv4 ip;
    ip.src = AnyAddress();
    ip.dst = random_.Percent(4) ? ip.src : AnyAddress();
    const auto port = static_cast<uint16_t>(1000 + 37 * random_.Below(41));
    if (random_.Percent(5)) ip.fragment = static_cast<uint16_t>(random_.Next());
    if (random_.Percent(3)) ip.options = Hex("01010101");
    const uint32_t kind = random_.Below(100);
    if (kind < 55) return Ethernet(0x0800, Packet(ip, Tcp(ip, port)) + Zeros(random_.Below(8)));
    if (kind < 85) {
      ip.protocol = kProtocolUdp;
      const int length = random_.Percent(10) ? static_cast<int>(random_.Below(40)) : -1;
      return Ethernet(0x0800, Packet(ip, Udp(40000, port, 2 + random_.Below(30), length)));
    }
    if (kind < 88) {
      ip.protocol = kProtocolIcmp;
      const auto type = static_cast<uint8_t>(random_.Below(10));
      return Ethernet(0x0800, Packet(ip, Icmp(type, 0, port, Zeros(random_.Below(20)))));
    }
    if (kind < 91) {
      ip.protocol = kProtocolSctp;
      const auto chunk = static_cast<uint8_t>(random_.Below(3));
      return Ethernet(0x0800, Packet(ip, Sctp(40000, port, chunk)) + Zeros(random_.Below(20)));
    }
    if (kind < 92) {
      ip.protocol = static_cast<uint8_t>(random_.Next());
      return Ethernet(0x0800, Packet(ip, Zeros(random_.Below(400))));
    }
    if (kind < 95) return Ethernet(0x8100, Tag(0x0800) + Packet(ip, Tcp(ip, port)));
    return Ethernet(0x86dd, Packet(Ipv6{}, Segment({.dst_port = port})));
  }

  Bytes Tcp(const Ipv4& ip, uint16_t port) {
    testing::Tcp tcp{.dst_port = port, .flags = 0x10};
    if (random_.Percent(30)) tcp.flags = static_cast<uint8_t>(random_.Next());
    if (random_.Percent(10)) tcp.data_offset = static_cast<uint8_t>(random_.Below(16));
    tcp.data_bytes = random_.Below(30);
    return random_.Percent(50) ? Segment(tcp, ip.src, ip.dst) : Segment(tcp);
  }

  const Snapshot& snapshot_;
  bench::Random random_;
};

// By a worker, which parses and classifies packet by packet.
std::vector<Verdict> OneByOne(const Program& program, const FrameOptions& options,
                              const std::vector<PacketView>& views) {
  std::vector<Verdict> verdicts;
  for (const PacketView& view : views) {
    WorkerOptions worker_options{.vlan = options.parse.vlan,
                                 .checksums = options.parse.checksums,
                                 .overlays = options.parse.overlays,
                                 .classify = options.classify,
                                 .stateless = true};
    Worker worker(program, worker_options);
    const Frame frame{.packet = view, .link = options.parse.link};
    Judgement judgement;
    worker.Process({&frame, 1}, 0, {&judgement, 1});
    verdicts.push_back(judgement.verdict);
    verdicts.back().generation = options.classify.generation;
  }
  return verdicts;
}

class FramesTest : public ::testing::TestWithParam<Kernel> {
 protected:
  void SetUp() override {
    if (!SelectKernel(GetParam())) GTEST_SKIP() << "this processor lacks it";
  }
  void TearDown() override { SelectKernel(Kernel::kAuto); }

  void Check(const FrameOptions& options, size_t count, size_t batch) {
    std::vector<Bytes> frames;
    std::vector<PacketView> views;
    for (size_t i = 0; i < count; ++i) frames.push_back(maker_.Make());
    for (const Bytes& frame : frames) views.push_back(maker_.View(frame));
    const std::vector<Verdict> expected = OneByOne(program_, options, views);
    std::vector<Verdict> verdicts(count);
    for (size_t done = 0; done < count; done += batch) {
      const size_t size = std::min(batch, count - done);
      ClassifyFrames(program_, options, std::span(views).subspan(done, size),
                     std::span(verdicts).subspan(done, size));
    }
    for (size_t i = 0; i < count; ++i) {
      ASSERT_EQ(std::memcmp(&verdicts[i], &expected[i], sizeof(Verdict)), 0)
          << "frame " << i << " of batches of " << batch << ": allowed " << int{verdicts[i].allowed}
          << " reason " << Name(static_cast<Reason>(verdicts[i].reason)) << ", expected "
          << int{expected[i].allowed} << " " << Name(static_cast<Reason>(expected[i].reason));
    }
  }

  Snapshot snapshot_ = MakeSnapshot();
  Program program_ = *Compile(snapshot_);
  FrameMaker maker_{snapshot_, 31};
};

// A131, A132: by themselves, whatever came before and stands beside them.
TEST_P(FramesTest, AreJudgedAsParsedAndClassified) {
  for (const Checksums checksums : {Checksums::kVerify, Checksums::kIpOnly, Checksums::kIgnore}) {
    FrameOptions options{.parse = {.checksums = checksums}, .classify = {.generation = 9}};
    Check(options, 6400, 64);
    for (size_t batch = 1; batch <= 130; ++batch) Check(options, batch, batch);
  }
}

TEST_P(FramesTest, UnderEveryOption) {
  for (const DirectionMask directions :
       {DirectionMask::kIngress, DirectionMask::kEgress, DirectionMask::kBoth}) {
    for (const Placement placement : {Placement::kOffline, Placement::kFabric}) {
      FrameOptions options;
      options.parse.vlan = false;
      options.classify = {.directions = directions, .placement = placement, .generation = 3};
      Check(options, 640, 64);
      options.classify.deny_unknown_pod = true;
      Check(options, 640, 64);
      options.parse.link = LinkLayer::kRawIp;
      Check(options, 128, 64);
    }
  }
}

// A plain frame may be a tunnel's: no straight line leads past the overlays.
TEST_P(FramesTest, A55_UnderOverlays) {
  OverlaySpec spec = Spec(OverlayKind::kVxlan);
  spec.port = 1000;  // one that FrameMaker uses
  FrameOptions options{.classify = {.generation = 9}};
  for (const char* endpoints : {"0.0.0.0/0", "192.0.2.0/24"}) {
    spec.endpoints = {ParseIpPrefix(endpoints).prefix};
    const Overlays overlays = Of({spec});
    options.parse.overlays = &overlays;
    Check(options, 6400, 64);
    const Bytes frame = Ethernet(0x0800, Packet(Ipv4{.protocol = kProtocolUdp}, Udp(7, 1000, 30)));
    const auto length = static_cast<uint32_t>(frame.size());
    const std::vector<PacketView> views(64, PacketView{frame.data(), length, length});
    std::vector<Verdict> verdicts(64);
    ClassifyFrames(program_, options, views, verdicts);
    for (const Verdict& verdict : verdicts) {
      EXPECT_EQ(Name(static_cast<Reason>(verdict.reason)),
                spec.endpoints[0].length == 0 ? "tunnel_no_id" : "tunnel_endpoint");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, FramesTest, ::testing::Values(Kernel::kScalar, Kernel::kAvx512),
                         [](const auto& kernel) { return std::string(Name(kernel.param)); });

// Most packets are plain: the straight line is no rare case.
TEST(Plain, WholeTcpAndUdpPacketsAre) {
  const packet::PlainReader reader({});
  FlowKey key;
  const auto reads = [&](const Bytes& frame) {
    const auto length = static_cast<uint32_t>(frame.size());
    return reader.Read({frame.data(), length, length}, key);
  };
  Ipv4 ip;
  EXPECT_TRUE(reads(Ethernet(0x0800, Packet(ip, Segment({.flags = 0x10})))));
  EXPECT_TRUE(reads(Ethernet(0x0800, Packet(ip, Segment({.flags = 0x18, .data_bytes = 900})))));
  EXPECT_FALSE(reads(Ethernet(0x0800, Packet(ip, Segment({.flags = 0x02})))))
      << "its checksum is ParsePacket's";
  ip.protocol = kProtocolUdp;
  EXPECT_TRUE(reads(Ethernet(0x0800, Packet(ip, Udp(1, 2, 12)))));
  EXPECT_EQ(key.src_port, 1);
  EXPECT_EQ(key.dst_port, 2);
}

}  // namespace
}  // namespace npf::testing
