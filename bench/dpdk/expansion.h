// The ingress side of a cluster's NetworkPolicies as a list of IPv4 5-tuple rules, which is what a
// classifier that knows no selectors needs. Written straight from the meaning of the API and
// without a look at the compiled Program, so that it also checks it.
#ifndef NPF_BENCH_DPDK_EXPANSION_H_
#define NPF_BENCH_DPDK_EXPANSION_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "npf/snapshot.h"

namespace npf::bench {

inline constexpr uint8_t kAnyProtocol = 0;

// Addresses in host order. Every source port matches.
struct FiveTupleRule {
  uint32_t src = 0;
  uint8_t src_length = 0;
  uint32_t dst = 0;                 // the whole address
  uint8_t protocol = kAnyProtocol;  // then the ports are 0 to 65535
  uint16_t first_port = 0;
  uint16_t last_port = 65535;
  bool allow = true;
  auto operator<=>(const FiveTupleRule&) const = default;
};

// The first rule that matches decides; a packet that none matches is allowed. Each isolated
// destination has its allowing rules and, behind them, one that denies everything.
struct RuleSet {
  std::vector<FiveTupleRule> rules;
  absl::flat_hash_set<uint32_t> destinations;  // those that rules speak of
  bool whole = true;                           // every isolated destination is among them
};

// Destination by destination in the order of addresses, which is node by node, until the rules are
// 95 % of `rules_max`; one whose rules might be too many for what is left is passed over.
std::shared_ptr<const RuleSet> ExpandIngress(const Snapshot& snapshot, size_t rules_max);

}  // namespace npf::bench

#endif  // NPF_BENCH_DPDK_EXPANSION_H_
