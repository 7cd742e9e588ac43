// The engine against its model, on simulated traffic.
//
// NPF_SIMULATOR_SEQUENCES is the number of sequences, each of a fresh Worker and 50 to 900 packets;
// NPF_SIMULATOR_SEED the first one's seed, so that a failure comes back from its seed alone.
// NPF_SIMULATOR_SWAPPED is the number of packets under a thousand changes of policy.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "simulator/policies.h"
#include "simulator/world.h"

namespace npf::simulator {
namespace {

size_t FromEnvironment(const char* name, size_t otherwise) {
  const char* const given = std::getenv(name);
  return given == nullptr ? otherwise : std::stoull(given);
}

void Print(const Tally& tally) {
  for (const auto& [outcome, count] : tally) {
    std::printf("  %-6s%-20s%12llu\n", outcome.first ? "allow" : "deny",
                std::string(Name(outcome.second)).c_str(), static_cast<unsigned long long>(count));
  }
}

uint64_t Sum(const Tally& tally) {
  uint64_t sum = 0;
  for (const auto& [outcome, count] : tally) sum += count;
  return sum;
}

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

TEST(SimulatorTest, TheEngineDoesWhatItsModelDoes) {
  const size_t sequences = FromEnvironment("NPF_SIMULATOR_SEQUENCES", 4000);
  const size_t first_seed = FromEnvironment("NPF_SIMULATOR_SEED", 1);
  Policies policies;
  Tally tally;
  size_t mismatches = 0;
  const auto start = std::chrono::steady_clock::now();
  for (size_t seed = first_seed; seed < first_seed + sequences && mismatches < 3; ++seed) {
    testing::Random random(seed);
    const Plan plan = MakePlan(random);
    const std::string difference = RunWorld(policies, plan, random.Next(), tally);
    if (difference.empty()) continue;
    ++mismatches;
    ADD_FAILURE() << "NPF_SIMULATOR_SEED=" << seed << " NPF_SIMULATOR_SEQUENCES=1\n" << difference;
  }
  std::printf("== report: engine and model, %zu sequences\n", sequences);
  Print(tally);
  std::printf("%llu packets, %zu mismatches, %.1f s\n== end of report\n",
              static_cast<unsigned long long>(Sum(tally)), mismatches, SecondsSince(start));
}

// Each packet is judged by one policy, the one that is in force when its batch begins; none is
// lost, and none judged twice.
TEST(SimulatorTest, AThousandPolicies) {
  constexpr size_t kGenerations = 1000;
  Policies policies;
  Plan plan;
  plan.packets = FromEnvironment("NPF_SIMULATOR_SWAPPED", 400'000);
  plan.swapped = 0;
  plan.swap_every = plan.packets / kGenerations;
  plan.jumped = 2;
  plan.setup = {.options = {.checksums = Checksums::kIgnore,
                            .flows_max = 20'000,
                            .openings_max = 20'000,
                            .flows_per_source_max = 20'000},
                .program = 1};
  plan.traffic.conversations = 40;
  plan.traffic.hosts = 6;
  const auto start = std::chrono::steady_clock::now();
  World world(policies, plan, FromEnvironment("NPF_SIMULATOR_SEED", 1));
  EXPECT_EQ(world.Run(false), "");
  EXPECT_EQ(world.generation(), kGenerations);
  const Tally& tally = world.tally();
  EXPECT_EQ(Sum(tally), plan.packets);
  std::printf("== report: engine and model, %zu changes of policy\n", kGenerations);
  Print(tally);
  std::printf("%llu packets, %.1f s\n== end of report\n",
              static_cast<unsigned long long>(Sum(tally)), SecondsSince(start));
}

// A133: the number of a tick comes again after 2^32 of them, two years and a quarter.
TEST(SimulatorTest, TicksWrap) {
  constexpr uint64_t kSecondNs = 1'000'000'000;
  constexpr uint64_t kTurnNs = uint64_t{1} << 56;
  Policies policies;
  Contest contest(policies, {.options = {.checksums = Checksums::kIgnore, .flows_max = 12}});
  testing::Random random(1);
  for (uint64_t now_ns = 1; now_ns < kTurnNs + 40'000 * kSecondNs;) {
    contest.Begin(now_ns, {});
    Wire wire;
    wire.key = {.protocol = kProtocolUdp,
                .src = 0,
                .dst = 1,
                .src_port = static_cast<uint16_t>(random.Between(1, 3)),
                .dst_port = 53};
    contest.Add(wire);
    if (random.Chance(50)) wire.key = wire.key.Reversed();
    contest.Add(wire);
    ASSERT_EQ(contest.End(), "");
    // No pause is so long that ticks count anew.
    const bool near = now_ns > kTurnNs - 40'000 * kSecondNs;
    now_ns += (near ? random.Between(1, 400) : 17'000) * kSecondNs;
  }
}

}  // namespace
}  // namespace npf::simulator
