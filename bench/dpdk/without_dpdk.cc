#include "dpdk/dpdk_rivals.h"

namespace npf::bench {

absl::Status AddDpdkRivals(const Snapshot&, const Program&, std::span<const NamedRules>,
                           Rivals& rivals) {
  for (const char* name : {"rte_acl", "rte_fib x2", "rte_fib + rte_hash"}) {
    rivals.missing.push_back(std::string(name) + ": built without DPDK");
  }
  return absl::OkStatus();
}

}  // namespace npf::bench
