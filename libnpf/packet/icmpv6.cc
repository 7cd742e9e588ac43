// Neighbour discovery (RFC 4861) and multicast listener discovery (RFC 2710, 3810). IPv6 does not
// work without them, so that what is well formed passes without policy, and what is not is refused:
// hosts act on these messages, and believing a forged one hands an attacker the traffic (A79).
#include <algorithm>

#include "packet/frame.h"
#include "packet/neighbour.h"

namespace npf::packet {
namespace {

constexpr uint8_t kListenerQuery = 130;
constexpr uint8_t kListenerReport = 131;
constexpr uint8_t kListenerDone = 132;
constexpr uint8_t kListenerReportV2 = 143;

constexpr uint8_t kSolicitedFlag = 0x40;

// Of the message without options.
uint32_t FixedBytes(uint8_t type) {
  const bool listener = type == kListenerQuery || type == kListenerReport || type == kListenerDone;
  return listener ? 24 : NeighbourBytes(type);
}

// Every option has a length, and fits. `has_source_link` says whether the one named so was there.
// kPolicy: nothing is wrong.
Reason CheckOptions(const Frame& frame, uint32_t at, bool& has_source_link) {
  while (frame.OnWire(at, 1)) {
    if (!frame.OnWire(at, 2)) return Reason::kNeighbourDiscovery;
    if (!frame.Has(at, 2)) return Reason::kTruncated;
    const uint32_t bytes = frame.U8(at + 1) * 8u;
    if (bytes == 0 || !frame.OnWire(at, bytes)) return Reason::kNeighbourDiscovery;
    has_source_link = has_source_link || frame.U8(at) == kOptionSourceLinkAddress;
    at += bytes;
  }
  return Reason::kPolicy;
}

bool IsSolicitedNodeAddress(const uint8_t* address) {
  static constexpr uint8_t kPrefix[13] = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff};
  return std::equal(kPrefix, kPrefix + 13, address);
}

bool SolicitationIsGood(const Walk& walk, bool has_source_link) {
  const FlowKey& key = walk.parsed.key;
  if (walk.frame.U8(walk.offset + kNeighbourTarget) == 0xff) return false;  // target
  if (!IsUnspecifiedV6(key.src)) return true;
  return IsSolicitedNodeAddress(key.dst) && !has_source_link;  // duplicate address detection
}

bool AdvertisementIsGood(const Walk& walk) {
  const FlowKey& key = walk.parsed.key;
  if (IsUnspecifiedV6(key.src) || walk.frame.U8(walk.offset + kNeighbourTarget) == 0xff)
    return false;
  return key.dst[0] != 0xff || (walk.frame.U8(walk.offset + 4) & kSolicitedFlag) == 0;
}

// To a router's link-local address, or to the destination itself, which is no group (RFC
// 4861, 8.1).
bool RedirectIsGood(const Walk& walk) {
  const uint8_t* const target = walk.frame.At(walk.offset + kNeighbourTarget);
  const uint8_t* const destination = walk.frame.At(walk.offset + 24);
  return IsLinkLocalV6(walk.parsed.key.src) && destination[0] != 0xff &&
         (IsLinkLocalV6(target) || std::equal(target, target + 16, destination));
}

// Of a message whose options are well formed.
bool NeighbourMessageIsGood(const Walk& walk, uint8_t type, bool has_source_link) {
  const uint8_t* const src = walk.parsed.key.src;
  switch (type) {
    case kRouterSolicitation:
      return !IsUnspecifiedV6(src) || !has_source_link;
    case kNeighbourSolicitation:
      return SolicitationIsGood(walk, has_source_link);
    case kNeighbourAdvertisement:
      return AdvertisementIsGood(walk);
    case kRedirect:
      return RedirectIsGood(walk);
    default:
      return IsLinkLocalV6(src);  // a router's
  }
}

// kPolicy: nothing is wrong.
Reason CheckNeighbourMessage(const Walk& walk, uint8_t type) {
  const Frame& frame = walk.frame;
  const uint32_t fixed = FixedBytes(type);
  // Fragmented ones are refused by receivers as well (RFC 6980).
  if (walk.hop_limit != 255 || walk.fragment_header || frame.U8(walk.offset + 1) != 0 ||
      !frame.OnWire(walk.offset, fixed)) {
    return Reason::kNeighbourDiscovery;
  }
  if (!frame.Has(walk.offset, fixed)) return Reason::kTruncated;
  bool has_source_link = false;
  const Reason fault = CheckOptions(frame, walk.offset + fixed, has_source_link);
  if (fault != Reason::kPolicy) return fault;
  return NeighbourMessageIsGood(walk, type, has_source_link) ? Reason::kPolicy
                                                             : Reason::kNeighbourDiscovery;
}

// The Router Alert option is what makes routers look at these at all (RFC 3810, 6.2).
Reason CheckListenerMessage(const Walk& walk, uint8_t type) {
  const uint8_t* src = walk.parsed.key.src;
  const bool source_fits = IsLinkLocalV6(src) || (IsUnspecifiedV6(src) && type != kListenerQuery);
  const bool good = walk.hop_limit == 1 && walk.router_alert && !walk.fragment_header &&
                    source_fits && walk.frame.OnWire(walk.offset, FixedBytes(type));
  return good ? Reason::kPolicy : Reason::kNeighbourDiscovery;
}

}  // namespace

void ParseIcmpv6Control(Walk& walk) {
  const uint8_t type = walk.parsed.icmp_type;
  const bool listener = type <= kListenerDone || type == kListenerReportV2;
  const Reason fault =
      listener ? CheckListenerMessage(walk, type) : CheckNeighbourMessage(walk, type);
  if (fault != Reason::kPolicy) return walk.Deny(fault);
  walk.PassLinkControl();
}

}  // namespace npf::packet
