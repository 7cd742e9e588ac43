// DPDK's environment, without devices, huge pages of the system's pool, or files.
#ifndef NPF_BENCH_DPDK_EAL_H_
#define NPF_BENCH_DPDK_EAL_H_

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace npf::bench {

// The "socket" that tables are to be allocated on. Starts the environment on the first call; a
// process can do so once, and a failure stays.
absl::StatusOr<int> StartEal();

size_t AllocatedBytes(int socket);
// A name that no other table of this process has; DPDK's tables have a global one each.
std::string FreshTableName();
// What DPDK's calls say of their last failure.
std::string LastEalError();

}  // namespace npf::bench

#endif  // NPF_BENCH_DPDK_EAL_H_
