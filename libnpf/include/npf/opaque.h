// Packets whose inside nobody looked into: what is encrypted, and tunnels that no overlay names. To
// judge them by their outer header is to judge the tunnel's ends, not the pods that talk in it.
#ifndef NPF_OPAQUE_H_
#define NPF_OPAQUE_H_

#include <cstdint>

#include "npf/flow.h"
#include "npf/packet.h"

namespace npf {

// By the numbers that IANA has assigned, and those that Kubernetes' networks use beside them:
// VXLAN 4789 and 8472, Geneve 6081, WireGuard 51820 and 51871.
inline bool IsOpaque(const ParsedPacket& packet) {
  switch (packet.key.protocol) {
    case kProtocolUdp:
      switch (packet.key.dst_port) {
        case 4789:
        case 8472:
        case 6081:
        case 51820:
        case 51871:
          return packet.ports_known;
        default:
          return false;
      }
    case 4:   // IPv4 in IP
    case 41:  // IPv6 in IP
    case 47:  // GRE
    case 50:  // ESP
    case 97:  // Ethernet in IP
      return true;
    default:
      return false;
  }
}

}  // namespace npf

#endif  // NPF_OPAQUE_H_
