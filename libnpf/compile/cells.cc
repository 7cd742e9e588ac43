#include "compile/cells.h"

#include <span>

namespace npf {
namespace {

using resolve::AddressKind;
using resolve::BitsetTable;

using Codes = std::array<uint8_t, 16>;

// What the kinds of the two addresses add to the decisions; reasons follow the precedence that
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
  layout::OutcomeCode Allowed(bool tier, bool isolated) const {
    if (service) return layout::kAllowedService;
    if (tier) return layout::kAllowedByTier;
    if (isolated) return layout::kAllowedByPolicy;
    if (unknown_pod) return layout::kAllowedUnknownPod;
    return any_pod ? layout::kAllowedNoPolicy : layout::kAllowedNotAPod;
  }
  layout::OutcomeCode Denied(bool egress, bool ingress, bool tier) const {
    const bool both = egress && ingress;  // never with a Service, which is no policy's subject
    if (service) return egress ? layout::kServiceDeniedEgress : layout::kServiceDeniedIngress;
    if (tier) {
      if (both) return layout::kTierDeniedBoth;
      return egress ? layout::kTierDeniedEgress : layout::kTierDeniedIngress;
    }
    if (both) return layout::kDeniedBoth;
    if (egress) return layout::kDeniedEgress;
    return node_to_pod ? layout::kDeniedIngressUnlessLocal : layout::kDeniedIngress;
  }
};

// A tier has decided where it denies one of the directions, or where both allow and it allowed one
// of them.
Codes CodesOf(const Context& context, bool isolated) {
  Codes codes;
  for (uint32_t bits = 0; bits < codes.size(); ++bits) {
    const bool egress = (bits & 1) != 0;
    const bool ingress = (bits & 2) != 0;
    const bool egress_tier = (bits & 4) != 0;
    const bool ingress_tier = (bits & 8) != 0;
    codes[bits] = egress && ingress
                      ? context.Allowed(egress_tier || ingress_tier, isolated)
                      : context.Denied(!egress, !ingress,
                                       (!egress && egress_tier) || (!ingress && ingress_tier));
  }
  return codes;
}

Context ContextOf(AddressKind src, AddressKind dst) {
  return {.any_pod = src == AddressKind::kPod || dst == AddressKind::kPod,
          .service = src == AddressKind::kService || dst == AddressKind::kService,
          .unknown_pod = src == AddressKind::kUnknownPod || dst == AddressKind::kUnknownPod,
          .node_to_pod = src == AddressKind::kNode && dst == AddressKind::kPod};
}

Codes Always(layout::OutcomeCode code) {
  Codes codes;
  codes.fill(code);
  return codes;
}

}  // namespace

CellTable::CellTable(const resolve::ResolvedPolicy& policy)
    : policy_(policy), outcome_words_(layout::OutcomeWords(policy.port_classes.count)) {
  constexpr resolve::Decision kOpen{BitsetTable::kAll, BitsetTable::kNothing, false};
  constexpr layout::Cell kReserved{{layout::kOpenDecision, layout::kOpenDecision}, 0};
  cells_ = {kReserved, kReserved};  // loopback, malformed
  AppendOutcomes(kOpen, kOpen, Always(layout::kAllowedNoPolicy));
  AppendOutcomes(kOpen, kOpen, Always(layout::kMalformed));
}

void CellTable::AppendOutcomes(const resolve::Decision& egress, const resolve::Decision& ingress,
                               const Codes& codes) {
  const std::array<std::span<const uint32_t>, 4> sets = {
      policy_.bitsets.Get(egress.allow_bitset), policy_.bitsets.Get(ingress.allow_bitset),
      policy_.bitsets.Get(egress.tier_bitset), policy_.bitsets.Get(ingress.tier_bitset)};
  for (size_t i = 0; i < outcome_words_; ++i) {
    std::array<uint32_t, 4> halves;
    bool uniform = true;
    for (size_t set = 0; set < sets.size(); ++set) {
      halves[set] = sets[set][i / 2] >> (i % 2 * layout::kOutcomesPerWord) & 0xffff;
      uniform &= halves[set] == 0 || halves[set] == 0xffff;
    }
    const auto code_at = [&](uint32_t place) {
      uint32_t bits = 0;
      for (uint32_t set = 0; set < sets.size(); ++set) bits |= (halves[set] >> place & 1) << set;
      return uint64_t{codes[bits]};
    };
    uint64_t word = 0;
    if (uniform) {
      word = code_at(0) * 0x1111111111111111u;
    } else {
      for (uint32_t place = 0; place < layout::kOutcomesPerWord; ++place) {
        word |= code_at(place) << (layout::kOutcomeBits * place);
      }
    }
    outcomes_.push_back(word);
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
  cells_.push_back({{ingress_decision, egress_decision},
                    context.unknown_pod ? uint32_t{layout::kCellUnknownPod} : 0});
  AppendOutcomes(egress, ingress, CodesOf(context, egress.isolated || ingress.isolated));
  return found->second;
}

size_t CellTable::Bytes() const {
  return cells_.size() * (sizeof(layout::Cell) + outcome_words_ * sizeof(uint64_t));
}

void CellTable::Write(ImageWriter& writer) const {
  writer.Put(layout::kCells, cells_);
  writer.Put(layout::kCellOutcomes, outcomes_);
  writer.header.cell_count = count();
}

}  // namespace npf
