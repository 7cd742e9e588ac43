// Neighbour discovery and multicast listener discovery: what passes without policy is well formed
// in all that a receiver would check without state. ICMPv6 checksums are not asked for: what has a
// wrong one is nobody's.
#include <algorithm>
#include <array>

#include "parser/frame_rules.h"

namespace npf::testing {
namespace {

using Kind = LayerKind;

constexpr int64_t kListenerQuery = 130;
constexpr int64_t kListenerReportV2 = 143;
constexpr int64_t kRouterSolicitation = 133;
constexpr int64_t kRouterAdvertisement = 134;
constexpr int64_t kNeighbourSolicitation = 135;
constexpr int64_t kNeighbourAdvertisement = 136;
constexpr int64_t kRedirect = 137;

int64_t TypeOf(const FrameCut& cut, const Layer& message) { return cut.Known(message, 0, 1); }
bool IsOneOf(const FrameCut& cut, const Layer& message, std::initializer_list<int64_t> types) {
  return std::find(types.begin(), types.end(), TypeOf(cut, message)) != types.end();
}
bool IsGroup(std::span<const uint8_t> address) { return address[0] == 0xff; }
bool HasFragmentHeader(const FrameCut& cut, const Layer& /*message*/) {
  return cut.Find(Kind::kFragmentHeader) != nullptr;
}
int64_t FixedBytes(const FrameCut& cut, const Layer& message) {
  return NeighbourFixedBytes(TypeOf(cut, message));
}
std::span<const uint8_t> Target(const FrameCut& cut, const Layer& message) {
  return cut.Bytes(message, 8, 16);
}
std::span<const uint8_t> RedirectedDestination(const FrameCut& cut, const Layer& message) {
  return cut.Bytes(message, 24, 16);
}

bool HasSourceLinkAddress(const FrameCut& cut) {
  return std::any_of(cut.layers().begin(), cut.layers().end(), [&](const Layer& layer) {
    return layer.kind == Kind::kNeighbourOption && cut.Known(layer, 0, 1) == 1;
  });
}

// RFC 4291, 2.7.1: ff02::1:ff00:0/104.
bool IsSolicitedNode(std::span<const uint8_t> address) {
  return Ipv4Number(address.first(4)) == 0xff020000 && IsAllZero(address.subspan(4, 7)) &&
         address[11] == 1 && address[12] == 0xff;
}

// RFC 2711, 2.1: type 5 in a Hop-by-Hop header, two bytes; 0 says that it is about MLD.
bool HasRouterAlert(const FrameCut& cut) {
  return std::any_of(cut.layers().begin(), cut.layers().end(), [&](const Layer& layer) {
    return layer.kind == Kind::kIpv6Option && layer.number == 0 &&
           cut.Number(layer, 0, 4) == 0x05020000;
  });
}

constexpr auto kControlRules = std::to_array<Rule>({
    // RFC 2710, 3; RFC 3810, 5: hop limit 1, Router Alert, from a link-local address.
    {Kind::kListener, Reason::kNeighbourDiscovery, "MLD from beyond the link",
     [](const FrameCut& cut, const Layer&) { return cut.hop_limit() != 1; }},
    {Kind::kListener, Reason::kNeighbourDiscovery, "MLD without Router Alert",
     [](const FrameCut& cut, const Layer&) { return !HasRouterAlert(cut); }},
    {Kind::kListener, Reason::kNeighbourDiscovery, "MLD in a fragment", HasFragmentHeader},
    // RFC 3590, 4; RFC 3810, 5.2.13: who has no address yet reports from ::, and does not ask.
    {Kind::kListener, Reason::kNeighbourDiscovery, "MLD from an address that is not link-local",
     [](const FrameCut& cut, const Layer& message) {
       const bool from_nobody =
           IsAllZero(cut.Source()) && TypeOf(cut, message) != kListenerQuery;
       return !IsLinkLocal(cut.Source()) && !from_nobody;
     }},
    {Kind::kListener, Reason::kNeighbourDiscovery, "MLD cut",
     [](const FrameCut& cut, const Layer& message) {
       return message.sent < (TypeOf(cut, message) == kListenerReportV2 ? 8 : 24);
     }},

    // RFC 4861, 6.1.1, 6.1.2, 7.1.1, 7.1.2, 8.1, each: hop limit 255, code 0, a whole message, and
    // options whose length is not 0 (A79).
    {Kind::kNeighbour, Reason::kNeighbourDiscovery, "ND from beyond the link",
     [](const FrameCut& cut, const Layer&) { return cut.hop_limit() != 255; }},
    // RFC 6980, 5.
    {Kind::kNeighbour, Reason::kNeighbourDiscovery, "ND in a fragment", HasFragmentHeader},
    {Kind::kNeighbour, Reason::kNeighbourDiscovery, "ND of another code",
     [](const FrameCut& cut, const Layer& message) { return cut.Known(message, 1, 1) != 0; }},
    {Kind::kNeighbour, Reason::kNeighbourDiscovery, "ND too short",
     [](const FrameCut& cut, const Layer& message) {
       return message.sent < FixedBytes(cut, message);
     }},
    {Kind::kNeighbour, Reason::kTruncated, "ND cut by the capture",
     [](const FrameCut& cut, const Layer& message) {
       return message.kept < FixedBytes(cut, message);
     }},
    {Kind::kNeighbourOption, Reason::kNeighbourDiscovery, "ND option without room for its length",
     [](const FrameCut&, const Layer& option) { return option.sent < 2; }},
    {Kind::kNeighbourOption, Reason::kTruncated, "ND option cut by the capture",
     [](const FrameCut&, const Layer& option) { return option.kept < 2; }},
    {Kind::kNeighbourOption, Reason::kNeighbourDiscovery, "ND option of length 0, or past the end",
     [](const FrameCut& cut, const Layer& option) {
       const int64_t bytes = cut.Known(option, 1, 1) * 8;
       return bytes == 0 || bytes > option.sent;
     }},

    // RFC 4861, 6.1.1 and 7.1.1: who has no address tells no link-layer address for it.
    {Kind::kNeighbourBody, Reason::kNeighbourDiscovery, "solicitation from :: with a link address",
     [](const FrameCut& cut, const Layer& message) {
       return IsOneOf(cut, message, {kRouterSolicitation, kNeighbourSolicitation}) &&
              IsAllZero(cut.Source()) && HasSourceLinkAddress(cut);
     }},
    // 7.1.1: duplicate address detection asks the solicited-node group.
    {Kind::kNeighbourBody, Reason::kNeighbourDiscovery, "solicitation from :: of somebody else",
     [](const FrameCut& cut, const Layer& message) {
       return IsOneOf(cut, message, {kNeighbourSolicitation}) && IsAllZero(cut.Source()) &&
              !IsSolicitedNode(cut.Destination());
     }},
    // 7.1.1 and 7.1.2.
    {Kind::kNeighbourBody, Reason::kNeighbourDiscovery, "neighbour that is a group",
     [](const FrameCut& cut, const Layer& message) {
       return IsOneOf(cut, message, {kNeighbourSolicitation, kNeighbourAdvertisement}) &&
              IsGroup(Target(cut, message));
     }},
    // 4.4: an address of the interface; 7.1.2: what answers goes to who asked.
    {Kind::kNeighbourBody, Reason::kNeighbourDiscovery, "advertisement from ::",
     [](const FrameCut& cut, const Layer& message) {
       return IsOneOf(cut, message, {kNeighbourAdvertisement}) && IsAllZero(cut.Source());
     }},
    {Kind::kNeighbourBody, Reason::kNeighbourDiscovery, "answer to a group",
     [](const FrameCut& cut, const Layer& message) {
       const bool solicited = cut.Known(message, 4, 1) / 64 % 2 == 1;
       return IsOneOf(cut, message, {kNeighbourAdvertisement}) && solicited &&
              IsGroup(cut.Destination());
     }},
    // 6.1.2 and 8.1: routers speak from link-local addresses.
    {Kind::kNeighbourBody, Reason::kNeighbourDiscovery, "router's message, not link-local",
     [](const FrameCut& cut, const Layer& message) {
       return IsOneOf(cut, message, {kRouterAdvertisement, kRedirect}) &&
              !IsLinkLocal(cut.Source());
     }},
    // 8.1: no group is redirected, and only to a router's link-local address, or to the
    // destination itself.
    {Kind::kNeighbourBody, Reason::kNeighbourDiscovery, "redirect of a group",
     [](const FrameCut& cut, const Layer& message) {
       return IsOneOf(cut, message, {kRedirect}) && IsGroup(RedirectedDestination(cut, message));
     }},
    {Kind::kNeighbourBody, Reason::kNeighbourDiscovery, "redirect to a third party",
     [](const FrameCut& cut, const Layer& message) {
       return IsOneOf(cut, message, {kRedirect}) && !IsLinkLocal(Target(cut, message)) &&
              !AreEqual(Target(cut, message), RedirectedDestination(cut, message));
     }},
});

}  // namespace

std::span<const Rule> ControlRules() { return kControlRules; }

}  // namespace npf::testing
