// ClusterNetworkPolicy of v1alpha2, AdminNetworkPolicy and BaselineAdminNetworkPolicy of v1alpha1,
// strictly (R60, R65), into one model.
#include <string>
#include <utility>

#include "load/decode.h"
#include "load/decode_parts.h"

namespace npf::load {
namespace {

// Members that were written, those that are not known too: the object says something (R89).
uint32_t CountFields(const Node& node) {
  uint32_t count = 0;
  if (node.kind != NodeKind::kMap) return count;
  for (const Node* member = node.first; member != nullptr; member = member->next) {
    if (member->kind != NodeKind::kNull) ++count;
  }
  return count;
}

bool IsWritten(const Node& node, std::string_view field) {
  const Node* member = FindMember(node, field);
  return member != nullptr && member->kind != NodeKind::kNull;
}

class ClusterDecoder {
 public:
  ClusterDecoder(Decoding& decoding, ClusterPolicyKind kind)
      : decoding_(decoding),
        kind_(kind),
        v1alpha2_(kind == ClusterPolicyKind::kClusterNetworkPolicy) {}

  void DecodeSpec(const Node* node, ClusterPolicy& out) {
    const Path root;
    const Path path = root.Member("spec");
    StrictMap map(decoding_, node, path);
    out.tier = kind_ == ClusterPolicyKind::kBaselineAdminNetworkPolicy ? "Baseline" : "Admin";
    if (v1alpha2_) out.tier = decoding_.String(map.Take("tier"), path.Member("tier")).value_or("");
    if (kind_ == ClusterPolicyKind::kBaselineAdminNetworkPolicy) {
      out.priority = 0;
    } else {
      out.priority = decoding_.Integer(map.Take("priority"), path.Member("priority"));
    }
    if (const Node* subject = map.Take("subject"))
      DecodeSubject(*subject, path.Member("subject"), out);
    out.ingress = DecodeRules(map.Take("ingress"), path.Member("ingress"), /*egress=*/false);
    out.egress = DecodeRules(map.Take("egress"), path.Member("egress"), /*egress=*/true);
  }

 private:
  void DecodeSubject(const Node& node, const Path& path, ClusterPolicy& out) {
    StrictMap map(decoding_, &node, path);
    out.subject_field_count = CountFields(node);
    out.subject = DecodePods(map, path);
  }

  // `namespaces` or `pods` of a subject or a peer.
  std::optional<ClusterPods> DecodePods(StrictMap& map, const Path& path) {
    std::optional<ClusterPods> out;
    if (const Node* namespaces = map.Take("namespaces")) {
      auto selector = DecodeKnownSelector(*namespaces, path.Member("namespaces"));
      if (selector) out = ClusterPods{*std::move(selector), {}};
    }
    if (const Node* pods = map.Take("pods")) out = DecodeNamespacedPods(*pods, path.Member("pods"));
    return out;
  }

  std::optional<ClusterPods> DecodeNamespacedPods(const Node& node, const Path& path) {
    StrictMap map(decoding_, &node, path);
    const auto selector = [&](std::string_view field) -> std::optional<LabelSelector> {
      const Node* member = map.Take(field);
      if (member != nullptr) return DecodeKnownSelector(*member, path.Member(field));
      Required(node, path.Member(field), "{} selects all");
      return std::nullopt;
    };
    auto namespace_selector = selector("namespaceSelector");
    auto pod_selector = selector("podSelector");
    if (!namespace_selector || !pod_selector) return std::nullopt;
    return ClusterPods{*std::move(namespace_selector), std::move(pod_selector)};
  }

  // A selector all of whose fields are unknown (sameLabels, R90) is not the empty one, which
  // selects everything: what it belongs to fails closed (R89).
  std::optional<LabelSelector> DecodeKnownSelector(const Node& node, const Path& path) {
    LabelSelector out = DecodeSelector(decoding_, node, path);
    const bool known = IsWritten(node, "matchLabels") || IsWritten(node, "matchExpressions");
    if (!known && CountFields(node) > 0) return std::nullopt;
    return out;
  }

  void Required(const Node& around, const Path& path, std::string_view what) {
    decoding_.Error(around.mark, path.ToString(), "Required", "is required; " + std::string(what));
  }

  std::vector<ClusterRule> DecodeRules(const Node* node, const Path& path, bool egress) {
    return DecodeList<ClusterRule>(
        decoding_, node, path, [this, egress](Decoding& d, const Node& item, const Path& at) {
          ClusterRule rule;
          rule.position = d.PositionOf(item.mark);
          if (!IsWrittenOut(d, item, at)) return rule;
          StrictMap map(d, &item, at);
          rule.name = d.String(map.Take("name"), at.Member("name")).value_or("");
          rule.action = d.String(map.Take("action"), at.Member("action")).value_or("");
          const char* peers = egress ? "to" : "from";
          rule.peers = DecodeList<ClusterPeer>(
              d, map.Take(peers), at.Member(peers),
              [this, egress](Decoding&, const Node& peer, const Path& peer_path) {
                return DecodePeer(peer, peer_path, egress);
              });
          const char* ports = v1alpha2_ ? "protocols" : "ports";
          if (const Node* list = map.Take(ports)) {
            rule.ports =
                DecodeList<ClusterPort>(d, list, at.Member(ports),
                                        [this](Decoding&, const Node& port, const Path& port_path) {
                                          return DecodePort(port, port_path);
                                        });
          }
          return rule;
        });
  }

  ClusterPeer DecodePeer(const Node& node, const Path& path, bool egress) {
    ClusterPeer out;
    out.position = decoding_.PositionOf(node.mark);
    if (!IsWrittenOut(decoding_, node, path)) return out;
    out.field_count = CountFields(node);
    StrictMap map(decoding_, &node, path);
    out.pods = DecodePods(map, path);
    if (!egress) return out;
    if (const Node* nodes = map.Take("nodes")) {
      out.nodes = DecodeKnownSelector(*nodes, path.Member("nodes"));
    }
    if (const Node* networks = map.Take("networks")) {
      out.networks = decoding_.Strings(networks, path.Member("networks"));
    }
    if (const Node* names = map.Take("domainNames")) {
      out.domain_names = decoding_.Strings(names, path.Member("domainNames"));
    }
    return out;
  }

  ClusterPort DecodePort(const Node& node, const Path& path) {
    ClusterPort out;
    out.position = decoding_.PositionOf(node.mark);
    if (!IsWrittenOut(decoding_, node, path)) return out;
    if (CountFields(node) == 0) Required(node, path, "one of the protocols or ports it can have");
    StrictMap map(decoding_, &node, path);
    if (v1alpha2_) {
      DecodeProtocols(map, path, out);
    } else {
      DecodeNumberOrRange(map, path, out);
    }
    const char* named = v1alpha2_ ? "destinationNamedPort" : "namedPort";
    if (const auto name = decoding_.String(map.Take(named), path.Member(named))) {
      SetForm(ClusterPort::Form::kNamed, out);
      out.name = *name;
    }
    return out;
  }

  static void SetForm(ClusterPort::Form form, ClusterPort& out) {
    out.form = out.form == ClusterPort::Form::kNothing ? form : ClusterPort::Form::kSeveral;
  }

  // v1alpha2: tcp, udp or sctp, each with a destinationPort.
  void DecodeProtocols(StrictMap& map, const Path& path, ClusterPort& out) {
    constexpr std::pair<const char*, const char*> kProtocols[] = {
        {"tcp", "TCP"}, {"udp", "UDP"}, {"sctp", "SCTP"}};
    for (const auto& [field, protocol] : kProtocols) {
      const Node* node = map.Take(field);
      if (node == nullptr) continue;
      out.protocol = protocol;
      DecodeDestination(*node, path.Member(field), out);
    }
  }

  // R88: `tcp: {}` is all of TCP. What has only fields that are not known stays kNothing (R89).
  void DecodeDestination(const Node& node, const Path& path, ClusterPort& out) {
    StrictMap map(decoding_, &node, path);
    const Node* port = map.Take("destinationPort");
    const Path port_path = path.Member("destinationPort");
    if (port == nullptr) {
      if (CountFields(node) != 0) return;
      SetForm(ClusterPort::Form::kAll, out);
      decoding_.Warning(node.mark, port_path.ToString(),
                        "was left out: every port of " + out.protocol + " is meant");
      return;
    }
    if (CountFields(*port) == 0) Required(*port, port_path, "a number or a range");
    StrictMap fields(decoding_, port, port_path);
    const auto number = decoding_.Integer(fields.Take("number"), port_path.Member("number"));
    const Node* range = fields.Take("range");
    if (number && range != nullptr) {
      decoding_.Error(port->mark, port_path.ToString(), "Invalid",
                      "must have exactly one of number and range");
    }
    if (number) {
      SetForm(ClusterPort::Form::kNumber, out);
      out.first = out.last = *number;
    } else if (range != nullptr) {
      const Path range_path = port_path.Member("range");
      StrictMap ends(decoding_, range, range_path);
      DecodeRange(ends, *range, range_path, out);
    }
  }

  void DecodeRange(StrictMap& map, const Node& node, const Path& path, ClusterPort& out) {
    const auto start = RequiredInteger(map, node, path, "start", "a range has a start and an end");
    const auto end = RequiredInteger(map, node, path, "end", "a range has a start and an end");
    if (!start || !end) return;
    SetForm(ClusterPort::Form::kRange, out);
    out.first = *start;
    out.last = *end;
  }

  // Nothing after an error.
  std::optional<int64_t> RequiredInteger(StrictMap& map, const Node& around, const Path& path,
                                         std::string_view field, std::string_view what) {
    const Node* member = map.Take(field);
    if (member == nullptr) Required(around, path.Member(field), what);
    return decoding_.Integer(member, path.Member(field));
  }

  // v1alpha1: portNumber or portRange, each with a protocol, TCP where it says none.
  void DecodeNumberOrRange(StrictMap& map, const Path& path, ClusterPort& out) {
    const auto protocol = [&](StrictMap& fields, const Path& at) {
      out.protocol =
          decoding_.String(fields.Take("protocol"), at.Member("protocol")).value_or("TCP");
    };
    if (const Node* number = map.Take("portNumber")) {
      const Path at = path.Member("portNumber");
      StrictMap fields(decoding_, number, at);
      protocol(fields, at);
      if (const auto port =
              RequiredInteger(fields, *number, at, "port", "a number from 1 to 65535")) {
        SetForm(ClusterPort::Form::kNumber, out);
        out.first = out.last = *port;
      }
    }
    if (const Node* range = map.Take("portRange")) {
      const Path at = path.Member("portRange");
      StrictMap fields(decoding_, range, at);
      protocol(fields, at);
      DecodeRange(fields, *range, at, out);
    }
  }

  Decoding& decoding_;
  ClusterPolicyKind kind_;
  bool v1alpha2_;
};

}  // namespace

ClusterPolicy DecodeClusterPolicy(Decoding& decoding, const Node& root, ClusterPolicyKind kind) {
  ClusterPolicy out;
  out.kind = kind;
  Metadata metadata = DecodeMetadata(decoding, root);
  out.name = std::move(metadata.name);
  out.annotations = std::move(metadata.annotations);
  out.position = decoding.PositionOf(root.mark);
  const Path path;
  if (!metadata.ns.empty()) {
    decoding.Error(LocateField(root, "metadata.namespace"), "metadata.namespace", "Forbidden",
                   "the object is cluster-scoped and has no namespace (found \"" +
                       EscapeForMessage(metadata.ns) + "\")");
  }
  StrictMap map(decoding, &root, path, StrictMap::Nulls::kQuiet);
  TakeCommonFields(decoding, map);
  ClusterDecoder(decoding, kind).DecodeSpec(map.Take("spec"), out);
  return out;
}

}  // namespace npf::load
