#include "rivals.h"

#include "absl/status/status.h"
#include "dpdk/dpdk_rivals.h"

namespace npf::bench {

absl::StatusOr<Rivals> MakeRivals(const Snapshot& snapshot, const Program& program,
                                  const RivalOptions& options) {
  Rivals rivals;
  const absl::Status status = AddDpdkRivals(snapshot, program, options, rivals);
  if (!status.ok()) return status;
  return rivals;
}

}  // namespace npf::bench
