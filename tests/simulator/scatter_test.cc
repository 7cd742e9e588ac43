// Two workers that share the traffic: whoever receives a frame hands it to its owner (OwnerOf), and
// the verdicts are those of one worker.
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "capture/capture.h"
#include "npf/compiler.h"
#include "simulator/world.h"
#include "testing/shared_data.h"

namespace npf::simulator {
namespace {

constexpr uint32_t kWorkers = 2;
constexpr uint64_t kSecret = 0x243f6a8885a308d3;

bool IsSame(const Judgement& a, const Judgement& b) {
  return a.verdict.allowed == b.verdict.allowed && a.verdict.reason == b.verdict.reason &&
         a.verdict.generation == b.verdict.generation && a.verdict.cell == b.verdict.cell &&
         a.reply == b.reply && a.flow_reason == b.flow_reason;
}

class Pair {
 public:
  Pair(const Program& program, const WorkerOptions& options)
      : options_(options), alone_(program, options) {
    for (uint32_t i = 0; i < kWorkers; ++i) shared_.emplace_back(program, options);
  }

  void Replace(const Program& program) {
    alone_.Replace(program);
    for (Worker& worker : shared_) worker.Replace(program);
  }

  // The number of frames whose verdicts differ.
  size_t Process(const std::vector<Frame>& frames, uint64_t now_ns) {
    std::vector<Judgement> expected(frames.size());
    alone_.Process(frames, now_ns, expected);
    std::vector<size_t> owned[kWorkers];
    for (size_t i = 0; i < frames.size(); ++i) owned[OwnerOfFrame(frames[i])].push_back(i);
    size_t differences = 0;
    for (uint32_t worker = 0; worker < kWorkers; ++worker) {
      std::vector<Frame> own;
      for (const size_t i : owned[worker]) own.push_back(frames[i]);
      std::vector<Judgement> judgements(own.size());
      shared_[worker].Process(own, now_ns, judgements);
      share_[worker] += own.size();
      for (size_t i = 0; i < own.size(); ++i) {
        differences += IsSame(judgements[i], expected[owned[worker][i]]) ? 0 : 1;
      }
    }
    return differences;
  }
  size_t share(uint32_t worker) const { return share_[worker]; }

 private:
  uint32_t OwnerOfFrame(const Frame& frame) const {
    const ParsedPacket parsed = ParsePacket(
        frame.packet, {.link = frame.link, .vlan = options_.vlan, .checksums = options_.checksums});
    return OwnerOf(frame.packet, parsed, kSecret, kWorkers);
  }

  WorkerOptions options_;
  Worker alone_;
  std::vector<Worker> shared_;
  size_t share_[kWorkers] = {0, 0};
};

TEST(ScatterTest, TwoWorkersAreAsOneOnSimulatedTraffic) {
  Policies policies;
  size_t packets[kWorkers] = {0, 0};
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    testing::Random random(seed);
    Plan plan;
    plan.packets = 3000;
    plan.setup = {.options = {.checksums = Checksums::kIgnore,
                              .midstream_allow = random.Chance(50),
                              .flows_max = 5000,
                              .openings_max = 5000,
                              .flows_per_source_max = 5000},
                  .program = random.Below(Policies::kPrograms)};
    plan.traffic.conversations = 20;
    World world(policies, plan, seed);
    ASSERT_EQ(world.Run(true), "");
    Pair pair(policies.program(plan.setup.program), plan.setup.options);
    for (const Batch& batch : world.sequence()) {
      if (batch.program.has_value()) pair.Replace(policies.program(*batch.program));
      std::vector<BuiltFrame> built(batch.wires.size());
      std::vector<Frame> frames;
      for (size_t i = 0; i < built.size(); ++i) {
        Build(batch.wires[i], built[i]);
        frames.push_back(built[i].view());
      }
      ASSERT_EQ(pair.Process(frames, batch.now_ns), 0u) << "seed " << seed;
    }
    for (uint32_t worker = 0; worker < kWorkers; ++worker) packets[worker] += pair.share(worker);
  }
  EXPECT_EQ(packets[0] + packets[1], 60 * 3000u);
  EXPECT_GT(packets[0], 60'000u);
  EXPECT_GT(packets[1], 60'000u);
}

Program ProgramOf(const std::filesystem::path& folder, const std::string& cluster,
                  const std::string& policies) {
  const auto snapshot = testing::LoadSnapshot({folder / cluster, folder / policies});
  EXPECT_TRUE(snapshot.ok()) << snapshot.status();
  return *Compile(*snapshot);
}

TEST(ScatterTest, TwoWorkersAreAsOneOnCaptures) {
  NPF_SHARED_OR_SKIP(shared);
  const auto folder = shared / "adversarial";
  const Program first = ProgramOf(folder, "cluster.yaml", "policies.yaml");
  const Program second = ProgramOf(folder, "cluster_b.yaml", "policies_b.yaml");
  size_t packets = 0;
  for (const bool midstream : {false, true}) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() != ".pcap") continue;
      auto reader = capture::OpenCapture(entry.path().string());
      ASSERT_TRUE(reader.ok()) << reader.status();
      Pair pair(first, {.midstream_allow = midstream,
                        .flows_max = 5000,
                        .openings_max = 5000,
                        .flows_per_source_max = 5000});
      capture::CapturePacket packet;
      while (*(*reader)->Next(packet)) {
        if (packet.number == 25) pair.Replace(second);
        const Frame frame{.packet = {.data = packet.data.data(),
                                     .length = static_cast<uint32_t>(packet.data.size()),
                                     .wire_length = packet.wire_length},
                          .link = packet.link};
        ASSERT_EQ(pair.Process({frame}, packet.time_ns), 0u) << entry.path() << packet.number;
        ++packets;
      }
    }
  }
  EXPECT_GT(packets, 12'000u);
}

}  // namespace
}  // namespace npf::simulator
