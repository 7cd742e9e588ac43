#include "analysis/connections.h"

#include <utility>

#include "program/view.h"

namespace npf::analysis {
namespace {

constexpr PortSetId kUnset = ~PortSetId{0};

bool IsAsked(const ClassifyOptions& options, size_t direction) {
  const auto mask = static_cast<uint8_t>(options.directions);
  return (mask >> direction & 1) != 0;
}

}  // namespace

Connectivity::Connectivity(Program program, const ClassifyOptions& options, PortSets& ports)
    : program_(std::move(program)),
      options_(options),
      ports_(ports),
      places_(program_),
      pod_class_count_(program_.view().header().pod_class_count) {
  const ProgramView& view = program_.view();
  for (const layout::ClassRecord& record : view.Section<layout::ClassRecord>(layout::kClasses)) {
    denied_.push_back(options.deny_unknown_pod &&
                      record.kind == static_cast<uint8_t>(layout::AddressKind::kUnknownPod));
  }
  const size_t bitsets =
      view.Section<uint32_t>(layout::kBitsets).size() / view.header().bitset_words;
  set_of_.assign(bitsets, kUnset);
  const size_t rows = view.Section<layout::Row>(layout::kRows).size();
  for (auto& of_direction : rows_) of_direction.resize(rows);
}

PortSetId Connectivity::SetOf(uint32_t bitset) {
  PortSetId& known = set_of_[bitset];
  if (known != kUnset) return known;
  const uint32_t words = program_.view().header().bitset_words;
  const auto bits =
      program_.view().Section<uint32_t>(layout::kBitsets).subspan(size_t{bitset} * words, words);
  return known = ports_.Intern(places_.Of(bits));
}

const Connectivity::Row& Connectivity::RowAt(size_t direction, uint32_t row) {
  std::unique_ptr<Row>& known = rows_[direction][row];
  if (known != nullptr) return *known;
  const ProgramView& view = program_.view();
  const auto decisions = view.Section<layout::Decision>(layout::kDecisions);
  const auto groups = view.Section<uint32_t>(layout::kPeerGroup);
  const layout::Row& record = view.Section<layout::Row>(layout::kRows)[row];
  const uint32_t group_count = view.header().peer_group_count;
  const auto defaults = view.Section<uint32_t>(layout::kRowDefaults)
                            .subspan(size_t{record.defaults} * group_count, group_count);
  known = std::make_unique<Row>(groups.size());
  for (size_t peer = 0; peer < groups.size(); ++peer) {
    (*known)[peer] = SetOf(decisions[defaults[groups[peer]]].allow_bitset);
  }
  for (const layout::RowEntry& entry : view.Section<layout::RowEntry>(layout::kRowEntries)
                                           .subspan(record.first_entry, record.entry_count)) {
    (*known)[entry.peer_class] = SetOf(decisions[entry.decision].allow_bitset);
  }
  return *known;
}

PortSetId Connectivity::Of(size_t direction, uint32_t subject, uint32_t peer) {
  if (denied_[subject] || denied_[peer]) return PortSets::kNone;
  if (subject >= pod_class_count_ || !IsAsked(options_, direction)) return PortSets::kAll;
  const uint32_t row = program_.view().Section<uint32_t>(
      layout::kRowOfClass)[direction * pod_class_count_ + subject];
  return row == layout::kNone ? PortSets::kAll : RowAt(direction, row)[peer];
}

PortSetId Connectivity::IngressFromOwnNode(uint32_t src_class, uint32_t dst_class) {
  const PortSetId plain = Ingress(src_class, dst_class);
  const bool exempting =
      options_.placement == Placement::kOffline || options_.placement == Placement::kPodPort;
  if (!exempting || plain == PortSets::kAll) return plain;
  // What a cluster tier denied stays denied.
  const ProgramView& view = program_.view();
  const uint32_t decision = view.DecisionOf(kIngressIndex, dst_class, src_class);
  const uint32_t tier = view.Section<layout::Decision>(layout::kDecisions)[decision].tier_bitset;
  return ports_.Union(plain, ports_.Difference(PortSets::kAll, SetOf(tier)));
}

}  // namespace npf::analysis
