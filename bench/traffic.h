// Packets that speak of a cluster, as flow keys. Equal snapshots, options and seeds give equal
// traffic on every machine.
#ifndef NPF_BENCH_TRAFFIC_H_
#define NPF_BENCH_TRAFFIC_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "npf/address.h"
#include "npf/flow.h"
#include "npf/program.h"
#include "npf/snapshot.h"
#include "workload.h"

namespace npf::bench {

enum class TrafficKind : uint8_t {
  kUniform,  // 60 % of what policies speak of, 20 % pairs of pods, 20 % from or to the outside
  kZipf,     // the same, as 64k flows of which few have most of the packets (s = 1.1)
  kScan,     // from anywhere outside to any pod and port
  kDeny,     // as kUniform, nine of ten denied where that can be found
  kPods,     // between pods only
};

std::string_view Name(TrafficKind kind);  // "uniform", "zipf", "scan", "deny", "pods"
std::optional<TrafficKind> ParseTrafficKind(std::string_view name);

struct TrafficOptions {
  TrafficKind kind = TrafficKind::kUniform;
  IpFamilies families = IpFamilies::kV4;
  size_t packets = 512 * 1024;
  uint64_t seed = 1;
};

// Where a packet's ends were taken from.
enum class Origin : uint8_t { kPolicy, kPodPair, kExternal };

struct Traffic {
  std::vector<FlowKey> keys;
  std::array<size_t, 3> by_origin{};  // packets, by Origin
};

// `program` is the compiled `snapshot`. Of kUniform and kZipf, where a packet's origin has both
// allowed and denied ones, they are drawn so that 80 % are allowed. A snapshot without pods of
// those families has no traffic.
Traffic MakeTraffic(const Snapshot& snapshot, const Program& program,
                    const TrafficOptions& options);

// To the pods that have these addresses, so that rules that speak of no others decide about all of
// it: 70 % is what ingress policies that select them speak of, the rest comes from any pod or from
// anywhere, to any port. Of the options, `packets` and `seed` count.
Traffic MakeTrafficTo(std::span<const IpAddress> destinations, const Snapshot& snapshot,
                      const TrafficOptions& options);

}  // namespace npf::bench

#endif  // NPF_BENCH_TRAFFIC_H_
