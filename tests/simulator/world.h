// One simulation: a seed makes its options, its clock, its traffic and its changes of policy.
#ifndef NPF_TESTS_SIMULATOR_WORLD_H_
#define NPF_TESTS_SIMULATOR_WORLD_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "simulator/contest.h"
#include "simulator/policies.h"
#include "simulator/traffic.h"
#include "testing/random.h"

namespace npf::simulator {

// What a simulation is for.
enum class Kind : uint8_t {
  kPeace,      // nobody forges, nothing is short: no segment of a connection may be refused
  kWar,        // everything, in a table that is never full
  kSmall,      // a table of a few places, and all of its bounds
  kCrowded,    // a table that is full, before anything expires
  kFragments,  // datagrams in fragments, of one source that takes what it can
};
inline constexpr size_t kKinds = 5;

struct Plan {
  Kind kind = Kind::kWar;
  size_t packets = 100;
  size_t batch_max = 200;
  size_t swapped = 5;     // in percent of batches
  size_t swap_every = 0;  // packets; 0: only so often
  size_t jumped = 10;
  Setup setup;
  TrafficOptions traffic;
};
Plan MakePlan(testing::Random& random);

// What came out, by reason and verdict.
using Tally = std::map<std::pair<bool, Reason>, uint64_t>;

class World {
 public:
  World(Policies& policies, const Plan& plan, uint64_t seed);

  // What differs, or nothing. `keep` is for who wants the sequence afterwards.
  std::string Run(bool keep);
  const Sequence& sequence() const { return sequence_; }
  const Setup& setup() const { return plan_.setup; }
  uint32_t generation() const { return contest_.model().generation(); }
  const Tally& tally() const { return tally_; }

 private:
  std::string RunBatch(size_t done, size_t count, bool keep);
  void PassTime();
  std::string CheckAnswer(const Wire& wire, const Answer& answer) const;
  std::optional<size_t> NextProgram(size_t done);

  Plan plan_;
  testing::Random random_;
  Contest contest_;
  Traffic traffic_;
  uint64_t now_ns_;
  Sequence sequence_;
  Tally tally_;
};

// Runs a world of this seed. Where something differs, the text tells what, and a sequence that is
// as short as can be.
std::string RunWorld(Policies& policies, const Plan& plan, uint64_t seed, Tally& tally);

}  // namespace npf::simulator

#endif  // NPF_TESTS_SIMULATOR_WORLD_H_
