// The question: a flow key, and who asks it from where.
#ifndef NPF_FLOW_H_
#define NPF_FLOW_H_

#include <cstdint>

#include "npf/abi.h"
#include "npf/address.h"

namespace npf {

using FlowKey = ::npf_flow_key;

enum class Direction : uint8_t { kIngress = 0, kEgress = 1 };

// IANA protocol numbers that the engine speaks of.
inline constexpr uint8_t kProtocolIcmp = 1;
inline constexpr uint8_t kProtocolTcp = 6;
inline constexpr uint8_t kProtocolUdp = 17;
inline constexpr uint8_t kProtocolIcmpv6 = 58;
inline constexpr uint8_t kProtocolSctp = 132;

constexpr bool IsIcmp(uint8_t protocol) {
  return protocol == kProtocolIcmp || protocol == kProtocolIcmpv6;
}

// The protocols that rules with ports can name (R23); every other has no ports (R41).
constexpr bool HasPorts(uint8_t protocol) {
  return protocol == kProtocolTcp || protocol == kProtocolUdp || protocol == kProtocolSctp;
}

// Both addresses must be of one family; else the key's family is 0, which is judged malformed.
FlowKey MakeFlowKey(const IpAddress& src, const IpAddress& dst, uint8_t protocol, uint16_t dst_port,
                    uint16_t src_port = 0);
IpAddress SourceOf(const FlowKey& key);
IpAddress DestinationOf(const FlowKey& key);

// Where the verdict is made; it decides whether a packet from a pod's own node can be exempt (R37).
enum class Placement : uint8_t { kOffline, kPodPort, kNodeWire, kFabric };

enum class DirectionMask : uint8_t { kIngress = 1, kEgress = 2, kBoth = 3 };

struct ClassifyOptions {
  DirectionMask directions = DirectionMask::kBoth;
  Placement placement = Placement::kOffline;
  bool deny_unknown_pod = false;  // an address in a pod CIDR that no pod has
  uint32_t generation = 0;        // stamped on every verdict
};

}  // namespace npf

#endif  // NPF_FLOW_H_
