// NetworkPolicy of networking.k8s.io/v1, strictly (R60, R65).
#include <string>

#include "load/decode.h"
#include "load/decode_parts.h"

namespace npf::load {
namespace {

LabelRequirement DecodeRequirement(Decoding& decoding, const Node& node, const Path& path) {
  LabelRequirement out;
  if (!IsWrittenOut(decoding, node, path)) return out;
  StrictMap map(decoding, &node, path);
  out.key = decoding.String(map.Take("key"), path.Member("key")).value_or("");
  out.op = decoding.String(map.Take("operator"), path.Member("operator")).value_or("");
  out.values = decoding.Strings(map.Take("values"), path.Member("values"));
  return out;
}

PolicyPort DecodePort(Decoding& decoding, const Node& node, const Path& path) {
  PolicyPort out;
  out.position = decoding.PositionOf(node.mark);
  if (!IsWrittenOut(decoding, node, path)) return out;
  StrictMap map(decoding, &node, path);
  out.protocol = decoding.String(map.Take("protocol"), path.Member("protocol"));
  out.port = DecodePortNumberOrName(decoding, map.Take("port"), path.Member("port"));
  out.end_port = decoding.Integer(map.Take("endPort"), path.Member("endPort"));
  return out;
}

IpBlock DecodeIpBlock(Decoding& decoding, const Node& node, const Path& path) {
  IpBlock out;
  StrictMap map(decoding, &node, path);
  out.cidr = decoding.String(map.Take("cidr"), path.Member("cidr")).value_or("");
  out.except = decoding.Strings(map.Take("except"), path.Member("except"));
  return out;
}

// A null peer, or one whose fields are all null, stays empty: the validator refuses it (R73).
PolicyPeer DecodePeer(Decoding& decoding, const Node& node, const Path& path) {
  PolicyPeer out;
  out.position = decoding.PositionOf(node.mark);
  StrictMap map(decoding, &node, path);
  if (const Node* selector = map.Take("podSelector")) {
    out.pod_selector = DecodeSelector(decoding, *selector, path.Member("podSelector"));
  }
  if (const Node* selector = map.Take("namespaceSelector")) {
    out.namespace_selector = DecodeSelector(decoding, *selector, path.Member("namespaceSelector"));
  }
  if (const Node* block = map.Take("ipBlock")) {
    out.ip_block = DecodeIpBlock(decoding, *block, path.Member("ipBlock"));
  }
  return out;
}

std::vector<PolicyRule> DecodeRules(Decoding& decoding, const Node* node, const Path& path,
                                    std::string_view peers_name) {
  return DecodeList<PolicyRule>(
      decoding, node, path, [peers_name](Decoding& d, const Node& item, const Path& item_path) {
        PolicyRule rule;
        rule.position = d.PositionOf(item.mark);
        if (!IsWrittenOut(d, item, item_path)) return rule;
        StrictMap map(d, &item, item_path);
        rule.ports =
            DecodeList<PolicyPort>(d, map.Take("ports"), item_path.Member("ports"), DecodePort);
        rule.peers = DecodeList<PolicyPeer>(d, map.Take(peers_name), item_path.Member(peers_name),
                                            DecodePeer);
        return rule;
      });
}

void DecodeSpec(Decoding& decoding, const Node* node, NetworkPolicy& out) {
  const Path root;
  const Path path = root.Member("spec");
  StrictMap map(decoding, node, path);
  const Node* selector = map.Take("podSelector");
  out.pod_selector_given = selector != nullptr;
  if (selector != nullptr) {
    out.pod_selector = DecodeSelector(decoding, *selector, path.Member("podSelector"));
  }
  out.ingress = DecodeRules(decoding, map.Take("ingress"), path.Member("ingress"), "from");
  out.egress = DecodeRules(decoding, map.Take("egress"), path.Member("egress"), "to");
  out.policy_types = decoding.Strings(map.Take("policyTypes"), path.Member("policyTypes"));
}

}  // namespace

std::optional<IntOrString> DecodePortNumberOrName(Decoding& decoding, const Node* node,
                                                  const Path& path) {
  if (node == nullptr) return std::nullopt;
  if (node->kind == NodeKind::kString) return std::string(node->text);
  if (node->kind != NodeKind::kInt) {
    decoding.WrongType(path, *node, "a whole number or the name of a port");
    return std::nullopt;
  }
  const std::optional<int64_t> number = decoding.Integer(node, path);
  if (!number.has_value()) return std::nullopt;
  return *number;
}

bool IsWrittenOut(Decoding& decoding, const Node& item, const Path& path) {
  if (item.kind != NodeKind::kNull) return true;
  decoding.WrongType(path, item, "a map");
  return false;
}

void TakeCommonFields(Decoding& decoding, StrictMap& object) {
  for (const std::string_view name : {"apiVersion", "kind", "status"}) object.Take(name);
  const Path root;
  const Path path = root.Member("metadata");
  StrictMap map(decoding, object.Take("metadata"), path, StrictMap::Nulls::kQuiet);
  for (const std::string_view name :
       {"name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation",
        "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "labels",
        "ownerReferences", "finalizers", "managedFields"}) {
    map.Take(name);
  }
  decoding.StringMap(map.Take("annotations"), path.Member("annotations"));
}

LabelSelector DecodeSelector(Decoding& decoding, const Node& node, const Path& path) {
  LabelSelector out;
  StrictMap map(decoding, &node, path);
  out.match_labels = decoding.StringMap(map.Take("matchLabels"), path.Member("matchLabels"));
  out.match_expressions = DecodeList<LabelRequirement>(
      decoding, map.Take("matchExpressions"), path.Member("matchExpressions"), DecodeRequirement);
  return out;
}

NetworkPolicy DecodeNetworkPolicy(Decoding& decoding, const Node& root) {
  NetworkPolicy out;
  Metadata metadata = DecodeMetadata(decoding, root);
  out.ns = std::move(metadata.ns);
  out.name = std::move(metadata.name);
  out.annotations = std::move(metadata.annotations);
  out.position = decoding.PositionOf(root.mark);
  const Path path;
  StrictMap map(decoding, &root, path, StrictMap::Nulls::kQuiet);
  TakeCommonFields(decoding, map);
  DecodeSpec(decoding, map.Take("spec"), out);
  return out;
}

}  // namespace npf::load
