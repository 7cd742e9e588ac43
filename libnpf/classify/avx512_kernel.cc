// The AVX-512 kernel. What it is not made for (see avx512_step.h), and the rest of a batch that
// fills no vector, it hands to the scalar kernel, with which it is bit-equal.
#include "classify/avx512_step.h"
#include "classify/avx512_v6.h"
#include "classify/kernel.h"

#if defined(__x86_64__) && defined(__GNUC__)

namespace npf {
namespace avx512 {

bool Reaches(const ProgramView& view) {
  constexpr uint64_t kIndexEnd = uint64_t{1} << 31;  // of a gather's signed 32-bit indexes
  const layout::ImageHeader& header = view.header();
  const uint64_t codes =
      uint64_t{header.cell_count} * header.outcome_words * layout::kOutcomesPerWord;
  return header.v4_entry_bytes == 4 && view.SectionBytes(layout::kV6Places) < kIndexEnd &&
         view.SectionBytes(layout::kPairPlaces) < kIndexEnd &&
         view.SectionBytes(layout::kDefaultCells) < kIndexEnd &&
         view.SectionBytes(layout::kPairCells) < kIndexEnd &&
         view.SectionBytes(layout::kPairTiles) < kIndexEnd && codes < kIndexEnd;
}

}  // namespace avx512

namespace {

using avx512::kLanes;

NPF_AVX512_INLINE __m512i All(int value) { return _mm512_set1_epi32(value); }

NPF_AVX512_INLINE __m512i GatherAt(const FlowKey* keys, size_t group, size_t offset) {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const auto* const first = reinterpret_cast<const char*>(keys + group * kLanes);
  return avx512::Gather<1>(_mm512_mullo_epi32(lane, All(sizeof(FlowKey))), first + offset);
}

constexpr __mmask16 kAllLanes = 0xffff;

// What of Groups * 16 keys has nothing to do with a table.
template <size_t Groups>
struct Keys {
  avx512::Questions asked[Groups];
  __mmask16 is_v4[Groups];
  __mmask16 all_v4 = kAllLanes;
  __mmask16 all_v6 = kAllLanes;
  __mmask16 reserved = 0;  // a key has equal addresses, or no known family

  NPF_AVX512_INLINE explicit Keys(const FlowKey* keys) {
    for (size_t g = 0; g < Groups; ++g) {
      asked[g].src = GatherAt(keys, g, offsetof(FlowKey, src));
      asked[g].dst = GatherAt(keys, g, offsetof(FlowKey, dst));
      const __m512i ports = GatherAt(keys, g, offsetof(FlowKey, src_port));
      const __m512i kind = GatherAt(keys, g, offsetof(FlowKey, protocol));  // and the family
      asked[g].port = _mm512_srli_epi32(ports, 16);
      asked[g].protocol = _mm512_and_si512(kind, All(0xff));
      const __m512i family = _mm512_and_si512(_mm512_srli_epi32(kind, 8), All(0xff));
      is_v4[g] = _mm512_cmpeq_epi32_mask(family, All(4));
      const __mmask16 is_v6 = _mm512_cmpeq_epi32_mask(family, All(6));
      all_v4 &= is_v4[g];
      all_v6 &= is_v6;
      reserved |= static_cast<__mmask16>(~(is_v4[g] | is_v6));
      reserved |= _mm512_mask_cmpeq_epi32_mask(is_v4[g], asked[g].src, asked[g].dst);
    }
  }
};

// What JudgeKeys does with keys that are not all of IPv4: a function of its own, which is given
// copies, so that nothing of those that are has to lie in memory. Tables of IPv4 are harmless to
// walk for any key.
template <typename Pairs, typename PortClass, size_t Groups>
NPF_AVX512 __attribute__((noinline)) __m512i JudgeAnyFamily(
    const ProgramView& view, const avx512::Tables tables, const FlowKey* keys,
    const Keys<Groups> batch, __m512i generation, Verdict* verdicts, uint32_t& left) {
  avx512::V6Finder finder(view);
  avx512::Classes classes[Groups];
  finder.Find(keys, Groups * kLanes, classes);
  if (batch.all_v6 != kAllLanes) {
    avx512::Classes of_v4[Groups];
    avx512::FindV4<Groups>(tables, batch.asked, of_v4);
    for (size_t g = 0; g < Groups; ++g) {
      classes[g].src = _mm512_mask_mov_epi32(classes[g].src, batch.is_v4[g], of_v4[g].src);
      classes[g].dst = _mm512_mask_mov_epi32(classes[g].dst, batch.is_v4[g], of_v4[g].dst);
    }
  }
  if (batch.reserved != 0 || finder.any_equal()) left |= kLeftReserved;
  return avx512::Judge<Pairs, PortClass, Groups>(tables, batch.asked, classes, generation,
                                                 verdicts);
}

// Judges Groups * 16 keys; adds to `left`.
template <typename Pairs, typename PortClass, size_t Groups>
NPF_AVX512_INLINE __m512i JudgeKeys(const ProgramView& view, const avx512::Tables& tables,
                                    const FlowKey* keys, __m512i generation, Verdict* verdicts,
                                    uint32_t& left) {
  const Keys<Groups> batch(keys);
  if (batch.all_v4 != kAllLanes) {
    return JudgeAnyFamily<Pairs, PortClass, Groups>(view, tables, keys, batch, generation, verdicts,
                                                    left);
  }
  avx512::Classes classes[Groups];
  avx512::FindV4<Groups>(tables, batch.asked, classes);
  if (batch.reserved != 0) left |= kLeftReserved;
  return avx512::Judge<Pairs, PortClass, Groups>(tables, batch.asked, classes, generation,
                                                 verdicts);
}

template <typename Pairs, typename PortClass>
NPF_AVX512 uint32_t Run(const ProgramView& view, const FlowKey* keys, size_t count,
                        uint32_t generation, Verdict* verdicts) {
  const avx512::Tables tables = avx512::TablesOf(view);
  const __m512i stamp = All(static_cast<int>(generation));
  __m512i tails = _mm512_setzero_si512();
  uint32_t left = 0;
  size_t done = 0;
  if (count == kBatch) {
    tails = JudgeKeys<Pairs, PortClass, kBatch / kLanes>(view, tables, keys, stamp, verdicts, left);
    done = kBatch;
  }
  for (; done + kLanes <= count; done += kLanes) {
    tails = _mm512_or_si512(tails, JudgeKeys<Pairs, PortClass, 1>(view, tables, keys + done, stamp,
                                                                  verdicts + done, left));
  }
  const auto any_tail = static_cast<uint32_t>(_mm512_reduce_or_epi32(tails));
  if ((any_tail & avx512::kLookAtNodeTail) != 0) left |= kLeftNode;
  if (done == count) return left;
  return left | JudgeScalar(view, keys + done, count - done, generation, verdicts + done);
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
  if (count < kLanes || !avx512::Reaches(view)) {
    return JudgeScalar(view, keys, count, generation, verdicts);
  }
  return avx512::WithWidths(view.header(), [&]<typename Pairs, typename PortClass>() {
    return Run<Pairs, PortClass>(view, keys, count, generation, verdicts);
  });
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
