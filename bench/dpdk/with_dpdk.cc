#include "absl/strings/str_cat.h"
#include "dpdk/acl.h"
#include "dpdk/address_fib.h"
#include "dpdk/dpdk_rivals.h"
#include "dpdk/eal.h"
#include "dpdk/fib_hash.h"
#include "dpdk/routes.h"

namespace npf::bench {

absl::Status AddDpdkRivals(const Snapshot& snapshot, const Program& program,
                           std::span<const NamedRules> rules, Rivals& rivals) {
  const absl::StatusOr<int> socket = StartEal();
  if (!socket.ok()) {  // as in a container without /sys
    NameMissing(absl::StrCat("DPDK does not start here: ", std::string(socket.status().message())),
                rivals);
    return absl::OkStatus();
  }
  const absl::StatusOr<std::shared_ptr<AddressFib>> fib =
      AddressFib::Make(MakeRoutes(snapshot, program), *socket);
  if (fib.ok()) {
    AddFibPairs(*fib, rivals);
    AddFibHash(program, *fib, *socket, rivals);
  } else {
    rivals.missing.push_back(
        absl::StrCat("rte_fib: ", std::string(fib.status().message()), " failed"));
  }
  for (const NamedRules& set : rules) AddAcl(set, *socket, rivals);
  return absl::OkStatus();
}

}  // namespace npf::bench
