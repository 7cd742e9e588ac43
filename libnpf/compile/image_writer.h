// Lays sections out one after another and seals the image.
#ifndef NPF_COMPILE_IMAGE_WRITER_H_
#define NPF_COMPILE_IMAGE_WRITER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/status/statusor.h"
#include "program/layout.h"
#include "program/view.h"

namespace npf {

class ImageWriter {
 public:
  ImageWriter() = default;
  ImageWriter(const ImageWriter&) = delete;
  ImageWriter& operator=(const ImageWriter&) = delete;

  layout::ImageHeader header;

  template <typename T>
  void Put(layout::SectionId id, std::span<const T> elements) {
    PutBytes(id, std::as_bytes(elements), sizeof(T));
  }
  template <typename T>
  void Put(layout::SectionId id, const std::vector<T>& elements) {
    Put(id, std::span<const T>(elements));
  }
  // Values in the width given: 1, 2, 4 or 8 bytes.
  template <typename T>
  void PutNarrow(layout::SectionId id, const std::vector<T>& values, uint32_t element_bytes) {
    if (element_bytes == 1) return PutAs<uint8_t>(id, values);
    if (element_bytes == 2) return PutAs<uint16_t>(id, values);
    if (element_bytes == 4) return PutAs<uint32_t>(id, values);
    PutAs<uint64_t>(id, values);
  }

  void Clear(layout::SectionId id) { sections_[id] = {}; }

  uint32_t Intern(std::string_view text);  // kNone for ""
  // A string that is known to be new, which Intern will not find: names of pods are many.
  uint32_t Append(std::string_view text);

  size_t SectionBytes(layout::SectionId id) const { return sections_[id].bytes.size(); }
  size_t ImageBytes() const;
  // Fails with kInternal where the result does not verify: a fault of the compiler.
  absl::StatusOr<Program> Seal();

 private:
  void PutBytes(layout::SectionId id, std::span<const std::byte> bytes, size_t element_bytes);
  template <typename Stored, typename T>
  void PutAs(layout::SectionId id, const std::vector<T>& values) {
    Section& section = sections_[id];
    section.element_bytes = sizeof(Stored);
    section.bytes.resize(values.size() * sizeof(Stored));
    std::byte* to = section.bytes.data();
    for (size_t i = 0; i < values.size(); ++i) {
      const auto value = static_cast<Stored>(values[i]);
      std::memcpy(to + i * sizeof(Stored), &value, sizeof(Stored));
    }
  }
  struct Section {
    std::vector<std::byte> bytes;
    uint32_t element_bytes = 1;
  };
  std::array<Section, layout::kSectionCount> sections_;
  std::vector<uint32_t> string_offsets_ = {0};
  std::string string_bytes_;
  // The strings by content, which stands in string_bytes_.
  struct StringHash {
    using is_transparent = void;
    const ImageWriter* writer;
    size_t operator()(uint32_t id) const { return (*this)(writer->String(id)); }
    size_t operator()(std::string_view text) const { return absl::HashOf(text); }
  };
  struct StringEqual {
    using is_transparent = void;
    const ImageWriter* writer;
    bool operator()(uint32_t a, uint32_t b) const { return a == b; }
    bool operator()(uint32_t id, std::string_view text) const { return writer->String(id) == text; }
  };
  std::string_view String(uint32_t id) const {
    return std::string_view(string_bytes_)
        .substr(string_offsets_[id], string_offsets_[id + 1] - string_offsets_[id]);
  }
  absl::flat_hash_set<uint32_t, StringHash, StringEqual> string_ids_{0, StringHash{this},
                                                                     StringEqual{this}};
};

}  // namespace npf

#endif  // NPF_COMPILE_IMAGE_WRITER_H_
