#include "unit/tunnel_builder.h"

#include <stdexcept>

#include "packet/checksum.h"

namespace npf::testing {

Bytes U32(uint32_t value) { return U16(value >> 16) + U16(value & 0xffff); }

Bytes VxlanHeader(const Vxlan& vxlan) {
  return U32(vxlan.flags) + U32(vxlan.vni << 8 | vxlan.reserved);
}

Bytes GeneveHeader(const Geneve& geneve) {
  const size_t words = geneve.option_words < 0 ? geneve.options.size() / 4
                                               : static_cast<size_t>(geneve.option_words);
  return Bytes{static_cast<uint8_t>(geneve.version << 6 | words), geneve.flags} +
         U16(geneve.protocol) + U32(geneve.vni << 8 | geneve.reserved) + geneve.options;
}

Bytes Option(uint16_t option_class, uint8_t type, uint8_t words) {
  return U16(option_class) + Bytes{type, words} + Zeros(words * 4u);
}

Bytes GrePacket(const Gre& gre, const Bytes& inside) {
  const bool has_checksum = (gre.flags & 0x8000) != 0;
  Bytes bytes = U16(gre.flags) + U16(gre.protocol);
  if (has_checksum) bytes = bytes + Zeros(4);
  if (gre.flags & 0x2000) bytes = bytes + U32(gre.key);
  if (gre.flags & 0x1000) bytes = bytes + U32(7);
  bytes = bytes + inside;
  if (has_checksum) {
    const uint32_t sum = gre.checksum < 0 ? packet::InternetChecksum(
                                                bytes.data(), static_cast<uint32_t>(bytes.size()))
                                          : static_cast<uint32_t>(gre.checksum);
    bytes[4] = static_cast<uint8_t>(sum >> 8);
    bytes[5] = static_cast<uint8_t>(sum);
  }
  return bytes;
}

Bytes Outer4(uint8_t protocol, const Bytes& inside, const std::string& src,
             const std::string& dst) {
  return Ethernet(0x0800, Packet(Ipv4{.src = src, .dst = dst, .protocol = protocol}, inside));
}

Bytes Outer6(uint8_t next, const Bytes& inside, const std::string& src, const std::string& dst) {
  return Ethernet(0x86dd, Packet(Ipv6{.src = src, .dst = dst, .next = next}, inside));
}

Bytes InUdp(uint16_t port, const Bytes& inside) {
  return U16(50000) + U16(port) + U16(static_cast<uint32_t>(8 + inside.size())) + Zeros(2) + inside;
}

OverlaySpec Spec(OverlayKind kind, std::vector<IdentifierRange> identifiers) {
  return {.kind = kind,
          .endpoints = {ParseIpPrefix("192.168.0.0/24").prefix,
                        ParseIpPrefix("2001:db8:1::/64").prefix},
          .identifiers = std::move(identifiers)};
}

Overlays Of(const std::vector<OverlaySpec>& specs) {
  absl::StatusOr<Overlays> overlays = Overlays::Make(specs);
  if (!overlays.ok()) throw std::invalid_argument(std::string(overlays.status().message()));
  return *std::move(overlays);
}

const Overlays& AllKinds() {
  static const Overlays& overlays = *new Overlays(Of(
      {Spec(OverlayKind::kVxlan, {{42, 42}}), Spec(OverlayKind::kGeneve, {{42, 42}}),
       Spec(OverlayKind::kGre, {{40, 50}}), Spec(OverlayKind::kIpip), Spec(OverlayKind::k6in4)}));
  return overlays;
}

}  // namespace npf::testing
