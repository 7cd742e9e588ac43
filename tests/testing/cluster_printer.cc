// Cluster -> Kubernetes objects, as YAML or JSON.
#include <string>
#include <vector>

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
  Document object = Object("v1", "Node", Metadata("", node.name));
  return object.Set("spec", std::move(spec)).Set("status", std::move(status));
}

Document Describe(const Service& service) {
  Document spec = Document::Map();
  spec.Set("clusterIPs", Document::Texts(service.cluster_ips));
  return Object("v1", "Service", Metadata(service.ns, service.name)).Set("spec", std::move(spec));
}

template <typename Visitor>
void ForEachDocument(const Cluster& cluster, Visitor visit) {
  for (const Namespace& object : cluster.namespaces) visit(Describe(object));
  for (const Node& object : cluster.nodes) visit(Describe(object));
  for (const Service& object : cluster.services) visit(Describe(object));
  for (const Pod& object : cluster.pods) visit(Describe(object));
  for (const NetworkPolicy& object : cluster.policies) visit(Describe(object));
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
  return absl::StrCat(text, absl::StrJoin(YamlDocuments(cluster), "---\n"));
}

}  // namespace npf::testing
