// The programs that a simulation swaps, and what the reference evaluator says in their place.
#ifndef NPF_TESTS_SIMULATOR_POLICIES_H_
#define NPF_TESTS_SIMULATOR_POLICIES_H_

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "npf/program.h"
#include "reference/evaluator.h"
#include "simulator/model.h"

namespace npf::simulator {

// Hosts 0 to 5 are pods, but for those that a program does not know; 6 and 7 are outside.
class Policies {
 public:
  // Of the first one, no policy isolates anything.
  static constexpr size_t kPrograms = 4;

  Policies();
  const Program& program(size_t number) const { return worlds_[number].program; }
  // Each question is asked once.
  PolicyAnswer Ask(size_t number, const Key& key);

 private:
  struct World {
    Program program;
    reference::Evaluator evaluator;
    std::map<Key, PolicyAnswer> answers;  // source ports are zero
  };
  std::vector<World> worlds_;
};

}  // namespace npf::simulator

#endif  // NPF_TESTS_SIMULATOR_POLICIES_H_
