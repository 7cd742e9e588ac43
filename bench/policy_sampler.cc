#include "policy_sampler.h"

#include <algorithm>
#include <string>
#include <variant>

#include "model/selector.h"

namespace npf::bench {
namespace {

constexpr std::string_view kNameLabel = "kubernetes.io/metadata.name";

uint8_t ProtocolNumber(const std::string& name) {
  return name == "UDP" ? kProtocolUdp : name == "SCTP" ? kProtocolSctp : kProtocolTcp;
}

template <typename T>
const T& AnyOf(const std::vector<T>& items, Random& random) {
  return items[random.Below(static_cast<uint32_t>(items.size()))];
}

IpPrefix PrefixOf(const std::string& text) { return ParseIpPrefix(text).prefix; }

// Names that a selector asks for, where it asks for namespaces by name: looking at every namespace
// of a large cluster for each packet would take minutes.
const std::string* NameAskedFor(const LabelSelector& selector, Random& random) {
  if (const std::string* name = selector.match_labels.Find(kNameLabel)) return name;
  for (const LabelRequirement& requirement : selector.match_expressions) {
    if (requirement.key == kNameLabel && requirement.op == "In" && !requirement.values.empty()) {
      return &AnyOf(requirement.values, random);
    }
  }
  return nullptr;
}

void SetRandomBits(IpPrefix within, Random& random, IpAddress& address) {
  const size_t bytes = address.family == Family::kIpv4 ? 4 : 16;
  for (size_t i = 0; i < bytes; ++i) {
    const auto drawn = static_cast<uint8_t>(random.Below(256));
    const int fixed_bits = std::clamp(within.length - static_cast<int>(8 * i), 0, 8);
    const auto fixed = static_cast<uint8_t>(0xff00 >> fixed_bits);
    address.bytes[i] = static_cast<uint8_t>((within.address.bytes[i] & fixed) | (drawn & ~fixed));
  }
}

}  // namespace

IpAddress DrawAddress(const IpBlock& block, Random& random) {
  const IpPrefix prefix = PrefixOf(block.cidr);
  IpAddress address = prefix.address;
  for (int attempt = 0; attempt < 8; ++attempt) {
    SetRandomBits(prefix, random, address);
    const bool excepted =
        std::any_of(block.except.begin(), block.except.end(),
                    [&](const std::string& except) { return PrefixOf(except).Contains(address); });
    if (!excepted) break;
  }
  return address;
}

bool IsUnicast(const IpAddress& address) {
  const uint8_t first = address.bytes[0];
  if (address.family == Family::kIpv6) return first != 0 && first != 0xff;
  return first != 0 && first != 127 && first < 224;
}

PolicySampler::PolicySampler(const Snapshot& snapshot) : snapshot_(snapshot) {
  ReadPods();
  ReadPolicies();
}

void PolicySampler::ReadPods() {
  const std::vector<Pod>& pods = snapshot_.pods();
  addresses_.resize(pods.size());
  uint32_t pod = 0;
  for (const Namespace& ns : snapshot_.namespaces()) {
    const uint32_t first = pod;
    while (pod < pods.size() && pods[pod].ns == ns.name) ++pod;
    pods_of_.emplace_back(first, pod);
  }
  for (uint32_t i = 0; i < pods.size(); ++i) {
    const bool ended = pods[i].phase == PodPhase::kSucceeded || pods[i].phase == PodPhase::kFailed;
    if (pods[i].host_network || ended) continue;
    for (const std::string& text : pods[i].ips) {
      const std::optional<IpAddress> address = ParseIpAddress(text);
      if (!address.has_value()) continue;
      const bool v4 = address->family == Family::kIpv4;
      (v4 ? addresses_[i].v4 : addresses_[i].v6) = address;
      (v4 ? v4_pods_ : v6_pods_).push_back(i);
    }
  }
}

void PolicySampler::ReadPolicies() {
  for (const NetworkPolicy& policy : snapshot_.policies()) {
    for (const PolicyRule& rule : policy.ingress) ReadRule(rule);
    for (const PolicyRule& rule : policy.egress) ReadRule(rule);
  }
}

void PolicySampler::ReadRule(const PolicyRule& rule) {
  for (const PolicyPeer& peer : rule.peers) {
    if (!peer.ip_block.has_value()) continue;
    const bool v4 = PrefixOf(peer.ip_block->cidr).address.family == Family::kIpv4;
    (v4 ? v4_blocks_ : v6_blocks_).push_back(*peer.ip_block);
  }
  for (const PolicyPort& port : rule.ports) {
    if (!port.port.has_value() || !std::holds_alternative<int64_t>(*port.port)) continue;
    ports_.push_back({ProtocolNumber(port.protocol.value_or("TCP")),
                      static_cast<uint16_t>(std::get<int64_t>(*port.port))});
  }
}

IpAddress PolicySampler::AnyPod(Family family, Random& random) const {
  return *AddressOf(AnyOf(Reachable(family), random), family);
}

Port PolicySampler::AnyPort(Random& random) const {
  if (!ports_.empty() && random.Percent(50)) return AnyOf(ports_, random);
  const uint32_t share = random.Below(100);
  const uint8_t protocol = share < 85   ? kProtocolTcp
                           : share < 97 ? kProtocolUdp
                           : share < 98 ? kProtocolSctp
                                        : kProtocolIcmp;
  const auto number = static_cast<uint16_t>(1 + random.Below(65535));
  return {protocol, protocol == kProtocolIcmp ? uint16_t{0} : number};
}

IpAddress PolicySampler::Anywhere(Family family, Random& random) {
  IpAddress address{.family = family};
  if (family == Family::kIpv6) {
    // Global unicast; half of it where the blocks of generated clusters stand, so that prefixes are
    // met and missed as in IPv4.
    const bool near_blocks = random.Percent(50);
    IpAddress start{.family = family, .bytes = {0x20}};
    if (near_blocks) start.bytes = {0x26, 0x07};
    SetRandomBits({start, static_cast<uint8_t>(near_blocks ? 16 : 3)}, random, address);
    return address;
  }
  do {
    SetRandomBits({address, 0}, random, address);
  } while (!IsUnicast(address));
  return address;
}

IpAddress PolicySampler::AnyExternal(Family family, Random& random) const {
  if (Blocks(family).empty() || random.Percent(50)) return Anywhere(family, random);
  const IpAddress inside = DrawAddress(AnyOf(Blocks(family), random), random);
  return IsUnicast(inside) ? inside : Anywhere(family, random);
}

std::optional<uint32_t> PolicySampler::FindNamespace(std::string_view name) const {
  const std::vector<Namespace>& all = snapshot_.namespaces();
  const auto found = std::ranges::lower_bound(all, name, {}, &Namespace::name);
  if (found == all.end() || found->name != name) return std::nullopt;
  return static_cast<uint32_t>(found - all.begin());
}

std::optional<uint32_t> PolicySampler::DrawNamespace(const LabelSelector& selector,
                                                     Random& random) const {
  const std::vector<Namespace>& all = snapshot_.namespaces();
  if (const std::string* name = NameAskedFor(selector, random)) {
    const std::optional<uint32_t> found = FindNamespace(*name);
    if (!found.has_value() || !model::Matches(selector, all[*found].labels)) return std::nullopt;
    return found;
  }
  const auto count = static_cast<uint32_t>(all.size());
  const uint32_t start = random.Below(count);
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t ns = (start + i) % count;
    if (model::Matches(selector, all[ns].labels)) return ns;
  }
  return std::nullopt;
}

std::optional<uint32_t> PolicySampler::DrawPod(uint32_t ns, const LabelSelector& selector,
                                               Family family, Random& random) const {
  const auto [first, end] = pods_of_[ns];
  if (first == end) return std::nullopt;
  const uint32_t start = random.Below(end - first);
  for (uint32_t i = 0; i < end - first; ++i) {
    const uint32_t pod = first + (start + i) % (end - first);
    if (!AddressOf(pod, family).has_value()) continue;
    if (model::Matches(selector, snapshot_.pods()[pod].labels)) return pod;
  }
  return std::nullopt;
}

std::optional<PolicySampler::Peer> PolicySampler::DrawPeer(uint32_t ns, const PolicyRule& rule,
                                                           Family family, Random& random) const {
  if (rule.peers.empty()) {
    const uint32_t pod = AnyOf(Reachable(family), random);
    return Peer{*AddressOf(pod, family), pod};
  }
  const PolicyPeer& peer = AnyOf(rule.peers, random);
  if (peer.ip_block.has_value()) {
    if (PrefixOf(peer.ip_block->cidr).address.family != family) return std::nullopt;
    return Peer{DrawAddress(*peer.ip_block, random), std::nullopt};
  }
  std::optional<uint32_t> peer_ns = ns;
  if (peer.namespace_selector.has_value())
    peer_ns = DrawNamespace(*peer.namespace_selector, random);
  if (!peer_ns.has_value()) return std::nullopt;
  const LabelSelector every;
  const LabelSelector& selector = peer.pod_selector.has_value() ? *peer.pod_selector : every;
  const std::optional<uint32_t> pod = DrawPod(*peer_ns, selector, family, random);
  if (!pod.has_value()) return std::nullopt;
  return Peer{*AddressOf(*pod, family), pod};
}

std::optional<Port> PolicySampler::DrawPort(const PolicyRule& rule,
                                            std::optional<uint32_t> destination,
                                            Random& random) const {
  if (rule.ports.empty()) return AnyPort(random);
  const PolicyPort& port = AnyOf(rule.ports, random);
  const std::string protocol = port.protocol.value_or("TCP");
  const uint8_t number = ProtocolNumber(protocol);
  if (!port.port.has_value()) return Port{number, static_cast<uint16_t>(1 + random.Below(65535))};
  if (const auto* first = std::get_if<int64_t>(&*port.port)) {
    const auto width = static_cast<uint32_t>(port.end_port.value_or(*first) - *first + 1);
    return Port{number, static_cast<uint16_t>(*first + random.Below(width))};
  }
  if (!destination.has_value()) return std::nullopt;
  for (const ContainerPort& offered : snapshot_.pods()[*destination].ports) {
    if (offered.name == std::get<std::string>(*port.port) && offered.protocol == protocol) {
      return Port{number, static_cast<uint16_t>(offered.port)};
    }
  }
  return std::nullopt;
}

std::optional<PolicySampler::Drawn> PolicySampler::FromRule(const Applied& applied, Family family,
                                                            Random& random) const {
  const bool egress = applied.direction == Direction::kEgress;
  // A Snapshot has every namespace that a policy names.
  const uint32_t ns = *FindNamespace(applied.policy.ns);
  const std::optional<Peer> peer = DrawPeer(ns, applied.rule, family, random);
  if (!peer.has_value() || !IsUnicast(peer->address)) return std::nullopt;
  const std::optional<Port> port = DrawPort(applied.rule, egress ? peer->pod : applied.pod, random);
  if (!port.has_value()) return std::nullopt;
  const IpAddress own = *AddressOf(applied.pod, family);
  const IpAddress& src = egress ? own : peer->address;
  const IpAddress& dst = egress ? peer->address : own;
  return Drawn{MakeFlowKey(src, dst, port->protocol, port->number), peer->pod.has_value()};
}

std::optional<PolicySampler::Drawn> PolicySampler::FromPolicy(Family family, Random& random) const {
  if (snapshot_.policies().empty()) return std::nullopt;
  const NetworkPolicy& policy = AnyOf(snapshot_.policies(), random);
  const auto rules = policy.ingress.size() + policy.egress.size();
  if (rules == 0) return std::nullopt;
  const uint32_t drawn = random.Below(static_cast<uint32_t>(rules));
  const bool egress = drawn >= policy.ingress.size();
  const PolicyRule& rule =
      egress ? policy.egress[drawn - policy.ingress.size()] : policy.ingress[drawn];
  const std::optional<uint32_t> pod =
      DrawPod(*FindNamespace(policy.ns), policy.pod_selector, family, random);
  if (!pod.has_value()) return std::nullopt;
  const Direction direction = egress ? Direction::kEgress : Direction::kIngress;
  return FromRule({policy, rule, direction, *pod}, family, random);
}

std::vector<PolicySampler::Target> PolicySampler::TargetsOf(
    std::span<const IpAddress> destinations) const {
  std::vector<Target> targets;
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    for (const uint32_t pod : Reachable(family)) {
      const IpAddress& address = *AddressOf(pod, family);
      if (std::ranges::find(destinations, address) == destinations.end()) continue;
      targets.push_back({.pod = pod, .family = family});
    }
  }
  for (Target& target : targets) {
    const Pod& pod = snapshot_.pods()[target.pod];
    for (const NetworkPolicy& policy : snapshot_.policies()) {
      if (policy.ns == pod.ns && !policy.ingress.empty() &&
          model::Matches(policy.pod_selector, pod.labels)) {
        target.policies.push_back(&policy);
      }
    }
  }
  std::erase_if(targets, [](const Target& target) { return target.policies.empty(); });
  return targets;
}

std::optional<PolicySampler::Drawn> PolicySampler::Towards(const Target& target,
                                                           Random& random) const {
  const NetworkPolicy& policy = *AnyOf(target.policies, random);
  const PolicyRule& rule = AnyOf(policy.ingress, random);
  return FromRule({policy, rule, Direction::kIngress, target.pod}, target.family, random);
}

}  // namespace npf::bench
