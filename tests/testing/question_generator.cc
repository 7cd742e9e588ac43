#include "testing/question_generator.h"

namespace npf::testing {
namespace {

constexpr std::array kBlockEdges = {Edge::kBlockFirst, Edge::kBlockLast, Edge::kBlockBefore,
                                    Edge::kBlockAfter};
constexpr std::array kExceptEdges = {Edge::kExceptFirst, Edge::kExceptLast, Edge::kExceptBefore,
                                     Edge::kExceptAfter};
constexpr std::array kNetworkEdges = {Edge::kNetworkFirst, Edge::kNetworkLast, Edge::kNetworkBefore,
                                      Edge::kNetworkAfter};

// The neighbouring address; at the ends of the family it wraps around, which is an edge as well.
IpAddress Neighbour(IpAddress address, bool after) {
  for (int i = address.bit_count() / 8 - 1; i >= 0; --i) {
    uint8_t& byte = address.bytes[static_cast<size_t>(i)];
    byte = static_cast<uint8_t>(after ? byte + 1 : byte - 1);
    if (byte != (after ? 0x00 : 0xFF)) break;
  }
  return address;
}

template <typename Visitor>
void ForEachRule(const Cluster& cluster, Visitor visit) {
  for (const NetworkPolicy& policy : cluster.policies) {
    for (const PolicyRule& rule : policy.ingress) visit(rule);
    for (const PolicyRule& rule : policy.egress) visit(rule);
  }
}

}  // namespace

std::string_view Name(Edge edge) {
  static constexpr std::array<std::string_view, kEdgeCount> kNames = {"pod address",
                                                                      "node address",
                                                                      "service address",
                                                                      "pod CIDR first/last",
                                                                      "ipBlock first",
                                                                      "ipBlock last",
                                                                      "ipBlock first-1",
                                                                      "ipBlock last+1",
                                                                      "except first",
                                                                      "except last",
                                                                      "except first-1",
                                                                      "except last+1",
                                                                      "0.0.0.0 or ::",
                                                                      "last of the family",
                                                                      "external address",
                                                                      "pod to itself",
                                                                      "port 0",
                                                                      "port 65535",
                                                                      "port exact",
                                                                      "port-1",
                                                                      "port+1",
                                                                      "endPort exact",
                                                                      "endPort+1",
                                                                      "container port",
                                                                      "protocol w/o ports",
                                                                      "IPv4 to IPv6",
                                                                      "network first",
                                                                      "network last",
                                                                      "network first-1",
                                                                      "network last+1",
                                                                      "address of a name",
                                                                      "range first",
                                                                      "range last",
                                                                      "range first-1",
                                                                      "range last+1"};
  return kNames[static_cast<size_t>(edge)];
}

bool IsBoundary(EdgeSet edges) {
  constexpr EdgeSet kOrdinary = Bit(Edge::kPod) | Bit(Edge::kExternal) | Bit(Edge::kPortExact) |
                                Bit(Edge::kContainerPort) | Bit(Edge::kServiceAddress) |
                                Bit(Edge::kOtherProtocol) | Bit(Edge::kNamedAddress);
  return (edges & ~kOrdinary) != 0;
}

QuestionGenerator::QuestionGenerator(const Cluster& cluster, uint64_t seed) : random_(seed) {
  GatherAddresses(cluster);
  GatherBlocks(cluster);
  GatherPorts(cluster);
  GatherTiers(cluster);
  for (const auto& [address, edges] : edges_at_) {
    const TaggedAddress tagged{address, edges};
    addresses_[address.family].push_back(tagged);
    if (IsBoundary(edges)) edge_addresses_[address.family].push_back(tagged);
    if ((edges & Bit(Edge::kPod)) != 0) pods_.push_back(tagged);
  }
  for (const auto& [port, edges] : edges_of_port_) ports_.push_back({port, edges});
}

void QuestionGenerator::AddAddress(const IpAddress& address, Edge edge) {
  edges_at_[address] |= Bit(edge);
}

void QuestionGenerator::AddPort(int64_t port, Edge edge) {
  if (port < 0 || port > 65535) return;
  edges_of_port_[static_cast<uint16_t>(port)] |= Bit(edge);
}

void QuestionGenerator::AddBlock(const std::string& cidr, const std::array<Edge, 4>& edges) {
  const IpPrefix block = Prefix(cidr);
  const IpAddress first = FirstAddress(block);
  const IpAddress last = LastAddress(block);
  const std::array<IpAddress, 4> addresses = {first, last, Neighbour(first, false),
                                              Neighbour(last, true)};
  for (size_t i = 0; i < addresses.size(); ++i) AddAddress(addresses[i], edges[i]);
}

void QuestionGenerator::GatherAddresses(const Cluster& cluster) {
  for (const Pod& pod : cluster.pods) {
    for (const std::string& ip : pod.ips) {
      AddAddress(Address(ip), pod.host_network ? Edge::kNode : Edge::kPod);
    }
  }
  for (const Node& node : cluster.nodes) {
    for (const std::string& ip : node.addresses) AddAddress(Address(ip), Edge::kNode);
    for (const std::string& cidr : node.pod_cidrs) {
      AddAddress(FirstAddress(Prefix(cidr)), Edge::kPodCidrEdge);
      AddAddress(LastAddress(Prefix(cidr)), Edge::kPodCidrEdge);
    }
  }
  for (const Service& service : cluster.services) {
    for (const std::string& ip : service.cluster_ips) {
      AddAddress(Address(ip), Edge::kServiceAddress);
    }
  }
  for (const IpPrefix& prefix : cluster.service_cidrs) {
    AddAddress(LastAddress(prefix), Edge::kServiceAddress);
  }
  for (const IpPrefix& prefix : cluster.pod_cidrs) {
    AddAddress(LastAddress(prefix), Edge::kPodCidrEdge);
  }
  for (const char* text : {"0.0.0.0", "::"}) AddAddress(Address(text), Edge::kFirstOfFamily);
  for (const char* text : {"255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}) {
    AddAddress(Address(text), Edge::kLastOfFamily);
  }
  for (const char* text : {"203.0.113.77", "198.51.100.9", "8.8.8.8", "172.18.0.200", "10.244.0.77",
                           "2001:db8::9", "2600::1", "fd00:10:244::77"}) {
    AddAddress(Address(text), Edge::kExternal);
  }
}

void QuestionGenerator::GatherBlocks(const Cluster& cluster) {
  ForEachRule(cluster, [&](const PolicyRule& rule) {
    for (const PolicyPeer& peer : rule.peers) {
      if (!peer.ip_block) continue;
      AddBlock(peer.ip_block->cidr, kBlockEdges);
      for (const std::string& cidr : peer.ip_block->except) AddBlock(cidr, kExceptEdges);
    }
  });
}

void QuestionGenerator::GatherPorts(const Cluster& cluster) {
  AddPort(0, Edge::kPortZero);
  AddPort(65535, Edge::kPortMax);
  for (const Pod& pod : cluster.pods) {
    for (const ContainerPort& port : pod.ports) AddPort(port.port, Edge::kContainerPort);
  }
  ForEachRule(cluster, [&](const PolicyRule& rule) {
    for (const PolicyPort& port : rule.ports) {
      if (!port.port || !std::holds_alternative<int64_t>(*port.port)) continue;
      const int64_t first = std::get<int64_t>(*port.port);
      AddPort(first, Edge::kPortExact);
      AddPort(first - 1, Edge::kPortBelow);
      AddPort(first + 1, Edge::kPortAbove);
      if (!port.end_port) continue;
      AddPort(*port.end_port, Edge::kEndPortExact);
      AddPort(*port.end_port + 1, Edge::kEndPortAbove);
    }
  });
}

void QuestionGenerator::GatherTiers(const Cluster& cluster) {
  for (const ResolvedName& resolved : cluster.resolved_names) {
    AddAddress(Address(resolved.address), Edge::kNamedAddress);
  }
  for (const ClusterPolicy& policy : cluster.cluster_policies) {
    for (const auto* rules : {&policy.ingress, &policy.egress}) {
      for (const ClusterRule& rule : *rules) {
        for (const ClusterPeer& peer : rule.peers) {
          if (!peer.networks) continue;
          for (const std::string& cidr : *peer.networks) AddBlock(cidr, kNetworkEdges);
        }
        if (!rule.ports) continue;
        for (const ClusterPort& port : *rule.ports) AddClusterPort(port);
      }
    }
  }
}

void QuestionGenerator::AddClusterPort(const ClusterPort& port) {
  if (port.form == ClusterPort::Form::kNumber) {
    AddPort(port.first, Edge::kPortExact);
    AddPort(port.first - 1, Edge::kPortBelow);
    AddPort(port.first + 1, Edge::kPortAbove);
  } else if (port.form == ClusterPort::Form::kRange) {
    AddPort(port.first, Edge::kRangeFirst);
    AddPort(port.last, Edge::kRangeLast);
    AddPort(port.first - 1, Edge::kRangeBefore);
    AddPort(port.last + 1, Edge::kRangeAfter);
  }
}

QuestionGenerator::TaggedAddress QuestionGenerator::PickAddress(Family family) {
  const std::vector<TaggedAddress>& edges = edge_addresses_[family];
  if (random_.Chance(40) && !edges.empty()) return random_.Pick(edges);
  if (random_.Chance(92)) return random_.Pick(addresses_[family]);
  IpAddress anywhere;
  anywhere.family = family;
  for (int i = 0; i < anywhere.bit_count() / 8; ++i) {
    anywhere.bytes[static_cast<size_t>(i)] = static_cast<uint8_t>(random_.Next());
  }
  return {anywhere, Bit(Edge::kExternal)};
}

AskedQuestion QuestionGenerator::Next() {
  TaggedAddress subject = pods_.empty() || random_.Chance(5)
                              ? PickAddress(random_.Chance(50) ? Family::kIpv4 : Family::kIpv6)
                              : random_.Pick(pods_);
  TaggedAddress other = PickAddress(subject.address.family);
  if (random_.Chance(35) && !pods_.empty()) {
    const TaggedAddress& pod = random_.Pick(pods_);
    if (pod.address.family == subject.address.family) other = pod;
  }
  if (random_.Below(1000) == 0) {
    other = PickAddress(subject.address.family == Family::kIpv4 ? Family::kIpv6 : Family::kIpv4);
    other.edges |= Bit(Edge::kMixedFamilies);
  }
  if (random_.Chance(50)) std::swap(subject, other);
  AskedQuestion asked;
  asked.question.src = subject.address;
  asked.question.dst = other.address;
  asked.edges = subject.edges | other.edges;
  if (subject.address == other.address) asked.edges |= Bit(Edge::kSelf);
  static const std::vector<uint8_t> kProtocols = {kProtocolTcp,
                                                  kProtocolTcp,
                                                  kProtocolTcp,
                                                  kProtocolTcp,
                                                  kProtocolTcp,
                                                  kProtocolUdp,
                                                  kProtocolUdp,
                                                  kProtocolUdp,
                                                  kProtocolUdp,
                                                  kProtocolSctp,
                                                  kProtocolSctp,
                                                  kProtocolSctp,
                                                  kProtocolIcmp,
                                                  kProtocolIcmpv6,
                                                  47,
                                                  0,
                                                  255};
  asked.question.protocol = random_.Pick(kProtocols);
  const bool has_ports = asked.question.protocol == kProtocolTcp ||
                         asked.question.protocol == kProtocolUdp ||
                         asked.question.protocol == kProtocolSctp;
  if (has_ports && random_.Chance(90)) {
    const TaggedPort& port = random_.Pick(ports_);
    asked.question.dst_port = port.port;
    asked.edges |= port.edges;
  } else {
    asked.question.dst_port = static_cast<uint16_t>(random_.Next());
  }
  if (!has_ports) asked.edges |= Bit(Edge::kOtherProtocol);
  return asked;
}

}  // namespace npf::testing
