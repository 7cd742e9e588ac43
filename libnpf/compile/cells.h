// Cells: what all pairs of classes that are judged alike have in common.
#ifndef NPF_COMPILE_CELLS_H_
#define NPF_COMPILE_CELLS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "compile/image_writer.h"
#include "resolve/resolved_policy.h"

namespace npf {

class CellTable {
 public:
  explicit CellTable(const resolve::ResolvedPolicy& policy);

  // The cell of a pair, given the two directions' decisions.
  uint32_t Intern(uint32_t egress_decision, uint32_t ingress_decision, resolve::AddressKind src,
                  resolve::AddressKind dst);
  uint32_t count() const { return static_cast<uint32_t>(cells_.size()); }
  size_t Bytes() const;                   // of the sections that Write writes
  void Write(ImageWriter& writer) const;  // kCells, kCellOutcomes

 private:
  // The code of each combination of bits: egress allowed, ingress allowed, egress tier, ingress
  // tier.
  using Codes = std::array<uint8_t, 16>;
  void AppendOutcomes(const resolve::Decision& egress, const resolve::Decision& ingress,
                      const Codes& codes);

  const resolve::ResolvedPolicy& policy_;
  std::vector<layout::Cell> cells_;
  std::vector<uint64_t> outcomes_;  // by cell, outcome_words_ each
  size_t outcome_words_;
  absl::flat_hash_map<uint64_t, uint32_t> ids_;
  // The same key comes many times in a row of the matrix: a cache in front of ids_.
  struct Recent {
    uint64_t key = ~uint64_t{0};
    uint32_t cell = 0;
  };
  std::array<Recent, 1024> recent_;
};

}  // namespace npf

#endif  // NPF_COMPILE_CELLS_H_
