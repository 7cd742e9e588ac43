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
  struct Group {  // what the defaults of a class's row and its kind come to
    uint32_t default_pod;
    uint32_t default_other;
    resolve::AddressKind kind;
    auto operator<=>(const Group&) const = default;
  };
  struct Exception {
    uint32_t dst;
    uint32_t cell;
  };

  void MakeGroups(size_t direction, std::vector<uint32_t>& group_of, std::vector<Group>& groups);
  void IndexIngressRows();
  absl::Status MakeDefaults();
  // Pairs of one source whose cell is not their groups' default, in no special order.
  void CollectExceptions(uint32_t src, std::vector<Exception>& exceptions);
  void FillRow(uint32_t src, std::vector<uint32_t>& row);
  size_t CountExceptionsAtMost() const;
  uint32_t CellBytes() const { return cells_.count() <= 65536 ? 2 : 4; }
  void Touch(uint32_t dst, uint32_t egress_default, uint32_t src);
  uint32_t DefaultIngress(uint32_t src, uint32_t dst) const;

  absl::Status BuildDense(size_t bytes_max, ImageWriter& writer);
  absl::Status BuildTiled(size_t bytes_max, ImageWriter& writer);
  absl::Status BuildHash(size_t bytes_max, ImageWriter& writer);

  const resolve::ResolvedPolicy& policy_;
  CellTable& cells_;
  const Deadline& deadline_;
  uint32_t class_count_;
  std::vector<uint32_t> source_group_, destination_group_;  // by class
  std::vector<Group> source_groups_, destination_groups_;
  std::vector<uint32_t> default_cells_;  // [source group][destination group]

  // CSR: by source class, the ingress rows with an entry for it; by row, its subject classes.
  std::vector<uint32_t> entry_first_;
  std::vector<std::pair<uint32_t, uint32_t>> entry_rows_;  // row, decision
  std::vector<uint32_t> subject_first_;
  std::vector<uint32_t> subjects_;

  // Of the source being worked on, by destination.
  std::vector<uint32_t> stamp_, egress_, ingress_;
  std::vector<uint32_t> touched_;
  std::vector<Exception> exceptions_;  // of FillRow
  uint32_t stamp_now_ = 0;
};

}  // namespace npf

#endif  // NPF_COMPILE_PAIR_TABLES_H_
