// Tunnels whose inner packets are judged: VXLAN, Geneve, GRE, and IP in IP.
//
// Without any, a tunnel is a packet like others and judged by its outer header. With some, what
// speaks a configured overlay's protocol between two of its endpoints is looked into, and the inner
// packet is judged; everything else of that protocol is denied (A54 to A56). docs/overlays.md says
// which reason means what.
//
//   const OverlaySpec spec{.kind = OverlayKind::kVxlan, .endpoints = {...}, .identifiers = {{1,
//   1}}}; const absl::StatusOr<Overlays> overlays = Overlays::Make({&spec, 1}); ParsePacket(view,
//   {.overlays = &*overlays});
#ifndef NPF_OVERLAY_H_
#define NPF_OVERLAY_H_

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "npf/address.h"
#include "npf/flow.h"

namespace npf {

enum class OverlayKind : uint8_t {
  kVxlan,   // RFC 7348, over UDP; inner Ethernet
  kGeneve,  // RFC 8926, over UDP; inner Ethernet, IPv4 or IPv6
  kGre,     // RFC 2784 and 2890, protocol 47; the same, Ethernet as protocol type 0x6558
  kIpip,    // inner IPv4: protocol 4 (RFC 2003; over IPv6, RFC 2473)
  k6in4,    // inner IPv6: protocol 41 (RFC 4213; over IPv6, RFC 2473)
};

std::string_view Name(OverlayKind kind);  // "vxlan", "geneve", "gre", "ipip", "6in4"

// Of VXLAN and Geneve the destination port, which IANA gave them; 0 for the others.
uint16_t DefaultPort(OverlayKind kind);
// The greatest VNI or GRE key; 0 for kinds that have none.
uint32_t MaxIdentifier(OverlayKind kind);

struct IdentifierRange {
  uint32_t first = 0, last = 0;  // both are in it
  auto operator<=>(const IdentifierRange&) const = default;
};

// What names an option of Geneve (RFC 8926, 3.5).
struct GeneveOption {
  uint16_t option_class = 0;
  uint8_t type = 0;  // 128 and more: critical
  auto operator<=>(const GeneveOption&) const = default;
};

struct OverlaySpec {
  OverlayKind kind = OverlayKind::kVxlan;
  uint16_t port = 0;                           // UDP, the destination's; 0: the kind's own
  std::vector<IpPrefix> endpoints;             // of the outer header, source and destination
  std::vector<IdentifierRange> identifiers;    // VNI, or key of GRE; empty: any, and none
  std::vector<GeneveOption> critical_options;  // that do not change what the inner packet is
  // Equal inner addresses under two identifiers are two hosts. Not where the identifier says
  // something else than the network, and so differs between both directions of a connection.
  bool network_by_identifier = true;
};

// A compiled set of overlays. It does not change; whoever is given a pointer to it (ParseOptions)
// needs it to outlive the packets.
class Overlays {
 public:
  static constexpr size_t kOverlaysMax = 8;
  static constexpr size_t kEndpointsMax = 4096;     // prefixes of one overlay
  static constexpr size_t kIdentifiersMax = 1024;   // ranges of one overlay
  static constexpr size_t kCriticalOptionsMax = 4;  // of one overlay

  // Where specs are not as they must be, every fault on a line of its own, such as "overlay 2
  // (gre): needs endpoints".
  static absl::StatusOr<Overlays> Make(std::span<const OverlaySpec> specs);

  size_t size() const { return count_; }
  // Of overlay `index`, by its place among the specs.
  OverlayKind kind(size_t index) const { return entries_[index].kind; }

  // What the parser asks, packet by packet: no allocation, and no loop but over kOverlaysMax and of
  // a binary search. A set of overlays is told as bits.
  uint32_t Speaking(uint8_t protocol, uint16_t dst_port) const;
  uint32_t SpeakingOnAnyPort(uint8_t protocol) const;
  // Those of `candidates` of which both outer addresses are endpoints.
  uint32_t Connecting(uint32_t candidates, const FlowKey& outer) const;
  bool HasIdentifiers(size_t index) const { return !entries_[index].identifiers.empty(); }
  bool HasIdentifier(size_t index, uint32_t identifier) const;  // every one, where it has none
  bool NetworkByIdentifier(size_t index) const { return entries_[index].network_by_identifier; }
  bool KnowsOption(size_t index, const GeneveOption& option) const;

 private:
  // As a number, the upper half first; an IPv4 address is the mapped one, which is none of IPv6
  // that a packet may bear (A57).
  using AddressNumber = std::array<uint64_t, 2>;
  struct AddressRange {
    AddressNumber first, last;
  };
  struct Entry {
    OverlayKind kind = OverlayKind::kVxlan;
    uint8_t protocol = 0;
    bool network_by_identifier = true;
    uint16_t port = 0;
    std::vector<AddressRange> endpoints;       // sorted, disjoint
    std::vector<IdentifierRange> identifiers;  // sorted, disjoint; empty: any
    std::array<GeneveOption, kCriticalOptionsMax> critical_options{};
    size_t critical_option_count = 0;
  };

  Overlays() = default;
  static Entry Compiled(const OverlaySpec& spec);
  static AddressNumber NumberOf(uint8_t family, const uint8_t* bytes) {
    AddressNumber halves;
    std::memcpy(halves.data(), bytes, sizeof halves);
    halves = {__builtin_bswap64(halves[0]), __builtin_bswap64(halves[1])};
    return family == 4 ? AddressNumber{0, uint64_t{0xffff} << 32 | halves[0] >> 32} : halves;
  }
  static bool Contains(const Entry& entry, const AddressNumber& address);

  std::array<Entry, kOverlaysMax> entries_;
  size_t count_ = 0;
};

}  // namespace npf

#endif  // NPF_OVERLAY_H_
