// The joint table: for a pair of classes, the cell that judges it.
//
// A pair's cell follows from two rows: the source's egress row and the destination's ingress row.
// Most pairs share the defaults of their rows; what differs are exceptions, and there are about as
// many as the rules name. So the table is, smallest fitting kind first:
//
//   dense   a matrix of cells, where it fits a second-level cache
//   hash    a cell by (source group, destination group), and a hash of the exceptions
//   tiled   a matrix cut into tiles of 32 columns, equal tiles stored once
//
// A group is what classes share in whatever rows do not name them: the defaults of their own row,
// the peer group for which other rows have a default, and the kind of address.
//
// Rejected: a hash of all pairs that are not denied (an "allow all pods" rule fills it), and a
// matrix by row instead of by class (it saves a tenth and costs a look-up).
#ifndef NPF_COMPILE_PAIR_TABLES_H_
#define NPF_COMPILE_PAIR_TABLES_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "compile/cells.h"
#include "compile/deadline.h"
#include "compile/image_writer.h"
#include "npf/program.h"
#include "resolve/resolved_policy.h"

namespace npf {

class PairTables {
 public:
  PairTables(const resolve::ResolvedPolicy& policy, CellTable& cells, const Deadline& deadline);

  // Writes the pair sections of the asked kind, or of the best with which the image, cells
  // included, stays within `image_bytes_max`. kResourceExhausted where none does. Every other
  // section stands in `writer` already; CellTable::Write comes after.
  absl::Status Build(PairKind kind, size_t image_bytes_max, ImageWriter& writer);

 private:
  struct Group {
    uint32_t defaults;  // kNone: open
    uint32_t peer_group;
    resolve::AddressKind kind;
    auto operator<=>(const Group&) const = default;
  };

  void MakeGroups(size_t direction, std::vector<uint32_t>& group_of, std::vector<Group>& groups);
  void IndexIngressRows();
  uint32_t DefaultCell(const Group& src, const Group& dst);
  absl::Status MakeDefaultCells();
  uint32_t EgressDefault(uint32_t src, uint32_t dst) const;
  uint32_t IngressDefault(uint32_t src, uint32_t dst) const;
  // Works out the pairs of one source that a row names: touched_, and their decisions.
  void VisitNamed(uint32_t src);
  void Touch(uint32_t src, uint32_t dst);
  uint32_t NamedCell(uint32_t src, uint32_t dst);  // of a touched pair
  void FillRow(uint32_t src, std::vector<uint32_t>& row);
  size_t CountNamedAtMost() const;
  uint32_t CellBytes() const { return cells_.count() <= 65536 ? 2 : 4; }

  absl::Status BuildDense(size_t bytes_max, ImageWriter& writer);
  absl::Status BuildTiled(size_t bytes_max, ImageWriter& writer);
  absl::Status BuildHash(size_t bytes_max, ImageWriter& writer);

  const resolve::ResolvedPolicy& policy_;
  CellTable& cells_;
  const Deadline& deadline_;
  uint32_t class_count_;
  std::vector<uint32_t> source_group_, destination_group_;  // by class
  std::vector<Group> source_groups_, destination_groups_;
  std::vector<uint32_t> default_cells_;  // [source group][destination group], hash only
  std::vector<uint32_t> row_cells_;      // of FillRow: default cells by destination group

  // CSR: by source class, the ingress rows with an entry for it; by row, its subject classes.
  std::vector<uint32_t> entry_first_;
  std::vector<std::pair<uint32_t, uint32_t>> entry_rows_;  // row, decision
  std::vector<uint32_t> subject_first_;
  std::vector<uint32_t> subjects_;

  // Of the source being worked on, by destination.
  std::vector<uint32_t> stamp_, egress_, ingress_;
  std::vector<uint32_t> touched_;  // in no special order
  uint32_t stamp_now_ = 0;
};

}  // namespace npf

#endif  // NPF_COMPILE_PAIR_TABLES_H_
