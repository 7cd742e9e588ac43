// What a competent user would pick instead of npf, built from the same policies: bare rte_fib,
// rte_acl over expanded rules, rte_fib with rte_hash on classes, a linear matcher. Those of DPDK
// stand in bench/dpdk and are built where DPDK is there.
#ifndef NPF_BENCH_RIVALS_H_
#define NPF_BENCH_RIVALS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "contender.h"
#include "npf/address.h"
#include "npf/program.h"
#include "npf/snapshot.h"

namespace npf::bench {

struct RivalOptions {
  // Of rte_acl and the linear matcher: how many 5-tuple rules the ingress policies are expanded to,
  // destination pod by destination pod, until they are that many.
  std::vector<size_t> acl_rules = {1'000, 10'000, 100'000};
};

// What the ingress policies were expanded to, so that packets can be drawn that the rules decide:
// few of a cluster's destinations fit into a rule set.
struct Expansion {
  size_t rules = 0;
  std::vector<IpAddress> destinations;  // sorted
};

struct Rivals {
  Contenders contenders;
  std::vector<Expansion> expansions;  // by size, one for each rule set that was made
  std::vector<std::string> missing;   // "rte_acl: built without DPDK", a line each
};

// Starts DPDK's environment (no huge pages needed, no devices) on the first call. IPv4 only.
// `program` is the compiled `snapshot`; both outlive the result.
absl::StatusOr<Rivals> MakeRivals(const Snapshot& snapshot, const Program& program,
                                  const RivalOptions& options);

}  // namespace npf::bench

#endif  // NPF_BENCH_RIVALS_H_
