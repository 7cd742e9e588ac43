// What `npf gaps` found: connections gathered into rows, and counts of everything that was seen.
//
// A row is what went from one end to another with one protocol and destination port, with one kind
// of evidence, under one set of policies. At most kRowsMax rows are kept; connections of further
// ones are counted without being told apart.
#ifndef NPF_TOOLS_NPF_GAP_FINDINGS_H_
#define NPF_TOOLS_NPF_GAP_FINDINGS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "gaps/seen.h"
#include "npf/explain.h"
#include "npf/gap_judge.h"

namespace npf::tools {

// A policy that denies what was seen.
struct DeniedBy {
  std::string direction;  // "egress" or "ingress"
  std::string policy;     // "namespace/name", or the name of a cluster-wide one
  std::string kind;       // "NetworkPolicy", ...
  Place place;
};

struct GapRow {
  bool denied = false;  // else allowed, and never answered
  gaps::Evidence evidence = gaps::Evidence::kUnseen;
  gaps::Grade grade = gaps::Grade::kNothing;
  // Addresses, or empty; and pods as "namespace/name", or empty. Of a log without addresses, the
  // names that it has.
  std::string src, src_pod, dst, dst_pod;
  uint8_t protocol = 0;
  bool has_ports = false;
  uint16_t port = 0;
  uint64_t connections = 0;
  uint64_t packets = 0;
  uint64_t replies = 0;
  uint64_t first_ns = 0;
  uint64_t last_ns = 0;
  std::vector<DeniedBy> denied_by;
  std::string denial;  // in a line, with the rule that came nearest to allowing it
  std::string note;    // why it is graded lower than its evidence
  std::string claim;   // what the log's enforcer says it decided by
};

struct GapCounts {
  uint64_t seen = 0;                            // connections
  uint64_t with_replies = 0;                    // of these
  std::array<uint64_t, kStandings> standing{};  // connections, by Standing
  std::array<uint64_t, 4> denied{};             // of kDenied, by grade
  uint64_t unanswered = 0;                      // of kAllowed
  uint64_t too_late = 0;                        // of kAllowed: unanswered when the evidence ended
  uint64_t beyond_rows = 0;                     // connections that have no row
  uint64_t isolated = 0;  // directions of pods that a policy isolates, in the last phase
  uint64_t tried = 0;     // of these, where something that policy denies was tried
};

class GapFindings {
 public:
  static constexpr size_t kRowsMax = 100'000;
  static constexpr uint64_t kAnswerNs = 1'000'000'000;  // until then an answer may still come

  explicit GapFindings(const PolicyTimes& times) : times_(times), judge_(times) {}

  void Add(const gaps::Seen& seen);
  // The time of what was seen last; evidence is in order, but for what logs do.
  void AdvanceTo(uint64_t time_ns) { now_ns_ = std::max(now_ns_, time_ns); }

  // What is denied and then what was not answered; the highest grade first, then those with most
  // packets.
  std::vector<GapRow> Rows() const;
  GapCounts counts() const;

 private:
  void AddDenied(const gaps::Seen& seen, const Ruling& ruling);
  void AddAllowed(const gaps::Seen& seen, const Ruling& ruling);
  // The row that it belongs to, new or not; null where there is no room.
  GapRow* RowOf(const gaps::Seen& seen, const Ruling& ruling, bool denied, bool& is_new);
  void Tell(GapRow& row, const Ruling& ruling);
  static void Count(GapRow& row, const gaps::Seen& seen);

  const PolicyTimes& times_;
  GapJudge judge_;
  absl::flat_hash_map<std::string, GapRow> rows_;
  absl::flat_hash_set<std::string> tried_;  // "ingress shop/db"
  GapCounts counts_;
  uint64_t now_ns_ = 0;
};

// Directions of pods that a policy isolates.
uint64_t CountIsolated(const PolicyPhase& phase);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_GAP_FINDINGS_H_
