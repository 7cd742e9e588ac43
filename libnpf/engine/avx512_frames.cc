// packet/plain.h in vectors of eight frames, the checks of a frame in a lane of 64 bits, and then
// the look-ups of classify/avx512_step.h.
//
//   bytes of a frame    12      20      28      36      44
//   a gather of eight   | type  | frag. | src   | ports | TCP offset
//   bytes each          | IHL   | TTL   | dst   | UDP   | and flags
//                       | total | proto | sport | length|
#include "engine/frames_kernel.h"

#include "classify/avx512_step.h"
#include "classify/kernel.h"

#if defined(__x86_64__) && defined(__GNUC__)

namespace npf {
namespace {

using avx512::kLanes;

static_assert(sizeof(PacketView) == 16 && offsetof(PacketView, length) == 8 &&
              offsetof(PacketView, wire_length) == 12);

constexpr int64_t kNeededBytes = 54;  // Ethernet, IPv4, TCP
constexpr int64_t kHeadersBytes = 34;

// Bits 0 to 2 FIN, SYN, RST, bit 3 ACK; as MakePlainTcpFlags of packet/plain.h.
constexpr int64_t PlainTcpFlags(bool with_state_changes) {
  int64_t plain = 0;
  for (int64_t bits = 0; bits < 16; ++bits) {
    const int64_t changes = bits & 7;
    const bool one_at_most = (changes & (changes - 1)) == 0;
    const bool stands = (bits & 8) != 0 || changes == 2;
    if (one_at_most && stands && (with_state_changes || changes == 0)) plain |= int64_t{1} << bits;
  }
  return plain;
}

NPF_AVX512_INLINE __m512i All(int64_t value) { return _mm512_set1_epi64(value); }
template <int Shift>
NPF_AVX512_INLINE __m512i Field(__m512i word, int64_t mask) {
  return _mm512_and_si512(_mm512_srli_epi64(word, Shift), All(mask));
}
// The big-endian number of 16 bits that begins Shift bits from the bottom.
template <int Shift>
NPF_AVX512_INLINE __m512i Big16(__m512i word) {
  return _mm512_or_si512(_mm512_slli_epi64(Field<Shift>(word, 0xff), 8),
                         Field<Shift + 8>(word, 0xff));
}

// Eight frames, in lanes of 64 bits.
struct Eight {
  __m512i src, dst, port, protocol;
  __mmask8 plain;
};

class FrameSource {
 public:
  NPF_AVX512 FrameSource(const PacketView* frames, const ParseOptions& options)
      : frames_(frames),
        any_checksum_(options.checksums == Checksums::kIgnore ? 0xff : 0),
        tcp_flags_(PlainTcpFlags(options.checksums != Checksums::kVerify)) {}

  NPF_AVX512_INLINE avx512::Questions Load(size_t group) {
    const PacketView* const first = frames_ + group * kLanes;
    const Eight low = Read(first);
    const Eight high = Read(first + 8);
    const uint64_t plain = uint64_t{low.plain} | uint64_t{high.plain} << 8;
    plain_ |= plain << (group * kLanes);
    return {Join(low.src, high.src), Join(low.dst, high.dst), Join(low.port, high.port),
            Join(low.protocol, high.protocol)};
  }

  uint64_t plain() const { return plain_; }  // places

 private:
  static NPF_AVX512_INLINE __m512i Join(__m512i low, __m512i high) {
    return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi64_epi32(low)),
                              _mm512_cvtepi64_epi32(high), 1);
  }

  NPF_AVX512_INLINE Eight Read(const PacketView* views) const {
    alignas(64) static constexpr uint8_t kNoFrame[64] = {};
    const __m512i low = _mm512_loadu_si512(views);
    const __m512i high = _mm512_loadu_si512(views + 4);
    const __m512i even = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
    const __m512i odd = _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15);
    const __m512i lengths = _mm512_permutex2var_epi64(low, odd, high);
    const __m512i length = Field<0>(lengths, 0xffffffff);
    const __m512i wire = _mm512_max_epi64(_mm512_srli_epi64(lengths, 32), length);
    const __mmask8 enough = _mm512_cmpge_epi64_mask(length, All(kNeededBytes));
    const __m512i at = _mm512_mask_blend_epi64(enough, All(reinterpret_cast<int64_t>(kNoFrame)),
                                               _mm512_permutex2var_epi64(low, even, high));
    Eight eight = ReadAt(at, _mm512_sub_epi64(wire, All(kHeadersBytes)));
    eight.plain &= enough;
    return eight;
  }

  static NPF_AVX512_INLINE __m512i EightBytes(__m512i at, int64_t offset) {
    return _mm512_i64gather_epi64(_mm512_add_epi64(at, All(offset)), nullptr, 1);
  }

  // `on_wire`: bytes behind the IPv4 header.
  NPF_AVX512_INLINE Eight ReadAt(__m512i at, __m512i on_wire) const {
    const __m512i form = EightBytes(at, 12);
    const __m512i fragment = EightBytes(at, 20);
    const __m512i addresses = EightBytes(at, 28);
    const __m512i ports = EightBytes(at, 36);
    const __m512i protocol = Field<24>(fragment, 0xff);
    const __m512i src = _mm512_or_si512(_mm512_srli_epi64(fragment, 48),
                                        _mm512_slli_epi64(Field<0>(addresses, 0xffff), 16));
    const __m512i dst = Field<16>(addresses, 0xffffffff);
    const __m512i payload = _mm512_sub_epi64(Big16<32>(form), All(20));
    __mmask8 plain = _mm512_testn_epi64_mask(_mm512_xor_si512(form, All(0x450008)), All(0xffffff));
    plain &= _mm512_testn_epi64_mask(fragment, All(0xffbf));
    plain &= _mm512_cmple_epi64_mask(payload, on_wire);
    plain &= TransportIsPlain(protocol, ports, EightBytes(at, 44), payload);
    plain &= AddressesArePlain(src, dst);
    plain &= static_cast<__mmask8>(HeaderSumsAreRight(form, fragment, addresses) | any_checksum_);
    return {src, dst, Big16<0>(ports), protocol, plain};
  }

  NPF_AVX512_INLINE __mmask8 TransportIsPlain(__m512i protocol, __m512i ports, __m512i tcp_rest,
                                              __m512i payload) const {
    const __mmask8 tcp = _mm512_cmpeq_epi64_mask(protocol, All(kProtocolTcp));
    const __mmask8 udp = _mm512_cmpeq_epi64_mask(protocol, All(kProtocolUdp));
    const __m512i stated =
        _mm512_mask_blend_epi64(tcp, Big16<16>(ports), Field<18>(tcp_rest, 0x3c));
    const __m512i least = _mm512_mask_blend_epi64(tcp, All(8), All(20));
    const __m512i flags = _mm512_or_si512(Field<24>(tcp_rest, 7), Field<25>(tcp_rest, 8));
    const __mmask8 flags_are_plain =
        _mm512_test_epi64_mask(_mm512_srlv_epi64(All(tcp_flags_), flags), All(1));
    return static_cast<__mmask8>((udp | (tcp & flags_are_plain)) &
                                 _mm512_cmpge_epi64_mask(stated, least) &
                                 _mm512_cmple_epi64_mask(stated, payload));
  }

  static NPF_AVX512_INLINE __mmask8 AddressesArePlain(__m512i src, __m512i dst) {
    const __m512i one = All(1);
    const __m512i first_of_src = Field<0>(src, 0xff);
    const __m512i first_of_dst = Field<0>(dst, 0xff);
    const __m512i loopback = All(127);
    __mmask8 plain = _mm512_cmpneq_epi64_mask(src, dst);
    plain &= _mm512_cmplt_epu64_mask(_mm512_sub_epi64(first_of_src, one), All(223));  // 1 to 223
    plain &= _mm512_cmpneq_epi64_mask(first_of_src, loopback);
    plain &= _mm512_test_epi64_mask(first_of_dst, first_of_dst);
    plain &= _mm512_cmpneq_epi64_mask(first_of_dst, loopback);
    return plain;
  }

  // Sums of wider words come to the same as those of 16 bits once they are folded (RFC 1071, 2).
  static NPF_AVX512_INLINE __mmask8 HeaderSumsAreRight(__m512i form, __m512i fragment,
                                                       __m512i addresses) {
    const __m512i halves =
        _mm512_add_epi64(Field<0>(fragment, 0xffffffff), _mm512_srli_epi64(fragment, 32));
    const __m512i rest =
        _mm512_add_epi64(_mm512_srli_epi64(form, 16), Field<0>(addresses, 0xffffffffffff));
    __m512i sum = _mm512_add_epi64(halves, rest);
    sum = _mm512_add_epi64(Field<0>(sum, 0xffffffff), _mm512_srli_epi64(sum, 32));
    sum = _mm512_add_epi64(Field<0>(sum, 0xffff), _mm512_srli_epi64(sum, 16));
    sum = _mm512_add_epi64(Field<0>(sum, 0xffff), _mm512_srli_epi64(sum, 16));
    return _mm512_cmpeq_epi64_mask(sum, All(0xffff));
  }

  const PacketView* frames_;
  uint64_t plain_ = 0;
  __mmask8 any_checksum_;
  int64_t tcp_flags_;
};

template <typename Leaf, typename Pairs, typename PortClass>
NPF_AVX512 uint64_t Run(const ProgramView& view, const FrameOptions& options,
                        std::span<const PacketView> frames, Verdict* verdicts) {
  const avx512::Tables tables = avx512::TablesOf(view);
  const __m512i stamp = _mm512_set1_epi32(static_cast<int>(options.classify.generation));
  uint64_t plain = 0;
  __m512i tails = _mm512_setzero_si512();
  size_t done = 0;
  if (frames.size() == kFrameBatch) {
    FrameSource source(frames.data(), options.parse);
    tails =
        avx512::Step<Leaf, Pairs, PortClass, kFrameBatch / kLanes>(tables, source, stamp, verdicts);
    plain = source.plain();
    done = kFrameBatch;
  }
  for (; done + kLanes <= frames.size(); done += kLanes) {
    FrameSource source(frames.data() + done, options.parse);
    tails = _mm512_or_si512(
        tails, avx512::Step<Leaf, Pairs, PortClass, 1>(tables, source, stamp, verdicts + done));
    plain |= source.plain() << done;
  }
  if ((static_cast<uint32_t>(_mm512_reduce_or_epi32(tails)) & avx512::kLookAtNodeTail) != 0) {
    for (size_t i = 0; i < done; ++i) {
      if ((verdicts[i].flags & layout::kLookAtNode) != 0) plain &= ~(uint64_t{1} << i);
    }
  }
  const uint64_t all = frames.size() == 64 ? ~uint64_t{0} : (uint64_t{1} << frames.size()) - 1;
  return all & ~plain;
}

}  // namespace

bool Avx512JudgesFrames(const ProgramView& view, const FrameOptions& options) noexcept {
  return options.parse.link == LinkLayer::kEthernet &&
         options.classify.directions == DirectionMask::kBoth &&
         !options.classify.deny_unknown_pod && avx512::Reaches(view);
}

uint64_t JudgePlainAvx512(const ProgramView& view, const FrameOptions& options,
                          std::span<const PacketView> frames, Verdict* verdicts) noexcept {
  return avx512::WithWidths(view.header(),
                            [&]<typename Leaf, typename Pairs, typename PortClass>() {
                              return Run<Leaf, Pairs, PortClass>(view, options, frames, verdicts);
                            });
}

}  // namespace npf

#else

namespace npf {

bool Avx512JudgesFrames(const ProgramView&, const FrameOptions&) noexcept { return false; }
uint64_t JudgePlainAvx512(const ProgramView&, const FrameOptions&, std::span<const PacketView>,
                          Verdict*) noexcept {
  return ~uint64_t{0};
}

}  // namespace npf

#endif
