// Clusters as `kubectl get` prints them. Pods bear the fields that real ones bear, so that a dump
// has a real one's size: about 1.3 KB of JSON a pod.
#include "absl/strings/str_cat.h"
#include "workload.h"

namespace npf::bench {
namespace {

// One indentation-free emitter for both formats: YAML is written in block style with explicit
// indentation, JSON compactly.
class JsonWriter {
 public:
  std::string Write(const Cluster& cluster) {
    text_ = R"({"apiVersion":"v1","items":[)";
    for (const Namespace& ns : cluster.namespaces) {
      Item();
      absl::StrAppend(&text_, R"({"apiVersion":"v1","kind":"Namespace","metadata":{"labels":)");
      AppendLabels(ns.labels);
      absl::StrAppend(&text_, R"(,"name":")", ns.name, R"("},"status":{"phase":"Active"}})");
    }
    for (const Node& node : cluster.nodes) AppendNode(node);
    for (const Pod& pod : cluster.pods) AppendPod(pod);
    for (const NetworkPolicy& policy : cluster.policies) AppendPolicy(policy);
    for (const ClusterPolicy& policy : cluster.cluster_policies) AppendClusterPolicy(policy);
    text_ += R"(],"kind":"List","metadata":{"resourceVersion":""}})";
    return std::move(text_);
  }

 private:
  void Item() {
    if (text_.back() != '[') text_ += ',';
  }

  void AppendLabels(const Labels& labels) {
    text_ += '{';
    for (const auto& [key, value] : labels) {
      absl::StrAppend(&text_, text_.back() == '{' ? "\"" : ",\"", key, "\":\"", value, "\"");
    }
    text_ += '}';
  }

  void AppendStrings(const std::vector<std::string>& strings) {
    text_ += '[';
    for (const std::string& string : strings) {
      Item();
      absl::StrAppend(&text_, "\"", string, "\"");
    }
    text_ += ']';
  }

  void AppendNode(const Node& node) {
    Item();
    absl::StrAppend(&text_, R"({"apiVersion":"v1","kind":"Node","metadata":{"name":")", node.name,
                    R"("},"spec":{"podCIDRs":)");
    AppendStrings(node.pod_cidrs);
    text_ += R"(},"status":{"addresses":[)";
    for (const std::string& address : node.addresses) {
      Item();
      absl::StrAppend(&text_, R"({"address":")", address, R"(","type":"InternalIP"})");
    }
    text_ += "]}}";
  }

  void AppendPod(const Pod& pod) {
    Item();
    absl::StrAppend(&text_, R"({"apiVersion":"v1","kind":"Pod","metadata":{"creationTimestamp":")",
                    pod.creation_timestamp, R"(","generateName":")", pod.name, R"(-","labels":)");
    AppendLabels(pod.labels);
    absl::StrAppend(
        &text_, R"(,"name":")", pod.name, R"(","namespace":")", pod.ns,
        R"(","ownerReferences":[{"apiVersion":"apps/v1","blockOwnerDeletion":true,"controller":true,)"
        R"("kind":"ReplicaSet","name":"rs","uid":"2f0e5d6a-0000-4000-8000-000000000000"}],)"
        R"("resourceVersion":"123456","uid":"7d0e5d6a-0000-4000-8000-000000000000"},"spec":{)"
        R"("containers":[{"image":"registry.example/app:1.2.3","imagePullPolicy":"IfNotPresent",)"
        R"("name":"main","ports":[{"containerPort":8080,"name":"http","protocol":"TCP"}],)"
        R"("resources":{"limits":{"cpu":"500m","memory":"256Mi"},"requests":{"cpu":"100m",)"
        R"("memory":"128Mi"}},"terminationMessagePath":"/dev/termination-log",)"
        R"("terminationMessagePolicy":"File"}],"dnsPolicy":"ClusterFirst","enableServiceLinks":true,)"
        R"("nodeName":")",
        pod.node_name,
        R"(","restartPolicy":"Always","schedulerName":"default-scheduler","serviceAccountName":"default"},)"
        R"("status":{"conditions":[{"lastProbeTime":null,"status":"True","type":"Ready"}],)"
        R"("containerStatuses":[{"name":"main","ready":true,"restartCount":0,"state":{"running":)"
        R"({"startedAt":"2026-01-01T00:00:00Z"}}}],"hostIP":"172.16.0.1","phase":"Running","podIP":")",
        pod.ips[0], R"(","podIPs":[)");
    for (const std::string& ip : pod.ips) {
      Item();
      absl::StrAppend(&text_, R"({"ip":")", ip, R"("})");
    }
    text_ += R"(],"qosClass":"Burstable"}})";
  }

  void AppendSelector(const LabelSelector& selector) {
    text_ += R"({"matchLabels":)";
    AppendLabels(selector.match_labels);
    if (!selector.match_expressions.empty()) {
      text_ += R"(,"matchExpressions":[)";
      for (const LabelRequirement& requirement : selector.match_expressions) {
        Item();
        absl::StrAppend(&text_, R"({"key":")", requirement.key, R"(","operator":")", requirement.op,
                        R"(","values":)");
        AppendStrings(requirement.values);
        text_ += '}';
      }
      text_ += ']';
    }
    text_ += '}';
  }

  void AppendPeer(const PolicyPeer& peer) {
    Item();
    text_ += '{';
    if (peer.ip_block) {
      absl::StrAppend(&text_, R"("ipBlock":{"cidr":")", peer.ip_block->cidr, R"(","except":)");
      AppendStrings(peer.ip_block->except);
      text_ += '}';
    }
    if (peer.namespace_selector) {
      text_ += R"("namespaceSelector":)";
      AppendSelector(*peer.namespace_selector);
    }
    if (peer.pod_selector) {
      absl::StrAppend(&text_, peer.namespace_selector ? "," : "", R"("podSelector":)");
      AppendSelector(*peer.pod_selector);
    }
    text_ += '}';
  }

  void AppendRules(const char* field, const char* peers, const std::vector<PolicyRule>& rules) {
    absl::StrAppend(&text_, ",\"", field, "\":[");
    for (const PolicyRule& rule : rules) {
      Item();
      absl::StrAppend(&text_, "{\"", peers, "\":[");
      for (const PolicyPeer& peer : rule.peers) AppendPeer(peer);
      text_ += R"(],"ports":[)";
      for (const PolicyPort& port : rule.ports) {
        Item();
        absl::StrAppend(&text_, R"({"protocol":")", port.protocol.value_or("TCP"), R"(","port":)",
                        std::get<int64_t>(*port.port));
        if (port.end_port) absl::StrAppend(&text_, R"(,"endPort":)", *port.end_port);
        text_ += '}';
      }
      text_ += "]}";
    }
    text_ += ']';
  }

  void AppendPolicy(const NetworkPolicy& policy) {
    Item();
    absl::StrAppend(
        &text_,
        R"({"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":")",
        policy.name, R"(","namespace":")", policy.ns, R"("},"spec":{"podSelector":)");
    AppendSelector(policy.pod_selector);
    if (!policy.ingress.empty()) AppendRules("ingress", "from", policy.ingress);
    if (!policy.egress.empty()) AppendRules("egress", "to", policy.egress);
    text_ += R"(,"policyTypes":)";
    AppendStrings(policy.policy_types);
    text_ += "}}";
  }

  void AppendPods(const ClusterPods& pods) {
    if (!pods.pod_selector) {
      text_ += R"({"namespaces":)";
      AppendSelector(pods.namespace_selector);
    } else {
      text_ += R"({"pods":{"namespaceSelector":)";
      AppendSelector(pods.namespace_selector);
      text_ += R"(,"podSelector":)";
      AppendSelector(*pods.pod_selector);
      text_ += '}';
    }
    text_ += '}';
  }

  void AppendClusterRules(const char* field, const char* peers,
                          const std::vector<ClusterRule>& rules) {
    absl::StrAppend(&text_, ",\"", field, "\":[");
    for (const ClusterRule& rule : rules) {
      Item();
      absl::StrAppend(&text_, R"({"action":")", rule.action, R"(","name":")", rule.name, "\",\"",
                      peers, "\":[");
      for (const ClusterPeer& peer : rule.peers) {
        Item();
        if (peer.pods) {
          AppendPods(*peer.pods);
        } else {
          absl::StrAppend(&text_, R"({"networks":[")", peer.networks->front(), R"("]})");
        }
      }
      text_ += ']';
      if (rule.ports) {
        const ClusterPort& port = rule.ports->front();
        absl::StrAppend(&text_, R"(,"protocols":[{")", port.protocol == "UDP" ? "udp" : "tcp",
                        R"(":{"destinationPort":{"number":)", port.first, "}}}]");
      }
      text_ += '}';
    }
    text_ += ']';
  }

  void AppendClusterPolicy(const ClusterPolicy& policy) {
    Item();
    absl::StrAppend(&text_,
                    R"({"apiVersion":"policy.networking.k8s.io/v1alpha2","kind":)"
                    R"("ClusterNetworkPolicy","metadata":{"name":")",
                    policy.name, R"("},"spec":{"tier":")", policy.tier, R"(","priority":)",
                    *policy.priority, R"(,"subject":)");
    AppendPods(*policy.subject);
    if (!policy.ingress.empty()) AppendClusterRules("ingress", "from", policy.ingress);
    if (!policy.egress.empty()) AppendClusterRules("egress", "to", policy.egress);
    text_ += "}}";
  }

  std::string text_;
};

// Re-writes compact JSON without escapes as block-style YAML.
class YamlWriter {
 public:
  explicit YamlWriter(const std::string& json) : json_(json) {}

  std::string Write() {
    Value(0, false);
    text_ += '\n';
    return std::move(text_);
  }

 private:
  void Line(size_t indent) { absl::StrAppend(&text_, "\n", std::string(indent, ' ')); }

  // `in_item`: the first line goes on behind "- ".
  void Value(size_t indent, bool in_item) {
    if (json_[at_] == '{') return Mapping(indent, in_item);
    if (json_[at_] == '[') return Sequence(indent);
    Scalar();
  }

  void Mapping(size_t indent, bool in_item) {
    if (json_[++at_] == '}') {
      text_ += "{}";
      ++at_;
      return;
    }
    for (bool first = true;; first = false) {
      if (!(first && in_item)) Line(indent);
      Scalar();
      text_ += ':';
      ++at_;
      if (!IsBlock()) text_ += ' ';
      Value(indent + 2, false);
      if (json_[at_++] == '}') return;
    }
  }

  void Sequence(size_t indent) {
    if (json_[++at_] == ']') {
      text_ += "[]";
      ++at_;
      return;
    }
    for (;;) {
      Line(indent - 2);
      text_ += "- ";
      Value(indent, true);
      if (json_[at_++] == ']') return;
    }
  }

  bool IsBlock() const {
    return (json_[at_] == '{' && json_[at_ + 1] != '}') ||
           (json_[at_] == '[' && json_[at_ + 1] != ']');
  }

  void Scalar() {
    const size_t start = at_;
    if (json_[at_] == '"') {
      at_ = json_.find('"', at_ + 1) + 1;
    } else {
      at_ = json_.find_first_of(",]}", at_);
    }
    text_.append(json_, start, at_ - start);
  }

  const std::string& json_;
  size_t at_ = 0;
  std::string text_;
};

}  // namespace

std::string ToJson(const Cluster& cluster) { return JsonWriter().Write(cluster); }
std::string ToYaml(const Cluster& cluster) { return YamlWriter(ToJson(cluster)).Write(); }

}  // namespace npf::bench
