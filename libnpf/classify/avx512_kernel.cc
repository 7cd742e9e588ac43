// The AVX-512 kernel. What it is not made for (see avx512_step.h), and the rest of a batch that
// fills no vector, it hands to the scalar kernel, with which it is bit-equal.
#include "classify/avx512_step.h"
#include "classify/kernel.h"

#if defined(__x86_64__) && defined(__GNUC__)

namespace npf {
namespace avx512 {

bool Reaches(const ProgramView& view) {
  constexpr uint64_t kIndexEnd = uint64_t{1} << 31;  // of a gather's signed 32-bit indexes
  const layout::ImageHeader& header = view.header();
  const uint64_t codes =
      uint64_t{header.cell_count} * header.outcome_words * layout::kOutcomesPerWord;
  return header.v4_entry_bytes == 4 && view.SectionBytes(layout::kPairPlaces) < kIndexEnd &&
         view.SectionBytes(layout::kDefaultCells) < kIndexEnd &&
         view.SectionBytes(layout::kPairCells) < kIndexEnd &&
         view.SectionBytes(layout::kPairTiles) < kIndexEnd && codes < kIndexEnd;
}

}  // namespace avx512

namespace {

using avx512::kLanes;

class KeySource {
 public:
  NPF_AVX512 explicit KeySource(const FlowKey* keys) : keys_(keys) {}

  NPF_AVX512_INLINE avx512::Questions Load(size_t group) {
    const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i at = _mm512_mullo_epi32(lane, _mm512_set1_epi32(sizeof(FlowKey)));
    const __m512i byte = _mm512_set1_epi32(0xff);
    const FlowKey* const first = keys_ + group * kLanes;
    const __m512i src = avx512::Gather<1>(at, first->src);
    const __m512i dst = avx512::Gather<1>(at, first->dst);
    const __m512i ports = avx512::Gather<1>(at, &first->src_port);
    const __m512i kinds = avx512::Gather<1>(at, &first->protocol);  // and the family
    const __m512i family = _mm512_and_si512(_mm512_srli_epi32(kinds, 8), byte);
    equal_ |= _mm512_cmpeq_epi32_mask(src, dst);
    foreign_ |= _mm512_cmpneq_epi32_mask(family, _mm512_set1_epi32(4));
    return {src, dst, _mm512_srli_epi32(ports, 16), _mm512_and_si512(kinds, byte)};
  }

  void Advance(size_t count) { keys_ += count; }
  bool equal() const { return equal_ != 0; }      // a key had equal addresses
  bool foreign() const { return foreign_ != 0; }  // a key was of another family

 private:
  const FlowKey* keys_;
  __mmask16 equal_ = 0;
  __mmask16 foreign_ = 0;
};

template <typename Leaf, typename Pairs, typename PortClass>
NPF_AVX512 uint32_t Run(const ProgramView& view, const FlowKey* keys, size_t count,
                        uint32_t generation, Verdict* verdicts) {
  const avx512::Tables tables = avx512::TablesOf(view);
  const __m512i stamp = _mm512_set1_epi32(static_cast<int>(generation));
  KeySource source(keys);
  __m512i tails = _mm512_setzero_si512();
  size_t done = 0;
  if (count == kBatch) {
    tails = avx512::Step<Leaf, Pairs, PortClass, kBatch / kLanes>(tables, source, stamp, verdicts);
    done = kBatch;
  }
  for (; done + kLanes <= count; done += kLanes) {
    tails = _mm512_or_si512(
        tails, avx512::Step<Leaf, Pairs, PortClass, 1>(tables, source, stamp, verdicts + done));
    source.Advance(kLanes);
  }
  if (source.foreign()) return JudgeScalar(view, keys, count, generation, verdicts);
  uint32_t left = source.equal() ? uint32_t{kLeftReserved} : 0;
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
  if (count < kLanes || keys[0].family != 4 || !avx512::Reaches(view)) {
    return JudgeScalar(view, keys, count, generation, verdicts);
  }
  return avx512::WithWidths(
      view.header(), [&]<typename Leaf, typename Pairs, typename PortClass>() {
        return Run<Leaf, Pairs, PortClass>(view, keys, count, generation, verdicts);
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
