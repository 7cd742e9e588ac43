// The scalar kernel: staged loops over a batch, every look-up without a branch on data.
//
//   1  addresses -> classes -> where the pair's cell stands   (both tries, one loop)
//   2  cell, port class -> outcome -> verdict                 (one loop)
//
// Loads of one loop do not depend on each other from key to key, so that the processor has many
// of them under way. A batch of one family, which is nearly every batch, walks that family's
// tables; a mixed one walks both for every key and selects.
#include <array>
#include <bit>
#include <cstring>

#include "classify/address_lookup.h"
#include "classify/kernel.h"
#include "program/layout.h"

namespace npf {
namespace {

static_assert(sizeof(FlowKey) == 40 && offsetof(FlowKey, dst) == 16 &&
              offsetof(FlowKey, dst_port) == 34 && offsetof(FlowKey, protocol) == 36);
static_assert(sizeof(Verdict) == 16 && offsetof(Verdict, allowed) == 12 &&
              offsetof(Verdict, reason) == 13 && offsetof(Verdict, directions) == 14);

// The last four bytes of a Verdict, by OutcomeCode.
constexpr auto kTails =
    std::bit_cast<std::array<uint32_t, layout::kOutcomes.size()>>(layout::kOutcomes);
constexpr uint32_t kLookAtNodeTail =
    std::bit_cast<uint32_t>(layout::Outcome{0, Reason{}, 0, layout::kLookAtNode});

// Where stage 1 leaves what stage 2 reads, as the pair table likes it.
struct Lanes {
  std::array<size_t, kBatch> place;
  std::array<uint32_t, kBatch> other;
};

template <typename Stored>
struct DensePairs {
  const Stored* cells;
  size_t class_count;

  explicit DensePairs(const ProgramView& view)
      : cells(view.Section<Stored>(layout::kPairCells).data()),
        class_count(view.header().class_count) {}
  void Locate(Lanes& lanes, size_t i, uint32_t src, uint32_t dst) const {
    lanes.place[i] = src * class_count + dst;
  }
  uint32_t Cell(const Lanes& lanes, size_t i) const { return cells[lanes.place[i]]; }
};

template <typename Stored>
struct TiledPairs {
  const uint32_t* tiles;
  const Stored* cells;
  size_t tiles_per_row;

  explicit TiledPairs(const ProgramView& view)
      : tiles(view.Section<uint32_t>(layout::kPairTiles).data()),
        cells(view.Section<Stored>(layout::kPairCells).data()),
        tiles_per_row(view.header().tiles_per_row) {}
  void Locate(Lanes& lanes, size_t i, uint32_t src, uint32_t dst) const {
    lanes.place[i] = src * tiles_per_row + dst / layout::kTileColumns;
    lanes.other[i] = dst % layout::kTileColumns;
  }
  uint32_t Cell(const Lanes& lanes, size_t i) const {
    return cells[size_t{tiles[lanes.place[i]]} + lanes.other[i]];
  }
};

struct HashedPairs {
  const uint32_t* source_group;
  const uint32_t* destination_group;
  const uint32_t* default_cells;
  size_t destination_group_count;
  const uint32_t* pilots;
  const uint64_t* places;
  uint32_t pilot_count;
  uint32_t place_count;
  uint32_t seed;
  layout::PairWord word;

  explicit HashedPairs(const ProgramView& view)
      : source_group(view.Section<uint32_t>(layout::kSourceGroup).data()),
        destination_group(view.Section<uint32_t>(layout::kDestinationGroup).data()),
        default_cells(view.Section<uint32_t>(layout::kDefaultCells).data()),
        destination_group_count(view.header().destination_group_count),
        pilots(view.Section<uint32_t>(layout::kPairPilots).data()),
        places(view.Section<uint64_t>(layout::kPairPlaces).data()),
        pilot_count(static_cast<uint32_t>(view.Section<uint32_t>(layout::kPairPilots).size())),
        place_count(static_cast<uint32_t>(view.Section<uint64_t>(layout::kPairPlaces).size())),
        seed(view.header().pair_hash_seed),
        word(layout::PairWord::For(view.header().class_count)) {}
  void Locate(Lanes& lanes, size_t i, uint32_t src, uint32_t dst) const {
    lanes.place[i] = src;
    lanes.other[i] = dst;
  }
  uint32_t Cell(const Lanes& lanes, size_t i) const {
    const auto src = static_cast<uint32_t>(lanes.place[i]);
    const uint32_t dst = lanes.other[i];
    const uint64_t hash = layout::HashPair(src, dst, seed);
    const uint32_t pilot = pilots[layout::PilotOf(hash, pilot_count)];
    const uint64_t place = places[layout::PlaceOf(hash, pilot, place_count)];
    const uint32_t otherwise =
        default_cells[source_group[src] * destination_group_count + destination_group[dst]];
    const bool is_here = place >> word.cell_bits() == word.Key(src, dst);
    return is_here ? static_cast<uint32_t>(place & word.cell_mask()) : otherwise;
  }
};

bool EqualWords(const uint8_t* a, const uint8_t* b) {
  uint32_t x, y;
  std::memcpy(&x, a, sizeof x);
  std::memcpy(&y, b, sizeof y);
  return x == y;
}

bool EqualAddresses(const FlowKey& key) {
  uint64_t src[2], dst[2];
  std::memcpy(src, key.src, sizeof src);
  std::memcpy(dst, key.dst, sizeof dst);
  return ((src[0] ^ dst[0]) | (src[1] ^ dst[1])) == 0;
}

// Stage 1. Each returns what it left, or nothing where the batch is not of its family.
constexpr uint32_t kOtherFamily = ~uint32_t{0};

template <typename Trie, typename Pairs>
uint32_t LocateV4(const Trie& trie, const Pairs& pairs, const FlowKey* keys, size_t count,
                  Lanes& lanes) {
  bool equal = false;
  uint8_t all_of = 4, any_of = 4;  // bits of the families
  for (size_t i = 0; i < count; ++i) {
    const FlowKey& key = keys[i];
    pairs.Locate(lanes, i, trie.ClassOf(key.src), trie.ClassOf(key.dst));
    equal |= EqualWords(key.src, key.dst);
    all_of &= key.family;
    any_of |= key.family;
  }
  if (all_of != 4 || any_of != 4) return kOtherFamily;
  return equal ? uint32_t{kLeftReserved} : 0;
}

// Classes of both addresses of IPv6 keys.
class V6Classes {
 public:
  V6Classes(const V6Tables& tables, const FlowKey* keys, size_t count) : tables_(tables) {
    const layout::V6Place* places[kBatch][2];
    for (size_t i = 0; i < count; ++i) {
      for (size_t end = 0; end < 2; ++end) {
        places[i][end] = tables.PlaceFor(AddressOf(keys[i], end));
        __builtin_prefetch(places[i][end]);
      }
    }
    size_t open_count = 0;  // of those that are no exact ones
    for (size_t i = 0; i < count; ++i) {
      for (size_t end = 0; end < 2; ++end) {
        const V6Halves address = AddressOf(keys[i], end);
        classes_[i][end] = V6Tables::ClassAt(*places[i][end], address);
        open_[open_count] = {address, &classes_[i][end]};
        open_count += classes_[i][end] == layout::kNone;
      }
    }
    SearchIntervals(open_count);
  }

  uint32_t src(size_t i) const { return classes_[i][0]; }
  uint32_t dst(size_t i) const { return classes_[i][1]; }

 private:
  struct Open {
    V6Halves address;
    uint32_t* address_class;
  };

  static V6Halves AddressOf(const FlowKey& key, size_t end) {
    return V6Halves::Of(end == 0 ? key.src : key.dst);
  }

  // As LastNotAbove, but a step for all at a time, whose loads do not wait for each other.
  void SearchIntervals(size_t open_count) {
    std::array<uint64_t, 2 * kBatch> wanted;
    std::array<const uint64_t*, 2 * kBatch> place;
    for (size_t k = 0; k < open_count; ++k) {
      wanted[k] = __builtin_bswap64(open_[k].address.first);
      place[k] = tables_.highs;
    }
    for (size_t left = tables_.high_count; left > 1;) {
      const size_t half = left / 2;
      for (size_t k = 0; k < open_count; ++k) {
        place[k] += half & -size_t{place[k][half] <= wanted[k]};
      }
      left -= half;
    }
    for (size_t k = 0; k < open_count; ++k) {
      const uint32_t interval = tables_.intervals[place[k] - tables_.highs];
      *open_[k].address_class = tables_.ClassWithin(interval, open_[k].address);
    }
  }

  const V6Tables& tables_;
  uint32_t classes_[kBatch][2];  // of source, of destination
  std::array<Open, 2 * kBatch> open_;
};

template <typename Pairs>
uint32_t LocateV6(const ProgramView& view, const Pairs& pairs, const FlowKey* keys, size_t count,
                  Lanes& lanes) {
  const V6Tables tables(view);
  const V6Classes classes(tables, keys, count);
  bool equal = false;
  uint8_t all_of = 6, any_of = 6;  // bits of the families
  for (size_t i = 0; i < count; ++i) {
    pairs.Locate(lanes, i, classes.src(i), classes.dst(i));
    equal |= EqualAddresses(keys[i]);
    all_of &= keys[i].family;
    any_of |= keys[i].family;
  }
  if (all_of != 6 || any_of != 6) return kOtherFamily;
  return equal ? uint32_t{kLeftReserved} : 0;
}

template <typename Trie, typename Pairs>
uint32_t LocateMixed(const ProgramView& view, const Trie& trie, const Pairs& pairs,
                     const FlowKey* keys, size_t count, Lanes& lanes) {
  const V6Tables tables(view);
  const V6Classes classes(tables, keys, count);
  bool reserved = false;
  for (size_t i = 0; i < count; ++i) {
    const FlowKey& key = keys[i];
    const bool is_v4 = key.family == 4;
    pairs.Locate(lanes, i, is_v4 ? trie.ClassOf(key.src) : classes.src(i),
                 is_v4 ? trie.ClassOf(key.dst) : classes.dst(i));
    reserved |= EqualWords(key.src, key.dst) | ((key.family != 4) & (key.family != 6));
  }
  return reserved ? uint32_t{kLeftReserved} : 0;
}

// Stage 2.
template <typename PortClass, typename Pairs>
uint32_t Judge(const ProgramView& view, const Pairs pairs, const FlowKey* keys, size_t count,
               uint32_t generation, const Lanes& lanes, Verdict* verdicts) {
  const layout::Protocol* protocols = view.Section<layout::Protocol>(layout::kProtocols).data();
  const PortClass* ports = view.Section<PortClass>(layout::kPortIndex).data();
  const uint64_t* outcomes = view.Section<uint64_t>(layout::kCellOutcomes).data();
  const size_t words = view.header().outcome_words;
  uint32_t tails = 0;
  for (size_t i = 0; i < count; ++i) {
    const uint32_t cell = pairs.Cell(lanes, i);
    const layout::Protocol protocol = protocols[keys[i].protocol];
    const uint32_t port_class = ports[protocol.base + (keys[i].dst_port & protocol.mask)];
    const uint64_t word = outcomes[cell * words + port_class / layout::kOutcomesPerWord];
    // A rotation takes its count modulo 64, as the place within the word is.
    const uint64_t code = std::rotr(word, static_cast<int>(port_class * layout::kOutcomeBits)) &
                          (layout::kOutcomes.size() - 1);
    const uint32_t tail = kTails[code];
    tails |= tail;
    verdicts[i].cell = cell;
    verdicts[i].port_class = port_class;
    verdicts[i].generation = generation;
    std::memcpy(reinterpret_cast<std::byte*>(&verdicts[i]) + offsetof(Verdict, allowed), &tail,
                sizeof tail);
  }
  return (tails & kLookAtNodeTail) != 0 ? uint32_t{kLeftNode} : 0;
}

struct Batch {
  const ProgramView& view;
  const FlowKey* keys;
  size_t count;
  uint32_t generation;
  Verdict* verdicts;
};

template <typename Trie, typename Pairs>
uint32_t Run(const Batch& b) {
  const Trie trie(b.view);
  const Pairs pairs(b.view);
  Lanes lanes;
  uint32_t left = b.keys[0].family == 6 ? LocateV6(b.view, pairs, b.keys, b.count, lanes)
                                        : LocateV4(trie, pairs, b.keys, b.count, lanes);
  if (left == kOtherFamily) left = LocateMixed(b.view, trie, pairs, b.keys, b.count, lanes);
  const auto judge =
      b.view.header().port_class_bytes == 1 ? Judge<uint8_t, Pairs> : Judge<uint16_t, Pairs>;
  return left | judge(b.view, pairs, b.keys, b.count, b.generation, lanes, b.verdicts);
}

template <typename Trie>
uint32_t RunWith(const Batch& b) {
  const bool narrow = b.view.header().pair_cell_bytes == 2;
  switch (static_cast<PairKind>(b.view.header().pair_kind)) {
    case PairKind::kDense:
      return narrow ? Run<Trie, DensePairs<uint16_t>>(b) : Run<Trie, DensePairs<uint32_t>>(b);
    case PairKind::kTiled:
      return narrow ? Run<Trie, TiledPairs<uint16_t>>(b) : Run<Trie, TiledPairs<uint32_t>>(b);
    default:
      return Run<Trie, HashedPairs>(b);
  }
}

}  // namespace

uint32_t JudgeScalar(const ProgramView& view, const FlowKey* keys, size_t count,
                     uint32_t generation, Verdict* verdicts) noexcept {
  const Batch batch{view, keys, count, generation, verdicts};
  if (view.header().v4_entry_bytes == 8) return RunWith<V4Trie<uint64_t, uint32_t>>(batch);
  if (view.header().leaf_bytes == 4) return RunWith<V4Trie<uint32_t, uint32_t>>(batch);
  return RunWith<V4Trie<uint32_t, uint16_t>>(batch);
}

}  // namespace npf
