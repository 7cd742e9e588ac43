// Proof, in place of samples, that a compiled Program means what its objects mean.
//
// A Program says which addresses it takes for one class and which ports for one port class, and
// names representatives of each. The verifier asks the engine and the reference evaluator about
//
//   classes      every ordered pair of address classes, with every port class, in every direction
//                mask, and each class with itself (two members where it has two, and one address
//                to itself);
//   members      every address that an object names, and both sides of both edges of every CIDR,
//                against a representative of every class, both ways: an address that was put
//                into the wrong class shows here;
//   own nodes    every pod with every address of its own node, which no class knows of (R37);
//   ports        every port at which some policy or container changes anything, and its
//                neighbours, between pairs that have isolation: a port in the wrong port class.
//
// The first part is exhaustive always. The others are as long as they stay within `extra_max`
// decisions; beyond, they are thinned evenly, and the outcome says how many of how many were asked.
#ifndef NPF_TOOLS_NPF_VERIFIER_H_
#define NPF_TOOLS_NPF_VERIFIER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "npf/flow.h"
#include "npf/program.h"
#include "npf/snapshot.h"
#include "npf/verdict.h"
#include "reference/evaluator.h"

namespace npf::tools {

struct VerifyOptions {
  ClassifyOptions classify;  // directions are ignored: all are asked
  uint64_t extra_max = 4'000'000;
  unsigned threads = 0;  // 0: as many as there are processors
  // Told now and then how many of how many steps are done; may be empty.
  std::function<void(uint64_t done, uint64_t all)> progress;
};

// One question that the two answer differently.
struct Witness {
  reference::Question question;
  Verdict engine{};
  reference::Answer reference;
  DirectionMask directions = DirectionMask::kBoth;
};

struct VerifyOutcome {
  uint64_t address_classes = 0;
  uint64_t port_classes = 0;
  uint64_t class_decisions = 0;  // pairs of classes by port class, all asked
  uint64_t extra_decisions = 0;  // members, own nodes and ports: asked
  uint64_t extra_all = 0;        // and as many as there are
  uint64_t differences = 0;
  std::optional<Witness> witness;  // the first, in the order of the questions
};

VerifyOutcome VerifyProgram(const Snapshot& snapshot, const Program& program,
                            const VerifyOptions& options);

std::string Describe(const Witness& witness);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_VERIFIER_H_
