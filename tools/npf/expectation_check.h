// Whether expectations hold: for every member of both sides and every port, exactly.
//
//   expectation ─ EndResolver ─► addresses, ports ─ AddressSpace, PortTable ─► classes ─ Classify
//
// Members that the Program does not tell apart are asked once, so the cost is that of distinct
// classes, however many pods and addresses a side has; and there is nothing that was not asked.
//
// Two things no policy decides, and so no expectation is about them: what a pod sends to its own
// address (R36) is left out; what a node may send to its own pods in spite of policies (R37) is
// judged by the policies.
#ifndef NPF_TOOLS_NPF_EXPECTATION_CHECK_H_
#define NPF_TOOLS_NPF_EXPECTATION_CHECK_H_

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/address_space.h"
#include "npf/diagnostics.h"
#include "npf/expectation.h"
#include "npf/flow.h"
#include "npf/program.h"
#include "npf/snapshot.h"

namespace npf::tools {

// Members that nothing tells apart: as many as are kept for telling, of `count`.
struct Members {
  static constexpr size_t kKept = 20;
  analysis::AddressRanges ranges;
  uint64_t count = 0;
};

// A pair of classes that is not as expected, on some ports.
struct Failure {
  Members src, dst;
  std::vector<analysis::ProtocolRange> ports;
  FlowKey witness{};
};

struct Outcome {
  static constexpr size_t kFailuresKept = 100;
  uint64_t pairs = 0;  // of members: pods' addresses, or ranges of addresses
  uint64_t failed_pairs = 0;
  uint64_t failed_classes = 0;    // pairs of classes, of which so many are kept:
  std::vector<Failure> failures;  // in the order of the addresses
  uint64_t elapsed_ns = 0;
  bool ok() const { return failed_pairs == 0; }
};

// How expectations are judged: nothing is exempt.
ClassifyOptions ExpectationOptions();

// An outcome for each expectation. One that concerns nothing is an error in `diagnostics`, as is
// every end that is nothing; judging goes on, so that all of them are told.
std::vector<Outcome> CheckExpectations(const Snapshot& snapshot, const Program& program,
                                       const std::vector<Expectation>& expectations,
                                       Diagnostics& diagnostics);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_EXPECTATION_CHECK_H_
