#include "model/validate.h"

#include <algorithm>
#include <optional>
#include <set>

#include "model/names.h"

namespace npf::model {
namespace {

constexpr int64_t kPortMin = 1;
constexpr int64_t kPortMax = 65535;
constexpr size_t kPolicyTypesMax = 2;
constexpr char kPortRange[] = "must be between 1 and 65535, inclusive";
constexpr char kCidrSyntax[] = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)";

bool IsPortNumber(int64_t port) { return port >= kPortMin && port <= kPortMax; }

// R71.
void ValidateProtocol(const std::string& protocol, const std::string& field, ObjectFaults& faults) {
  if (protocol == "TCP" || protocol == "UDP" || protocol == "SCTP") return;
  faults.Error(field, "NotSupported",
               "supported values: \"TCP\", \"UDP\", \"SCTP\"" + Found(protocol));
}

// R72, R24.
void ValidateEndPort(const PolicyPort& item, const std::string& field, ObjectFaults& faults) {
  const int64_t end = *item.end_port;
  if (!item.port.has_value()) {
    faults.Error(field, "Invalid",
                 "may not be specified when `port` is not specified" + FoundNumber(end));
    return;
  }
  const int64_t* first = std::get_if<int64_t>(&*item.port);
  if (first == nullptr) {
    faults.Error(field, "Invalid",
                 "may not be specified when `port` is non-numeric" + FoundNumber(end));
    return;
  }
  if (end < *first) {
    faults.Error(field, "Invalid",
                 "must be greater than or equal to `port` (found " + std::to_string(end) +
                     ", `port` is " + std::to_string(*first) + ")");
  }
  if (!IsPortNumber(end)) faults.Error(field, "Invalid", kPortRange + FoundNumber(end));
}

// R71, R72, R29.
void ValidatePort(const PolicyPort& item, const std::string& field, ObjectFaults& faults) {
  if (item.protocol.has_value()) ValidateProtocol(*item.protocol, field + ".protocol", faults);
  if (item.port.has_value()) {
    if (const int64_t* number = std::get_if<int64_t>(&*item.port)) {
      if (!IsPortNumber(*number)) {
        faults.Error(field + ".port", "Invalid", kPortRange + FoundNumber(*number));
      }
    } else {
      const std::string& name = std::get<std::string>(*item.port);
      for (const std::string& fault : PortNameFaults(name)) {
        faults.Error(field + ".port", "Invalid", fault + Found(name));
      }
    }
  }
  if (item.end_port.has_value()) ValidateEndPort(item, field + ".endPort", faults);
}

// R74.
void ValidateIpBlock(const IpBlock& block, const std::string& field, bool strict_cidr,
                     ObjectFaults& faults) {
  if (block.cidr.empty()) {
    faults.Error(field + ".cidr", "Required", "a CIDR must be specified, as 10.9.8.0/24");
    return;
  }
  const std::optional<IpPrefix> cidr =
      ValidateCidr(block.cidr, field + ".cidr", strict_cidr, faults);
  if (!cidr.has_value()) return;
  std::set<IpPrefix> seen;
  for (size_t i = 0; i < block.except.size(); ++i) {
    const std::string path = Item(field + ".except", i);
    const std::optional<IpPrefix> except = ValidateCidr(block.except[i], path, strict_cidr, faults);
    if (!except.has_value()) continue;
    if (!cidr->Contains(*except) || except->length == cidr->length) {
      faults.Error(path, "Invalid",
                   "must be a strict subset of `cidr`" + Found(block.except[i]) + "; `cidr` is " +
                       ToString(*cidr));
    } else if (!seen.insert(*except).second) {
      faults.Warning(path, ToString(*except) + " stands in this list already");
    }
  }
}

// R73.
void ValidatePeer(const PolicyPeer& peer, const std::string& field, bool strict_cidr,
                  ObjectFaults& faults) {
  const bool selects = peer.pod_selector.has_value() || peer.namespace_selector.has_value();
  if (peer.pod_selector) ValidateSelector(*peer.pod_selector, field + ".podSelector", faults);
  if (peer.namespace_selector) {
    ValidateSelector(*peer.namespace_selector, field + ".namespaceSelector", faults);
  }
  if (peer.ip_block) ValidateIpBlock(*peer.ip_block, field + ".ipBlock", strict_cidr, faults);
  if (!selects && !peer.ip_block) {
    faults.Error(field, "Required",
                 "must specify a peer; a podSelector, a namespaceSelector, both, or an ipBlock");
  } else if (selects && peer.ip_block) {
    faults.Error(field, "Forbidden", "may not specify both ipBlock and another peer");
  }
}

// R78: ports before peers.
void ValidateRules(const std::vector<PolicyRule>& rules, const std::string& field,
                   const std::string& peers_name, bool strict_cidr, ObjectFaults& faults) {
  for (size_t i = 0; i < rules.size(); ++i) {
    const std::string rule = Item(field, i);
    for (size_t j = 0; j < rules[i].ports.size(); ++j) {
      ValidatePort(rules[i].ports[j], Item(rule + ".ports", j), faults);
    }
    for (size_t j = 0; j < rules[i].peers.size(); ++j) {
      ValidatePeer(rules[i].peers[j], Item(rule + "." + peers_name, j), strict_cidr, faults);
    }
  }
}

// R75, and warnings where types and rules do not fit each other (R8).
void ValidatePolicyTypes(const NetworkPolicy& policy, ObjectFaults& faults) {
  const std::vector<std::string>& types = policy.policy_types;
  const std::string field = "spec.policyTypes";
  if (types.size() > kPolicyTypesMax) {
    faults.Error(field, "Invalid",
                 "may not specify more than two policyTypes" +
                     FoundNumber(static_cast<int64_t>(types.size())));
    return;
  }
  bool known = true;
  for (size_t i = 0; i < types.size(); ++i) {
    if (types[i] == "Ingress" || types[i] == "Egress") continue;
    known = false;
    faults.Error(Item(field, i), "NotSupported",
                 "supported values: \"Ingress\", \"Egress\"" + Found(types[i]));
  }
  if (!known || types.empty()) return;
  if (types.size() == 2 && types[0] == types[1]) {
    faults.Warning(Item(field, 1), "\"" + types[1] + "\" stands in this list already");
  }
  const auto governs = [&](const char* type) {
    return std::find(types.begin(), types.end(), type) != types.end();
  };
  if (!policy.egress.empty() && !governs("Egress")) {
    faults.Warning("spec.egress", "has no effect: spec.policyTypes does not contain \"Egress\"");
  }
  if (!policy.ingress.empty() && !governs("Ingress")) {
    faults.Warning("spec.ingress", "has no effect: spec.policyTypes does not contain \"Ingress\"");
  }
}

void ValidateAddress(const std::string& text, const std::string& field, ObjectFaults& faults) {
  if (ParseIpAddress(text).has_value()) return;
  faults.Error(field, "Invalid",
               "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)" + Found(text));
}

void ValidateServicePort(const ServicePort& item, const std::string& field, ObjectFaults& faults) {
  ValidateProtocol(item.protocol, field + ".protocol", faults);
  const auto check = [&](int64_t number, const std::string& name) {
    if (IsPortNumber(number)) return;
    faults.Error(field + name, "Invalid", kPortRange + FoundNumber(number));
  };
  check(item.port, ".port");
  if (item.node_port != 0) check(item.node_port, ".nodePort");
  if (!item.target_port.has_value()) return;
  if (const int64_t* number = std::get_if<int64_t>(&*item.target_port)) {
    check(*number, ".targetPort");
    return;
  }
  const std::string& name = std::get<std::string>(*item.target_port);
  for (const std::string& fault : PortNameFaults(name)) {
    faults.Error(field + ".targetPort", "Invalid", fault + Found(name));
  }
}

void ValidatePodAddresses(const Pod& pod, ObjectFaults& faults) {
  int families[2] = {0, 0};
  for (size_t i = 0; i < pod.ips.size(); ++i) {
    const std::string field = Item("status.podIPs", i);
    const std::optional<IpAddress> address = ParseIpAddress(pod.ips[i]);
    if (!address.has_value()) {
      faults.Error(
          field, "Invalid",
          "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)" + Found(pod.ips[i]));
      continue;
    }
    if (!IsEndpointAddress(*address)) {
      faults.Warning(field, pod.ips[i] + " cannot be the address of a pod; it is not used");
    }
    if (++families[address->family == Family::kIpv6 ? 1 : 0] == 2) {
      faults.Warning(field, "a pod has at most one address of each family; all are used");
    }
  }
  if (pod.ips.empty() && pod.phase == PodPhase::kRunning && !pod.host_network) {
    faults.Warning("status.podIP",
                   "the pod is Running but has no address; no packet will match it");
  }
}

}  // namespace

std::string ObjectName(std::string_view kind, std::string_view ns, std::string_view name) {
  std::string out(kind);
  if (ns.empty() && name.empty()) return out;
  out += ' ';
  if (!ns.empty()) out += EscapeForMessage(ns) + "/";
  return out + (name.empty() ? "(no name)" : EscapeForMessage(name));
}

bool IsEndpointAddress(const IpAddress& address) {
  if (address.family == Family::kIpv4) {
    const uint32_t value = address.v4();
    const bool link_local = value >> 16 == 0xa9fe;
    return value >> 24 != 0 && value >> 24 != 127 && value >> 28 < 14 && !link_local;
  }
  const auto& bytes = address.bytes;
  const bool leading_zeros =
      std::all_of(bytes.begin(), bytes.end() - 1, [](uint8_t b) { return b == 0; });
  const bool link_local = bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;
  return !(leading_zeros && bytes[15] <= 1) && bytes[0] != 0xff && !link_local;
}

std::optional<IpPrefix> ValidateCidr(const std::string& text, const std::string& field,
                                     bool strict_cidr, ObjectFaults& faults) {
  const ParsedPrefix parsed = ParseIpPrefix(text);
  switch (parsed.fault) {
    case PrefixFault::kNone:
      break;
    case PrefixFault::kSyntax:
      faults.Error(field, "Invalid", kCidrSyntax + Found(text));
      return std::nullopt;
    case PrefixFault::kLeadingZero:
      faults.Error(field, "Invalid",
                   "must not have leading 0s in IP or prefix length" + Found(text));
      return std::nullopt;
    case PrefixFault::kMapped:
      faults.Error(field, "Invalid", "must not have an IPv4-mapped IPv6 address" + Found(text));
      return std::nullopt;
  }
  const std::string canonical = ToString(parsed.prefix);
  if (parsed.host_bits_set) {
    if (strict_cidr) {
      faults.Error(field, "Invalid",
                   "must not have bits set beyond the prefix length" + Found(text));
      return std::nullopt;
    }
    const std::string address = text.substr(0, text.find('/'));
    const int bits = parsed.prefix.address.bit_count();
    faults.Warning(field, "CIDR value \"" + EscapeForMessage(text) +
                              "\" has host bits set; it is " + "read as \"" + canonical +
                              "\" (or should it be \"" + address + "/" + std::to_string(bits) +
                              "\"?)");
  } else if (canonical != text) {
    faults.Warning(field, "IPv6 CIDR value \"" + EscapeForMessage(text) +
                              "\" should be in RFC 5952 canonical format (\"" + canonical + "\")");
  }
  return parsed.prefix;
}

std::string Item(const std::string& list, size_t index) {
  return list + "[" + std::to_string(index) + "]";
}

std::string FoundNumber(int64_t number) { return " (found " + std::to_string(number) + ")"; }

std::string Found(std::string_view text) { return " (found \"" + EscapeForMessage(text) + "\")"; }

Position ObjectFaults::PositionOf(std::string_view field) const {
  const bool kept = out_.all().size() < Diagnostics::kMax;  // a walk for what is only counted
  return locate_ && kept ? locate_(field) : subject_.position;
}

void ObjectFaults::Error(std::string field, std::string_view type, std::string detail) {
  ++error_count_;
  const Position position = PositionOf(field);
  std::string object = ObjectName(subject_.kind, subject_.ns, subject_.name);
  out_.Add({tolerant_ ? Severity::kWarning : Severity::kError, position, std::move(object),
            std::move(field), std::string(type), std::move(detail)});
}

void ObjectFaults::Warning(std::string field, std::string detail) {
  const Position position = PositionOf(field);
  out_.AddWarning(position, ObjectName(subject_.kind, subject_.ns, subject_.name), std::move(field),
                  std::move(detail));
}

// R76.
void ValidateObjectName(std::string_view name, ObjectFaults& faults) {
  if (name.empty()) {
    faults.Error("metadata.name", "Required", "name or generateName is required");
    return;
  }
  for (const std::string& fault : Dns1123SubdomainFaults(name)) {
    faults.Error("metadata.name", "Invalid", fault + Found(name));
  }
}

void ValidateNamespaceName(std::string_view name, ObjectFaults& faults) {
  for (const std::string& fault : Dns1123LabelFaults(name)) {
    faults.Error("metadata.namespace", "Invalid", fault + Found(name));
  }
}

void ValidateLabels(const Labels& labels, const std::string& field, ObjectFaults& faults) {
  for (const auto& [key, value] : labels) {
    for (const std::string& fault : LabelKeyFaults(key)) {
      faults.Error(field, "Invalid", fault + Found(key));
    }
    for (const std::string& fault : LabelValueFaults(value)) {
      faults.Error(field, "Invalid", fault + Found(value));
    }
  }
}

void ValidateNamespace(const Namespace& object, ObjectFaults& faults) {
  if (object.name.empty()) {
    ValidateObjectName(object.name, faults);
  } else {
    for (const std::string& fault : Dns1123LabelFaults(object.name)) {
      faults.Error("metadata.name", "Invalid", fault + Found(object.name));
    }
  }
  ValidateLabels(object.labels, "metadata.labels", faults);
}

void ValidatePod(const Pod& object, ObjectFaults& faults) {
  ValidateObjectName(object.name, faults);
  ValidateNamespaceName(object.ns, faults);
  const bool stand_in = !object.owner_kind.empty();
  ValidateLabels(object.labels, stand_in ? "spec.template.metadata.labels" : "metadata.labels",
                 faults);
  for (const ContainerPort& port : object.ports) {
    const std::string field = "spec.containers.ports";
    if (!IsPortNumber(port.port)) {
      faults.Error(field + ".containerPort", "Invalid", kPortRange + FoundNumber(port.port));
    }
    ValidateProtocol(port.protocol, field + ".protocol", faults);
    if (port.name.empty()) continue;
    for (const std::string& fault : PortNameFaults(port.name)) {
      faults.Error(field + ".name", "Invalid", fault + Found(port.name));
    }
  }
  ValidatePodAddresses(object, faults);
}

void ValidateNode(const Node& object, ObjectFaults& faults) {
  ValidateObjectName(object.name, faults);
  ValidateLabels(object.labels, "metadata.labels", faults);
  for (const std::string& address : object.addresses) {
    ValidateAddress(address, "status.addresses", faults);
  }
  for (size_t i = 0; i < object.pod_cidrs.size(); ++i) {
    ValidateCidr(object.pod_cidrs[i], Item("spec.podCIDRs", i), /*strict_cidr=*/false, faults);
  }
}

void ValidateService(const Service& object, ObjectFaults& faults) {
  ValidateObjectName(object.name, faults);
  ValidateNamespaceName(object.ns, faults);
  for (const std::string& ip : object.cluster_ips) ValidateAddress(ip, "spec.clusterIPs", faults);
}

void ValidateServiceEntry(const Service& object, ObjectFaults& faults) {
  constexpr std::string_view kTypes[] = {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"};
  if (std::find(std::begin(kTypes), std::end(kTypes), object.type) == std::end(kTypes)) {
    faults.Error("spec.type", "NotSupported",
                 "supported values: \"ClusterIP\", \"ExternalName\", \"LoadBalancer\", "
                 "\"NodePort\"" +
                     Found(object.type));
  }
  if (object.external_traffic != "Cluster" && object.external_traffic != "Local") {
    faults.Error("spec.externalTrafficPolicy", "NotSupported",
                 "supported values: \"Cluster\", \"Local\"" + Found(object.external_traffic));
  }
  ValidateLabels(object.selector, "spec.selector", faults);
  for (size_t i = 0; i < object.ports.size(); ++i) {
    ValidateServicePort(object.ports[i], Item("spec.ports", i), faults);
  }
  for (size_t i = 0; i < object.source_ranges.size(); ++i) {
    ValidateCidr(object.source_ranges[i], Item("spec.loadBalancerSourceRanges", i),
                 /*strict_cidr=*/false, faults);
  }
  for (size_t i = 0; i < object.load_balancer_ips.size(); ++i) {
    ValidateAddress(object.load_balancer_ips[i], Item("status.loadBalancer.ingress", i) + ".ip",
                    faults);
  }
}

void ValidateIngress(const Ingress& object, ObjectFaults& faults) {
  ValidateObjectName(object.name, faults);
  ValidateNamespaceName(object.ns, faults);
}

void ValidateNetworkPolicy(const NetworkPolicy& object, bool strict_cidr, ObjectFaults& faults) {
  ValidateObjectName(object.name, faults);
  ValidateNamespaceName(object.ns, faults);
  if (!object.pod_selector_given) {
    faults.Warning("spec.podSelector",
                   "is missing, so the policy selects every pod of its namespace; write {} if that "
                   "is meant");
  }
  ValidateSelector(object.pod_selector, "spec.podSelector", faults);
  ValidateRules(object.ingress, "spec.ingress", "from", strict_cidr, faults);
  ValidateRules(object.egress, "spec.egress", "to", strict_cidr, faults);
  ValidatePolicyTypes(object, faults);
}

}  // namespace npf::model
