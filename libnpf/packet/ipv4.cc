// IPv4: header, options, addresses, fragments.
#include <cstring>

#include "packet/checksum.h"
#include "packet/frame.h"

namespace npf::packet {
namespace {

constexpr uint32_t kHeaderBytes = 20;
constexpr uint16_t kFlagReserved = 0x8000;
constexpr uint16_t kFlagMore = 0x2000;

constexpr uint8_t kOptionEnd = 0;
constexpr uint8_t kOptionNop = 1;
constexpr uint8_t kOptionRecordRoute = 7;
constexpr uint8_t kOptionTimestamp = 68;
constexpr uint8_t kOptionLooseRoute = 131;
constexpr uint8_t kOptionStrictRoute = 137;

// kPolicy: nothing is wrong. Options that route (A42) or that routers write into (A41) are refused;
// what follows the end of the list is padding, whatever it looks like.
Reason CheckOptions(const uint8_t* options, uint32_t length) {
  uint32_t at = 0;
  while (at < length && options[at] != kOptionEnd) {
    const uint8_t type = options[at];
    if (type == kOptionNop) {
      ++at;
      continue;
    }
    if (at + 1 >= length) return Reason::kMalformed;
    const uint32_t size = options[at + 1];
    if (size < 2 || size > length - at) return Reason::kMalformed;
    if (type == kOptionLooseRoute || type == kOptionStrictRoute) return Reason::kSourceRoute;
    if (type == kOptionRecordRoute || type == kOptionTimestamp) return Reason::kIpOption;
    at += size;
  }
  return Reason::kPolicy;
}

// No packet on a network bears these (A85). The unspecified source of a DHCP client is looked at
// again where its ports are known (transport.cc).
bool IsMartian(const uint8_t* src, const uint8_t* dst) {
  static constexpr uint8_t kUnspecified[4] = {0, 0, 0, 0};
  const bool unspecified = std::memcmp(src, kUnspecified, 4) == 0;
  if (src[0] == 127 || src[0] >= 224 || (src[0] == 0 && !unspecified)) return true;
  return dst[0] == 127 || dst[0] == 0;
}

// The header's own form: lengths against the wire, checksum. False: denied.
bool ReadHeader(Walk& walk, uint32_t& header_bytes) {
  const Frame& frame = walk.frame;
  const uint32_t at = walk.offset;
  if (!frame.OnWire(at, kHeaderBytes) || !frame.Has(at, kHeaderBytes)) {
    walk.Deny(Reason::kTruncated);
    return false;
  }
  header_bytes = uint32_t{frame.U8(at)} % 16 * 4;
  const uint32_t total_bytes = frame.U16(at + 2);
  if (frame.U8(at) >> 4 != 4 || header_bytes < kHeaderBytes || total_bytes < header_bytes ||
      !frame.OnWire(at, total_bytes)) {
    walk.Deny(Reason::kMalformed);
    return false;
  }
  if (!frame.Has(at, header_bytes)) {
    walk.Deny(Reason::kTruncated);
    return false;
  }
  walk.frame.EndAt(at + total_bytes);
  if (walk.options.checksums != Checksums::kIgnore &&
      InternetChecksum(frame.At(at), header_bytes) != 0) {
    walk.Deny(Reason::kChecksum);
    return false;
  }
  return true;
}

void FillKey(Walk& walk) {
  FlowKey& key = walk.parsed.key;
  key.family = 4;
  std::memcpy(key.src, walk.frame.At(walk.offset + 12), 4);
  std::memcpy(key.dst, walk.frame.At(walk.offset + 16), 4);
  key.protocol = walk.frame.U8(walk.offset + 9);
  walk.hop_limit = walk.frame.U8(walk.offset + 8);
  walk.protocol = key.protocol;
}

}  // namespace

void ParseIpv4(Walk& walk) {
  uint32_t header_bytes = 0;
  if (!ReadHeader(walk, header_bytes)) return;
  const uint32_t at = walk.offset;
  const uint16_t fragment = walk.frame.U16(at + 6);
  FillKey(walk);
  if (fragment & kFlagReserved) return walk.Deny(Reason::kIpFlags);
  const Reason option_fault =
      CheckOptions(walk.frame.At(at + kHeaderBytes), header_bytes - kHeaderBytes);
  if (option_fault != Reason::kPolicy) return walk.Deny(option_fault);
  if (IsMartian(walk.parsed.key.src, walk.parsed.key.dst)) return walk.Deny(Reason::kMartian);

  walk.offset = at + header_bytes;
  walk.parsed.l4_offset = static_cast<uint16_t>(walk.offset);
  const FragmentPlace place{.offset = uint32_t{fragment} % 0x2000 * 8,
                            .more = (fragment & kFlagMore) != 0,
                            .payload = walk.frame.WireFrom(walk.offset),
                            .header_bytes = header_bytes,
                            .protocol = walk.protocol};
  if (place.offset != 0 || place.more) {
    const Reason fault = CheckFragment(place);
    if (fault != Reason::kPolicy) return walk.Deny(fault);
    NoteFragment(walk, place, walk.frame.U16(at + 4));
    if (place.offset != 0) return JudgeLaterFragment(walk, place.protocol);
    walk.first_fragment = true;
  }
  ParseTransport(walk);
}

}  // namespace npf::packet
