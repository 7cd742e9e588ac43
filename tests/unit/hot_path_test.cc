// What the hot calls must not do: allocate. And that tables may lie in memory of the caller's.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <vector>

#include "npf/compiler.h"
#include "npf/frames.h"
#include "npf/worker.h"
#include "unit/packet_builder.h"
#include "unit/tunnel_builder.h"
#include "workload.h"

namespace {

thread_local size_t allocations = 0;

}  // namespace

// NOLINTBEGIN(misc-new-delete-overloads): the aligned forms call these
// Not inlined: the compiler would see malloc's memory deleted, or new's freed.
[[gnu::noinline]] void* operator new(size_t bytes) {
  ++allocations;
  if (void* const memory = std::malloc(bytes == 0 ? 1 : bytes)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, size_t) noexcept { std::free(memory); }
// NOLINTEND(misc-new-delete-overloads)

namespace npf::testing {
namespace {

Program MakeProgram() {
  bench::ClusterShape shape;
  shape.pods = 200;
  shape.policies = 60;
  shape.families = bench::IpFamilies::kDual;
  return *Compile(bench::Freeze(bench::MakeCluster(shape)));
}

std::vector<FlowKey> MakeKeys() {
  bench::Random random(5);
  std::vector<FlowKey> keys;
  for (size_t i = 0; i < 1000; ++i) {
    keys.push_back(MakeFlowKey(IpAddress::V4(0x0a000000 + random.Below(1 << 16)),
                               IpAddress::V4(0x0a000000 + random.Below(1 << 16)), kProtocolTcp,
                               static_cast<uint16_t>(random.Next())));
    if (i % 7 == 0) keys.back().family = 6;
    if (i % 31 == 0) keys.back().family = 0;
  }
  return keys;
}

template <typename Call>
size_t AllocationsOf(Call call) {
  const size_t before = allocations;
  call();
  return allocations - before;
}

TEST(HotPath, ClassifyAllocatesNothing) {
  const Program program = MakeProgram();
  const std::vector<FlowKey> keys = MakeKeys();
  std::vector<Verdict> verdicts(keys.size());
  for (const Kernel kernel : {Kernel::kScalar, Kernel::kAvx512}) {
    if (!SelectKernel(kernel)) continue;
    for (const DirectionMask directions : {DirectionMask::kBoth, DirectionMask::kIngress}) {
      const ClassifyOptions options{.directions = directions, .deny_unknown_pod = true};
      EXPECT_EQ(AllocationsOf([&] { Classify(program, options, keys, verdicts); }), 0u);
    }
  }
  SelectKernel(Kernel::kAuto);
}

TEST(HotPath, FramesAllocateNothing) {
  const Program program = MakeProgram();
  const std::vector<Bytes> bytes = {
      Ethernet(0x0800, Packet(Ipv4{}, Segment({.flags = 0x10}))),
      Ethernet(0x86dd, Packet(Ipv6{}, Segment({.flags = 0x02}))),
      Ethernet(0x0800, Packet(Ipv4{.version = 7}, Segment({.flags = 0x10})))};
  std::vector<PacketView> views;
  std::vector<Frame> frames;
  for (size_t i = 0; i < 200; ++i) {
    const Bytes& frame = bytes[i % bytes.size()];
    const auto length = static_cast<uint32_t>(frame.size());
    views.push_back({frame.data(), length, length});
    frames.push_back({.packet = views.back()});
  }
  std::vector<Verdict> verdicts(views.size());
  std::vector<Judgement> judgements(frames.size());
  Worker worker(program, {});
  EXPECT_EQ(AllocationsOf([&] { ClassifyFrames(program, {}, views, verdicts); }), 0u);
  EXPECT_EQ(AllocationsOf([&] { worker.Process(frames, 1, judgements); }), 0u);
  const SourceBinding binding{.source = {.address = IpAddress::V4(0xc6336400), .length = 24}};
  const SourceBindings sources = *SourceBindings::Make({&binding, 1});
  Worker bound(program, {.sources = &sources});
  EXPECT_EQ(AllocationsOf([&] { bound.Process(frames, 1, judgements); }), 0u);
}

TEST(HotPath, TunnelsAllocateNothing) {
  const Program program = MakeProgram();
  const Bytes inner = Ethernet(0x0800, Packet(Ipv4{}, Segment({.flags = 0x02})));
  const std::vector<Bytes> bytes = {
      Outer4(kProtocolUdp, InUdp(4789, VxlanHeader({}) + inner)),
      Outer4(kProtocolUdp, InUdp(6081, GeneveHeader({.options = Option(1, 1)}) + inner)),
      Outer6(47, GrePacket({.flags = 0xa000}, inner)),
      Outer4(kProtocolUdp, InUdp(4789, VxlanHeader({}) + inner), kStranger),
      Outer4(kProtocolUdp, InUdp(4789, VxlanHeader({.vni = 1}) + inner))};
  std::vector<PacketView> views;
  std::vector<Frame> frames;
  for (size_t i = 0; i < 200; ++i) {
    const Bytes& frame = bytes[i % bytes.size()];
    const auto length = static_cast<uint32_t>(frame.size());
    views.push_back({frame.data(), length, length});
    frames.push_back({.packet = views.back()});
  }
  const FrameOptions options{.parse = {.overlays = &AllKinds()}};
  std::vector<Verdict> verdicts(views.size());
  std::vector<Judgement> judgements(frames.size());
  Worker worker(program, {.overlays = &AllKinds()});
  EXPECT_EQ(AllocationsOf([&] { ClassifyFrames(program, options, views, verdicts); }), 0u);
  EXPECT_EQ(AllocationsOf([&] { worker.Process(frames, 1, judgements); }), 0u);
  EXPECT_EQ(judgements[0].packet.overlay, 1);
}

TEST(HotPath, FragmentsThatWaitAllocateNothing) {
  std::vector<Bytes> bytes;
  for (int source = 1; source <= 150; ++source) {
    const Ipv4 header{.src = "192.0.2." + std::to_string(source), .protocol = kProtocolUdp};
    Ipv4 first = header, last = header;
    first.fragment = 0x2000;
    last.fragment = 2;
    bytes.push_back(Ethernet(0x0800, Packet(last, Zeros(64))));
    if (source % 3 == 0) bytes.push_back(bytes.back());
    if (source % 2 == 0) bytes.push_back(Ethernet(0x0800, Packet(first, Udp(1, 53, 8, 80))));
  }
  std::vector<Frame> frames;
  for (const Bytes& frame : bytes) {
    const auto length = static_cast<uint32_t>(frame.size());
    frames.push_back({.packet = {frame.data(), length, length}});
  }
  std::vector<Judgement> judgements(frames.size());
  Worker worker(MakeProgram(), {.fragments = Fragments::kReassemble, .datagrams_max = 64});
  constexpr uint64_t kMinuteNs = 60'000'000'000;
  EXPECT_EQ(AllocationsOf([&] { worker.Process(frames, 1, judgements); }), 0u);
  EXPECT_GT(worker.released().size(), 64u);
  EXPECT_EQ(AllocationsOf([&] { worker.Process({}, kMinuteNs, {}); }), 0u);
  EXPECT_GT(worker.released().size(), 0u);
}

TEST(Memory, AProgramMayLieInHugePages) {
  const Program program = MakeProgram();
  const absl::StatusOr<Program> moved = program.MovedTo(TransparentHugePages());
  ASSERT_TRUE(moved.ok()) << moved.status();
  EXPECT_EQ(reinterpret_cast<uintptr_t>(moved->image().data()) % (size_t{2} << 20), 0u);
  const std::vector<FlowKey> keys = MakeKeys();
  std::vector<Verdict> there(keys.size()), here(keys.size());
  Classify(*moved, {}, keys, there);
  Classify(program, {}, keys, here);
  EXPECT_EQ(std::memcmp(there.data(), here.data(), keys.size() * sizeof(Verdict)), 0);
}

TEST(Memory, AHookThatGivesNothingIsAnError) {
  const MemoryHook nothing{.allocate = [](size_t, size_t, void*) -> void* { return nullptr; },
                           .release = [](void*, size_t, void*) {},
                           .context = nullptr};
  EXPECT_TRUE(absl::IsResourceExhausted(MakeProgram().MovedTo(nothing).status()));
}

}  // namespace
}  // namespace npf::testing
