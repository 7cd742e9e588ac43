// The packets that nearly all packets are, read in one straight line: Ethernet without a tag, IPv4
// without options and not a fragment, TCP or UDP with nothing wrong about it.
//
// ReadPlain says whether a frame is one of these, and gives its key. It never guesses: whatever it
// accepts, ParsePacket judges with the same key where no overlays are configured (a test and a
// fuzzer hold that); whatever it does not accept is ParsePacket's. So it may refuse what is rare,
// such as a TCP segment whose own checksum has to be verified.
#ifndef NPF_PACKET_PLAIN_H_
#define NPF_PACKET_PLAIN_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "npf/packet.h"
#include "packet/tcp_flags.h"

namespace npf::packet {

// What of a byte speaks against a packet's being plain: 0 is nothing.
using Against = std::array<uint8_t, 256>;

// The first byte of an address (see IsMartian of ipv4.cc). `end`: it and larger ones are wrong.
constexpr Against AgainstFirstBytes(uint32_t end) {
  Against against{};
  for (uint32_t first = 0; first < 256; ++first) {
    against[first] = first == 0 || first == 127 || first >= end ? 1 : 0;
  }
  return against;
}

// Plain is a segment with ACK, or a lone SYN; one that changes a connection's state only where its
// checksum is not asked for.
constexpr Against AgainstTcpFlags(bool state_changes) {
  Against against{};
  for (uint32_t flags = 0; flags < 256; ++flags) {
    const uint32_t changes = flags & (kTcpSyn | kTcpFin | kTcpRst);
    const bool one_at_most = (changes & (changes - 1)) == 0;
    const bool stands = (flags & kTcpAck) != 0 || changes == kTcpSyn;
    against[flags] = one_at_most && stands && (!state_changes || changes == 0) ? 0 : 1;
  }
  return against;
}

constexpr Against AgainstProtocols() {
  Against against{};
  against.fill(1);
  against[kProtocolTcp] = against[kProtocolUdp] = 0;
  return against;
}

inline constexpr Against kAgainstSource = AgainstFirstBytes(224);
inline constexpr Against kAgainstDestination = AgainstFirstBytes(256);
inline constexpr Against kAgainstProtocol = AgainstProtocols();
inline constexpr std::array<Against, 2> kAgainstTcpFlags = {AgainstTcpFlags(false),
                                                            AgainstTcpFlags(true)};

static_assert(std::endian::native == std::endian::little);

// The window scale of a SYN that PlainReader has described.
void DescribeSyn(const PacketView& view, ParsedPacket& parsed);

class PlainReader {  // of Ethernet frames
 public:
  explicit PlainReader(const ParseOptions& options)
      : any_checksum_(options.checksums == Checksums::kIgnore),
        against_flags_(kAgainstTcpFlags[options.checksums == Checksums::kVerify ? 1 : 0].data()) {}

  // What ParsePacket says of a frame that Read has accepted, whose key is in `parsed` already; but
  // for the window scale of a SYN. Without a branch: which protocol comes next cannot be foreseen.
  static void Describe(const PacketView& view, ParsedPacket& parsed) {
    const uint8_t* const p = view.data;
    // All but the key; zero is what a field has that is not named here.
    std::memset(reinterpret_cast<std::byte*>(&parsed) + sizeof(FlowKey), 0,
                sizeof parsed - sizeof(FlowKey));
    const uint32_t is_tcp = parsed.key.protocol == kProtocolTcp ? ~uint32_t{0} : 0;
    const uint32_t flags = p[47] & is_tcp;
    const uint32_t payload = Big16(p + 16) - kIpBytes - (p[46] >> 2 & 0x3c);
    static_assert(kTcpFin == 1 && kTcpSyn == 2);
    parsed.outcome = ParseOutcome::kJudge;
    parsed.reason = Reason::kPolicy;
    parsed.tcp_window_scale = kNoTcpWindowScale;
    parsed.ports_known = true;
    parsed.captured_short = view.length < view.wire_length;
    parsed.l3_offset = kEthernetBytes;
    parsed.l4_offset = kEthernetBytes + kIpBytes;
    parsed.starts_connection = ((flags ^ kTcpSyn) & (kTcpSyn | kTcpAck) & is_tcp) == 0;
    parsed.tcp_flags = static_cast<uint8_t>(flags);
    parsed.tcp_sequence = __builtin_bswap32(Load<uint32_t>(p + 38)) & is_tcp;
    parsed.tcp_acknowledgement = __builtin_bswap32(Load<uint32_t>(p + 42)) & is_tcp;
    parsed.tcp_window = static_cast<uint16_t>(Big16(p + 48) & is_tcp);
    parsed.tcp_length = (payload + (flags & kTcpFin) + (flags >> 1 & 1)) & is_tcp;
  }

  bool Read(const PacketView& view, FlowKey& key) const {
    if (view.length < kNeededBytes) {
      key = {};
      return false;
    }
    const uint8_t* const p = view.data;
    const auto form = Load<uint64_t>(p + 12);      // type, version and length, total
    const auto fragment = Load<uint64_t>(p + 20);  // fragment, hop limit, protocol, checksum
    const auto src = Load<uint32_t>(p + 26);
    const auto dst = Load<uint32_t>(p + 30);
    const uint8_t protocol = p[23];
    const uint32_t is_tcp = protocol == kProtocolTcp ? ~uint32_t{0} : 0;
    const auto on_wire = std::max(view.wire_length, view.length) - kEthernetBytes - kIpBytes;
    uint32_t against = static_cast<uint32_t>(form ^ kForm) & kFormMask;
    against |= static_cast<uint32_t>(fragment) & kAnyFragmentBits;
    against |= LengthsAreWrong(p, is_tcp, on_wire);
    against |= kAgainstSource[p[26]] | kAgainstDestination[p[30]] | kAgainstProtocol[protocol];
    against |= against_flags_[p[47]] & is_tcp;
    against |= src == dst ? 1 : 0;
    against |= any_checksum_ || HeaderSumIsRight(form, fragment, Load<uint64_t>(p + 28)) ? 0 : 1;
    Store(src, key, 0);
    Store(dst, key, 16);
    Store(PortsOf(p + 34) | uint64_t{protocol} << 32 | uint64_t{4} << 40, key, 32);
    return against == 0;
  }

 private:
  static constexpr uint32_t kEthernetBytes = 14;
  static constexpr uint32_t kIpBytes = 20;
  static constexpr uint32_t kTcpBytes = 20;
  static constexpr uint32_t kUdpBytes = 8;
  static constexpr uint32_t kNeededBytes = kEthernetBytes + kIpBytes + kTcpBytes;
  static constexpr uint64_t kForm = 0x450008;  // IPv4 without options, as memory has it
  static constexpr uint32_t kFormMask = 0xffffff;
  static constexpr uint32_t kAnyFragmentBits = 0xffbf;  // all but "do not fragment"

  template <typename T>
  static T Load(const uint8_t* p) {
    T value;
    std::memcpy(&value, p, sizeof value);
    return value;
  }
  static uint16_t Big16(const uint8_t* p) { return __builtin_bswap16(Load<uint16_t>(p)); }
  // Both ports as the first four bytes of a key's last eight.
  static uint64_t PortsOf(const uint8_t* p) {
    return std::rotl(__builtin_bswap32(Load<uint32_t>(p)), 16);
  }
  // Eight bytes each: what reads the key right afterwards reads no more than one store wrote.
  static void Store(uint64_t word, FlowKey& key, size_t at) {
    std::byte* const to = reinterpret_cast<std::byte*>(&key) + at;
    std::memcpy(to, &word, sizeof word);
    const uint64_t zero = 0;
    if (at < 32) std::memcpy(to + sizeof word, &zero, sizeof zero);
  }

  // Not 0 unless least <= stated <= payload <= on_wire, by the signs of their differences: all are
  // small, but a total below the header's length, which makes a negative payload.
  static uint32_t LengthsAreWrong(const uint8_t* p, uint32_t is_tcp, uint32_t on_wire) {
    const uint32_t payload = Big16(p + 16) - kIpBytes;
    const uint32_t tcp_bytes = p[46] >> 2 & 0x3c;
    const uint32_t udp_bytes = Big16(p + 38);
    const uint32_t stated = udp_bytes ^ ((udp_bytes ^ tcp_bytes) & is_tcp);
    const uint32_t least = kUdpBytes + ((kTcpBytes - kUdpBytes) & is_tcp);
    return (payload | (on_wire - payload) | (payload - stated) | (stated - least)) >> 31;
  }

  // The sum of 16-bit words is right where 65,535 divides it, whatever their byte order (RFC 1071,
  // 2); and so is a sum of wider words, as 65,536 leaves 1. What 65,535 divides is what its inverse
  // modulo 2^64 takes to 2^64 / 65,535 at most. `addresses`: eight bytes from
  // offset 28 on, of which six are the header's.
  static bool HeaderSumIsRight(uint64_t form, uint64_t fragment, uint64_t addresses) {
    constexpr uint64_t kInverse = 0xfffefffefffeffff;
    constexpr uint64_t kBound = 0x0001000100010001;
    static_assert(kInverse * 65535 == 1);
    const uint64_t sum =
        (form >> 16) + (fragment & 0xffffffff) + (fragment >> 32) + (addresses & 0xffffffffffff);
    return sum * kInverse <= kBound;
  }

  bool any_checksum_;
  const uint8_t* against_flags_;
};

}  // namespace npf::packet

#endif  // NPF_PACKET_PLAIN_H_
