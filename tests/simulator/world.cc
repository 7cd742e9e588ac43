#include "simulator/world.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace npf::simulator {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;

// Of the small tables, Process() sweeps the whole index for each batch: nothing that has expired is
// counted in them.
void PlanSmall(testing::Random& random, Plan& plan) {
  WorkerOptions& options = plan.setup.options;
  options.flows_max = random.Chance(50) ? 7 : 12;
  options.openings_max = random.Between(1, options.flows_max);
  options.flows_per_source_max = random.Between(1, options.flows_max);
  plan.traffic.conversations = random.Between(8, 30);
  plan.traffic.ports = 10;
  plan.jumped = 20;
}

void PlanCrowded(testing::Random& random, Plan& plan) {
  WorkerOptions& options = plan.setup.options;
  options.flows_max = 63;
  options.openings_max = random.Between(10, 63);
  options.flows_per_source_max = random.Between(8, 63);
  plan.packets = random.Between(300, 900);
  plan.traffic.conversations = random.Between(60, 200);
  plan.traffic.ports = 60;
  plan.traffic.forged = 5;
  plan.jumped = 0;
}

void PlanPeace(Plan& plan) {
  plan.setup.program = 0;
  plan.setup.options.midstream_allow = false;
  plan.traffic.forged = plan.traffic.ended = 0;
  plan.traffic.ports = 60'000;  // none is used twice
  plan.swapped = plan.jumped = 0;
}

void PlanFragments(testing::Random& random, Plan& plan) {
  plan.setup.options.datagrams_max = random.Chance(50) ? 8 : random.Between(16, 80);
  plan.traffic.forger = {.errors = 5, .parts = 60, .one_fragment_source = true};
  plan.traffic.v6 = false;
  plan.traffic.forged = 70;
}

}  // namespace

Plan MakePlan(testing::Random& random) {
  Plan plan;
  const size_t lot = random.Below(20);
  plan.kind = lot < 3    ? Kind::kPeace
              : lot < 10 ? Kind::kWar
              : lot < 15 ? Kind::kSmall
              : lot < 17 ? Kind::kCrowded
                         : Kind::kFragments;
  plan.packets = random.Between(50, 300);
  plan.batch_max = random.Chance(30) ? 1 : random.Between(2, 200);
  plan.setup.program = random.Below(Policies::kPrograms);
  plan.setup.options = {.checksums = random.Chance(50) ? Checksums::kIgnore : Checksums::kIpOnly,
                        .midstream_allow = random.Chance(30),
                        .established_keep = random.Chance(20),
                        .flows_max = 1500,
                        .openings_max = 1500,
                        .flows_per_source_max = 1500,
                        .datagrams_max = 512};
  plan.traffic.conversations = random.Between(1, 8);
  plan.traffic.hosts = random.Chance(30) ? 2 : kHosts;
  plan.traffic.forged = random.Below(60);
  if (random.Chance(40)) plan.traffic.protocols = {kProtocolTcp};
  if (random.Chance(10)) plan.traffic.protocols = {kProtocolSctp};
  if (plan.kind == Kind::kPeace) PlanPeace(plan);
  if (plan.kind == Kind::kSmall) PlanSmall(random, plan);
  if (plan.kind == Kind::kCrowded) PlanCrowded(random, plan);
  if (plan.kind == Kind::kFragments) PlanFragments(random, plan);
  return plan;
}

World::World(Policies& policies, const Plan& plan, uint64_t seed)
    : plan_(plan),
      random_(seed),
      contest_(policies, plan.setup),
      traffic_(plan.traffic, random_),
      now_ns_(1 + random_.Below(1'000'000)) {
  if (random_.Chance(30)) now_ns_ += random_.Next() >> 2;
}

void World::PassTime() {
  static constexpr uint64_t kJumps[] = {1,   5,    30,   60,   120,      240,        300,
                                        400, 3600, 7440, 7500, 5 * 3600, 20 * 86'400};
  if (!random_.Chance(plan_.jumped)) {
    now_ns_ += random_.Below(2'000'000);
    return;
  }
  const std::vector<uint64_t> expiries = contest_.model().Expiries();
  if (random_.Chance(10)) {
    now_ns_ -= random_.Below(std::min(now_ns_, kSecondNs));  // time stands
  } else if (!expiries.empty() && random_.Chance(50)) {
    // The nanosecond at which something expires, or one beside it.
    now_ns_ = std::max(now_ns_, random_.Pick(expiries) + random_.Below(3) - 1);
  } else {
    now_ns_ += kJumps[random_.Below(std::size(kJumps))] * kSecondNs + random_.Below(kSecondNs);
  }
}

// What holds whatever the model says of a packet.
std::string World::CheckAnswer(const Wire& wire, const Answer& answer) const {
  const bool refused = plan_.kind == Kind::kPeace && answer.reason == Reason::kTcpWindow;
  const bool old = !plan_.setup.options.established_keep && answer.generation != generation();
  if (!refused && !old) return "";
  return absl::StrCat(refused ? "an honest segment is refused: " : "an old policy decides: ",
                      ToString(wire), ": ", ToString(answer), "\n");
}

std::optional<size_t> World::NextProgram(size_t done) {
  const bool due = plan_.swap_every != 0 && done / plan_.swap_every >= generation();
  if (!due && !random_.Chance(plan_.swapped)) return {};
  return random_.Below(Policies::kPrograms);
}

std::string World::RunBatch(size_t done, size_t count, bool keep) {
  PassTime();
  const std::optional<size_t> program = NextProgram(done);
  contest_.Begin(now_ns_, program);
  std::string problem;
  for (size_t i = 0; i < count && problem.empty(); ++i) {
    const Wire wire = traffic_.Next(contest_.model());
    const Answer& answer = contest_.Add(wire);
    ++tally_[{answer.allowed, answer.reason}];
    problem = CheckAnswer(wire, answer);
    if (answer.allowed) traffic_.Passed(wire);
  }
  if (keep) sequence_.push_back(contest_.batch());
  const std::string difference = contest_.End();
  return difference.empty() ? problem : difference;
}

std::string World::Run(bool keep) {
  for (size_t done = 0; done < plan_.packets;) {
    const size_t count = random_.Between(1, std::min(plan_.batch_max, plan_.packets - done));
    const std::string difference = RunBatch(done, count, keep);
    if (!difference.empty()) return absl::StrCat("at packet ", done, " or behind: ", difference);
    done += count;
  }
  return "";
}

std::string RunWorld(Policies& policies, const Plan& plan, uint64_t seed, Tally& tally) {
  World world(policies, plan, seed);
  const std::string difference = world.Run(false);
  for (const auto& [outcome, count] : world.tally()) tally[outcome] += count;
  if (difference.empty()) return "";
  World again(policies, plan, seed);
  again.Run(true);
  if (Replay(policies, again.setup(), again.sequence()).empty()) {
    return absl::StrCat("seed ", seed, ", ", ToString(again.setup()), difference,
                        ToString(again.sequence()));
  }
  const Sequence shrunk = Shrink(policies, again.setup(), again.sequence());
  return absl::StrCat("seed ", seed, ", ", ToString(again.setup()), difference,
                      "as short as can be:\n", ToString(shrunk),
                      Replay(policies, again.setup(), shrunk));
}

}  // namespace npf::simulator
