// Whether one rule matches a flow, and by how little it missed.
//
// Distances rank misses: a rule whose peer matched and whose port did not is nearer than one whose
// port matched and whose peer did not, and that is nearer than one that missed both. Within a rank,
// ports are compared as numbers and peers as text (a label that is off by one letter is nearest).
#ifndef NPF_EXPLAIN_NEAR_MISS_H_
#define NPF_EXPLAIN_NEAR_MISS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "npf/address.h"
#include "npf/explain.h"
#include "program/view.h"

namespace npf {

struct RuleQuestion {
  Direction direction;
  uint32_t subject_class;
  uint32_t peer_class;
  const Party& peer;
  IpAddress peer_address;
  uint8_t protocol;
  uint16_t port;
};

struct RuleJudgement {
  bool matches = false;
  uint64_t distance = 0;
  MissedField field = MissedField::kPeer;
  std::string detail;
  std::optional<uint32_t> peer;  // that matched, or came nearest
  std::optional<uint32_t> item;  // of its networks or names, that matched
  std::string_view item_list;    // see RuleRef
  std::optional<uint32_t> port;
};

RuleJudgement JudgeRule(const ProgramView& view, const RuleQuestion& question,
                        const layout::RuleRecord& rule);

}  // namespace npf

#endif  // NPF_EXPLAIN_NEAR_MISS_H_
