// A Program is a compiled set of policies: one flat, relocatable, immutable block of bytes, the
// only thing that the compiler and the runtime share. program/layout.h describes the bytes.
#ifndef NPF_PROGRAM_H_
#define NPF_PROGRAM_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "npf/memory.h"

namespace npf {

// How the joint egress-and-ingress decision of a pair of classes is found.
enum class PairKind : uint8_t {
  kAuto = 0,   // an option, never in a Program
  kDense = 1,  // a matrix
  kTiled = 2,  // a matrix of tiles, equal tiles stored once
  kHash = 3,   // defaults by group of classes, and a hash of the pairs that differ
};

class ProgramView;  // program/view.h: typed access to the sections

// Cheap to copy (shares the block); safe to share between threads.
class Program {
 public:
  // Copies `bytes` into aligned memory and verifies everything in it: an image that this accepts
  // cannot make the engine read outside it, whoever wrote it. Fails with kInvalidArgument.
  static absl::StatusOr<Program> FromImage(std::span<const std::byte> bytes);

  // The same Program in memory of the hook's; this one stays as it is. kResourceExhausted where the
  // hook gives none.
  absl::StatusOr<Program> MovedTo(const MemoryHook& hook) const;

  std::span<const std::byte> image() const;
  const ProgramView& view() const { return *view_; }

 private:
  friend class ProgramAccess;
  std::shared_ptr<const ProgramView> view_;
};

}  // namespace npf

#endif  // NPF_PROGRAM_H_
