// The answer: allow or deny, with a reason from a stable list. docs/reasons.md has a page for each.
#ifndef NPF_VERDICT_H_
#define NPF_VERDICT_H_

#include <cstdint>
#include <string_view>

#include "npf/abi.h"

namespace npf {

using Verdict = ::npf_verdict;

// Numbers are stable: new reasons are added at the end of their block, none is reused.
enum class Reason : uint8_t {
  // The policy engine.
  kPolicy = 0,      // NetworkPolicies isolate a side, and they decided
  kTier = 1,        // a cluster-wide tier decided
  kNoPolicy = 2,    // no policy isolates either pod
  kNotAPod = 3,     // neither side is a pod
  kLoopback = 4,    // a pod to its own address
  kLocalNode = 5,   // from the pod's own node
  kUnknownPod = 6,  // an address in a pod CIDR that no pod has
  kServiceAddress = 7,
  // Connections.
  kEstablished = 16,
  kRelated = 17,
  kNoState = 18,
  kTableFull = 19,
  kSourceFull = 20,  // one source has opened as many as it may
  kTcpWindow = 21,   // outside what the connection's ends can have sent
  kSctpTag = 22,
  // The link.
  kLinkControl = 32,  // ARP, neighbour discovery, MLD
  kEthertype = 33,
  kLlc = 34,
  kVlanDepth = 35,
  kVlanOff = 36,
  // The packet.
  kMalformed = 48,
  kTruncated = 49,
  kChecksum = 50,
  kMartian = 51,
  kLand = 52,
  kSourceRoute = 53,
  kExtensionLimit = 54,
  kExtensionOrder = 55,
  kExtensionBad = 56,
  kFragmentNoFirst = 57,
  kFragmentTiny = 58,
  kFragmentBad = 59,
  kFragmentOversize = 60,
  kJumbo = 61,
  kIpFlags = 62,
  kTcpFlags = 63,
  kIcmpMismatch = 64,  // not of this family, or it quotes what its receiver cannot have sent
  kIpOption = 65,
  kNeighbourDiscovery = 66,
  kFragmentOverlap = 67,
  kFragmentFirstDenied = 68,
  kFragmentHeld = 69,        // not a last word: Judgement::held
  kFragmentIncomplete = 70,  // the rest never came, or not in time
  kOpaque = 72,              // encrypted, or in a tunnel that nobody looks into
  kSpoofed = 71,             // not from where its source is (npf/sources.h)
  // Tunnels of configured overlays (npf/overlay.h).
  kTunnelEndpoint = 80,
  kTunnelFragment = 81,
  kTunnelNested = 82,
  kTunnelVersion = 83,
  kTunnelRouting = 84,
  kTunnelFlags = 85,
  kTunnelControl = 86,
  kTunnelChecksum = 87,
  kTunnelNoIdentifier = 88,
  kTunnelIdentifier = 89,
  kTunnelProtocol = 90,
  kTunnelOption = 91,
  kTunnelCritical = 92,
};

std::string_view Name(Reason reason);  // "policy", "no_policy", ...; "unknown" for other numbers

// Those of the first block: the packet was judged by policy.
constexpr bool IsOfPolicy(Reason reason) { return static_cast<uint8_t>(reason) < 16; }

// Verdict::cell of a packet that no cell judged.
inline constexpr uint32_t kNoCell = ~uint32_t{0};

inline constexpr uint8_t kIngressAllowed = 1;
inline constexpr uint8_t kEgressAllowed = 2;

}  // namespace npf

#endif  // NPF_VERDICT_H_
