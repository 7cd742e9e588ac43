#include "absl/strings/str_cat.h"
#include "dpdk/acl.h"
#include "dpdk/dpdk_rivals.h"
#include "dpdk/eal.h"

namespace npf::bench {

absl::Status AddDpdkRivals(const Snapshot&, const Program&, std::span<const NamedRules> rules,
                           Rivals& rivals) {
  const absl::StatusOr<int> socket = StartEal();
  if (!socket.ok()) return socket.status();
  for (const NamedRules& set : rules) AddAcl(set, *socket, rivals);
  return absl::OkStatus();
}

}  // namespace npf::bench
