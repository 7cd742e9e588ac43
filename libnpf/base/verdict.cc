#include "npf/verdict.h"

namespace npf {

std::string_view Name(Reason reason) {
  switch (reason) {
    case Reason::kPolicy:
      return "policy";
    case Reason::kTier:
      return "tier";
    case Reason::kNoPolicy:
      return "no_policy";
    case Reason::kNotAPod:
      return "not_a_pod";
    case Reason::kLoopback:
      return "loopback";
    case Reason::kLocalNode:
      return "local_node";
    case Reason::kUnknownPod:
      return "unknown_pod";
    case Reason::kServiceAddress:
      return "service_address";
    case Reason::kEstablished:
      return "established";
    case Reason::kRelated:
      return "related";
    case Reason::kNoState:
      return "no_state";
    case Reason::kTableFull:
      return "ct_full";
    case Reason::kSourceFull:
      return "ct_source_full";
    case Reason::kTcpWindow:
      return "tcp_window";
    case Reason::kSctpTag:
      return "sctp_tag";
    case Reason::kLinkControl:
      return "link_control";
    case Reason::kEthertype:
      return "ethertype";
    case Reason::kLlc:
      return "llc";
    case Reason::kVlanDepth:
      return "vlan_depth";
    case Reason::kVlanOff:
      return "vlan_off";
    case Reason::kMalformed:
      return "malformed";
    case Reason::kTruncated:
      return "truncated";
    case Reason::kChecksum:
      return "checksum";
    case Reason::kMartian:
      return "martian";
    case Reason::kLand:
      return "land";
    case Reason::kSourceRoute:
      return "source_route";
    case Reason::kExtensionLimit:
      return "eh_limit";
    case Reason::kExtensionOrder:
      return "eh_order";
    case Reason::kExtensionBad:
      return "eh_bad";
    case Reason::kFragmentNoFirst:
      return "frag_no_first";
    case Reason::kFragmentTiny:
      return "frag_tiny";
    case Reason::kFragmentBad:
      return "frag_bad";
    case Reason::kFragmentOversize:
      return "frag_oversize";
    case Reason::kJumbo:
      return "jumbo";
    case Reason::kIpFlags:
      return "ip_flags";
    case Reason::kTcpFlags:
      return "tcp_flags";
    case Reason::kIcmpMismatch:
      return "icmp_mismatch";
    case Reason::kIpOption:
      return "ip_option";
    case Reason::kNeighbourDiscovery:
      return "neighbour_discovery";
    case Reason::kFragmentOverlap:
      return "frag_overlap";
    case Reason::kFragmentFirstDenied:
      return "frag_first_denied";
  }
  return "unknown";
}

}  // namespace npf
