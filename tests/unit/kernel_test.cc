// Every kernel gives the verdicts that keys get one at a time, whatever the batch.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "npf/classify.h"
#include "npf/compiler.h"
#include "workload.h"

namespace npf {
namespace {

constexpr size_t kBatchMax = 256;

Snapshot MakeSnapshot(uint32_t port_numbers) {
  bench::ClusterShape shape;
  shape.pods = 400;
  shape.policies = 150;
  shape.cidrs = 40;
  shape.cluster_policies = 10;
  shape.port_numbers = port_numbers;
  shape.families = bench::IpFamilies::kDual;
  return bench::Freeze(bench::MakeCluster(shape));
}

// Addresses that policies tell apart, and any others.
IpAddress RandomAddress(const Snapshot& snapshot, bool v6, bench::Random& random) {
  const size_t family = v6 ? 1 : 0;
  if (random.Percent(75)) {
    const Pod& pod = snapshot.pods()[random.Below(static_cast<uint32_t>(snapshot.pods().size()))];
    if (family < pod.ips.size()) return *ParseIpAddress(pod.ips[family]);
  }
  if (!v6) return IpAddress::V4(static_cast<uint32_t>(random.Next()));
  IpAddress address{Family::kIpv6, {}};
  for (uint8_t& byte : address.bytes) byte = static_cast<uint8_t>(random.Next());
  return address;
}

// One key in `foreign_every` is of another family, or of none; one in 16 is from an address to
// itself.
std::vector<FlowKey> RandomKeys(const Snapshot& snapshot, size_t count, bool v6,
                                uint32_t foreign_percent, bench::Random& random) {
  constexpr uint8_t kProtocols[] = {kProtocolTcp,  kProtocolTcp,  kProtocolUdp,
                                    kProtocolSctp, kProtocolIcmp, 255};
  std::vector<FlowKey> keys;
  while (keys.size() < count) {
    const bool foreign = random.Percent(foreign_percent);
    const IpAddress src = RandomAddress(snapshot, v6 != foreign, random);
    const IpAddress dst = random.Percent(6) ? src : RandomAddress(snapshot, v6 != foreign, random);
    const auto port = static_cast<uint16_t>(random.Percent(70) ? 1000 + 37 * random.Below(41)
                                                               : random.Below(65536));
    keys.push_back(MakeFlowKey(src, dst, kProtocols[random.Below(6)], port));
    if (foreign && random.Percent(30)) keys.back().family = static_cast<uint8_t>(random.Next());
  }
  return keys;
}

class KernelTest : public testing::TestWithParam<Kernel> {
 protected:
  void SetUp() override {
    if (!SelectKernel(GetParam())) GTEST_SKIP() << "this processor lacks it";
  }
  void TearDown() override { SelectKernel(Kernel::kAuto); }

  // Verdicts of the scalar kernel, one key at a time.
  static std::vector<Verdict> OneByOne(const Program& program, const ClassifyOptions& options,
                                       std::span<const FlowKey> keys) {
    SelectKernel(Kernel::kScalar);
    std::vector<Verdict> verdicts(keys.size());
    for (size_t i = 0; i < keys.size(); ++i) {
      Classify(program, options, keys.subspan(i, 1), std::span(verdicts).subspan(i, 1));
    }
    SelectKernel(GetParam());
    return verdicts;
  }

  // All batches of keys from the front, and that nothing is written behind them.
  static void CheckBatches(const Program& program, const ClassifyOptions& options,
                           std::span<const FlowKey> keys) {
    const std::vector<Verdict> expected = OneByOne(program, options, keys);
    Verdict untouched;
    std::memset(&untouched, 0xee, sizeof untouched);
    std::vector<Verdict> verdicts;
    for (size_t count = 0; count <= keys.size(); ++count) {
      verdicts.assign(keys.size() + 1, untouched);
      Classify(program, options, keys.first(count), verdicts);
      ASSERT_EQ(std::memcmp(verdicts.data(), expected.data(), count * sizeof(Verdict)), 0)
          << "in a batch of " << count;
      for (size_t i = count; i < verdicts.size(); ++i) {
        ASSERT_EQ(std::memcmp(&verdicts[i], &untouched, sizeof untouched), 0)
            << "written behind a batch of " << count;
      }
    }
  }
};

// A132.
TEST_P(KernelTest, EveryBatchOfEveryMixIsJudgedAsItsKeysAre) {
  bench::Random random(20);
  for (const uint32_t port_numbers : {40u, 700u}) {  // port classes of one byte and of two
    const Snapshot snapshot = MakeSnapshot(port_numbers);
    for (const PairKind kind : {PairKind::kDense, PairKind::kTiled, PairKind::kHash}) {
      CompileOptions compile;
      compile.pair_kind = kind;
      const absl::StatusOr<Program> program = Compile(snapshot, compile);
      ASSERT_TRUE(program.ok()) << program.status();
      for (const bool v6 : {false, true}) {
        for (const uint32_t foreign_percent : {0u, 2u, 50u}) {
          const auto keys = RandomKeys(snapshot, kBatchMax, v6, foreign_percent, random);
          CheckBatches(*program, {.generation = 7}, keys);
        }
      }
    }
  }
}

TEST_P(KernelTest, OptionsHoldInEveryBatch) {
  bench::Random random(21);
  const Snapshot snapshot = MakeSnapshot(40);
  const absl::StatusOr<Program> program = Compile(snapshot);
  ASSERT_TRUE(program.ok()) << program.status();
  const auto keys = RandomKeys(snapshot, 130, false, 3, random);
  for (const DirectionMask directions : {DirectionMask::kIngress, DirectionMask::kEgress}) {
    for (const Placement placement : {Placement::kPodPort, Placement::kFabric}) {
      CheckBatches(*program,
                   {.directions = directions, .placement = placement, .deny_unknown_pod = true},
                   keys);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, KernelTest, testing::Values(Kernel::kScalar, Kernel::kAvx512),
                         [](const auto& kernel) { return std::string(Name(kernel.param)); });

TEST(KernelChoice, IsVisibleAndNeverAuto) {
  EXPECT_TRUE(SelectKernel(Kernel::kScalar));
  EXPECT_EQ(ActiveKernel(), Kernel::kScalar);
  EXPECT_TRUE(SelectKernel(Kernel::kAuto));
  EXPECT_NE(ActiveKernel(), Kernel::kAuto);
}

}  // namespace
}  // namespace npf
