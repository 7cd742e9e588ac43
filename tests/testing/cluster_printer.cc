// Cluster -> Kubernetes objects, as YAML or JSON.
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "testing/cluster.h"
#include "testing/document.h"

namespace npf::testing {
namespace {

Document Object(const std::string& api_version, const std::string& kind, Document metadata) {
  Document object = Document::Map();
  object.SetText("apiVersion", api_version).SetText("kind", kind);
  object.Set("metadata", std::move(metadata));
  return object;
}

Document Metadata(const std::string& ns, const std::string& name) {
  Document metadata = Document::Map();
  if (!ns.empty()) metadata.SetText("namespace", ns);
  metadata.SetText("name", name);
  return metadata;
}

Document Describe(const Labels& labels) {
  Document map = Document::Map();
  for (const auto& [key, value] : labels) map.SetText(key, value);
  return map;
}

Document Describe(const LabelSelector& selector) {
  Document map = Document::Map();
  if (!selector.match_labels.empty()) map.Set("matchLabels", Describe(selector.match_labels));
  if (selector.match_expressions.empty()) return map;
  return map.Set("matchExpressions",
                 Document::ListOf(selector.match_expressions, [](const LabelRequirement& r) {
                   Document item = Document::Map();
                   item.SetText("key", r.key).SetText("operator", r.op);
                   if (!r.values.empty()) item.Set("values", Document::Texts(r.values));
                   return item;
                 }));
}

Document Describe(const PolicyPort& port) {
  Document map = Document::Map();
  if (port.protocol) map.SetText("protocol", *port.protocol);
  if (port.port) {
    const auto* name = std::get_if<std::string>(&*port.port);
    map.Set("port", name != nullptr ? Document::Text(*name)
                                    : Document::Number(std::get<int64_t>(*port.port)));
  }
  if (port.end_port) map.Set("endPort", Document::Number(*port.end_port));
  return map;
}

Document Describe(const PolicyPeer& peer) {
  Document map = Document::Map();
  if (peer.pod_selector) map.Set("podSelector", Describe(*peer.pod_selector));
  if (peer.namespace_selector) map.Set("namespaceSelector", Describe(*peer.namespace_selector));
  if (!peer.ip_block) return map;
  Document block = Document::Map();
  block.SetText("cidr", peer.ip_block->cidr);
  if (!peer.ip_block->except.empty()) {
    block.Set("except", Document::Texts(peer.ip_block->except));
  }
  return map.Set("ipBlock", std::move(block));
}

Document DescribeRules(const std::vector<PolicyRule>& rules, const char* peers_field) {
  return Document::ListOf(rules, [&](const PolicyRule& rule) {
    Document map = Document::Map();
    const auto describe = [](const auto& item) { return Describe(item); };
    if (!rule.peers.empty()) map.Set(peers_field, Document::ListOf(rule.peers, describe));
    if (!rule.ports.empty()) map.Set("ports", Document::ListOf(rule.ports, describe));
    return map;
  });
}

Document Describe(const NetworkPolicy& policy) {
  Document spec = Document::Map();
  if (policy.pod_selector_given) spec.Set("podSelector", Describe(policy.pod_selector));
  if (!policy.policy_types.empty()) {
    spec.Set("policyTypes", Document::Texts(policy.policy_types));
  }
  if (!policy.ingress.empty()) spec.Set("ingress", DescribeRules(policy.ingress, "from"));
  if (!policy.egress.empty()) spec.Set("egress", DescribeRules(policy.egress, "to"));
  Document object =
      Object("networking.k8s.io/v1", "NetworkPolicy", Metadata(policy.ns, policy.name));
  return object.Set("spec", std::move(spec));
}

bool IsV1Alpha2(const ClusterPolicy& policy) {
  return policy.kind == ClusterPolicyKind::kClusterNetworkPolicy;
}

// A field that no version of the API has.
Document Unknown() {
  Document map = Document::Map();
  return map.Set("unheardOf", Document::Map());
}

// The fields `namespaces` or `pods` of a subject or a peer.
void SetPods(const ClusterPods& pods, Document& map) {
  if (!pods.pod_selector) {
    map.Set("namespaces", Describe(pods.namespace_selector));
    return;
  }
  Document both = Document::Map();
  both.Set("namespaceSelector", Describe(pods.namespace_selector));
  both.Set("podSelector", Describe(*pods.pod_selector));
  map.Set("pods", std::move(both));
}

Document Describe(const ClusterPeer& peer) {
  Document map = Document::Map();
  if (peer.pods) SetPods(*peer.pods, map);
  if (peer.nodes) map.Set("nodes", Describe(*peer.nodes));
  if (peer.networks) map.Set("networks", Document::Texts(*peer.networks));
  if (peer.domain_names) map.Set("domainNames", Document::Texts(*peer.domain_names));
  return map.empty() ? Unknown() : map;
}

Document DescribeRange(const ClusterPort& port) {
  Document range = Document::Map();
  return range.Set("start", Document::Number(port.first)).Set("end", Document::Number(port.last));
}

// An item of `protocols`.
Document DescribeProtocol(const ClusterPort& port) {
  Document item = Document::Map();
  Document destination = Document::Map();
  switch (port.form) {
    case ClusterPort::Form::kNamed:
      return item.SetText("destinationNamedPort", port.name);
    case ClusterPort::Form::kNumber:
      destination.Set("number", Document::Number(port.first));
      break;
    case ClusterPort::Form::kRange:
      destination.Set("range", DescribeRange(port));
      break;
    case ClusterPort::Form::kAll:
      return item.Set(absl::AsciiStrToLower(port.protocol), Document::Map());
    default:
      return Unknown();
  }
  Document protocol = Document::Map();
  protocol.Set("destinationPort", std::move(destination));
  return item.Set(absl::AsciiStrToLower(port.protocol), std::move(protocol));
}

// An item of `ports` of v1alpha1, which cannot say "every port of a protocol".
Document DescribePort(const ClusterPort& port) {
  Document item = Document::Map();
  if (port.form == ClusterPort::Form::kNamed) return item.SetText("namedPort", port.name);
  if (port.form == ClusterPort::Form::kRange) {
    return item.Set("portRange", DescribeRange(port).SetText("protocol", port.protocol));
  }
  if (port.form != ClusterPort::Form::kNumber) return Unknown();
  Document number = Document::Map();
  number.Set("port", Document::Number(port.first)).SetText("protocol", port.protocol);
  return item.Set("portNumber", std::move(number));
}

Document DescribeRules(const ClusterPolicy& policy, const std::vector<ClusterRule>& rules,
                       const char* peers_field) {
  const bool v1alpha2 = IsV1Alpha2(policy);
  return Document::ListOf(rules, [&](const ClusterRule& rule) {
    Document map = Document::Map();
    if (!rule.name.empty()) map.SetText("name", rule.name);
    map.SetText("action", rule.action);
    map.Set(peers_field,
            Document::ListOf(rule.peers, [](const ClusterPeer& peer) { return Describe(peer); }));
    if (!rule.ports) return map;
    return map.Set(v1alpha2 ? "protocols" : "ports",
                   Document::ListOf(*rule.ports, v1alpha2 ? DescribeProtocol : DescribePort));
  });
}

Document Describe(const ClusterPolicy& policy) {
  Document spec = Document::Map();
  if (IsV1Alpha2(policy)) spec.SetText("tier", policy.tier);
  if (policy.kind != ClusterPolicyKind::kBaselineAdminNetworkPolicy && policy.priority) {
    spec.Set("priority", Document::Number(*policy.priority));
  }
  Document subject = Document::Map();
  if (policy.subject) SetPods(*policy.subject, subject);
  spec.Set("subject", policy.subject ? std::move(subject) : Unknown());
  if (!policy.ingress.empty()) spec.Set("ingress", DescribeRules(policy, policy.ingress, "from"));
  if (!policy.egress.empty()) spec.Set("egress", DescribeRules(policy, policy.egress, "to"));
  const std::string_view kind = Name(policy.kind);
  Document object = Object(IsV1Alpha2(policy) ? "policy.networking.k8s.io/v1alpha2"
                                              : "policy.networking.k8s.io/v1alpha1",
                           std::string(kind), Metadata("", policy.name));
  return object.Set("spec", std::move(spec));
}

std::string PhaseName(PodPhase phase) {
  switch (phase) {
    case PodPhase::kPending:
      return "Pending";
    case PodPhase::kRunning:
      return "Running";
    case PodPhase::kSucceeded:
      return "Succeeded";
    case PodPhase::kFailed:
      return "Failed";
    case PodPhase::kUnknown:
      return "Unknown";
  }
  return "Unknown";
}

Document DescribePodSpec(const Pod& pod) {
  Document container = Document::Map();
  container.SetText("name", "c");
  container.Set("ports", Document::ListOf(pod.ports, [](const ContainerPort& port) {
                  Document item = Document::Map();
                  if (!port.name.empty()) item.SetText("name", port.name);
                  item.Set("containerPort", Document::Number(port.port));
                  return item.SetText("protocol", port.protocol);
                }));
  Document spec = Document::Map();
  if (!pod.node_name.empty()) spec.SetText("nodeName", pod.node_name);
  if (pod.host_network) spec.Set("hostNetwork", Document::True());
  Document containers =
      Document::ListOf(std::vector<Document>{container}, [](const Document& item) { return item; });
  return spec.Set("containers", std::move(containers));
}

// A workload that stands for pods not given.
Document DescribeWorkload(const Pod& pod) {
  Document labels = Document::Map();
  labels.Set("labels", Describe(pod.labels));
  Document pod_template = Document::Map();
  pod_template.Set("metadata", std::move(labels)).Set("spec", DescribePodSpec(pod));
  Document spec = Document::Map();
  spec.Set("template", std::move(pod_template));
  return Object("apps/v1", pod.owner_kind, Metadata(pod.ns, pod.name)).Set("spec", std::move(spec));
}

Document Describe(const Pod& pod) {
  if (!pod.owner_kind.empty()) return DescribeWorkload(pod);
  Document metadata = Metadata(pod.ns, pod.name);
  if (!pod.labels.empty()) metadata.Set("labels", Describe(pod.labels));
  if (!pod.creation_timestamp.empty()) {
    metadata.SetText("creationTimestamp", pod.creation_timestamp);
  }
  if (pod.terminating) metadata.SetText("deletionTimestamp", "2026-01-01T00:00:00Z");
  Document status = Document::Map();
  status.SetText("phase", PhaseName(pod.phase));
  if (!pod.ips.empty()) {
    status.SetText("podIP", pod.ips.front());
    status.Set("podIPs", Document::ListOf(pod.ips, [](const std::string& ip) {
                 Document item = Document::Map();
                 return item.SetText("ip", ip);
               }));
  }
  Document object = Object("v1", "Pod", std::move(metadata));
  return object.Set("spec", DescribePodSpec(pod)).Set("status", std::move(status));
}

Document Describe(const Namespace& object) {
  Document metadata = Metadata("", object.name);
  return Object("v1", "Namespace", metadata.Set("labels", Describe(object.labels)));
}

Document Describe(const Node& node) {
  Document spec = Document::Map();
  spec.Set("podCIDRs", Document::Texts(node.pod_cidrs));
  Document status = Document::Map();
  status.Set("addresses", Document::ListOf(node.addresses, [](const std::string& address) {
               Document item = Document::Map();
               return item.SetText("type", "InternalIP").SetText("address", address);
             }));
  Document metadata = Metadata("", node.name);
  if (!node.labels.empty()) metadata.Set("labels", Describe(node.labels));
  Document object = Object("v1", "Node", std::move(metadata));
  return object.Set("spec", std::move(spec)).Set("status", std::move(status));
}

Document Describe(const IntOrString& value) {
  const int64_t* number = std::get_if<int64_t>(&value);
  return number != nullptr ? Document::Number(*number) : Document::Text(std::get<1>(value));
}

Document Describe(const ServicePort& port) {
  Document out = Document::Map();
  out.SetText("name", port.name).SetText("protocol", port.protocol);
  out.Set("port", Document::Number(port.port));
  if (port.target_port) out.Set("targetPort", Describe(*port.target_port));
  if (port.node_port != 0) out.Set("nodePort", Document::Number(port.node_port));
  return out;
}

Document DescribeAddress(const std::string& ip) {
  Document out = Document::Map();
  return out.SetText("ip", ip);
}

Document Describe(const Service& service) {
  Document spec = Document::Map();
  // The external ones stand behind those of the cluster.
  std::vector<std::string> cluster_ips = service.cluster_ips;
  cluster_ips.resize(cluster_ips.size() - service.external_ips.size());
  spec.Set("clusterIPs", Document::Texts(cluster_ips)).SetText("type", service.type);
  spec.Set("externalIPs", Document::Texts(service.external_ips));
  spec.Set("selector", Describe(service.selector));
  spec.Set("ports",
           Document::ListOf(service.ports, [](const auto& port) { return Describe(port); }));
  spec.Set("loadBalancerSourceRanges", Document::Texts(service.source_ranges));
  spec.SetText("externalName", service.external_name);
  spec.SetText("externalTrafficPolicy", service.external_traffic);
  Document balancer = Document::Map();
  balancer.Set("ingress", Document::ListOf(service.load_balancer_ips, DescribeAddress));
  Document status = Document::Map();
  status.Set("loadBalancer", std::move(balancer));
  Document object = Object("v1", "Service", Metadata(service.ns, service.name));
  return object.Set("spec", std::move(spec)).Set("status", std::move(status));
}

Document Describe(const IngressBackend& backend) {
  Document port = Document::Map();
  const bool numbered = std::holds_alternative<int64_t>(backend.port);
  port.Set(numbered ? "number" : "name", Describe(backend.port));
  Document service = Document::Map();
  service.SetText("name", backend.service).Set("port", std::move(port));
  Document target = Document::Map();
  target.Set("service", std::move(service));
  Document path = Document::Map();
  path.SetText("path", backend.path).Set("backend", std::move(target));
  Document http = Document::Map();
  http.Set("paths", Document::ListOf(std::vector<Document>{std::move(path)},
                                     [](Document item) { return item; }));
  Document rule = Document::Map();
  return rule.SetText("host", backend.host).Set("http", std::move(http));
}

Document Describe(const Ingress& ingress) {
  Document spec = Document::Map();
  spec.SetText("ingressClassName", ingress.class_name);
  spec.Set("rules", Document::ListOf(ingress.backends,
                                     [](const auto& backend) { return Describe(backend); }));
  Document object = Object("networking.k8s.io/v1", "Ingress", Metadata(ingress.ns, ingress.name));
  return object.Set("spec", std::move(spec));
}

template <typename Visitor>
void ForEachDocument(const Cluster& cluster, Visitor visit) {
  for (const Namespace& object : cluster.namespaces) visit(Describe(object));
  for (const Node& object : cluster.nodes) visit(Describe(object));
  for (const Service& object : cluster.services) visit(Describe(object));
  for (const Ingress& object : cluster.ingresses) visit(Describe(object));
  for (const Pod& object : cluster.pods) visit(Describe(object));
  for (const NetworkPolicy& object : cluster.policies) visit(Describe(object));
  for (const ClusterPolicy& object : cluster.cluster_policies) visit(Describe(object));
}

}  // namespace

std::vector<std::string> YamlDocuments(const Cluster& cluster) {
  std::vector<std::string> documents;
  ForEachDocument(cluster, [&](const Document& document) { documents.push_back(document.Yaml()); });
  return documents;
}

std::string ToJson(const Cluster& cluster) {
  std::vector<std::string> items;
  ForEachDocument(cluster, [&](const Document& document) { items.push_back(document.Json()); });
  return absl::StrCat(R"({"apiVersion": "v1", "kind": "List", "items": [)",
                      absl::StrJoin(items, ",\n"), "]}\n");
}

std::string ToYaml(const Cluster& cluster) {
  std::string text;
  for (const IpPrefix& block : cluster.pod_cidrs) {
    absl::StrAppend(&text, "# --pod-cidr ", npf::ToString(block), "\n");
  }
  for (const IpPrefix& block : cluster.service_cidrs) {
    absl::StrAppend(&text, "# --service-cidr ", npf::ToString(block), "\n");
  }
  for (const ResolvedName& resolved : cluster.resolved_names) {
    absl::StrAppend(&text, "# --domains: ", resolved.name, ",", resolved.address, ",",
                    resolved.expires_s, "\n");
  }
  return absl::StrCat(text, absl::StrJoin(YamlDocuments(cluster), "---\n"));
}

}  // namespace npf::testing
