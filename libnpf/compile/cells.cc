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
          .reason_allow = code,
          .reason_deny = code,
          .flags = 0,
          .reserved = 0};
}

}  // namespace

CellTable::CellTable(resolve::ResolvedPolicy& policy) : policy_(policy) {
  cells_ = {ReservedCell(Reason::kLoopback), ReservedCell(Reason::kMalformed)};
  joint_bitset_ = {BitsetTable::kAll, BitsetTable::kNothing};
}

uint32_t CellTable::Intern(uint32_t egress_decision, uint32_t ingress_decision, AddressKind src,
                           AddressKind dst) {
  const Context context = ContextOf(src, dst);
  // Decisions are far fewer than 2^30: each takes bytes of the image, which is bounded.
  const uint64_t key =
      uint64_t{egress_decision} << 34 | uint64_t{ingress_decision} << 4 | context.code();
  const auto [found, inserted] = ids_.try_emplace(key, count());
  if (!inserted) return found->second;
  const resolve::Decision& egress = policy_.decisions[egress_decision];
  const resolve::Decision& ingress = policy_.decisions[ingress_decision];
  const auto reason = static_cast<uint8_t>(context.reason(egress.isolated || ingress.isolated));
  cells_.push_back({.decision = {ingress_decision, egress_decision},
                    .reason_allow = reason,
                    .reason_deny = reason,
                    .flags = context.flags(),
                    .reserved = 0});
  joint_bitset_.push_back(policy_.bitsets.Intersection(egress.allow_bitset, ingress.allow_bitset));
  return found->second;
}

size_t CellTable::Bytes() const {
  return cells_.size() * (sizeof(layout::Cell) + policy_.bitsets.word_count() * sizeof(uint32_t));
}

void CellTable::Write(ImageWriter& writer) const {
  std::vector<uint32_t> bits;
  bits.reserve(cells_.size() * policy_.bitsets.word_count());
  for (const uint32_t bitset : joint_bitset_) {
    const auto words = policy_.bitsets.Get(bitset);
    bits.insert(bits.end(), words.begin(), words.end());
  }
  writer.Put(layout::kCells, cells_);
  writer.Put(layout::kCellBits, bits);
  writer.header.cell_count = count();
}

}  // namespace npf
