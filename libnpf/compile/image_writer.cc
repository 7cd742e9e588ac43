#include "compile/image_writer.h"

#include <cstring>

#include "npf/version.h"

namespace npf {
namespace {

size_t Aligned(size_t offset, size_t alignment = layout::kAlignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

// A section of a page or more begins at a page, so that a change to it copies no page of another.
size_t AlignmentOf(size_t section_bytes) {
  return section_bytes >= layout::kPageBytes ? layout::kPageBytes : layout::kAlignment;
}

constexpr size_t kTableEnd =
    sizeof(layout::ImageHeader) + size_t{layout::kSectionCount} * sizeof(layout::SectionEntry);

}  // namespace

void ImageWriter::PutBytes(layout::SectionId id, std::span<const std::byte> bytes,
                           size_t element_bytes) {
  sections_[id].bytes.assign(bytes.begin(), bytes.end());
  sections_[id].element_bytes = static_cast<uint32_t>(element_bytes);
}

uint32_t ImageWriter::Intern(std::string_view text) {
  if (text.empty()) return layout::kNone;
  const auto known = string_ids_.find(text);
  if (known != string_ids_.end()) return *known;
  const uint32_t id = Append(text);
  string_ids_.insert(id);
  return id;
}

uint32_t ImageWriter::Append(std::string_view text) {
  const auto id = static_cast<uint32_t>(string_offsets_.size() - 1);
  string_bytes_.append(text);
  string_offsets_.push_back(static_cast<uint32_t>(string_bytes_.size()));
  return id;
}

size_t ImageWriter::ImageBytes() const {
  size_t end = kTableEnd;
  const auto append = [&](size_t bytes) { end = Aligned(end, AlignmentOf(bytes)) + bytes; };
  for (const Section& section : sections_) append(section.bytes.size());
  append(string_offsets_.size() * sizeof(uint32_t));
  append(string_bytes_.size());
  return Aligned(end);
}

absl::StatusOr<Program> ImageWriter::Seal() {
  const size_t image_bytes = ImageBytes();
  Put(layout::kStringOffsets, string_offsets_);
  Put(layout::kStringBytes, std::span<const char>(string_bytes_));
  string_offsets_ = {};
  string_bytes_ = {};
  AlignedBlock block(image_bytes);
  std::array<layout::SectionEntry, layout::kSectionCount> table{};
  size_t end = kTableEnd;
  for (size_t id = 0; id < layout::kSectionCount; ++id) {
    Section& section = sections_[id];
    const size_t bytes = section.bytes.size();
    const size_t offset = Aligned(end, AlignmentOf(bytes));
    table[id] = {.offset = offset,
                 .count = bytes / section.element_bytes,
                 .element_bytes = section.element_bytes};
    if (bytes != 0) std::memcpy(block.data() + offset, section.bytes.data(), bytes);
    end = offset + bytes;
    section.bytes = {};
  }
  std::memcpy(header.magic, layout::kMagic, sizeof header.magic);
  header.byte_order = layout::kByteOrder;
  header.format_version = kImageFormatVersion;
  header.semantics_version = kSemanticsVersion;
  header.section_count = layout::kSectionCount;
  header.image_bytes = image_bytes;
  std::memcpy(block.data(), &header, sizeof header);
  std::memcpy(block.data() + sizeof header, table.data(), sizeof table);
  header.checksum = ImageChecksum({block.data(), block.size()});
  std::memcpy(block.data(), &header, sizeof header);
  absl::StatusOr<Program> program = ProgramAccess::Make(std::move(block));
  if (!program.ok()) return absl::InternalError(program.status().message());
  return program;
}

}  // namespace npf
