// The cluster-wide tiers as the schema of their API has them (R83, R85 to R93).
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "model/names.h"
#include "model/validate.h"

namespace npf::model {
namespace {

constexpr int64_t kPriorityMax = 1000;
constexpr int64_t kPortMax = 65535;
constexpr size_t kRuleNameCharactersMax = 100;
constexpr size_t kNetworksMax = 25;
constexpr size_t kCidrBytesMax = 43;
constexpr char kNoNamedPorts[] =
    "networks/nodes/domainNames peer cannot be set with namedPorts since there are no namedPorts "
    "for networks/nodes/domainNames";

// As the schema's maxLength counts; bytes that are no UTF-8 count too.
size_t CountCharacters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Two or more labels of letters, digits, "-" and "_", which begin and end with a letter or a digit;
// "*." in front and a dot behind are allowed (R87).
bool IsDomainName(std::string_view text) {
  if (text.starts_with("*.")) text.remove_prefix(2);
  if (text.ends_with('.')) text.remove_suffix(1);
  size_t labels = 0;
  while (true) {
    const size_t dot = text.find('.');
    const std::string_view label = text.substr(0, dot);
    const bool good = !label.empty() && IsAlphanumeric(label.front()) &&
                      IsAlphanumeric(label.back()) &&
                      std::all_of(label.begin(), label.end(),
                                  [](char c) { return IsAlphanumeric(c) || c == '-' || c == '_'; });
    if (!good) return false;
    ++labels;
    if (dot == std::string_view::npos) return labels >= 2;
    text.remove_prefix(dot + 1);
  }
}

class ClusterValidator {
 public:
  ClusterValidator(const ClusterPolicy& policy, bool strict_cidr, ObjectFaults& faults)
      : policy_(policy),
        v1alpha2_(policy.kind == ClusterPolicyKind::kClusterNetworkPolicy),
        list_max_(v1alpha2_ ? 25 : 100),
        strict_cidr_(strict_cidr),
        faults_(faults) {}

  void Run() {
    ValidateObjectName(policy_.name, faults_);
    if (policy_.kind == ClusterPolicyKind::kBaselineAdminNetworkPolicy &&
        policy_.name != "default") {
      faults_.Error("metadata.name", "Invalid",
                    "only one baseline policy can be in the cluster, with the name \"default\"" +
                        Found(policy_.name));  // R91
    }
    if (policy_.tier != "Admin" && policy_.tier != "Baseline") {
      faults_.Error("spec.tier", policy_.tier.empty() ? "Required" : "NotSupported",
                    "supported values: \"Admin\", \"Baseline\"" + Found(policy_.tier));
    }
    ValidatePriority();
    ValidateSubject();
    ValidateRules(policy_.ingress, "spec.ingress", "from", /*egress=*/false);
    ValidateRules(policy_.egress, "spec.egress", "to", /*egress=*/true);
  }

 private:
  void ValidatePriority() {
    const std::string field = "spec.priority";
    if (!policy_.priority) {
      faults_.Error(field, "Required", "a number from 0 to 1000");
    } else if (*policy_.priority > kPriorityMax) {
      faults_.Error(field, "Invalid",
                    "should be less than or equal to 1000" + FoundNumber(*policy_.priority));
    } else if (*policy_.priority < 0) {
      faults_.Error(field, "Invalid",
                    "should be greater than or equal to 0" + FoundNumber(*policy_.priority));
    }
  }

  // R85: exactly one field; one that is not known may be among them (R89).
  void ValidateSubject() {
    const std::string field = "spec.subject";
    if (policy_.subject_field_count == 0 && !policy_.subject) {
      faults_.Error(field, "Required", "namespaces or pods; namespaces: {} selects every pod");
    } else if (policy_.subject_field_count > 1) {
      faults_.Error(field, "Invalid", "must have exactly one of namespaces and pods");
    }
    if (policy_.subject) ValidatePods(*policy_.subject, field);
  }

  void ValidatePods(const ClusterPods& pods, const std::string& field) {
    if (!pods.pod_selector) {
      ValidateSelector(pods.namespace_selector, field + ".namespaces", faults_);
      return;
    }
    ValidateSelector(pods.namespace_selector, field + ".pods.namespaceSelector", faults_);
    ValidateSelector(*pods.pod_selector, field + ".pods.podSelector", faults_);
  }

  void CheckCount(size_t count, size_t max, const std::string& field) {
    if (count <= max) return;
    faults_.Error(field, "TooMany",
                  "must have at most " + std::to_string(max) + " items" +
                      FoundNumber(static_cast<int64_t>(count)));
  }

  void ValidateRules(const std::vector<ClusterRule>& rules, const std::string& field,
                     const std::string& peers_name, bool egress) {
    CheckCount(rules.size(), list_max_, field);
    for (size_t i = 0; i < rules.size(); ++i) {
      const std::string path = Item(field, i);
      ValidateRule(rules[i], path);
      const std::string peers = path + "." + peers_name;
      if (rules[i].peers.empty()) {
        faults_.Error(peers, "Required", "should have at least 1 item");
      }
      CheckCount(rules[i].peers.size(), list_max_, peers);
      for (size_t j = 0; j < rules[i].peers.size(); ++j) {
        ValidatePeer(rules[i], rules[i].peers[j], Item(peers, j), egress);
      }
      if (rules[i].ports) ValidatePorts(*rules[i].ports, path + PortsName());
      ValidateNamedPorts(rules[i], path);
    }
  }

  std::string PortsName() const { return v1alpha2_ ? ".protocols" : ".ports"; }

  void ValidateRule(const ClusterRule& rule, const std::string& path) {
    std::vector<std::string> actions = {v1alpha2_ ? "Accept" : "Allow", "Deny"};
    // R82: nothing is behind the Baseline tier of v1alpha1.
    if (policy_.kind != ClusterPolicyKind::kBaselineAdminNetworkPolicy) actions.push_back("Pass");
    if (std::find(actions.begin(), actions.end(), rule.action) == actions.end()) {
      std::string values;
      for (const std::string& action : actions) {
        values += (values.empty() ? "\"" : ", \"") + action + "\"";
      }
      faults_.Error(path + ".action", rule.action.empty() ? "Required" : "NotSupported",
                    "supported values: " + values + Found(rule.action));
    }
    const size_t name_length = CountCharacters(rule.name);
    if (name_length > kRuleNameCharactersMax) {
      faults_.Error(
          path + ".name", "TooLong",
          "may not be more than 100 characters" + FoundNumber(static_cast<int64_t>(name_length)));
    }
  }

  void ValidatePeer(const ClusterRule& rule, const ClusterPeer& peer, const std::string& path,
                    bool egress) {
    const uint32_t known = uint32_t{peer.pods.has_value()} + uint32_t{peer.nodes.has_value()} +
                           uint32_t{peer.networks.has_value()} +
                           uint32_t{peer.domain_names.has_value()};
    if (known == 0 && peer.field_count == 0) {
      faults_.Error(path, "Required",
                    egress ? "must specify a peer; one of namespaces, pods, nodes, networks and "
                             "domainNames"
                           : "must specify a peer; namespaces or pods");
    } else if (std::max(known, peer.field_count) > 1) {
      faults_.Error(path, "Invalid", "must have exactly one field");
    }
    if (!egress) RefuseEgressFields(peer, path);
    if (peer.pods) ValidatePods(*peer.pods, path);
    if (peer.nodes) ValidateSelector(*peer.nodes, path + ".nodes", faults_);
    if (peer.networks) ValidateNetworks(*peer.networks, path + ".networks");
    if (peer.domain_names) ValidateNames(rule, *peer.domain_names, path + ".domainNames");
  }

  // R86: a source is a pod. Only a caller that fills the structs can get here, a text cannot.
  void RefuseEgressFields(const ClusterPeer& peer, const std::string& path) {
    const auto refuse = [&](bool is_set, const char* field) {
      if (is_set) faults_.Error(path + field, "Forbidden", "may only be used in egress rules");
    };
    refuse(peer.nodes.has_value(), ".nodes");
    refuse(peer.networks.has_value(), ".networks");
    refuse(peer.domain_names.has_value(), ".domainNames");
  }

  void ValidateNetworks(const std::vector<std::string>& networks, const std::string& field) {
    CheckListOfPeer(networks, field);
    std::set<std::string> seen;
    for (size_t i = 0; i < networks.size(); ++i) {
      const std::string path = Item(field, i);
      if (networks[i].size() > kCidrBytesMax) {
        faults_.Error(path, "TooLong", "may not be more than 43 bytes" + Found(networks[i]));
        continue;
      }
      ValidateCidr(networks[i], path, strict_cidr_, faults_);
      CheckOnce(seen.insert(networks[i]).second, networks[i], path);
    }
  }

  // R87.
  void ValidateNames(const ClusterRule& rule, const std::vector<std::string>& names,
                     const std::string& field) {
    if (policy_.kind == ClusterPolicyKind::kBaselineAdminNetworkPolicy) {
      faults_.Warning(field,
                      "a BaselineAdminNetworkPolicy of the API has no such field; a "
                      "ClusterNetworkPolicy of the tier Baseline has it");
    }
    if (rule.action == "Deny" || rule.action == "Pass") {
      faults_.Error(field, "Forbidden",
                    "may only be used with an action that accepts" + Found(rule.action));
    }
    CheckListOfPeer(names, field);
    std::set<std::string> seen;
    for (size_t i = 0; i < names.size(); ++i) {
      const std::string path = Item(field, i);
      if (!IsDomainName(names[i])) {
        faults_.Error(path, "Invalid",
                      "must be a domain name of two labels or more, as www.example.com or "
                      "*.example.com" +
                          Found(names[i]));
      }
      CheckOnce(seen.insert(names[i]).second, names[i], path);
    }
  }

  void CheckListOfPeer(const std::vector<std::string>& list, const std::string& field) {
    if (list.empty()) faults_.Error(field, "Required", "should have at least 1 item");
    CheckCount(list.size(), kNetworksMax, field);
  }
  void CheckOnce(bool is_new, const std::string& text, const std::string& path) {
    if (!is_new) faults_.Error(path, "Duplicate", "stands in this list already" + Found(text));
  }

  // R88.
  void ValidatePorts(const std::vector<ClusterPort>& ports, const std::string& field) {
    if (v1alpha2_ && ports.empty()) {
      faults_.Error(field, "Required", "should have at least 1 item");
    }
    CheckCount(ports.size(), list_max_, field);
    for (size_t i = 0; i < ports.size(); ++i) ValidatePort(ports[i], Item(field, i));
  }

  void ValidatePort(const ClusterPort& port, const std::string& path) {
    switch (port.form) {
      case ClusterPort::Form::kSeveral:
        faults_.Error(path, "Invalid", "must have exactly one field");
        break;
      case ClusterPort::Form::kAll:
        CheckProtocol(port, path);
        break;
      case ClusterPort::Form::kNumber:
        CheckProtocol(port, path + (v1alpha2_ ? "" : ".portNumber"));
        CheckPort(port.first, path + NumberField(port));
        break;
      case ClusterPort::Form::kRange:
        CheckProtocol(port, path + (v1alpha2_ ? "" : ".portRange"));
        ValidateRange(port, path + RangeField(port));
        break;
      case ClusterPort::Form::kNamed: {
        const std::string field = path + (v1alpha2_ ? ".destinationNamedPort" : ".namedPort");
        for (const std::string& fault : PortNameFaults(port.name)) {
          faults_.Error(field, "Invalid", fault + Found(port.name));
        }
        break;
      }
      case ClusterPort::Form::kNothing:
        break;  // R89: it matches nothing
    }
  }

  std::string ProtocolField(const ClusterPort& port) const {
    std::string field = "." + port.protocol;
    for (char& c : field) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    return field;
  }
  std::string NumberField(const ClusterPort& port) const {
    return v1alpha2_ ? ProtocolField(port) + ".destinationPort.number" : ".portNumber.port";
  }
  std::string RangeField(const ClusterPort& port) const {
    return v1alpha2_ ? ProtocolField(port) + ".destinationPort.range" : ".portRange";
  }

  void CheckProtocol(const ClusterPort& port, const std::string& path) {
    const std::string& protocol = port.protocol;
    if (protocol == "TCP" || protocol == "UDP" || protocol == "SCTP") return;
    faults_.Error(path + ".protocol", "NotSupported",
                  "supported values: \"TCP\", \"UDP\", \"SCTP\"" + Found(protocol));
  }

  void CheckPort(int64_t port, const std::string& path) {
    if (port < 1) {
      faults_.Error(path, "Invalid", "should be greater than or equal to 1" + FoundNumber(port));
    } else if (port > kPortMax) {
      faults_.Error(path, "Invalid", "should be less than or equal to 65535" + FoundNumber(port));
    }
  }

  void ValidateRange(const ClusterPort& port, const std::string& path) {
    CheckPort(port.first, path + ".start");
    CheckPort(port.last, path + ".end");
    const std::string found =
        " (found " + std::to_string(port.first) + " to " + std::to_string(port.last) + ")";
    if (v1alpha2_ && port.first >= port.last) {
      faults_.Error(path, "Invalid", "Start port must be less than End port" + found);
    } else if (port.first > port.last) {
      faults_.Error(path, "Invalid", "start must not be greater than end" + found);
    }
  }

  void ValidateNamedPorts(const ClusterRule& rule, const std::string& path) {
    const bool named = rule.ports && std::any_of(rule.ports->begin(), rule.ports->end(),
                                                 [](const ClusterPort& port) {
                                                   return port.form == ClusterPort::Form::kNamed;
                                                 });
    const bool unnamed_peer = std::any_of(
        rule.peers.begin(), rule.peers.end(),
        [](const ClusterPeer& peer) { return peer.nodes || peer.networks || peer.domain_names; });
    if (named && unnamed_peer) faults_.Error(path, "Invalid", kNoNamedPorts);
  }

  const ClusterPolicy& policy_;
  bool v1alpha2_;
  size_t list_max_;
  bool strict_cidr_;
  ObjectFaults& faults_;
};

}  // namespace

void ValidateClusterPolicy(const ClusterPolicy& object, bool strict_cidr, ObjectFaults& faults) {
  ClusterValidator(object, strict_cidr, faults).Run();
}

// The name without case and trailing dot is what is compared.
void ValidateResolvedName(const ResolvedName& object, ObjectFaults& faults) {
  if (!IsDomainName(object.name) || object.name.starts_with('*')) {
    faults.Error(
        "name", "Invalid",
        "must be a domain name of two labels or more, as www.example.com" + Found(object.name));
  }
  if (!ParseIpAddress(object.address)) {
    faults.Error("address", "Invalid",
                 "must be an IP address, as 203.0.113.10 or 2001:db8::10" + Found(object.address));
  }
  if (object.expires_s < 0) {
    faults.Error("expires", "Invalid", "must not be before 1970" + FoundNumber(object.expires_s));
  }
}

}  // namespace npf::model
