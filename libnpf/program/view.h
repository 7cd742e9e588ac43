// Typed, read-only access to the sections of one image. The view does not own policy meaning: it
// says where the bytes are. Built once, when a Program is made, from bytes that VerifyImage
// accepted; from then on nothing is checked again.
#ifndef NPF_PROGRAM_VIEW_H_
#define NPF_PROGRAM_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "npf/address.h"
#include "npf/memory.h"
#include "npf/program.h"
#include "program/layout.h"

namespace npf {

// Memory whose start is aligned to a cache line. A few bytes behind its end may be read, too:
// vector loads of narrow elements take more than they need.
class AlignedBlock {
 public:
  static constexpr size_t kSlack = 64;
  AlignedBlock() = default;
  explicit AlignedBlock(size_t size_bytes);  // zeroed
  // Of the hook's memory; empty where it gives none.
  static AlignedBlock Of(const MemoryHook& hook, size_t size_bytes);
  bool empty() const { return data_ == nullptr; }
  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }
  size_t size() const { return size_; }

 private:
  struct Release {
    MemoryHook hook;  // without functions: ordinary memory
    size_t bytes;
    void operator()(std::byte* data) const;
  };
  std::unique_ptr<std::byte[], Release> data_;
  size_t size_ = 0;
};

class ProgramView {
 public:
  explicit ProgramView(AlignedBlock block);  // the block holds a verified image

  std::span<const std::byte> image() const { return {block_.data(), block_.size()}; }
  const layout::ImageHeader& header() const { return *header_; }
  size_t SectionBytes(layout::SectionId id) const {
    return sections_[id].count * sections_[id].element_bytes;
  }

  template <typename T>
  std::span<const T> Section(layout::SectionId id) const {
    return {reinterpret_cast<const T*>(block_.data() + sections_[id].offset), sections_[id].count};
  }

  std::string_view String(uint32_t index) const;  // "" for kNone
  // The bitsets of a decision.
  std::span<const uint32_t> AllowBits(uint32_t decision) const;
  std::span<const uint32_t> TierBits(uint32_t decision) const;
  std::span<const uint32_t> AtomsOf(uint32_t address_class) const;
  std::span<const layout::NamedPort> NamedPortsOf(uint32_t address_class) const;
  // The decision of one direction, from the cold one-direction tables.
  uint32_t DecisionOf(uint32_t direction, uint32_t subject_class, uint32_t peer_class) const;
  // nullptr where no pod and no node has the address.
  const layout::Endpoint* FindEndpoint(uint8_t family, const uint8_t* address) const;

 private:
  std::span<const uint32_t> Bitset(uint32_t index) const;

  AlignedBlock block_;
  const layout::ImageHeader* header_;
  const layout::SectionEntry* sections_;
};

inline bool TestBit(std::span<const uint32_t> bits, uint32_t bit) {
  return (bits[bit / 32] >> (bit % 32) & 1) != 0;
}

// Checks everything that reading an image relies on. `bytes` is aligned to kAlignment.
absl::Status VerifyImage(std::span<const std::byte> bytes);
uint64_t ImageChecksum(std::span<const std::byte> bytes);

// For the compiler and the loader: makes a Program of a block, verifying it.
class ProgramAccess {
 public:
  static absl::StatusOr<Program> Make(AlignedBlock block);
};

}  // namespace npf

#endif  // NPF_PROGRAM_VIEW_H_
