#include "dpdk/dpdk_rivals.h"

namespace npf::bench {

absl::Status AddDpdkRivals(const Snapshot&, const Program&, std::span<const NamedRules>,
                           Rivals& rivals) {
  NameMissing("built without DPDK", rivals);
  return absl::OkStatus();
}

}  // namespace npf::bench
