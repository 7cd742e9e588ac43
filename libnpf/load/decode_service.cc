// Services and Ingresses, read for where they lead.
#include <string>

#include "load/decode.h"
#include "load/decode_parts.h"

namespace npf::load {
namespace {

ServicePort DecodeServicePort(Decoding& decoding, const Node& node, const Path& path) {
  ServicePort out;
  out.position = decoding.PositionOf(node.mark);
  out.name = Text(decoding, &node, path.Member("name"));
  out.protocol =
      decoding.String(Member(&node, "protocol"), path.Member("protocol")).value_or("TCP");
  out.port = decoding.Integer(Member(&node, "port"), path.Member("port")).value_or(0);
  out.target_port =
      DecodePortNumberOrName(decoding, Member(&node, "targetPort"), path.Member("targetPort"));
  out.node_port = decoding.Integer(Member(&node, "nodePort"), path.Member("nodePort")).value_or(0);
  return out;
}

void DecodeEntry(Decoding& decoding, const Node& root, const Node* fields, const Path& spec,
                 Service& out) {
  out.type = decoding.String(Member(fields, "type"), spec.Member("type")).value_or("ClusterIP");
  out.selector = decoding.StringMap(Member(fields, "selector"), spec.Member("selector"));
  out.external_name = Text(decoding, fields, spec.Member("externalName"));
  out.source_ranges = decoding.Strings(Member(fields, "loadBalancerSourceRanges"),
                                       spec.Member("loadBalancerSourceRanges"));
  const std::string traffic = Text(decoding, fields, spec.Member("externalTrafficPolicy"));
  if (!traffic.empty()) out.external_traffic = traffic;
  ForEachItem(decoding, fields, spec.Member("ports"), [&](const Node& node, const Path& at) {
    out.ports.push_back(DecodeServicePort(decoding, node, at));
  });
  const Path object;
  const Path status = object.Member("status");
  const Path balancer = status.Member("loadBalancer");
  ForEachItem(decoding, MemberMap(decoding, MemberMap(decoding, &root, status), balancer),
              balancer.Member("ingress"), [&](const Node& node, const Path& at) {
                std::string ip = Text(decoding, &node, at.Member("ip"));
                if (!ip.empty()) out.load_balancer_ips.push_back(std::move(ip));
              });
}

// False where the backend is no Service (a `resource`), or names none.
bool DecodeBackend(Decoding& decoding, const Node& backend, const Path& path, IngressBackend& out) {
  out.position = decoding.PositionOf(backend.mark);
  const Path service = path.Member("service");
  const Node* fields = MemberMap(decoding, &backend, service);
  if (fields == nullptr) return false;
  out.service = Text(decoding, fields, service.Member("name"));
  const Path port = service.Member("port");
  const Node* port_fields = MemberMap(decoding, fields, port);
  const std::string name = Text(decoding, port_fields, port.Member("name"));
  const auto number = decoding.Integer(Member(port_fields, "number"), port.Member("number"));
  if (!name.empty()) {
    out.port = name;
  } else {
    out.port = number.value_or(0);
  }
  if (!out.service.empty() && (!name.empty() || number.has_value())) return true;
  decoding.Warning(backend.mark, path.ToString(),
                   "names no Service and port; what it leads to is not known");
  return false;
}

void DecodeIngressRule(Decoding& decoding, const Node& rule, const Path& path, Ingress& out) {
  const std::string host = Text(decoding, &rule, path.Member("host"));
  const Path http = path.Member("http");
  ForEachItem(decoding, MemberMap(decoding, &rule, http), http.Member("paths"),
              [&](const Node& item, const Path& at) {
                IngressBackend backend;
                backend.host = host;
                backend.path = Text(decoding, &item, at.Member("path"));
                const Path field = at.Member("backend");
                const Node* node = MemberMap(decoding, &item, field);
                if (node != nullptr && DecodeBackend(decoding, *node, field, backend)) {
                  out.backends.push_back(std::move(backend));
                }
              });
}

}  // namespace

Service DecodeService(Decoding& decoding, Decoding& tolerant, const Node& root) {
  Service out;
  Metadata metadata = DecodeMetadata(decoding, root);
  out.ns = std::move(metadata.ns);
  out.name = std::move(metadata.name);
  out.position = decoding.PositionOf(root.mark);
  const Path path;
  const Path spec = path.Member("spec");
  const Node* fields = MemberMap(decoding, &root, spec);
  out.cluster_ips = decoding.Strings(Member(fields, "clusterIPs"), spec.Member("clusterIPs"));
  if (out.cluster_ips.empty()) {
    out.cluster_ips.push_back(Text(decoding, fields, spec.Member("clusterIP")));
  }
  out.external_ips = decoding.Strings(Member(fields, "externalIPs"), spec.Member("externalIPs"));
  out.cluster_ips.insert(out.cluster_ips.end(), out.external_ips.begin(), out.external_ips.end());
  std::erase_if(out.cluster_ips, [](const std::string& ip) { return ip.empty() || ip == "None"; });
  DecodeEntry(tolerant, root, fields, spec, out);
  return out;
}

Ingress DecodeIngress(Decoding& tolerant, const Node& root) {
  Ingress out;
  Metadata metadata = DecodeMetadata(tolerant, root);
  out.ns = std::move(metadata.ns);
  out.name = std::move(metadata.name);
  out.position = tolerant.PositionOf(root.mark);
  const Path path;
  const Path spec = path.Member("spec");
  const Node* fields = MemberMap(tolerant, &root, spec);
  out.class_name = Text(tolerant, fields, spec.Member("ingressClassName"));
  const Path fallback = spec.Member("defaultBackend");
  IngressBackend backend;
  if (const Node* node = MemberMap(tolerant, fields, fallback);
      node != nullptr && DecodeBackend(tolerant, *node, fallback, backend)) {
    out.backends.push_back(std::move(backend));
  }
  ForEachItem(tolerant, fields, spec.Member("rules"), [&](const Node& rule, const Path& at) {
    DecodeIngressRule(tolerant, rule, at, out);
  });
  return out;
}

}  // namespace npf::load
