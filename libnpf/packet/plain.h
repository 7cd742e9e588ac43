// The packets that nearly all packets are, read in one straight line: Ethernet without a tag, IPv4
// without options and not a fragment, TCP or UDP with nothing wrong about it.
//
// ReadPlain says whether a frame is one of these, and gives its key. It never guesses: whatever it
// accepts, ParsePacket judges with the same key (a test and a fuzzer hold that); whatever it does
// not accept is ParsePacket's. So it may refuse what is rare, such as a TCP segment whose own
// checksum has to be verified.
#ifndef NPF_PACKET_PLAIN_H_
#define NPF_PACKET_PLAIN_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "npf/packet.h"

namespace npf::packet {

// First bytes of addresses that a packet may bear without a second look (see IsMartian of ipv4.cc).
struct PlainAddresses {
  std::array<bool, 256> src, dst;
};
constexpr PlainAddresses MakePlainAddresses() {
  PlainAddresses plain{};
  for (uint32_t first = 1; first < 256; ++first) {
    plain.src[first] = first != 127 && first < 224;
    plain.dst[first] = first != 127;
  }
  return plain;
}
inline constexpr PlainAddresses kPlainAddresses = MakePlainAddresses();

// Of a segment with ACK, or a lone SYN; those that change a connection's state only where their
// checksum is not asked for.
constexpr std::array<bool, 256> MakePlainTcpFlags(bool with_state_changes) {
  constexpr uint32_t kFin = 1, kSyn = 2, kRst = 4, kAck = 16;
  std::array<bool, 256> plain{};
  for (uint32_t flags = 0; flags < 256; ++flags) {
    const uint32_t changes = flags & (kSyn | kFin | kRst);
    const bool one_at_most = (changes & (changes - 1)) == 0;
    const bool stands = (flags & kAck) != 0 || changes == kSyn;
    plain[flags] = one_at_most && stands && (with_state_changes || changes == 0);
  }
  return plain;
}
inline constexpr std::array<std::array<bool, 256>, 2> kPlainTcpFlags = {MakePlainTcpFlags(true),
                                                                        MakePlainTcpFlags(false)};

static_assert(std::endian::native == std::endian::little);

class PlainReader {  // of Ethernet frames
 public:
  explicit PlainReader(const ParseOptions& options)
      : any_checksum_(options.checksums == Checksums::kIgnore),
        tcp_flags_(kPlainTcpFlags[options.checksums == Checksums::kVerify ? 1 : 0].data()) {}

  bool Read(const PacketView& view, FlowKey& key) const {
    if (view.length < kNeededBytes) {
      key = {};
      return false;
    }
    const uint8_t* const p = view.data;
    const uint32_t payload = Big16(p + 16) - kIpBytes;  // of a wrong total, beyond the wire
    const uint32_t on_wire = std::max(view.wire_length, view.length) - kEthernetBytes - kIpBytes;
    const uint32_t src = Load<uint32_t>(p + 26);
    const uint32_t dst = Load<uint32_t>(p + 30);
    const uint8_t protocol = p[23];
    const bool tcp = protocol == kProtocolTcp;
    const uint32_t least = tcp ? kTcpBytes : kUdpBytes;
    const uint32_t stated = tcp ? p[46] >> 4 << 2 : Big16(p + 38);
    bool plain = (tcp | (protocol == kProtocolUdp)) & (tcp_flags_[p[47]] | !tcp);
    plain &= (stated >= least) & (stated <= payload) & (payload <= on_wire);
    plain &= (Load<uint64_t>(p + 12) & kFormMask) == kForm;
    plain &= ((Load<uint16_t>(p + 20) & kAnyFragmentBits) == 0) & (src != dst);
    plain &= kPlainAddresses.src[p[26]] & kPlainAddresses.dst[p[30]];
    plain &= any_checksum_ | HeaderSumIsRight(p + kEthernetBytes);
    Store(src, key, 0);
    Store(dst, key, 16);
    Store(PortsOf(p + 34) | uint64_t{protocol} << 32 | uint64_t{4} << 40, key, 32);
    return plain;
  }

 private:
  static constexpr uint32_t kEthernetBytes = 14;
  static constexpr uint32_t kIpBytes = 20;
  static constexpr uint32_t kTcpBytes = 20;
  static constexpr uint32_t kUdpBytes = 8;
  static constexpr uint32_t kNeededBytes = kEthernetBytes + kIpBytes + kTcpBytes;
  static constexpr uint64_t kForm = 0x450008;  // IPv4 without options, as memory has it
  static constexpr uint64_t kFormMask = 0xffffff;
  static constexpr uint16_t kAnyFragmentBits = 0xffbf;  // all but "do not fragment"

  template <typename T>
  static T Load(const uint8_t* p) {
    T value;
    std::memcpy(&value, p, sizeof value);
    return value;
  }
  static uint16_t Big16(const uint8_t* p) { return __builtin_bswap16(Load<uint16_t>(p)); }
  // Both ports as the first four bytes of a key's last eight.
  static uint64_t PortsOf(const uint8_t* p) {
    const uint32_t swapped = __builtin_bswap32(Load<uint32_t>(p));
    return std::rotl(swapped, 16);
  }
  // Eight bytes each: what reads the key right afterwards reads no more than one store wrote.
  static void Store(uint64_t word, FlowKey& key, size_t at) {
    std::byte* const to = reinterpret_cast<std::byte*>(&key) + at;
    std::memcpy(to, &word, sizeof word);
    const uint64_t zero = 0;
    if (at < 32) std::memcpy(to + sizeof word, &zero, sizeof zero);
  }

  // The sum does not depend on byte order (RFC 1071, 2).
  static bool HeaderSumIsRight(const uint8_t* p) {
    const uint64_t a = Load<uint64_t>(p);
    const uint64_t b = Load<uint64_t>(p + 8);
    uint64_t sum = (a >> 32) + (a & 0xffffffff) + (b >> 32) + (b & 0xffffffff);
    sum += Load<uint32_t>(p + 16);
    sum = (sum >> 16) + (sum & 0xffff);
    sum = (sum >> 16) + (sum & 0xffff);
    return (sum & 0xffff) + (sum >> 16) == 0xffff;
  }

  bool any_checksum_;
  const bool* tcp_flags_;
};

}  // namespace npf::packet

#endif  // NPF_PACKET_PLAIN_H_
