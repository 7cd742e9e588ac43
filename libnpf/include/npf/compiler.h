// From a Snapshot to a Program.
#ifndef NPF_COMPILER_H_
#define NPF_COMPILER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "npf/program.h"
#include "npf/snapshot.h"

namespace npf {

struct CompileOptions {
  // The compiled image may not be larger. Exceeding it is kResourceExhausted with a message that
  // names the policies that cost most, after smaller and slower tables were tried.
  size_t image_bytes_max = size_t{1} << 30;
  // Wall-clock bound on the compilation; 0 is none. Exceeding it is kDeadlineExceeded.
  uint64_t time_ns_max = 0;
  // Which pair table to build; kAuto chooses by size.
  PairKind pair_kind = PairKind::kAuto;
};

struct PolicyCost {
  std::string policy;          // "prod/db"; a cluster policy's name
  size_t subject_classes = 0;  // classes it selects
  size_t row_entries = 0;      // table entries that its rules ask for
};

struct CompileReport {
  size_t pod_classes = 0;
  size_t other_classes = 0;  // node, Service, unknown-pod and external classes
  size_t port_classes = 0;
  size_t cells = 0;
  size_t ingress_rows = 0;
  size_t egress_rows = 0;
  PairKind pair_kind = PairKind::kAuto;
  size_t hot_ipv4_bytes = 0;  // tables that judging an IPv4 packet touches
  size_t hot_ipv6_bytes = 0;
  size_t cold_bytes = 0;  // provenance, names, one-direction tables
  uint64_t compile_ns = 0;
  std::vector<PolicyCost> policies;  // in the order in which they are evaluated
};

// A pure function of the Snapshot and the options: equal Snapshots give equal bytes. Warnings about
// meaning (an unresolvable named port, an address that two pods claim) are SnapshotBuilder's.
// `report` may be null.
absl::StatusOr<Program> Compile(const Snapshot& snapshot, const CompileOptions& options = {},
                                CompileReport* report = nullptr);

}  // namespace npf

#endif  // NPF_COMPILER_H_
