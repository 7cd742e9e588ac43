// Policies and pods by time: what was in force when something was seen.
//
//   -f A           --update T1=B            --update T2=C
//   ───────────────┬────────────────────────┬──────────────►
//    A             T1  B (A within grace)   T2  C (B within grace)
//
// Enforcement follows a change with some delay, and clocks differ: for `grace_ns` after a change
// the policies before it are taken to be in force as well.
#ifndef NPF_TOOLS_NPF_POLICY_TIMES_H_
#define NPF_TOOLS_NPF_POLICY_TIMES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "npf/address_names.h"
#include "npf/input.h"
#include "npf/program.h"
#include "npf/snapshot.h"
#include "npf/why.h"

namespace npf::tools {

class PolicyPhase {
 public:
  PolicyPhase(uint64_t begin_ns, Snapshot snapshot, Program program);

  uint64_t begin_ns() const { return begin_ns_; }
  const Snapshot& snapshot() const { return snapshot_; }
  const Program& program() const { return program_; }
  const AddressNames& names() const { return names_; }
  const Places& places() const { return places_; }
  // On the pod network and not ended; null where there is none.
  const Pod* FindPod(std::string_view ns, std::string_view name) const;
  // Those whose names begin with `prefix`, at most `max + 1` of them.
  std::vector<const Pod*> PodsThatBegin(std::string_view ns, std::string_view prefix,
                                        size_t max) const;
  // A node by this name, or one that a pod runs on.
  bool HasNode(std::string_view name) const;

 private:
  uint64_t begin_ns_;
  Snapshot snapshot_;
  Program program_;
  AddressNames names_;
  Places places_;
};

// Nothing where an input cannot be used; then `exit_status` says how to end, and the reasons were
// told. `updates` are "TIME=PATH,PATH", TIME as RFC 3339 has it or in seconds since 1970. Throws
// BadUsage where one is not.
class PolicyTimes {
 public:
  static std::unique_ptr<PolicyTimes> Load(const InputFlags& input,
                                           const std::vector<std::string>& updates,
                                           uint64_t grace_ns, int& exit_status);

  const PolicyPhase& At(uint64_t time_ns) const;
  // Those in force at some time from `first_ns` to `last_ns`, at least one, in order.
  std::span<const PolicyPhase> During(uint64_t first_ns, uint64_t last_ns) const;
  std::span<const PolicyPhase> all() const { return phases_; }

 private:
  explicit PolicyTimes(uint64_t grace_ns) : grace_ns_(grace_ns) {}
  size_t IndexAt(uint64_t time_ns) const;

  uint64_t grace_ns_;
  std::vector<PolicyPhase> phases_;  // by time; the first begins at 0
};

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_POLICY_TIMES_H_
