// What policy says of a connection that was seen: judged by its opener, under all policies that
// were in force while it was seen.
//
//   Seen ──► ends ──► FlowKey in each phase ──► Classify ──► Ruling
//            addresses; where a log has names, the pods that have them then
//
// A connection is a gap only where every policy in force while it was seen denies it, for every
// pair of pods that a log's names may mean, and, where nobody knows which end opened it, in both
// directions. What cannot be judged is counted by its reason, never guessed.
#ifndef NPF_TOOLS_NPF_GAP_JUDGE_H_
#define NPF_TOOLS_NPF_GAP_JUDGE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "gaps/seen.h"
#include "npf/flow.h"
#include "npf/policy_times.h"
#include "npf/verdict.h"

namespace npf::tools {

enum class Standing : uint8_t {
  kAllowed,
  kDenied,    // always, while it was seen
  kOutlived,  // allowed at first, denied by the policies that were in force last
  kUnclear,   // denied for one direction, or for some of the pods that it may be about
  kService,   // to the address of a Service: seen before it was translated
  kNoPod,     // neither end is a pod
  kUnknown,   // the objects do not have the pods that the log names
  kTooMany,   // the log's names mean too many pods
};
inline constexpr size_t kStandings = 8;
std::string_view Name(Standing standing);  // "allowed"

struct Ruling {
  Standing standing = Standing::kAllowed;
  // Of kDenied: in the last phase.
  const PolicyPhase* phase = nullptr;
  FlowKey key{};
  gaps::Evidence evidence = gaps::Evidence::kUnseen;  // as far as the direction bears it
};

class GapJudge {
 public:
  static constexpr size_t kPairsMax = 10'000;  // that the names of one flow may mean

  explicit GapJudge(const PolicyTimes& times) : times_(times) {}

  Ruling Judge(const gaps::Seen& seen);

 private:
  struct Answer {
    Standing standing = Standing::kAllowed;
    FlowKey key{};
  };
  Answer Ask(const PolicyPhase& phase, const gaps::Seen& seen);
  Answer AskAll(const PolicyPhase& phase);
  Standing KeysByName(const PolicyPhase& phase, const gaps::Seen& seen);

  const PolicyTimes& times_;
  std::vector<FlowKey> keys_;
  std::vector<Verdict> verdicts_;
};

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_GAP_JUDGE_H_
