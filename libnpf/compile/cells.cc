#include "compile/cells.h"

#include "npf/flow.h"
#include "npf/verdict.h"

namespace npf {
namespace {

using resolve::AddressKind;
using resolve::BitsetTable;

// What the kinds of the two addresses add to the decisions; `reasons` follows the precedence that
// docs/reasons.md states.
struct Context {
  bool any_pod;
  bool service;
  bool unknown_pod;
  bool node_to_pod;

  uint32_t code() const {
    return uint32_t{any_pod} | uint32_t{service} << 1 | uint32_t{unknown_pod} << 2 |
           uint32_t{node_to_pod} << 3;
  }
  Reason reason(bool isolated) const {
    if (service) return Reason::kServiceAddress;
    if (isolated) return Reason::kPolicy;
    if (unknown_pod) return Reason::kUnknownPod;
    return any_pod ? Reason::kNoPolicy : Reason::kNotAPod;
  }
  Reason tier_reason() const { return service ? Reason::kServiceAddress : Reason::kTier; }
  uint8_t flags() const {
    return static_cast<uint8_t>((unknown_pod ? layout::kCellUnknownPod : 0) |
                                (node_to_pod ? layout::kCellNodeSource : 0));
  }
};

Context ContextOf(AddressKind src, AddressKind dst) {
  return {.any_pod = src == AddressKind::kPod || dst == AddressKind::kPod,
          .service = src == AddressKind::kService || dst == AddressKind::kService,
          .unknown_pod = src == AddressKind::kUnknownPod || dst == AddressKind::kUnknownPod,
          .node_to_pod = src == AddressKind::kNode && dst == AddressKind::kPod};
}

layout::Cell ReservedCell(Reason reason) {
  const auto code = static_cast<uint8_t>(reason);
  return {.decision = {layout::kOpenDecision, layout::kOpenDecision},
          .reason = {code, code, code, code},
          .flags = 0,
          .reserved = {}};
}

// Bit i of the lower half goes to bit 2 i.
uint32_t Spread(uint32_t half) {
  uint32_t bits = half & 0xffff;
  bits = (bits | bits << 8) & 0x00ff00ff;
  bits = (bits | bits << 4) & 0x0f0f0f0f;
  bits = (bits | bits << 2) & 0x33333333;
  return (bits | bits << 1) & 0x55555555;
}

}  // namespace

CellTable::CellTable(const resolve::ResolvedPolicy& policy)
    : policy_(policy), outcome_words_(layout::OutcomeWords(policy.port_classes.count)) {
  cells_ = {ReservedCell(Reason::kLoopback), ReservedCell(Reason::kMalformed)};
  const resolve::Decision allow{BitsetTable::kAll, BitsetTable::kNothing, false};
  const resolve::Decision deny{BitsetTable::kNothing, BitsetTable::kNothing, false};
  AppendOutcomes(allow, allow);
  AppendOutcomes(deny, deny);
}

// Two bits a port class. A tier has decided where it denies one of the directions, or where both
// allow and it allowed one of them.
void CellTable::AppendOutcomes(const resolve::Decision& egress, const resolve::Decision& ingress) {
  const auto word_of = [&](uint32_t bitset, size_t i) { return policy_.bitsets.Get(bitset)[i]; };
  for (size_t i = 0; i < outcome_words_; ++i) {
    const size_t word = i / 2;
    const uint32_t shift = i % 2 == 0 ? 0 : layout::kOutcomesPerWord;
    const uint32_t egress_allow = word_of(egress.allow_bitset, word);
    const uint32_t ingress_allow = word_of(ingress.allow_bitset, word);
    const uint32_t egress_tier = word_of(egress.tier_bitset, word);
    const uint32_t ingress_tier = word_of(ingress.tier_bitset, word);
    const uint32_t allow = egress_allow & ingress_allow;
    const uint32_t tier = (allow & (egress_tier | ingress_tier)) | (~egress_allow & egress_tier) |
                          (~ingress_allow & ingress_tier);
    outcomes_.push_back(Spread(allow >> shift) | Spread(tier >> shift) << 1);
  }
}

uint32_t CellTable::Intern(uint32_t egress_decision, uint32_t ingress_decision, AddressKind src,
                           AddressKind dst) {
  const Context context = ContextOf(src, dst);
  // Decisions are far fewer than 2^30: each takes bytes of the image, which is bounded.
  const uint64_t key =
      uint64_t{egress_decision} << 34 | uint64_t{ingress_decision} << 4 | context.code();
  Recent& recent = recent_[(key * 0x9e3779b97f4a7c15u) >> 54];
  if (recent.key == key) return recent.cell;
  const auto [found, inserted] = ids_.try_emplace(key, count());
  recent = {key, found->second};
  if (!inserted) return found->second;
  const resolve::Decision& egress = policy_.decisions[egress_decision];
  const resolve::Decision& ingress = policy_.decisions[ingress_decision];
  const auto reason = static_cast<uint8_t>(context.reason(egress.isolated || ingress.isolated));
  const auto tier = static_cast<uint8_t>(context.tier_reason());
  cells_.push_back({.decision = {ingress_decision, egress_decision},
                    .reason = {reason, reason, tier, tier},
                    .flags = context.flags(),
                    .reserved = {}});
  AppendOutcomes(egress, ingress);
  return found->second;
}

size_t CellTable::Bytes() const {
  return cells_.size() * (sizeof(layout::Cell) + outcome_words_ * sizeof(uint32_t));
}

void CellTable::Write(ImageWriter& writer) const {
  writer.Put(layout::kCells, cells_);
  writer.Put(layout::kCellOutcomes, outcomes_);
  writer.header.cell_count = count();
}

}  // namespace npf
