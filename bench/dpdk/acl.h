// rte_acl over expanded ingress rules.
#ifndef NPF_BENCH_DPDK_ACL_H_
#define NPF_BENCH_DPDK_ACL_H_

#include "dpdk/dpdk_rivals.h"

namespace npf::bench {

// One table of the rules, and a contender for each algorithm that runs here.
void AddAcl(const NamedRules& rules, int socket, Rivals& rivals);

}  // namespace npf::bench

#endif  // NPF_BENCH_DPDK_ACL_H_
