// packet/plain.h in vectors of sixteen frames, and then the look-ups of classify/avx512_step.h.
//
// Where a scalar reader would pay for each, SCTP after its INIT and ICMP echoes are plain here,
// too.
//
// Three times sixteen bytes of each frame are loaded and transposed, so that a vector holds the
// same four bytes of sixteen frames; the addresses lie across two of them:
//
//   bytes  word       what of it counts
//   12-15  kind       Ethertype, version and header length
//   16-19  total      total length
//   20-23  fragment   fragment bits and offset, protocol
//   24-27  sum_src    checksum, first half of the source
//   28-31  src_dst    second half of it, first half of the destination
//   32-35  dst_ports  second half of that, source port or the type of ICMP
//   36-39  port_tag   destination port, length of UDP or first half of the tag of SCTP
//   40-43  tag        second half of the tag
//   46-49  rest       data offset and flags of TCP, or the first chunk's type of SCTP
#include "engine/frames_kernel.h"

#include <array>

#include "classify/avx512_step.h"
#include "classify/kernel.h"

#if defined(__x86_64__) && defined(__GNUC__)

namespace npf {
namespace {

using avx512::kLanes;

static_assert(sizeof(PacketView) == 16 && offsetof(PacketView, length) == 8 &&
              offsetof(PacketView, wire_length) == 12);

constexpr int kNeededBytes = 54;  // Ethernet, IPv4, TCP
constexpr int kHeadersBytes = 34;
constexpr int kIpBytes = 20;
constexpr int kUpperHalf = static_cast<int>(0xffff0000);
constexpr int kSctpInit = 1;
constexpr int kIcmpEcho = 8;  // the reply is 0

// Bits 0 to 2 FIN, SYN, RST, bit 3 ACK; as AgainstTcpFlags of packet/plain.h.
constexpr int PlainTcpFlags(bool with_state_changes) {
  int plain = 0;
  for (int bits = 0; bits < 16; ++bits) {
    const int changes = bits & 7;
    const bool one_at_most = (changes & (changes - 1)) == 0;
    const bool stands = (bits & 8) != 0 || changes == 2;
    if (one_at_most && stands && (with_state_changes || changes == 0)) plain |= 1 << bits;
  }
  return plain;
}

NPF_AVX512_INLINE __m512i All(int value) { return _mm512_set1_epi32(value); }
template <int Shift>
NPF_AVX512_INLINE __m512i Field(__m512i word, int mask) {
  return _mm512_and_si512(_mm512_srli_epi32(word, Shift), All(mask));
}
// The big-endian number of 16 bits in bytes Byte and Byte + 1 of each word.
template <int Byte>
NPF_AVX512_INLINE __m512i Big16(__m512i word) {
  constexpr int kZero = 0x80;
  constexpr int kWord = (Byte + 1) | Byte << 8 | kZero << 16 | kZero << 24;
  const __m128i order = _mm_setr_epi32(kWord, kWord + 0x0404, kWord + 0x0808, kWord + 0x0c0c);
  return _mm512_shuffle_epi8(word, _mm512_broadcast_i32x4(order));
}

// Sixteen bytes of each of sixteen frames, by words: column[i] is word i of all.
struct Columns {
  __m512i column[4];
};

// Where sixteen frames stand.
using Places = std::array<const uint8_t*, kLanes>;

NPF_AVX512_INLINE __m512i FourRows(const Places& at, size_t first, size_t offset) {
  const auto row = [&](size_t i) NPF_AVX512 {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at[first + i] + offset));
  };
  __m512i rows = _mm512_castsi128_si512(row(0));
  rows = _mm512_inserti32x4(rows, row(4), 1);
  rows = _mm512_inserti32x4(rows, row(8), 2);
  return _mm512_inserti32x4(rows, row(12), 3);
}

NPF_AVX512_INLINE Columns Transposed(const Places& at, size_t offset) {
  const __m512i rows0 = FourRows(at, 0, offset);
  const __m512i rows1 = FourRows(at, 1, offset);
  const __m512i rows2 = FourRows(at, 2, offset);
  const __m512i rows3 = FourRows(at, 3, offset);
  const __m512i low01 = _mm512_unpacklo_epi32(rows0, rows1);
  const __m512i low23 = _mm512_unpacklo_epi32(rows2, rows3);
  const __m512i high01 = _mm512_unpackhi_epi32(rows0, rows1);
  const __m512i high23 = _mm512_unpackhi_epi32(rows2, rows3);
  return {{_mm512_unpacklo_epi64(low01, low23), _mm512_unpackhi_epi64(low01, low23),
           _mm512_unpacklo_epi64(high01, high23), _mm512_unpackhi_epi64(high01, high23)}};
}

class FrameSource {
 public:
  NPF_AVX512 FrameSource(const PacketView* frames, const ParseOptions& options)
      : frames_(frames),
        verify_header_(options.checksums != Checksums::kIgnore),
        tcp_flags_(PlainTcpFlags(options.checksums != Checksums::kVerify)) {}

  NPF_AVX512_INLINE avx512::Questions Load(size_t group) {
    const PacketView* const views = frames_ + group * kLanes;
    alignas(64) static constexpr uint8_t kNoFrame[64] = {};
    Places at;
    for (size_t i = 0; i < kLanes; ++i) {
      at[i] = views[i].length >= kNeededBytes ? views[i].data : kNoFrame;
    }
    const auto [kind, total, fragment, sum_src] = Transposed(at, 12).column;
    const auto [src_dst, dst_ports, port_tag, tag] = Transposed(at, 28).column;
    const __m512i rest = Transposed(at, 38).column[2];
    const __m512i src = Across(sum_src, src_dst);
    const __m512i dst = Across(src_dst, dst_ports);
    const __m512i protocol = _mm512_srli_epi32(fragment, 24);
    const __m512i payload = _mm512_sub_epi32(Big16<0>(total), All(kIpBytes));
    __mmask16 plain = LengthsArePlain(views, payload);
    plain &= _mm512_testn_epi32_mask(_mm512_xor_si512(kind, All(0x450008)), All(0xffffff));
    plain &= _mm512_testn_epi32_mask(fragment, All(0xffbf));
    plain &= TransportIsPlain(protocol, payload, dst_ports, port_tag, tag, rest);
    plain &= AddressesArePlain(src, dst);
    if (verify_header_) {
      plain &= HeaderSumsAreRight(kind, total, fragment, sum_src, src_dst, dst_ports);
    }
    plain_ |= uint64_t{plain} << (group * kLanes);
    return {src, dst, Big16<0>(port_tag), protocol};
  }

  uint64_t plain() const { return plain_; }  // places

 private:
  // The upper half of `first` and the lower one of `second`, in the order of memory.
  static NPF_AVX512_INLINE __m512i Across(__m512i first, __m512i second) {
    return _mm512_rol_epi32(_mm512_mask_blend_epi16(0xaaaaaaaa, second, first), 16);
  }

  // Compared as signed numbers, so that a length of 2^31 or more is none.
  static NPF_AVX512_INLINE __mmask16 LengthsArePlain(const PacketView* views, __m512i payload) {
    const __m512i pick_captured =
        _mm512_setr_epi32(2, 6, 10, 14, 18, 22, 26, 30, 0, 0, 0, 0, 0, 0, 0, 0);
    const __m512i pick_wire = _mm512_add_epi32(pick_captured, All(1));
    const __m512i a = _mm512_loadu_si512(views);
    const __m512i b = _mm512_loadu_si512(views + 4);
    const __m512i c = _mm512_loadu_si512(views + 8);
    const __m512i d = _mm512_loadu_si512(views + 12);
    const auto join = [&](__m512i pick) NPF_AVX512 {
      const __m512i high = _mm512_permutex2var_epi32(c, pick, d);
      return _mm512_inserti64x4(_mm512_permutex2var_epi32(a, pick, b), _mm512_castsi512_si256(high),
                                1);
    };
    const __m512i captured = join(pick_captured);
    const __m512i wire = _mm512_max_epu32(join(pick_wire), captured);
    return _mm512_cmpge_epi32_mask(captured, All(kNeededBytes)) &
           _mm512_cmple_epi32_mask(payload, _mm512_sub_epi32(wire, All(kHeadersBytes)));
  }

  NPF_AVX512_INLINE __mmask16 TransportIsPlain(__m512i protocol, __m512i payload, __m512i dst_ports,
                                               __m512i port_tag, __m512i tag, __m512i rest) const {
    const __mmask16 is_tcp = _mm512_cmpeq_epi32_mask(protocol, All(kProtocolTcp));
    const __mmask16 is_udp = _mm512_cmpeq_epi32_mask(protocol, All(kProtocolUdp));
    const __mmask16 is_sctp = _mm512_cmpeq_epi32_mask(protocol, All(kProtocolSctp));
    const __mmask16 is_icmp = _mm512_cmpeq_epi32_mask(protocol, All(kProtocolIcmp));
    __m512i least = _mm512_mask_blend_epi32(is_tcp, All(8), All(20));
    least = _mm512_mask_mov_epi32(least, is_sctp, All(16));
    __m512i stated = _mm512_mask_blend_epi32(is_udp, least, Big16<2>(port_tag));
    stated = _mm512_mask_mov_epi32(stated, is_tcp, Field<2>(rest, 0x3c));
    const __mmask16 lengths =
        _mm512_cmpge_epi32_mask(stated, least) & _mm512_cmple_epi32_mask(stated, payload);
    const __m512i flags = _mm512_or_si512(Field<8>(rest, 7), Field<9>(rest, 8));
    const __mmask16 flags_are_plain =
        _mm512_test_epi32_mask(_mm512_srlv_epi32(All(tcp_flags_), flags), All(1));
    const __mmask16 is_init = _mm512_cmpeq_epi32_mask(Field<0>(rest, 0xff), All(kSctpInit));
    const __mmask16 has_tag = _mm512_test_epi32_mask(port_tag, All(kUpperHalf)) |
                              _mm512_test_epi32_mask(tag, All(0xffff));
    const __mmask16 is_echo = _mm512_testn_epi32_mask(dst_ports, All((0xff & ~kIcmpEcho) << 16));
    return static_cast<__mmask16>(
        lengths & (is_udp | (is_tcp & flags_are_plain) |
                   (is_sctp & has_tag & static_cast<__mmask16>(~is_init)) | (is_icmp & is_echo)));
  }

  static NPF_AVX512_INLINE __mmask16 AddressesArePlain(__m512i src, __m512i dst) {
    const __m512i first_of_src = Field<0>(src, 0xff);
    const __m512i first_of_dst = Field<0>(dst, 0xff);
    __mmask16 plain = _mm512_cmpneq_epi32_mask(src, dst);
    plain &= _mm512_cmplt_epu32_mask(_mm512_sub_epi32(first_of_src, All(1)), All(223));  // 1 to 223
    plain &= _mm512_cmpneq_epi32_mask(first_of_src, All(127));
    plain &= _mm512_test_epi32_mask(first_of_dst, first_of_dst);
    plain &= _mm512_cmpneq_epi32_mask(first_of_dst, All(127));
    return plain;
  }

  // Words of 16 bits, in whatever order of bytes (RFC 1071, 2).
  static NPF_AVX512_INLINE __mmask16 HeaderSumsAreRight(__m512i kind, __m512i total,
                                                        __m512i fragment, __m512i sum_src,
                                                        __m512i src_dst, __m512i dst_ports) {
    __m512i sum = _mm512_add_epi32(_mm512_srli_epi32(kind, 16), Field<0>(dst_ports, 0xffff));
    for (const __m512i& word : {total, fragment, sum_src, src_dst}) {
      sum = _mm512_add_epi32(sum, Field<0>(word, 0xffff));
      sum = _mm512_add_epi32(sum, _mm512_srli_epi32(word, 16));
    }
    sum = _mm512_add_epi32(Field<0>(sum, 0xffff), _mm512_srli_epi32(sum, 16));
    sum = _mm512_add_epi32(Field<0>(sum, 0xffff), _mm512_srli_epi32(sum, 16));
    return _mm512_cmpeq_epi32_mask(sum, All(0xffff));
  }

  const PacketView* frames_;
  uint64_t plain_ = 0;
  bool verify_header_;
  int tcp_flags_;
};

template <typename Pairs, typename PortClass, size_t Groups>
NPF_AVX512_INLINE __m512i JudgeGroups(const avx512::Tables& tables, FrameSource& source,
                                      __m512i generation, Verdict* verdicts) {
  avx512::Questions asked[Groups];
  avx512::Classes classes[Groups];
  for (size_t g = 0; g < Groups; ++g) asked[g] = source.Load(g);
  avx512::FindV4<Groups>(tables, asked, classes);
  return avx512::Judge<Pairs, PortClass, Groups>(tables, asked, classes, generation, verdicts);
}

template <typename Pairs, typename PortClass>
NPF_AVX512 uint64_t Run(const ProgramView& view, const FrameOptions& options,
                        std::span<const PacketView> frames, Verdict* verdicts) {
  const avx512::Tables tables = avx512::TablesOf(view);
  const __m512i stamp = _mm512_set1_epi32(static_cast<int>(options.classify.generation));
  uint64_t plain = 0;
  __m512i tails = _mm512_setzero_si512();
  size_t done = 0;
  if (frames.size() == kFrameBatch) {
    FrameSource source(frames.data(), options.parse);
    tails = JudgeGroups<Pairs, PortClass, kFrameBatch / kLanes>(tables, source, stamp, verdicts);
    plain = source.plain();
    done = kFrameBatch;
  }
  for (; done + kLanes <= frames.size(); done += kLanes) {
    FrameSource source(frames.data() + done, options.parse);
    tails = _mm512_or_si512(
        tails, JudgeGroups<Pairs, PortClass, 1>(tables, source, stamp, verdicts + done));
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
  return JudgesPlain(options.parse) && options.classify.directions == DirectionMask::kBoth &&
         !options.classify.deny_unknown_pod && avx512::Reaches(view);
}

uint64_t JudgePlainAvx512(const ProgramView& view, const FrameOptions& options,
                          std::span<const PacketView> frames, Verdict* verdicts) noexcept {
  return avx512::WithWidths(view.header(), [&]<typename Pairs, typename PortClass>() {
    return Run<Pairs, PortClass>(view, options, frames, verdicts);
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
