#include "compile/pair_tables.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "compile/perfect_hash.h"

namespace npf {
namespace {

using resolve::kEgress;
using resolve::kIngress;
using resolve::ResolvedPolicy;

// A matrix up to this size, with the other tables beside it, fits a second-level cache.
constexpr size_t kDenseBytesMax = size_t{1} << 20;
constexpr size_t kDefaultCellsMax = size_t{1} << 24;
constexpr layout::SectionId kPairSections[] = {
    layout::kPairCells,   layout::kPairTiles,        layout::kPairPilots,  layout::kPairPlaces,
    layout::kSourceGroup, layout::kDestinationGroup, layout::kDefaultCells};

absl::Status TooLarge(const char* what, size_t bytes, size_t bytes_max) {
  return absl::ResourceExhaustedError(
      absl::StrCat("the ", what, " would take ", bytes, " bytes, the budget has ", bytes_max));
}

uint32_t RowOf(const ResolvedPolicy& policy, size_t direction, uint32_t c) {
  return c < policy.pod_class_count ? policy.row_of_class[direction][c] : resolve::kNone;
}

// The decision of a row's defaults; without a row all is open.
uint32_t DefaultOf(const ResolvedPolicy& policy, uint32_t defaults, uint32_t peer_group) {
  return defaults == resolve::kNone ? layout::kOpenDecision : policy.defaults[defaults][peer_group];
}

}  // namespace

PairTables::PairTables(const ResolvedPolicy& policy, CellTable& cells, const Deadline& deadline)
    : policy_(policy),
      cells_(cells),
      deadline_(deadline),
      class_count_(static_cast<uint32_t>(policy.classes.size())),
      stamp_(class_count_, 0),
      egress_(class_count_, 0),
      ingress_(class_count_, 0) {
  MakeGroups(kEgress, source_group_, source_groups_);
  MakeGroups(kIngress, destination_group_, destination_groups_);
  IndexIngressRows();
}

void PairTables::MakeGroups(size_t direction, std::vector<uint32_t>& group_of,
                            std::vector<Group>& groups) {
  absl::flat_hash_map<std::tuple<uint32_t, uint32_t, uint8_t>, uint32_t> ids;
  group_of.resize(class_count_);
  for (uint32_t c = 0; c < class_count_; ++c) {
    Group group{resolve::kNone, policy_.peer_group[c], policy_.classes[c].kind};
    const uint32_t row = RowOf(policy_, direction, c);
    if (row != resolve::kNone) group.defaults = policy_.rows[row].defaults;
    const std::tuple key(group.defaults, group.peer_group, static_cast<uint8_t>(group.kind));
    const auto [found, inserted] = ids.try_emplace(key, static_cast<uint32_t>(groups.size()));
    if (inserted) groups.push_back(group);
    group_of[c] = found->second;
  }
}

void PairTables::IndexIngressRows() {
  const auto& row_of = policy_.row_of_class[kIngress];
  subject_first_.assign(policy_.rows.size() + 1, 0);
  for (const uint32_t row : row_of) {
    if (row != resolve::kNone) ++subject_first_[row + 1];
  }
  for (size_t i = 1; i < subject_first_.size(); ++i) subject_first_[i] += subject_first_[i - 1];
  subjects_.resize(subject_first_.back());
  std::vector<uint32_t> next(subject_first_.begin(), subject_first_.end() - 1);
  for (uint32_t c = 0; c < row_of.size(); ++c) {
    if (row_of[c] != resolve::kNone) subjects_[next[row_of[c]]++] = c;
  }
  const auto is_ingress = [&](size_t row) {
    return subject_first_[row] != subject_first_[row + 1];
  };
  entry_first_.assign(class_count_ + 1, 0);
  for (size_t row = 0; row < policy_.rows.size(); ++row) {
    if (!is_ingress(row)) continue;
    for (const auto& entry : policy_.rows[row].entries) ++entry_first_[entry.peer_class + 1];
  }
  for (size_t i = 1; i < entry_first_.size(); ++i) entry_first_[i] += entry_first_[i - 1];
  entry_rows_.resize(entry_first_.back());
  next.assign(entry_first_.begin(), entry_first_.end() - 1);
  for (uint32_t row = 0; row < policy_.rows.size(); ++row) {
    if (!is_ingress(row)) continue;
    for (const auto& entry : policy_.rows[row].entries) {
      entry_rows_[next[entry.peer_class]++] = {row, entry.decision};
    }
  }
}

uint32_t PairTables::EgressDefault(uint32_t src, uint32_t dst) const {
  return DefaultOf(policy_, source_groups_[source_group_[src]].defaults, policy_.peer_group[dst]);
}

uint32_t PairTables::IngressDefault(uint32_t src, uint32_t dst) const {
  return DefaultOf(policy_, destination_groups_[destination_group_[dst]].defaults,
                   policy_.peer_group[src]);
}

uint32_t PairTables::DefaultCell(const Group& src, const Group& dst) {
  return cells_.Intern(DefaultOf(policy_, src.defaults, dst.peer_group),
                       DefaultOf(policy_, dst.defaults, src.peer_group), src.kind, dst.kind);
}

absl::Status PairTables::MakeDefaultCells() {
  const size_t count = source_groups_.size() * destination_groups_.size();
  if (count > kDefaultCellsMax) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "too many different rules without peers: ", source_groups_.size(), " for egress times ",
        destination_groups_.size(), " for ingress; at most ", kDefaultCellsMax, " pairs"));
  }
  default_cells_.clear();
  default_cells_.reserve(count);
  for (const Group& src : source_groups_) {
    for (const Group& dst : destination_groups_) default_cells_.push_back(DefaultCell(src, dst));
  }
  return absl::OkStatus();
}

void PairTables::Touch(uint32_t src, uint32_t dst) {
  if (stamp_[dst] == stamp_now_) return;
  stamp_[dst] = stamp_now_;
  egress_[dst] = EgressDefault(src, dst);
  ingress_[dst] = IngressDefault(src, dst);
  touched_.push_back(dst);
}

void PairTables::VisitNamed(uint32_t src) {
  ++stamp_now_;
  touched_.clear();
  const uint32_t egress_row = RowOf(policy_, kEgress, src);
  if (egress_row != resolve::kNone) {
    for (const auto& entry : policy_.rows[egress_row].entries) {
      Touch(src, entry.peer_class);
      egress_[entry.peer_class] = entry.decision;
    }
  }
  for (uint32_t i = entry_first_[src]; i < entry_first_[src + 1]; ++i) {
    const auto [row, decision] = entry_rows_[i];
    for (uint32_t j = subject_first_[row]; j < subject_first_[row + 1]; ++j) {
      Touch(src, subjects_[j]);
      ingress_[subjects_[j]] = decision;
    }
  }
}

uint32_t PairTables::NamedCell(uint32_t src, uint32_t dst) {
  return cells_.Intern(egress_[dst], ingress_[dst], policy_.classes[src].kind,
                       policy_.classes[dst].kind);
}

void PairTables::FillRow(uint32_t src, std::vector<uint32_t>& row) {
  VisitNamed(src);
  const Group& group = source_groups_[source_group_[src]];
  row_cells_.assign(destination_groups_.size(), resolve::kNone);
  for (uint32_t dst = 0; dst < class_count_; ++dst) {
    if (stamp_[dst] == stamp_now_) {
      row[dst] = NamedCell(src, dst);
      continue;
    }
    uint32_t& cell = row_cells_[destination_group_[dst]];
    if (cell == resolve::kNone) {
      cell = DefaultCell(group, destination_groups_[destination_group_[dst]]);
    }
    row[dst] = cell;
  }
}

absl::Status PairTables::BuildDense(size_t bytes_max, ImageWriter& writer) {
  const size_t count = size_t{class_count_} * class_count_;
  if (count * 2 > bytes_max) return TooLarge("matrix of class pairs", count * 2, bytes_max);
  std::vector<uint32_t> matrix;
  matrix.reserve(count);
  std::vector<uint32_t> row(class_count_);
  for (uint32_t src = 0; src < class_count_; ++src) {
    FillRow(src, row);
    matrix.insert(matrix.end(), row.begin(), row.end());
  }
  if (count * CellBytes() > bytes_max)
    return TooLarge("matrix of class pairs", count * CellBytes(), bytes_max);
  writer.PutNarrow(layout::kPairCells, matrix, CellBytes());
  return absl::OkStatus();
}

absl::Status PairTables::BuildTiled(size_t bytes_max, ImageWriter& writer) {
  using Tile = std::array<uint32_t, layout::kTileColumns>;
  const uint32_t tiles_per_row = (class_count_ + layout::kTileColumns - 1) / layout::kTileColumns;
  const size_t index_bytes = size_t{class_count_} * tiles_per_row * 4;
  if (index_bytes > bytes_max) return TooLarge("tiles of class pairs", index_bytes, bytes_max);
  absl::flat_hash_map<Tile, uint32_t> ids;
  std::vector<uint32_t> index;
  std::vector<uint32_t> tiles;
  std::vector<uint32_t> row(size_t{tiles_per_row} * layout::kTileColumns, layout::kLoopbackCell);
  for (uint32_t src = 0; src < class_count_; ++src) {
    FillRow(src, row);
    for (uint32_t t = 0; t < tiles_per_row; ++t) {
      Tile tile;
      std::copy_n(row.begin() + t * layout::kTileColumns, layout::kTileColumns, tile.begin());
      const auto [found, inserted] = ids.try_emplace(tile, static_cast<uint32_t>(tiles.size()));
      if (inserted) tiles.insert(tiles.end(), tile.begin(), tile.end());
      index.push_back(found->second);
    }
    const size_t bytes = index_bytes + tiles.size() * CellBytes();
    if (bytes > bytes_max) return TooLarge("tiles of class pairs", bytes, bytes_max);
    if (absl::Status status = deadline_.Check(); !status.ok()) return status;
  }
  writer.Put(layout::kPairTiles, index);
  writer.PutNarrow(layout::kPairCells, tiles, CellBytes());
  writer.header.tiles_per_row = tiles_per_row;
  return absl::OkStatus();
}

size_t PairTables::CountNamedAtMost() const {
  size_t count = 0;
  for (uint32_t c = 0; c < policy_.pod_class_count; ++c) {
    for (const size_t direction : {kIngress, kEgress}) {
      const uint32_t row = policy_.row_of_class[direction][c];
      if (row != resolve::kNone) count += policy_.rows[row].entries.size();
    }
  }
  return count;
}

absl::Status PairTables::BuildHash(size_t bytes_max, ImageWriter& writer) {
  absl::Status status = MakeDefaultCells();
  if (!status.ok()) return status;
  // Places are an eighth more than pairs; and a pilot for four.
  constexpr size_t kBytesPerPair = sizeof(uint64_t) + 3;
  // An upper bound, halved: a pair that both directions name counts twice in it.
  if (CountNamedAtMost() / 2 * kBytesPerPair > bytes_max) {
    return TooLarge("hash of class pairs", CountNamedAtMost() * kBytesPerPair, bytes_max);
  }
  std::vector<std::pair<uint64_t, uint32_t>> pairs;  // source << 32 | destination, cell
  for (uint32_t src = 0; src < class_count_; ++src) {
    VisitNamed(src);
    std::sort(touched_.begin(), touched_.end());
    const size_t defaults = source_group_[src] * destination_groups_.size();
    for (const uint32_t dst : touched_) {
      const uint32_t cell = NamedCell(src, dst);
      if (cell == default_cells_[defaults + destination_group_[dst]]) continue;
      pairs.emplace_back(uint64_t{src} << 32 | dst, cell);
    }
    if (pairs.size() * kBytesPerPair > bytes_max) {
      return TooLarge("hash of class pairs", pairs.size() * kBytesPerPair, bytes_max);
    }
  }
  const layout::PairWord word = layout::PairWord::For(class_count_);
  if (word.class_bits > layout::PairWord::kClassBitsMax || cells_.count() - 1 > word.cell_mask()) {
    return absl::ResourceExhaustedError(absl::StrCat("hash of class pairs: ", class_count_,
                                                     " classes twice and ", cells_.count(),
                                                     " cells are more than 64 bits can tell"));
  }
  const absl::StatusOr<PerfectHash> perfect =
      MakePerfectHash(pairs.size(), [&](size_t i, uint32_t seed) {
        return layout::HashPair(static_cast<uint32_t>(pairs[i].first >> 32),
                                static_cast<uint32_t>(pairs[i].first), seed);
      });
  if (!perfect.ok()) return perfect.status();
  std::vector<uint64_t> places(perfect->place_count, layout::kEmptyPairWord);
  for (size_t i = 0; i < pairs.size(); ++i) {
    places[perfect->places[i]] = word.Word(static_cast<uint32_t>(pairs[i].first >> 32),
                                           static_cast<uint32_t>(pairs[i].first), pairs[i].second);
  }
  writer.Put(layout::kPairPilots, perfect->pilots);
  writer.Put(layout::kPairPlaces, places);
  writer.Put(layout::kSourceGroup, source_group_);
  writer.Put(layout::kDestinationGroup, destination_group_);
  writer.Put(layout::kDefaultCells, default_cells_);
  writer.header.pair_hash_seed = perfect->seed;
  writer.header.source_group_count = static_cast<uint32_t>(source_groups_.size());
  writer.header.destination_group_count = static_cast<uint32_t>(destination_groups_.size());
  return absl::OkStatus();
}

absl::Status PairTables::Build(PairKind kind, size_t image_bytes_max, ImageWriter& writer) {
  absl::Status status;
  const size_t used = writer.ImageBytes();
  const size_t bytes_max = image_bytes_max > used ? image_bytes_max - used : 0;
  std::vector<PairKind> order = {kind};
  if (kind == PairKind::kAuto) {
    order = {PairKind::kHash, PairKind::kTiled};
    if (size_t{class_count_} * class_count_ * 2 <= kDenseBytesMax) {
      order.insert(order.begin(), PairKind::kDense);
    }
  }
  for (const PairKind candidate : order) {
    status = candidate == PairKind::kDense   ? BuildDense(bytes_max, writer)
             : candidate == PairKind::kTiled ? BuildTiled(bytes_max, writer)
                                             : BuildHash(bytes_max, writer);
    const size_t image_bytes = writer.ImageBytes() + cells_.Bytes();
    if (status.ok() && image_bytes > image_bytes_max)
      status = TooLarge("image", image_bytes, image_bytes_max);
    if (status.ok()) {
      writer.header.pair_kind = static_cast<uint8_t>(candidate);
      // Kinds without a matrix still have the section, empty.
      if (candidate == PairKind::kHash)
        writer.PutNarrow(layout::kPairCells, std::vector<uint32_t>(), CellBytes());
      writer.header.pair_cell_bytes = static_cast<uint8_t>(CellBytes());
      return status;
    }
    for (const layout::SectionId id : kPairSections) writer.Clear(id);
    if (!absl::IsResourceExhausted(status)) return status;
  }
  return status;
}

}  // namespace npf
