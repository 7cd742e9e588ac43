#include "npf/program.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "npf/version.h"
#include "program/view.h"

namespace npf {

AlignedBlock::AlignedBlock(size_t size_bytes)
    : data_(static_cast<std::byte*>(
          ::operator new[](size_bytes + kSlack, std::align_val_t{layout::kAlignment}))),
      size_(size_bytes) {
  std::memset(data_.get(), 0, size_bytes + kSlack);
}

AlignedBlock AlignedBlock::Of(const MemoryHook& hook, size_t size_bytes) {
  AlignedBlock block;
  const size_t bytes = size_bytes + kSlack;
  void* const memory = hook.allocate(bytes, layout::kAlignment, hook.context);
  block.data_ = {static_cast<std::byte*>(memory), Release{hook, bytes}};
  block.size_ = size_bytes;
  return block;
}

void AlignedBlock::Release::operator()(std::byte* data) const {
  if (hook.release != nullptr) return hook.release(data, bytes, hook.context);
  ::operator delete[](data, std::align_val_t{layout::kAlignment});
}

ProgramView::ProgramView(AlignedBlock block)
    : block_(std::move(block)),
      header_(reinterpret_cast<const layout::ImageHeader*>(block_.data())),
      sections_(reinterpret_cast<const layout::SectionEntry*>(block_.data() +
                                                              sizeof(layout::ImageHeader))) {}

std::string_view ProgramView::String(uint32_t index) const {
  if (index == layout::kNone) return {};
  const auto offsets = Section<uint32_t>(layout::kStringOffsets);
  const auto bytes = Section<char>(layout::kStringBytes);
  return {bytes.data() + offsets[index], offsets[index + 1] - offsets[index]};
}

std::span<const uint32_t> ProgramView::Bitset(uint32_t index) const {
  return Section<uint32_t>(layout::kBitsets)
      .subspan(size_t{index} * header_->bitset_words, header_->bitset_words);
}

std::span<const uint32_t> ProgramView::AllowBits(uint32_t decision) const {
  return Bitset(Section<layout::Decision>(layout::kDecisions)[decision].allow_bitset);
}

std::span<const uint32_t> ProgramView::TierBits(uint32_t decision) const {
  return Bitset(Section<layout::Decision>(layout::kDecisions)[decision].tier_bitset);
}

std::span<const uint32_t> ProgramView::AtomsOf(uint32_t address_class) const {
  const auto& record = Section<layout::ClassRecord>(layout::kClasses)[address_class];
  return Section<uint32_t>(layout::kClassAtoms).subspan(record.first_atom, record.atom_count);
}

std::span<const layout::NamedPort> ProgramView::NamedPortsOf(uint32_t address_class) const {
  const auto& record = Section<layout::ClassRecord>(layout::kClasses)[address_class];
  return Section<layout::NamedPort>(layout::kClassNamedPorts)
      .subspan(record.first_named_port, record.named_port_count);
}

uint32_t ProgramView::DecisionOf(uint32_t direction, uint32_t subject_class,
                                 uint32_t peer_class) const {
  if (subject_class >= header_->pod_class_count) return layout::kOpenDecision;
  const uint32_t row_index = Section<uint32_t>(
      layout::kRowOfClass)[size_t{direction} * header_->pod_class_count + subject_class];
  if (row_index == layout::kNone) return layout::kOpenDecision;
  const layout::Row& row = Section<layout::Row>(layout::kRows)[row_index];
  const auto entries =
      Section<layout::RowEntry>(layout::kRowEntries).subspan(row.first_entry, row.entry_count);
  const auto found = std::lower_bound(
      entries.begin(), entries.end(), peer_class,
      [](const layout::RowEntry& entry, uint32_t peer) { return entry.peer_class < peer; });
  if (found != entries.end() && found->peer_class == peer_class) return found->decision;
  const uint32_t group = Section<uint32_t>(layout::kPeerGroup)[peer_class];
  return Section<uint32_t>(
      layout::kRowDefaults)[size_t{row.defaults} * header_->peer_group_count + group];
}

const layout::Endpoint* ProgramView::FindEndpoint(uint8_t family, const uint8_t* address) const {
  const auto endpoints = Section<layout::Endpoint>(layout::kEndpoints);
  const auto before = [&](const layout::Endpoint& endpoint, int) {
    if (endpoint.family != family) return endpoint.family < family;
    return std::memcmp(endpoint.address, address, sizeof endpoint.address) < 0;
  };
  const auto found = std::lower_bound(endpoints.begin(), endpoints.end(), 0, before);
  if (found == endpoints.end() || found->family != family) return nullptr;
  return std::memcmp(found->address, address, sizeof found->address) == 0 ? &*found : nullptr;
}

absl::StatusOr<Program> ProgramAccess::Make(AlignedBlock block) {
  const absl::Status status = VerifyImage({block.data(), block.size()});
  if (!status.ok()) return status;
  Program program;
  program.view_ = std::make_shared<const ProgramView>(std::move(block));
  return program;
}

absl::StatusOr<Program> Program::FromImage(std::span<const std::byte> bytes) {
  AlignedBlock block(bytes.size());
  std::copy(bytes.begin(), bytes.end(), block.data());
  return ProgramAccess::Make(std::move(block));
}

absl::StatusOr<Program> Program::MovedTo(const MemoryHook& hook) const {
  AlignedBlock block = AlignedBlock::Of(hook, image().size());
  if (block.empty()) return absl::ResourceExhaustedError("the memory hook gave no memory");
  std::copy(image().begin(), image().end(), block.data());
  return ProgramAccess::Make(std::move(block));
}

std::span<const std::byte> Program::image() const { return view_->image(); }

}  // namespace npf
