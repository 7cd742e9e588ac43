// Frames bear the keys that they were made from, and are judged as those are.
#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "frame_judge.h"
#include "frames.h"
#include "named_workloads.h"
#include "npf/classify.h"
#include "npf/compiler.h"
#include "traffic.h"

namespace npf::bench {
namespace {

constexpr ClassifyOptions kOptions{.placement = Placement::kNodeWire};

FlowKey Key(const char* src, const char* dst, uint8_t protocol) {
  const bool ports = HasPorts(protocol);
  return MakeFlowKey(*ParseIpAddress(src), *ParseIpAddress(dst), protocol,
                     ports ? uint16_t{443} : uint16_t{0}, 40'000);
}

TEST(Frames, AreParsedToTheirKeys) {
  const FlowKey keys[] = {
      Key("10.0.0.1", "192.0.2.7", kProtocolTcp),   Key("10.0.0.1", "192.0.2.7", kProtocolUdp),
      Key("10.0.0.1", "192.0.2.7", kProtocolSctp),  Key("10.0.0.1", "192.0.2.7", kProtocolIcmp),
      Key("fd00::1", "2001:db8::7", kProtocolTcp),  Key("fd00::1", "2001:db8::7", kProtocolUdp),
      Key("fd00::1", "2001:db8::7", kProtocolSctp), Key("fd00::1", "2001:db8::7", kProtocolIcmpv6),
  };
  for (const FrameSizes sizes : {FrameSizes::kSmallest, FrameSizes::kImix}) {
    const FrameSet frames = MakeFrames(keys, sizes);
    FrameBuffers buffers(1);
    for (size_t i = 0; i < std::size(keys); ++i) {
      const ParsedPacket parsed = ParsePacket(frames.Receive(i, buffers.At(0)), {});
      EXPECT_EQ(parsed.outcome, ParseOutcome::kJudge) << i << " " << Name(parsed.reason);
      EXPECT_EQ(std::memcmp(&parsed.key, &keys[i], sizeof keys[i]), 0) << i;
    }
  }
}

TEST(Frames, HaveTheAskedSizes) {
  const std::vector<FlowKey> keys(12, Key("10.0.0.1", "192.0.2.7", kProtocolTcp));
  FrameBuffers buffers(1);
  std::multiset<uint32_t> sizes;
  const FrameSet imix = MakeFrames(keys, FrameSizes::kImix);
  for (size_t i = 0; i < keys.size(); ++i) sizes.insert(imix.Receive(i, buffers.At(0)).length);
  EXPECT_EQ(sizes.count(60), 7u);
  EXPECT_EQ(sizes.count(590), 4u);
  EXPECT_EQ(sizes.count(1514), 1u);
  EXPECT_EQ(MakeFrames(keys, FrameSizes::kSmallest).Receive(0, buffers.At(0)).length, 60u);
}

std::vector<Verdict> VerdictsOf(FrameJudge& judge) {
  std::vector<Verdict> all;
  judge.Judge([&](size_t first, std::span<const Verdict> verdicts) {
    EXPECT_EQ(first, all.size());
    all.insert(all.end(), verdicts.begin(), verdicts.end());
  });
  return all;
}

TEST(Frames, AreJudgedAsTheirKeys) {
  const Snapshot snapshot = Freeze(*MakeNamedCluster("tiny", IpFamilies::kDual));
  const Program program = *Compile(snapshot);
  const Traffic traffic =
      MakeTraffic(snapshot, program, {.families = IpFamilies::kDual, .packets = 2'000});
  const size_t count = traffic.keys.size();
  std::vector<Verdict> expected(count);
  Classify(program, kOptions, traffic.keys, expected);

  const FrameSet frames = MakeFrames(traffic.keys, FrameSizes::kImix);
  FrameBuffers buffers(count);
  FrameJudge judge(program, kOptions, Checksums::kVerify);
  for (size_t i = 0; i < count; ++i) judge.Add(frames.Receive(i, buffers.At(i)), frames.link(i));
  const std::vector<Verdict> judged = VerdictsOf(judge);
  ASSERT_EQ(judged.size(), count);
  for (size_t i = 0; i < count; ++i) {
    ASSERT_EQ(std::memcmp(&judged[i], &expected[i], sizeof(Verdict)), 0) << i;
  }
}

TEST(Frames, OfSeveralLinkLayersAreJudgedTogether) {
  const Snapshot snapshot = Freeze(*MakeNamedCluster("tiny", IpFamilies::kV4));
  const Program program = *Compile(snapshot);
  FrameSet frames = MakeFrames(std::vector<FlowKey>(2, Key("10.0.0.1", "192.0.2.7", kProtocolTcp)),
                               FrameSizes::kSmallest);
  FrameBuffers buffers(3);
  const PacketView ethernet = frames.Receive(0, buffers.At(0));
  const PacketView raw{ethernet.data + 14, ethernet.length - 14, ethernet.wire_length - 14};
  FrameJudge judge(program, kOptions, Checksums::kVerify);
  judge.Add(ethernet, LinkLayer::kEthernet);
  judge.Add(raw, LinkLayer::kRawIp);
  judge.Add(ethernet, LinkLayer::kEthernet);
  const std::vector<Verdict> judged = VerdictsOf(judge);
  ASSERT_EQ(judged.size(), 3u);
  EXPECT_EQ(std::memcmp(&judged[0], &judged[1], sizeof(Verdict)), 0);
  EXPECT_EQ(std::memcmp(&judged[0], &judged[2], sizeof(Verdict)), 0);
}

}  // namespace
}  // namespace npf::bench
