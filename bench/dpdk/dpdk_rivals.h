// The opponents that need DPDK: built from it, or named as missing where it is not there.
#ifndef NPF_BENCH_DPDK_DPDK_RIVALS_H_
#define NPF_BENCH_DPDK_DPDK_RIVALS_H_

#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "dpdk/expansion.h"
#include "rivals.h"

namespace npf::bench {

struct NamedRules {
  std::string size;  // "10k", for names
  std::shared_ptr<const RuleSet> set;
};

// Adds to `rivals` each of them, or a line of why it is missing.
absl::Status AddDpdkRivals(const Snapshot& snapshot, const Program& program,
                           std::span<const NamedRules> rules, Rivals& rivals);

// Names all of them as missing.
void NameMissing(const std::string& why, Rivals& rivals);

}  // namespace npf::bench

#endif  // NPF_BENCH_DPDK_DPDK_RIVALS_H_
