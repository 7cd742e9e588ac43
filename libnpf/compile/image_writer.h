// Lays sections out one after another and seals the image.
#ifndef NPF_COMPILE_IMAGE_WRITER_H_
#define NPF_COMPILE_IMAGE_WRITER_H_

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "program/layout.h"
#include "program/view.h"

namespace npf {

class ImageWriter {
 public:
  layout::ImageHeader header;

  template <typename T>
  void Put(layout::SectionId id, std::span<const T> elements) {
    PutBytes(id, std::as_bytes(elements), sizeof(T));
  }
  template <typename T>
  void Put(layout::SectionId id, const std::vector<T>& elements) {
    Put(id, std::span<const T>(elements));
  }
  // Values in the narrowest of 1, 2 or 4 bytes given.
  void PutNarrow(layout::SectionId id, std::span<const uint32_t> values, uint32_t element_bytes);

  void Clear(layout::SectionId id) { sections_[id] = {}; }

  uint32_t Intern(std::string_view text);  // kNone for ""

  size_t SectionBytes(layout::SectionId id) const { return sections_[id].bytes.size(); }
  size_t ImageBytes() const;
  // Fails with kInternal where the result does not verify: a fault of the compiler.
  absl::StatusOr<Program> Seal();

 private:
  void PutBytes(layout::SectionId id, std::span<const std::byte> bytes, size_t element_bytes);
  struct Section {
    std::vector<std::byte> bytes;
    uint32_t element_bytes = 1;
  };
  std::array<Section, layout::kSectionCount> sections_;
  std::vector<uint32_t> string_offsets_ = {0};
  std::string string_bytes_;
  absl::flat_hash_map<std::string, uint32_t> string_ids_;
};

}  // namespace npf

#endif  // NPF_COMPILE_IMAGE_WRITER_H_
