// What a routing table needs to know of a Program's address classes: IPv4 prefixes, each with the
// class of the addresses that no longer one contains.
#ifndef NPF_BENCH_DPDK_ROUTES_H_
#define NPF_BENCH_DPDK_ROUTES_H_

#include <cstdint>
#include <vector>

#include "dpdk/v4_block.h"
#include "npf/program.h"
#include "npf/snapshot.h"
#include "program/view.h"

namespace npf::bench {

// A next hop is a class and whether that class is isolated at all, which saves asking what each
// combination of open classes comes to.
inline constexpr uint32_t kClassMask = (uint32_t{1} << 29) - 1;
inline constexpr uint32_t kIngressIsolated = uint32_t{1} << 29;
inline constexpr uint32_t kEgressIsolated = uint32_t{1} << 30;
uint32_t NextHopOf(const ProgramView& view, uint32_t address_class);

struct Route {
  V4Block block;
  uint32_t next_hop = 0;
};

// Sorted by address, then length. The first is 0.0.0.0/0.
std::vector<Route> MakeRoutes(const Snapshot& snapshot, const Program& program);

}  // namespace npf::bench

#endif  // NPF_BENCH_DPDK_ROUTES_H_
