// Decides the meaning of a Snapshot. See resolved_policy.h for what comes out.
#ifndef NPF_RESOLVE_RESOLVE_H_
#define NPF_RESOLVE_RESOLVE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "npf/diagnostics.h"
#include "npf/snapshot.h"
#include "resolve/resolved_policy.h"

namespace npf::resolve {

struct Cost {
  std::string policy;  // "prod/db"; the name of a cluster policy
  size_t subject_classes = 0;
  size_t row_entries = 0;
};

struct ResolveLimits {
  size_t entries_max = size_t{1} << 27;  // of rows, and of blocks by region, each
};

// Fails with kResourceExhausted where a limit is reached. `costs` gets one entry a policy, also
// then.
absl::StatusOr<ResolvedPolicy> Resolve(const Snapshot& snapshot, const ResolveLimits& limits,
                                       std::vector<Cost>& costs);

}  // namespace npf::resolve

#endif  // NPF_RESOLVE_RESOLVE_H_
