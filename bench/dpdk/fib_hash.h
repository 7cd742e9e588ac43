// rte_fib for both addresses, then rte_hash on what was found: what somebody who knows DPDK well
// writes in an afternoon.
#ifndef NPF_BENCH_DPDK_FIB_HASH_H_
#define NPF_BENCH_DPDK_FIB_HASH_H_

#include <memory>

#include "dpdk/address_fib.h"
#include "npf/program.h"
#include "rivals.h"

namespace npf::bench {

// `program` outlives `rivals`.
void AddFibHash(const Program& program, const std::shared_ptr<AddressFib>& fib, int socket,
                Rivals& rivals);

}  // namespace npf::bench

#endif  // NPF_BENCH_DPDK_FIB_HASH_H_
