// The scalar kernel: one loop a stage over a batch of 64, every look-up without a branch on data.
//
//   keys -> class of source, class of destination -> cell
//        -> port class                            -> outcome of the cell -> verdict
//
// A batch of one family, which is nearly every batch, walks one kind of address table; a mixed one
// walks both for every key (any bytes are a valid question to either) and selects. What is rare is
// behind one test a batch: directions asked singly, unknown pods, packets from a pod's own node.
#include "npf/classify.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "classify/address_lookup.h"
#include "npf/verdict.h"
#include "program/layout.h"
#include "program/view.h"

namespace npf {
namespace {

static_assert(sizeof(FlowKey) == 40 && offsetof(FlowKey, dst) == 16 &&
              offsetof(FlowKey, src_port) == 32 && offsetof(FlowKey, protocol) == 36);
static_assert(sizeof(Verdict) == 16 && offsetof(Verdict, allowed) == 12);

constexpr size_t kBatch = 64;
using Lane = std::array<uint32_t, kBatch>;

// Where a protocol's ports begin in the port index, and whether it has any.
struct PortBase {
  std::array<uint32_t, 256> base;
  std::array<uint16_t, 256> mask;
};
constexpr PortBase MakePortBase() {
  PortBase table{};
  for (uint32_t& base : table.base) base = layout::kNoPortIndex;
  constexpr uint8_t kWithPorts[] = {kProtocolTcp, kProtocolUdp, kProtocolSctp};
  for (uint32_t i = 0; i < std::size(kWithPorts); ++i) {
    table.base[kWithPorts[i]] = i * layout::kPortsPerProtocol;
    table.mask[kWithPorts[i]] = 0xffff;
  }
  return table;
}
constexpr PortBase kPortBase = MakePortBase();

uint32_t LoadBigEndian(const uint8_t* bytes) {
  uint32_t value;
  std::memcpy(&value, bytes, sizeof value);
  return __builtin_bswap32(value);
}

// Three ways from a pair of classes to a cell.
template <typename Stored>
uint32_t DenseCell(const ProgramView& view, uint32_t src, uint32_t dst) {
  return view.Section<Stored>(layout::kPairCells)[size_t{src} * view.header().class_count + dst];
}

template <typename Stored>
uint32_t TiledCell(const ProgramView& view, uint32_t src, uint32_t dst) {
  const uint32_t tile = view.Section<uint32_t>(
      layout::kPairTiles)[size_t{src} * view.header().tiles_per_row + dst / layout::kTileColumns];
  return view.Section<Stored>(layout::kPairCells)[tile + dst % layout::kTileColumns];
}

uint32_t HashCell(const ProgramView& view, uint32_t src, uint32_t dst) {
  const layout::ImageHeader& header = view.header();
  const uint32_t row = view.Section<uint32_t>(layout::kSourceGroup)[src];
  const uint32_t column = view.Section<uint32_t>(layout::kDestinationGroup)[dst];
  uint32_t cell = view.Section<uint32_t>(
      layout::kDefaultCells)[size_t{row} * header.destination_group_count + column];
  const auto buckets = view.Section<layout::PairBucket>(layout::kPairBuckets);
  const uint64_t hash = layout::Mix(uint64_t{src} << 32 | dst, 0, header.pair_hash_seed);
  const auto count = static_cast<uint32_t>(buckets.size());
  const uint32_t choices[2] = {layout::FirstBucket(hash, count), layout::SecondBucket(hash, count)};
  for (const uint32_t choice : choices) {
    const layout::PairBucket& bucket = buckets[choice];
    for (size_t slot = 0; slot < layout::PairBucket::kSlots; ++slot) {
      const bool equal = ((bucket.src[slot] ^ src) | (bucket.dst[slot] ^ dst)) == 0;
      cell = equal ? bucket.cell[slot] : cell;
    }
  }
  return cell;
}

struct Batch {
  std::span<const FlowKey> keys;  // at most kBatch
  Lane src, dst;                  // classes
  Lane cell;
  Lane port_class;
};

template <typename Leaf>
void FindClasses(const ProgramView& view, Batch& batch) {
  const size_t count = batch.keys.size();
  size_t v4_count = 0;
  for (const FlowKey& key : batch.keys) v4_count += key.family == 4;
  if (v4_count != 0) {
    for (size_t i = 0; i < count; ++i) {
      batch.src[i] = LookUpV4<Leaf>(view, LoadBigEndian(batch.keys[i].src));
      batch.dst[i] = LookUpV4<Leaf>(view, LoadBigEndian(batch.keys[i].dst));
    }
  }
  if (v4_count == count) return;
  for (size_t i = 0; i < count; ++i) {
    const bool is_v4 = batch.keys[i].family == 4;
    const uint32_t src = LookUpV6(view, batch.keys[i].src);
    const uint32_t dst = LookUpV6(view, batch.keys[i].dst);
    batch.src[i] = is_v4 ? batch.src[i] : src;
    batch.dst[i] = is_v4 ? batch.dst[i] : dst;
  }
}

template <typename Stored>
void FindPortClasses(const ProgramView& view, Batch& batch) {
  const Stored* index = view.Section<Stored>(layout::kPortIndex).data();
  for (size_t i = 0; i < batch.keys.size(); ++i) {
    const FlowKey& key = batch.keys[i];
    const uint32_t port = key.dst_port & kPortBase.mask[key.protocol];
    batch.port_class[i] = index[kPortBase.base[key.protocol] + port];
  }
}

template <typename Look>
void FindCells(Batch& batch, Look look) {
  for (size_t i = 0; i < batch.keys.size(); ++i) batch.cell[i] = look(batch.src[i], batch.dst[i]);
}

void FindCellsOfKind(const ProgramView& view, Batch& batch) {
  const bool narrow = view.header().pair_cell_bytes == 2;
  switch (static_cast<PairKind>(view.header().pair_kind)) {
    case PairKind::kDense:
      return narrow ? FindCells(batch, [&](uint32_t s,
                                           uint32_t d) { return DenseCell<uint16_t>(view, s, d); })
                    : FindCells(batch, [&](uint32_t s, uint32_t d) {
                        return DenseCell<uint32_t>(view, s, d);
                      });
    case PairKind::kTiled:
      return narrow ? FindCells(batch, [&](uint32_t s,
                                           uint32_t d) { return TiledCell<uint16_t>(view, s, d); })
                    : FindCells(batch, [&](uint32_t s, uint32_t d) {
                        return TiledCell<uint32_t>(view, s, d);
                      });
    default:
      return FindCells(batch, [&](uint32_t s, uint32_t d) { return HashCell(view, s, d); });
  }
}

// R36: a pod is never kept from itself. A key of no known family is malformed.
void ApplyReservedCells(const ProgramView& view, Batch& batch) {
  const uint32_t pod_class_count = view.header().pod_class_count;
  for (size_t i = 0; i < batch.keys.size(); ++i) {
    const FlowKey& key = batch.keys[i];
    uint64_t src[2], dst[2];
    std::memcpy(src, key.src, sizeof src);
    std::memcpy(dst, key.dst, sizeof dst);
    const bool self =
        ((src[0] ^ dst[0]) | (src[1] ^ dst[1])) == 0 && batch.src[i] < pod_class_count;
    batch.cell[i] = self ? layout::kLoopbackCell : batch.cell[i];
    const bool known_family = key.family == 4 || key.family == 6;
    batch.cell[i] = known_family ? batch.cell[i] : layout::kMalformedCell;
  }
}

bool Allows(const ProgramView& view, uint32_t decision, uint32_t port_class) {
  return TestBit(view.AllowBits(decision), port_class);
}

// Both directions of a cell, of which those that were not asked for count as allowed.
uint8_t Directions(const ProgramView& view, const layout::Cell& cell, uint32_t port_class,
                   uint8_t asked) {
  const auto mask = static_cast<uint8_t>((Allows(view, cell.decision[0], port_class) ? 1 : 0) |
                                         (Allows(view, cell.decision[1], port_class) ? 2 : 0));
  return static_cast<uint8_t>(mask | (~asked & 3));
}

bool OnSameNode(const ProgramView& view, const FlowKey& key) {
  const layout::Endpoint* src = view.FindEndpoint(key.family, key.src);
  const layout::Endpoint* dst = view.FindEndpoint(key.family, key.dst);
  return src != nullptr && dst != nullptr && src->node != layout::kNone && src->node == dst->node;
}

void SetOutcome(Verdict& verdict, uint8_t directions, uint8_t reason) {
  verdict.directions = directions;
  verdict.allowed = directions == 3;
  verdict.reason = reason;
}

// The rare ones, a key at a time: unknown pods where they are denied, and the pod's own node.
void ApplyContext(const ProgramView& view, const ClassifyOptions& options, const FlowKey& key,
                  const layout::Cell& cell, Verdict& verdict) {
  if ((cell.flags & layout::kCellUnknownPod) != 0 && options.deny_unknown_pod) {
    const auto asked = static_cast<uint8_t>(options.directions);
    SetOutcome(verdict, static_cast<uint8_t>(~asked & 3),
               static_cast<uint8_t>(Reason::kUnknownPod));
    return;
  }
  // R37: lifts the NetworkPolicy tier's denial only, and only where the packet can come from there.
  const bool exempting =
      options.placement == Placement::kOffline || options.placement == Placement::kPodPort;
  if ((cell.flags & layout::kCellNodeSource) == 0 || !exempting) return;
  if ((verdict.directions & kIngressAllowed) != 0) return;
  if (TestBit(view.TierBits(cell.decision[0]), verdict.port_class)) return;
  if (!OnSameNode(view, key)) return;
  SetOutcome(verdict, static_cast<uint8_t>(verdict.directions | kIngressAllowed),
             static_cast<uint8_t>(Reason::kLocalNode));
}

// One direction was asked: what decides only in the other one is no reason.
void ApplySingleDirection(const ProgramView& view, const ClassifyOptions& options,
                          const layout::Cell& cell, Verdict& verdict) {
  const auto joint = static_cast<Reason>(verdict.reason);
  if (joint != Reason::kPolicy && joint != Reason::kTier) return;
  const uint32_t decision = cell.decision[options.directions == DirectionMask::kIngress ? 0 : 1];
  const bool unknown_pod = (cell.flags & layout::kCellUnknownPod) != 0;
  Reason reason = unknown_pod ? Reason::kUnknownPod : Reason::kNoPolicy;
  if (view.Section<layout::Decision>(layout::kDecisions)[decision].isolated != 0) {
    reason = Reason::kPolicy;
  }
  if (TestBit(view.TierBits(decision), verdict.port_class)) reason = Reason::kTier;
  verdict.reason = static_cast<uint8_t>(reason);
}

// The joint outcome decides where it allows; a denial is looked at by direction.
void WriteVerdicts(const ProgramView& view, const ClassifyOptions& options, const Batch& batch,
                   std::span<Verdict> verdicts) {
  const uint32_t words = view.header().outcome_words;
  const uint32_t* outcomes = view.Section<uint32_t>(layout::kCellOutcomes).data();
  const layout::Cell* cells = view.Section<layout::Cell>(layout::kCells).data();
  const auto asked = static_cast<uint8_t>(options.directions);
  uint8_t flags = 0;
  for (size_t i = 0; i < batch.keys.size(); ++i) {
    const layout::Cell& cell = cells[batch.cell[i]];
    const uint32_t port_class = batch.port_class[i];
    const uint32_t word =
        outcomes[size_t{batch.cell[i]} * words + port_class / layout::kOutcomesPerWord];
    const uint32_t outcome = word >> (2 * (port_class % layout::kOutcomesPerWord)) & 3;
    const auto allowed = static_cast<uint8_t>(outcome & layout::kOutcomeAllowed);
    verdicts[i] = {.cell = batch.cell[i],
                   .port_class = port_class,
                   .generation = options.generation,
                   .allowed = allowed,
                   .reason = cell.reason[outcome],
                   .directions = 3,
                   .flags = 0};
    flags |= cell.flags;
    if (allowed == 0 && batch.cell[i] != layout::kMalformedCell) {
      verdicts[i].directions = Directions(view, cell, port_class, asked);
      verdicts[i].allowed = verdicts[i].directions == 3;
    }
    if (batch.cell[i] == layout::kMalformedCell) {
      verdicts[i].directions = static_cast<uint8_t>(~asked & 3);
    }
  }
  if (options.directions != DirectionMask::kBoth) {
    for (size_t i = 0; i < batch.keys.size(); ++i) {
      ApplySingleDirection(view, options, cells[batch.cell[i]], verdicts[i]);
    }
  }
  if (flags == 0) return;
  for (size_t i = 0; i < batch.keys.size(); ++i) {
    ApplyContext(view, options, batch.keys[i], cells[batch.cell[i]], verdicts[i]);
  }
}

void ClassifyBatch(const ProgramView& view, const ClassifyOptions& options, Batch& batch,
                   std::span<Verdict> verdicts) {
  if (view.header().leaf_bytes == 2) {
    FindClasses<uint16_t>(view, batch);
  } else {
    FindClasses<uint32_t>(view, batch);
  }
  if (view.header().port_class_bytes == 1) {
    FindPortClasses<uint8_t>(view, batch);
  } else {
    FindPortClasses<uint16_t>(view, batch);
  }
  FindCellsOfKind(view, batch);
  ApplyReservedCells(view, batch);
  WriteVerdicts(view, options, batch, verdicts);
}

}  // namespace

void Classify(const Program& program, const ClassifyOptions& options, std::span<const FlowKey> keys,
              std::span<Verdict> verdicts) noexcept {
  const ProgramView& view = program.view();
  Batch batch;
  for (size_t done = 0; done < keys.size(); done += kBatch) {
    const size_t count = std::min(kBatch, keys.size() - done);
    batch.keys = keys.subspan(done, count);
    ClassifyBatch(view, options, batch, verdicts.subspan(done, count));
  }
}

}  // namespace npf
