// The look-ups of the AVX-512 kernels: sixteen keys a vector, a gather for each look-up of the
// scalar kernel. Several vectors go through a stage together, so that the gathers of one overlap
// those of the others. Where the keys come from is the caller's: flow keys (avx512_kernel.cc) or
// frames (engine/avx512_frames.cc).
//
// Made for what nearly every Program is: tries with entries of 32 bits, tables that 32-bit indexes
// reach. Classes of IPv6 addresses are avx512_v6.h's.
//
// A gather reads 32 bits at the place of a narrower element, so up to three bytes behind the last
// one; AlignedBlock has room for that.
#ifndef NPF_CLASSIFY_AVX512_STEP_H_
#define NPF_CLASSIFY_AVX512_STEP_H_

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#include <bit>
#include <cstddef>
#include <cstdint>

#include "npf/flow.h"
#include "npf/program.h"
#include "npf/verdict.h"
#include "program/layout.h"
#include "program/view.h"

#define NPF_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#define NPF_AVX512_INLINE NPF_AVX512 inline __attribute__((always_inline))

namespace npf::avx512 {

inline constexpr size_t kLanes = 16;

template <int Scale>
NPF_AVX512_INLINE __m512i Gather(__m512i index, const void* base) {
  return _mm512_i32gather_epi32(index, base, Scale);
}
template <typename Stored>  // elements of one, two or four bytes
NPF_AVX512_INLINE __m512i GatherAs(__m512i index, const void* base) {
  const __m512i words = Gather<sizeof(Stored)>(index, base);
  constexpr int kMask = sizeof(Stored) == 1 ? 0xff : sizeof(Stored) == 2 ? 0xffff : -1;
  return sizeof(Stored) == 4 ? words : _mm512_and_si512(words, _mm512_set1_epi32(kMask));
}

NPF_AVX512_INLINE __m512i All64(uint64_t value) {
  return _mm512_set1_epi64(static_cast<int64_t>(value));
}

// layout::Hash of eight.
NPF_AVX512_INLINE __m512i Hash(__m512i first, __m512i second, uint32_t seed) {
  __m512i h = _mm512_xor_si512(first, All64(seed * layout::kSeedFactor));
  h = _mm512_mullo_epi64(h, All64(layout::kHashFactors[0]));
  h = _mm512_xor_si512(_mm512_xor_si512(h, _mm512_srli_epi64(h, 32)), second);
  h = _mm512_mullo_epi64(h, All64(layout::kHashFactors[1]));
  return _mm512_xor_si512(h, _mm512_srli_epi64(h, 32));
}

struct Tables {
  const void* top;
  const void* mid;
  const void* leaf;
  bool narrow_leaf;
  const void* pairs;
  const void* tiles;
  const layout::Protocol* protocols;
  const void* ports;
  const void* outcomes;
  const uint32_t* source_group;  // these of the hash of pairs
  const uint32_t* destination_group;
  const uint32_t* default_cells;
  const uint32_t* pair_pilots;
  const uint64_t* pair_places;
  uint32_t pilot_count;
  uint32_t place_count;
  layout::PairWord pair_word;
  uint32_t seed;
  __m512i columns;    // of the pair table: classes, tiles a row, or destination groups
  __m512i row_codes;  // outcome codes a cell
  __m512i tails;
};

NPF_AVX512 inline Tables TablesOf(const ProgramView& view) {
  const layout::ImageHeader& header = view.header();
  const auto kind = static_cast<PairKind>(header.pair_kind);
  const uint32_t columns = kind == PairKind::kDense   ? header.class_count
                           : kind == PairKind::kTiled ? header.tiles_per_row
                                                      : header.destination_group_count;
  const auto at = [&](layout::SectionId id) -> const void* {
    return view.Section<std::byte>(id).data();  // of whatever elements
  };
  return {.top = at(layout::kV4Top),
          .mid = at(layout::kV4Mid),
          .leaf = at(layout::kV4Leaf),
          .narrow_leaf = header.leaf_bytes == 2,
          .pairs = at(layout::kPairCells),
          .tiles = at(layout::kPairTiles),
          .protocols = view.Section<layout::Protocol>(layout::kProtocols).data(),
          .ports = at(layout::kPortIndex),
          .outcomes = at(layout::kCellOutcomes),
          .source_group = view.Section<uint32_t>(layout::kSourceGroup).data(),
          .destination_group = view.Section<uint32_t>(layout::kDestinationGroup).data(),
          .default_cells = view.Section<uint32_t>(layout::kDefaultCells).data(),
          .pair_pilots = view.Section<uint32_t>(layout::kPairPilots).data(),
          .pair_places = view.Section<uint64_t>(layout::kPairPlaces).data(),
          .pilot_count = static_cast<uint32_t>(view.Section<uint32_t>(layout::kPairPilots).size()),
          .place_count = static_cast<uint32_t>(view.Section<uint64_t>(layout::kPairPlaces).size()),
          .pair_word = layout::PairWord::For(header.class_count),
          .seed = header.pair_hash_seed,
          .columns = _mm512_set1_epi32(static_cast<int>(columns)),
          .row_codes =
              _mm512_set1_epi32(static_cast<int>(header.outcome_words * layout::kOutcomesPerWord)),
          .tails = _mm512_loadu_si512(layout::kOutcomes.data())};
}

// The next index of sixteen walks: an entry's base and the byte of the address that its mask
// leaves.
template <int Byte>
NPF_AVX512_INLINE __m512i NextOf(__m512i entry, __m512i address) {
  __m512i byte = _mm512_srli_epi32(address, 8 * Byte);
  if (Byte != 3) byte = _mm512_and_si512(byte, _mm512_set1_epi32(layout::kV4Mask));
  return _mm512_add_epi32(_mm512_srli_epi32(entry, layout::kV4BaseShift),
                          _mm512_and_si512(entry, byte));
}

// Sixteen questions, a lane each: IPv4 addresses as memory has them, the destination port, the
// protocol.
struct Questions {
  __m512i src, dst, port, protocol;
};
struct Classes {
  __m512i src, dst;
};

// The cells of Groups * 16 pairs of classes.
template <typename Stored>
struct Dense {
  template <size_t Groups>
  static NPF_AVX512_INLINE void Find(const Tables& t, const Classes* pairs, __m512i* cells) {
    for (size_t g = 0; g < Groups; ++g) {
      const __m512i row = _mm512_mullo_epi32(pairs[g].src, t.columns);
      cells[g] = GatherAs<Stored>(_mm512_add_epi32(row, pairs[g].dst), t.pairs);
    }
  }
};
template <typename Stored>
struct Tiled {
  template <size_t Groups>
  static NPF_AVX512_INLINE void Find(const Tables& t, const Classes* pairs, __m512i* cells) {
    constexpr int kLog2 = std::countr_zero(layout::kTileColumns);
    for (size_t g = 0; g < Groups; ++g) {
      const __m512i row = _mm512_mullo_epi32(pairs[g].src, t.columns);
      cells[g] = Gather<4>(_mm512_add_epi32(row, _mm512_srli_epi32(pairs[g].dst, kLog2)), t.tiles);
    }
    for (size_t g = 0; g < Groups; ++g) {
      const __m512i column = _mm512_and_si512(
          pairs[g].dst, _mm512_set1_epi32(static_cast<int>(layout::kTileColumns - 1)));
      cells[g] = GatherAs<Stored>(_mm512_add_epi32(cells[g], column), t.pairs);
    }
  }
};

// layout::HashPair, PilotOf and PlaceOf.
class Hashed {
 public:
  template <size_t Groups>
  static NPF_AVX512_INLINE void Find(const Tables& t, const Classes* pairs, __m512i* cells) {
    __m512i place[Groups], group[Groups];
    for (size_t g = 0; g < Groups; ++g) place[g] = PlaceOf(t, pairs[g]);
    for (size_t g = 0; g < Groups; ++g) {
      const __m512i row = _mm512_mullo_epi32(Gather<4>(pairs[g].src, t.source_group), t.columns);
      group[g] = _mm512_add_epi32(row, Gather<4>(pairs[g].dst, t.destination_group));
    }
    for (size_t g = 0; g < Groups; ++g) {
      __mmask8 low_differs, high_differs;
      const __m256i low = HalfOf<0>(t, place[g], pairs[g], low_differs);
      const __m256i high = HalfOf<1>(t, place[g], pairs[g], high_differs);
      const __m512i held = _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
      cells[g] =
          _mm512_mask_mov_epi32(held, static_cast<__mmask16>(low_differs | high_differs << 8),
                                Gather<4>(group[g], t.default_cells));
    }
  }

 private:
  // The upper halves of the products of 32-bit lanes with `factor`.
  static NPF_AVX512_INLINE __m512i Scale(__m512i lanes, uint32_t factor) {
    const __m512i factors = _mm512_set1_epi64(factor);
    const __m512i even = _mm512_srli_epi64(_mm512_mul_epu32(lanes, factors), 32);
    const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(lanes, 32), factors);
    return _mm512_mask_blend_epi32(0xaaaa, even, odd);
  }
  static NPF_AVX512_INLINE __m512i Pack(__m512i low, __m512i high) {  // lower halves of lanes
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi64_epi32(low)),
                              _mm512_cvtepi64_epi32(high), 1);
  }
  static NPF_AVX512_INLINE __m128i Count(uint32_t bits) {
    return _mm_cvtsi32_si128(static_cast<int>(bits));
  }
  template <int Half>
  static NPF_AVX512_INLINE __m512i Widened(__m512i lanes) {
    return _mm512_cvtepu32_epi64(_mm512_extracti64x4_epi64(lanes, Half));
  }

  // The cells that stand at one half of the places, and where they are of other pairs.
  template <int Half>
  static NPF_AVX512_INLINE __m256i HalfOf(const Tables& t, __m512i places, const Classes& pairs,
                                          __mmask8& differs) {
    const __m512i word = _mm512_i64gather_epi64(Widened<Half>(places), t.pair_places, 8);
    const __m512i key =
        _mm512_or_si512(_mm512_sll_epi64(Widened<Half>(pairs.src), Count(t.pair_word.class_bits)),
                        Widened<Half>(pairs.dst));
    differs = _mm512_cmpneq_epi64_mask(_mm512_srl_epi64(word, Count(t.pair_word.cell_bits())), key);
    return _mm512_cvtepi64_epi32(_mm512_and_si512(word, All64(t.pair_word.cell_mask())));
  }

  template <int Half>
  static NPF_AVX512_INLINE __m512i HashOf(const Tables& t, const Classes& pairs) {
    const __m512i key =
        _mm512_or_si512(_mm512_slli_epi64(Widened<Half>(pairs.src), 32), Widened<Half>(pairs.dst));
    return Hash(key, _mm512_setzero_si512(), t.seed);
  }

  static NPF_AVX512_INLINE __m512i PlaceOf(const Tables& t, const Classes& pairs) {
    const __m512i low = HashOf<0>(t, pairs);
    const __m512i high = HashOf<1>(t, pairs);
    const __m512i pilot_at = Scale(Pack(low, high), t.pilot_count);
    const __m512i pilot = Gather<4>(pilot_at, t.pair_pilots);
    __m512i moved = Pack(_mm512_srli_epi64(low, 32), _mm512_srli_epi64(high, 32));
    moved = _mm512_mullo_epi32(_mm512_xor_si512(moved, pilot),
                               _mm512_set1_epi32(static_cast<int>(layout::kPlaceFactor)));
    return Scale(moved, t.place_count);
  }
};

// Sixteen verdicts from vectors of their four words.
NPF_AVX512_INLINE void Store(__m512i cell, __m512i port_class, __m512i generation, __m512i tail,
                             Verdict* verdicts) {
  const __m512i a = _mm512_unpacklo_epi32(cell, port_class);
  const __m512i b = _mm512_unpackhi_epi32(cell, port_class);
  const __m512i c = _mm512_unpacklo_epi32(generation, tail);
  const __m512i d = _mm512_unpackhi_epi32(generation, tail);
  // Verdict 4 n + k stands in quarter n of w[k].
  const __m512i w0 = _mm512_unpacklo_epi64(a, c);
  const __m512i w1 = _mm512_unpackhi_epi64(a, c);
  const __m512i w2 = _mm512_unpacklo_epi64(b, d);
  const __m512i w3 = _mm512_unpackhi_epi64(b, d);
  const __m512i lo01 = _mm512_shuffle_i32x4(w0, w1, 0x44);
  const __m512i lo23 = _mm512_shuffle_i32x4(w2, w3, 0x44);
  const __m512i hi01 = _mm512_shuffle_i32x4(w0, w1, 0xee);
  const __m512i hi23 = _mm512_shuffle_i32x4(w2, w3, 0xee);
  _mm512_storeu_si512(verdicts, _mm512_shuffle_i32x4(lo01, lo23, 0x88));
  _mm512_storeu_si512(verdicts + 4, _mm512_shuffle_i32x4(lo01, lo23, 0xdd));
  _mm512_storeu_si512(verdicts + 8, _mm512_shuffle_i32x4(hi01, hi23, 0x88));
  _mm512_storeu_si512(verdicts + 12, _mm512_shuffle_i32x4(hi01, hi23, 0xdd));
}

// Three protocols have ports; all others share the entry of protocol 0.
NPF_AVX512_INLINE __m512i PortPlaces(const Tables& t, __m512i protocol, __m512i port) {
  __m512i base = _mm512_set1_epi32(static_cast<int>(t.protocols[0].base));
  __m512i mask = _mm512_set1_epi32(static_cast<int>(t.protocols[0].mask));
  for (const uint8_t number : {kProtocolTcp, kProtocolUdp, kProtocolSctp}) {
    const __mmask16 is = _mm512_cmpeq_epi32_mask(protocol, _mm512_set1_epi32(number));
    base = _mm512_mask_mov_epi32(base, is,
                                 _mm512_set1_epi32(static_cast<int>(t.protocols[number].base)));
    mask = _mm512_mask_mov_epi32(mask, is,
                                 _mm512_set1_epi32(static_cast<int>(t.protocols[number].mask)));
  }
  return _mm512_add_epi32(base, _mm512_and_si512(port, mask));
}

// Classes of the IPv4 addresses of Groups * 16 questions, a level of the trie at a time.
template <typename Leaf, size_t Groups>
NPF_AVX512_INLINE void FindV4Of(const Tables& t, const Questions* asked, Classes* found) {
  const __m512i first_two = _mm512_set1_epi32(0xffff);
  for (size_t g = 0; g < Groups; ++g) {
    found[g].src = Gather<4>(_mm512_and_si512(asked[g].src, first_two), t.top);
    found[g].dst = Gather<4>(_mm512_and_si512(asked[g].dst, first_two), t.top);
  }
  for (size_t g = 0; g < Groups; ++g) {
    found[g].src = Gather<4>(NextOf<2>(found[g].src, asked[g].src), t.mid);
    found[g].dst = Gather<4>(NextOf<2>(found[g].dst, asked[g].dst), t.mid);
  }
  for (size_t g = 0; g < Groups; ++g) {
    found[g].src = GatherAs<Leaf>(NextOf<3>(found[g].src, asked[g].src), t.leaf);
    found[g].dst = GatherAs<Leaf>(NextOf<3>(found[g].dst, asked[g].dst), t.leaf);
  }
}
template <size_t Groups>
NPF_AVX512_INLINE void FindV4(const Tables& t, const Questions* asked, Classes* found) {
  return t.narrow_leaf ? FindV4Of<uint16_t, Groups>(t, asked, found)
                       : FindV4Of<uint32_t, Groups>(t, asked, found);
}

// Judges Groups * 16 questions whose classes are known, in stages. Returns the bits of all
// outcomes' tails.
template <typename Pairs, typename PortClass, size_t Groups>
NPF_AVX512_INLINE __m512i Judge(const Tables& t, const Questions* asked, const Classes* classes,
                                __m512i generation, Verdict* verdicts) {
  __m512i port_class[Groups], cell[Groups];
  for (size_t g = 0; g < Groups; ++g) {
    port_class[g] = GatherAs<PortClass>(PortPlaces(t, asked[g].protocol, asked[g].port), t.ports);
  }
  Pairs::template Find<Groups>(t, classes, cell);
  __m512i tails = _mm512_setzero_si512();
  for (size_t g = 0; g < Groups; ++g) {
    constexpr int kCodesPerGatherLog2 = 3;  // eight codes of four bits
    const __m512i code_at =
        _mm512_add_epi32(_mm512_mullo_epi32(cell[g], t.row_codes), port_class[g]);
    const __m512i codes = Gather<4>(_mm512_srli_epi32(code_at, kCodesPerGatherLog2), t.outcomes);
    const __m512i shift = _mm512_slli_epi32(_mm512_and_si512(code_at, _mm512_set1_epi32(7)), 2);
    // vpermd takes the low four bits of each index.
    const __m512i tail = _mm512_permutexvar_epi32(_mm512_srlv_epi32(codes, shift), t.tails);
    tails = _mm512_or_si512(tails, tail);
    Store(cell[g], port_class[g], generation, tail, verdicts + g * kLanes);
  }
  return tails;
}

inline constexpr uint32_t kLookAtNodeTail =
    std::bit_cast<uint32_t>(layout::Outcome{0, Reason{}, 0, layout::kLookAtNode});

// Whether 32-bit indexes reach everything.
bool Reaches(const ProgramView& view);

// Calls `run.template operator()<Pairs, PortClass>()` for the pair table and the widths of a
// Program.
template <typename Pairs, typename Run>
auto WithPorts(const layout::ImageHeader& header, Run&& run) {
  return header.port_class_bytes == 1 ? run.template operator()<Pairs, uint8_t>()
                                      : run.template operator()<Pairs, uint16_t>();
}
template <typename Run>
auto WithWidths(const layout::ImageHeader& header, Run&& run) {
  const bool narrow = header.pair_cell_bytes == 2;
  if (header.pair_kind == static_cast<uint8_t>(PairKind::kHash)) {
    return WithPorts<Hashed>(header, run);
  }
  if (header.pair_kind == static_cast<uint8_t>(PairKind::kDense)) {
    return narrow ? WithPorts<Dense<uint16_t>>(header, run)
                  : WithPorts<Dense<uint32_t>>(header, run);
  }
  return narrow ? WithPorts<Tiled<uint16_t>>(header, run) : WithPorts<Tiled<uint32_t>>(header, run);
}

}  // namespace npf::avx512

#endif  // x86-64

#endif  // NPF_CLASSIFY_AVX512_STEP_H_
