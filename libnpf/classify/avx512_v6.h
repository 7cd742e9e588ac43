// Classes of IPv6 addresses for the AVX-512 kernel, eight addresses a vector, the upper and the
// lower halves in one each:
//
//   1  keys -> halves -> hash -> pilot -> where an exact address would stand    (all)
//   2  what stands there: a class, or it is no exact address                    (all)
//   3  the interval of the upper half, a step of all searches at a time         (those left over)
//
// Between the stages everything lies in arrays of the stack: whole vectors that stay in the first
// cache, and out of which stage 3 takes only the addresses that need it.
#ifndef NPF_CLASSIFY_AVX512_V6_H_
#define NPF_CLASSIFY_AVX512_V6_H_

#include "classify/address_lookup.h"
#include "classify/avx512_step.h"
#include "classify/kernel.h"

#if defined(__x86_64__) && defined(__GNUC__)

namespace npf::avx512 {

inline constexpr size_t kHalfLanes = 8;

class V6Finder {
 public:
  NPF_AVX512 explicit V6Finder(const ProgramView& view) : tables_(view) {}

  // The classes of `count` keys, which is a multiple of 16 and at most kBatch.
  NPF_AVX512 void Find(const FlowKey* keys, size_t count, Classes* found) {
    for (size_t i = 0; i < count; i += kHalfLanes) Locate(keys + i, i);
    size_t open_count = 0;
    for (size_t end = 0; end < 2; ++end) {
      for (size_t i = 0; i < count; i += kHalfLanes) open_count += Compare(end, i, open_count);
    }
    Search(open_count);
    for (size_t g = 0; g < count / kLanes; ++g) {
      found[g] = {_mm512_load_si512(&classes_[0][g * kLanes]),
                  _mm512_load_si512(&classes_[1][g * kLanes])};
    }
  }

  bool any_equal() const { return equal_ != 0; }  // a key had equal addresses

 private:
  // Keys `a` and `b` without ports: source and destination of each.
  static NPF_AVX512_INLINE __m512i TwoRows(const FlowKey& a, const FlowKey& b) {
    const __m512i first =
        _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(a.src)));
    return _mm512_inserti64x4(first, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b.src)),
                              1);
  }

  // Stage 1 of eight keys, by transposing four columns of eight rows.
  NPF_AVX512_INLINE void Locate(const FlowKey* keys, size_t at) {
    const __m512i rows02 = TwoRows(keys[0], keys[2]);
    const __m512i rows13 = TwoRows(keys[1], keys[3]);
    const __m512i rows46 = TwoRows(keys[4], keys[6]);
    const __m512i rows57 = TwoRows(keys[5], keys[7]);
    const __m512i first03 = _mm512_unpacklo_epi64(rows02, rows13);
    const __m512i first47 = _mm512_unpacklo_epi64(rows46, rows57);
    const __m512i second03 = _mm512_unpackhi_epi64(rows02, rows13);
    const __m512i second47 = _mm512_unpackhi_epi64(rows46, rows57);
    constexpr int kSources = 0x88;  // quarters 0 and 2 of each
    constexpr int kDestinations = 0xdd;
    const __m512i src[2] = {_mm512_shuffle_i64x2(first03, first47, kSources),
                            _mm512_shuffle_i64x2(second03, second47, kSources)};
    const __m512i dst[2] = {_mm512_shuffle_i64x2(first03, first47, kDestinations),
                            _mm512_shuffle_i64x2(second03, second47, kDestinations)};
    const __mmask8 equal_firsts = _mm512_cmpeq_epi64_mask(src[0], dst[0]);
    equal_ |= _mm512_mask_cmpeq_epi64_mask(equal_firsts, src[1], dst[1]);
    Keep(0, at, src[0], src[1]);
    Keep(1, at, dst[0], dst[1]);
  }

  // layout::PilotOf and PlaceOf.
  NPF_AVX512_INLINE void Keep(size_t end, size_t at, __m512i first, __m512i second) {
    const __m512i h = Hash(first, second, tables_.seed);
    const __m512i pilot_at = _mm512_srli_epi64(_mm512_mul_epu32(h, All64(tables_.pilot_count)), 32);
    const __m512i pilot =
        _mm512_cvtepu32_epi64(_mm512_i64gather_epi32(pilot_at, tables_.pilots, 4));
    const __m512i moved = _mm512_mul_epu32(_mm512_xor_si512(_mm512_srli_epi64(h, 32), pilot),
                                           All64(layout::kPlaceFactor));
    const __m512i place =
        _mm512_srli_epi64(_mm512_mul_epu32(moved, All64(tables_.place_count)), 32);
    const __m512i offset = _mm512_mul_epu32(place, All64(sizeof(layout::V6Place)));
    _mm512_store_si512(&first_[end][at], first);
    _mm512_store_si512(&second_[end][at], second);
    _mm512_store_si512(&offset_[end][at], offset);
  }

  // Stage 2 of eight addresses. Returns how many it added to those that are left.
  NPF_AVX512_INLINE size_t Compare(size_t end, size_t at, size_t open_count) {
    const __m512i first = _mm512_load_si512(&first_[end][at]);
    const __m512i second = _mm512_load_si512(&second_[end][at]);
    const __m512i offset = _mm512_load_si512(&offset_[end][at]);
    const auto* const place = reinterpret_cast<const char*>(tables_.places);
    const __mmask8 differs =
        _mm512_cmpneq_epi64_mask(_mm512_i64gather_epi64(offset, place, 1), first) |
        _mm512_cmpneq_epi64_mask(_mm512_i64gather_epi64(offset, place + sizeof(uint64_t), 1),
                                 second);
    const __m256i none = _mm256_set1_epi32(static_cast<int>(layout::kNone));
    const __m256i held =
        _mm512_i64gather_epi32(offset, place + offsetof(layout::V6Place, address_class), 1);
    const __m256i classes = _mm256_mask_mov_epi32(held, differs, none);
    _mm256_store_si256(reinterpret_cast<__m256i*>(&classes_[end][at]), classes);
    const __mmask8 open = _mm256_cmpeq_epi32_mask(classes, none);
    const __m512i index =
        _mm512_add_epi64(_mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7), All64(end * kBatch + at));
    _mm512_storeu_si512(&wanted_[open_count], _mm512_maskz_compress_epi64(open, Swapped(first)));
    _mm512_storeu_si512(&lower_[open_count], _mm512_maskz_compress_epi64(open, second));
    _mm512_storeu_si512(&index_[open_count], _mm512_maskz_compress_epi64(open, index));
    return static_cast<size_t>(__builtin_popcount(open));
  }

  static NPF_AVX512_INLINE __m512i Swapped(__m512i words) {
    const __m128i order = _mm_setr_epi8(7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8);
    return _mm512_shuffle_epi8(words, _mm512_broadcast_i32x4(order));
  }

  // Stage 3: as LastNotAbove, eight searches a vector.
  NPF_AVX512_INLINE void Search(size_t open_count) {
    __m512i place[2 * kBatch / kHalfLanes];
    const size_t vectors = (open_count + kHalfLanes - 1) / kHalfLanes;
    for (size_t v = 0; v < vectors; ++v) place[v] = _mm512_setzero_si512();
    for (uint32_t left = tables_.high_count; left > 1;) {
      const uint32_t half = left / 2;
      for (size_t v = 0; v < vectors; ++v) {
        const __m512i next = _mm512_add_epi64(place[v], All64(half));
        const __m512i first = _mm512_i64gather_epi64(next, tables_.highs, 8);
        const __m512i wanted = _mm512_loadu_si512(&wanted_[v * kHalfLanes]);
        place[v] = _mm512_mask_mov_epi64(place[v], _mm512_cmple_epu64_mask(first, wanted), next);
      }
      left -= half;
    }
    for (size_t v = 0; v < vectors; ++v) {
      alignas(32) uint32_t intervals[kHalfLanes];
      _mm256_store_si256(reinterpret_cast<__m256i*>(intervals),
                         _mm512_i64gather_epi32(place[v], tables_.intervals, 4));
      const size_t first = v * kHalfLanes;
      for (size_t k = first; k < std::min(first + kHalfLanes, open_count); ++k) {
        classes_[index_[k] / kBatch][index_[k] % kBatch] =
            tables_.ClassWithin(intervals[k - first], {0, lower_[k]});
      }
    }
  }

  const V6Tables tables_;
  __mmask8 equal_ = 0;
  alignas(64) uint64_t first_[2][kBatch];  // halves of sources, of destinations
  alignas(64) uint64_t second_[2][kBatch];
  alignas(64) uint64_t offset_[2][kBatch];  // bytes, of V6Places
  alignas(64) uint32_t classes_[2][kBatch];
  // Those that are no exact addresses, and what a whole vector writes behind the last one.
  alignas(64) uint64_t wanted_[2 * kBatch + kHalfLanes];  // upper halves, as numbers
  alignas(64) uint64_t lower_[2 * kBatch + kHalfLanes];   // lower halves, as memory has them
  // Places in classes_, the first array before the second.
  alignas(64) uint64_t index_[2 * kBatch + kHalfLanes];
};

}  // namespace npf::avx512

#endif  // x86-64

#endif  // NPF_CLASSIFY_AVX512_V6_H_
