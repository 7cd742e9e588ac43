// Tunnels made by hand, around whatever is to be inside.
#ifndef NPF_TESTS_UNIT_TUNNEL_BUILDER_H_
#define NPF_TESTS_UNIT_TUNNEL_BUILDER_H_

#include <string>
#include <vector>

#include "npf/overlay.h"
#include "unit/packet_builder.h"

namespace npf::testing {

Bytes U32(uint32_t value);

struct Vxlan {
  uint32_t vni = 42;
  uint32_t flags = 0x08000000;  // the header's first four bytes
  uint8_t reserved = 0;         // its last one
};
Bytes VxlanHeader(const Vxlan& vxlan);

struct Geneve {
  uint32_t vni = 42;
  uint8_t version = 0;
  uint8_t flags = 0;  // O 0x80, C 0x40, reserved
  uint16_t protocol = 0x6558;
  uint8_t reserved = 0;
  Bytes options{};
  int option_words = -1;  // -1: the right number
};
Bytes GeneveHeader(const Geneve& geneve);
// `words` of data.
Bytes Option(uint16_t option_class, uint8_t type, uint8_t words = 1);

struct Gre {
  uint16_t flags = 0;  // C 0x8000, R 0x4000, K 0x2000, S 0x1000, reserved, version
  uint16_t protocol = 0x6558;
  uint32_t key = 42;
  int checksum = -1;  // -1: the right one
};
// The checksum covers what is inside.
Bytes GrePacket(const Gre& gre, const Bytes& inside);

// Two nodes of each family.
inline constexpr char kNodeA[] = "192.168.0.1";
inline constexpr char kNodeB[] = "192.168.0.2";
inline constexpr char kNodeA6[] = "2001:db8:1::a";
inline constexpr char kNodeB6[] = "2001:db8:1::b";
inline constexpr char kStranger[] = "192.168.9.9";

// An Ethernet frame from node A to node B.
Bytes Outer4(uint8_t protocol, const Bytes& inside, const std::string& src = kNodeA,
             const std::string& dst = kNodeB);
Bytes Outer6(uint8_t next, const Bytes& inside, const std::string& src = kNodeA6,
             const std::string& dst = kNodeB6);
// What stands in UDP from port 50000 to `port`.
Bytes InUdp(uint16_t port, const Bytes& inside);

// Endpoints are 192.168.0.0/24 and 2001:db8:1::/64.
OverlaySpec Spec(OverlayKind kind, std::vector<IdentifierRange> identifiers = {});
Overlays Of(const std::vector<OverlaySpec>& specs);
// One of each kind, on their own ports: VNI 42, keys 40 to 50.
const Overlays& AllKinds();

}  // namespace npf::testing

#endif  // NPF_TESTS_UNIT_TUNNEL_BUILDER_H_
