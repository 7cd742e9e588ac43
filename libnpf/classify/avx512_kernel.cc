// The AVX-512 kernel: sixteen keys a vector, a gather for each look-up of the scalar kernel. Four
// vectors go through a stage together, so that the gathers of one overlap those of the others.
//
// Made for what nearly every Program and packet is: IPv4, tries with entries of 32 bits, tables
// that 32-bit indexes reach. It hands everything else, and the rest of a batch that fills no
// vector, to the scalar kernel, with which it is bit-equal.
//
// A gather reads 32 bits at the place of a narrower element, so up to three bytes behind the last
// one; AlignedBlock has room for that.
#include "classify/kernel.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#include <bit>
#include <cstddef>

#include "program/layout.h"

#define NPF_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#define NPF_AVX512_INLINE NPF_AVX512 inline __attribute__((always_inline))

namespace npf {
namespace {

constexpr size_t kLanes = 16;
constexpr uint64_t kIndexEnd = uint64_t{1} << 31;  // of a gather's signed 32-bit indexes

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

struct Tables {
  const void* top;
  const void* mid;
  const void* leaf;
  const void* pairs;
  const void* tiles;
  const void* protocols;
  const void* ports;
  const void* outcomes;
  __m512i columns;  // of the pair table: classes, or tiles a row
  __m512i row_codes;  // outcome codes a cell
  __m512i tails;
};

NPF_AVX512 Tables TablesOf(const ProgramView& view) {
  const layout::ImageHeader& header = view.header();
  const bool tiled = header.pair_kind == static_cast<uint8_t>(PairKind::kTiled);
  const auto at = [&](layout::SectionId id) -> const void* {
    return view.Section<std::byte>(id).data();  // of whatever elements
  };
  return {.top = at(layout::kV4Top),
          .mid = at(layout::kV4Mid),
          .leaf = at(layout::kV4Leaf),
          .pairs = at(layout::kPairCells),
          .tiles = at(layout::kPairTiles),
          .protocols = at(layout::kProtocols),
          .ports = at(layout::kPortIndex),
          .outcomes = at(layout::kCellOutcomes),
          .columns = _mm512_set1_epi32(
              static_cast<int>(tiled ? header.tiles_per_row : header.class_count)),
          .row_codes =
              _mm512_set1_epi32(static_cast<int>(header.outcome_words * layout::kOutcomesPerWord)),
          .tails = _mm512_loadu_si512(layout::kOutcomes.data())};
}

// The class of sixteen IPv4 addresses, as memory has them.
template <typename Leaf>
NPF_AVX512_INLINE __m512i ClassesOf(const Tables& t, __m512i address) {
  const __m512i byte = _mm512_set1_epi32(0xff);
  __m512i entry = Gather<4>(_mm512_and_si512(address, _mm512_set1_epi32(0xffff)), t.top);
  const __m512i third = _mm512_and_si512(_mm512_srli_epi32(address, 16), byte);
  __m512i next = _mm512_add_epi32(_mm512_srli_epi32(entry, layout::kV4BaseShift),
                                  _mm512_and_si512(entry, third));
  entry = Gather<4>(next, t.mid);
  const __m512i fourth = _mm512_srli_epi32(address, 24);
  next = _mm512_add_epi32(_mm512_srli_epi32(entry, layout::kV4BaseShift),
                          _mm512_and_si512(entry, fourth));
  return GatherAs<Leaf>(next, t.leaf);
}

template <typename Stored>
struct Dense {
  static NPF_AVX512_INLINE __m512i Cells(const Tables& t, __m512i src, __m512i dst) {
    return GatherAs<Stored>(_mm512_add_epi32(_mm512_mullo_epi32(src, t.columns), dst), t.pairs);
  }
};
template <typename Stored>
struct Tiled {
  static NPF_AVX512_INLINE __m512i Cells(const Tables& t, __m512i src, __m512i dst) {
    constexpr int kLog2 = std::countr_zero(layout::kTileColumns);
    const __m512i tile = _mm512_add_epi32(_mm512_mullo_epi32(src, t.columns),
                                          _mm512_srli_epi32(dst, kLog2));
    const __m512i column =
        _mm512_and_si512(dst, _mm512_set1_epi32(static_cast<int>(layout::kTileColumns - 1)));
    return GatherAs<Stored>(_mm512_add_epi32(Gather<4>(tile, t.tiles), column), t.pairs);
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

struct Seen {
  __mmask16 equal;    // keys with equal addresses
  __mmask16 foreign;  // keys of another family
  __m512i tails;      // bits of all outcomes
};

// Groups * 16 keys.
template <typename Leaf, typename Pairs, typename PortClass, size_t Groups>
NPF_AVX512_INLINE void Step(const Tables& t, const FlowKey* keys, __m512i generation,
                            Verdict* verdicts, Seen& seen) {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i key_at = _mm512_mullo_epi32(lane, _mm512_set1_epi32(sizeof(FlowKey)));
  const __m512i byte = _mm512_set1_epi32(0xff);
  __m512i src[Groups], dst[Groups], port_class[Groups], cell[Groups];
  for (size_t g = 0; g < Groups; ++g) {
    const FlowKey* first = keys + g * kLanes;
    src[g] = Gather<1>(key_at, first->src);
    dst[g] = Gather<1>(key_at, first->dst);
    seen.equal |= _mm512_cmpeq_epi32_mask(src[g], dst[g]);
  }
  for (size_t g = 0; g < Groups; ++g) {
    src[g] = ClassesOf<Leaf>(t, src[g]);
    dst[g] = ClassesOf<Leaf>(t, dst[g]);
  }
  for (size_t g = 0; g < Groups; ++g) {
    const FlowKey* first = keys + g * kLanes;
    const __m512i ports = Gather<1>(key_at, &first->src_port);
    const __m512i kinds = Gather<1>(key_at, &first->protocol);
    const __m512i family = _mm512_and_si512(_mm512_srli_epi32(kinds, 8), byte);
    seen.foreign |= _mm512_cmpneq_epi32_mask(family, _mm512_set1_epi32(4));
    const __m512i protocol = _mm512_and_si512(kinds, byte);
    const auto* protocols = static_cast<const std::byte*>(t.protocols);
    const __m512i base = Gather<8>(protocol, protocols + offsetof(layout::Protocol, base));
    const __m512i mask = Gather<8>(protocol, protocols + offsetof(layout::Protocol, mask));
    const __m512i port = _mm512_and_si512(_mm512_srli_epi32(ports, 16), mask);
    port_class[g] = GatherAs<PortClass>(_mm512_add_epi32(base, port), t.ports);
  }
  for (size_t g = 0; g < Groups; ++g) cell[g] = Pairs::Cells(t, src[g], dst[g]);
  for (size_t g = 0; g < Groups; ++g) {
    constexpr int kCodesPerGatherLog2 = 3;  // eight codes of four bits
    const __m512i code_at = _mm512_add_epi32(_mm512_mullo_epi32(cell[g], t.row_codes), port_class[g]);
    const __m512i codes = Gather<4>(_mm512_srli_epi32(code_at, kCodesPerGatherLog2), t.outcomes);
    const __m512i shift = _mm512_slli_epi32(_mm512_and_si512(code_at, _mm512_set1_epi32(7)), 2);
    // vpermd takes the low four bits of each index.
    const __m512i tail = _mm512_permutexvar_epi32(_mm512_srlv_epi32(codes, shift), t.tails);
    seen.tails = _mm512_or_si512(seen.tails, tail);
    Store(cell[g], port_class[g], generation, tail, verdicts + g * kLanes);
  }
}

template <typename Leaf, typename Pairs, typename PortClass>
NPF_AVX512 uint32_t Run(const ProgramView& view, const FlowKey* keys, size_t count,
                        uint32_t generation, Verdict* verdicts) {
  const Tables tables = TablesOf(view);
  const __m512i stamp = _mm512_set1_epi32(static_cast<int>(generation));
  Seen seen{.equal = 0, .foreign = 0, .tails = _mm512_setzero_si512()};
  size_t done = 0;
  if (count == kBatch) {
    Step<Leaf, Pairs, PortClass, kBatch / kLanes>(tables, keys, stamp, verdicts, seen);
    done = kBatch;
  }
  for (; done + kLanes <= count; done += kLanes) {
    Step<Leaf, Pairs, PortClass, 1>(tables, keys + done, stamp, verdicts + done, seen);
  }
  if (seen.foreign != 0) return JudgeScalar(view, keys, count, generation, verdicts);
  uint32_t left = seen.equal != 0 ? uint32_t{kLeftReserved} : 0;
  constexpr uint32_t kLook = std::bit_cast<uint32_t>(layout::Outcome{0, {}, 0, layout::kLookAtNode});
  if ((static_cast<uint32_t>(_mm512_reduce_or_epi32(seen.tails)) & kLook) != 0) left |= kLeftNode;
  if (done == count) return left;
  return left | JudgeScalar(view, keys + done, count - done, generation, verdicts + done);
}

using Kernel = uint32_t (*)(const ProgramView&, const FlowKey*, size_t, uint32_t, Verdict*);

template <typename Leaf, typename Pairs>
Kernel ByPorts(const layout::ImageHeader& header) {
  return header.port_class_bytes == 1 ? Run<Leaf, Pairs, uint8_t> : Run<Leaf, Pairs, uint16_t>;
}
template <typename Leaf>
Kernel ByPairs(const layout::ImageHeader& header) {
  const bool narrow = header.pair_cell_bytes == 2;
  if (header.pair_kind == static_cast<uint8_t>(PairKind::kDense)) {
    return narrow ? ByPorts<Leaf, Dense<uint16_t>>(header) : ByPorts<Leaf, Dense<uint32_t>>(header);
  }
  return narrow ? ByPorts<Leaf, Tiled<uint16_t>>(header) : ByPorts<Leaf, Tiled<uint32_t>>(header);
}

bool Reaches(const ProgramView& view) {
  const layout::ImageHeader& header = view.header();
  const uint64_t codes =
      uint64_t{header.cell_count} * header.outcome_words * layout::kOutcomesPerWord;
  return header.v4_entry_bytes == 4 &&
         header.pair_kind != static_cast<uint8_t>(PairKind::kHash) &&
         view.SectionBytes(layout::kPairCells) < kIndexEnd &&
         view.SectionBytes(layout::kPairTiles) < kIndexEnd && codes < kIndexEnd;
}

}  // namespace

bool Avx512Works() noexcept {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0;
}

bool GathersAreFast() noexcept {
  __builtin_cpu_init();
  return __builtin_cpu_is("intel") != 0;
}

uint32_t JudgeAvx512(const ProgramView& view, const FlowKey* keys, size_t count,
                     uint32_t generation, Verdict* verdicts) noexcept {
  const layout::ImageHeader& header = view.header();
  if (count < kLanes || !Reaches(view)) {
    return JudgeScalar(view, keys, count, generation, verdicts);
  }
  const Kernel kernel =
      header.leaf_bytes == 2 ? ByPairs<uint16_t>(header) : ByPairs<uint32_t>(header);
  return kernel(view, keys, count, generation, verdicts);
}

}  // namespace npf

#else

namespace npf {

bool Avx512Works() noexcept { return false; }
bool GathersAreFast() noexcept { return false; }

uint32_t JudgeAvx512(const ProgramView& view, const FlowKey* keys, size_t count,
                     uint32_t generation, Verdict* verdicts) noexcept {
  return JudgeScalar(view, keys, count, generation, verdicts);
}

}  // namespace npf

#endif
