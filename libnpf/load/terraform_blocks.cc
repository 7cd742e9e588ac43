#include "load/terraform_blocks.h"

#include <algorithm>
#include <string>

#include "load/grow.h"

namespace npf::load {
namespace {

using enum BlockShape;

constexpr BlockField kMetadataFields[] = {
    {"name", "name", kText},
    {"generate_name", "generateName", kText},
    {"namespace", "namespace", kText},
    {"labels", "labels", kTextMap},
    {"annotations", "annotations", kTextMap, {}, true},
    {"uid", "", kIgnored},
    {"generation", "", kIgnored},
    {"resource_version", "", kIgnored},
    {"self_link", "", kIgnored},
};
constexpr BlockField kTemplateMetadataFields[] = {{"labels", "labels", kTextMap}};

constexpr BlockField kRequirementFields[] = {
    {"key", "key", kText}, {"operator", "operator", kText}, {"values", "values", kTexts}};
constexpr BlockField kSelectorFields[] = {
    {"match_labels", "matchLabels", kTextMap},
    {"match_expressions", "matchExpressions", kBlocks, kRequirementFields}};

constexpr BlockField kIpBlockFields[] = {{"cidr", "cidr", kText}, {"except", "except", kTexts}};
constexpr BlockField kPeerFields[] = {
    {"ip_block", "ipBlock", kBlock, kIpBlockFields},
    {"namespace_selector", "namespaceSelector", kBlock, kSelectorFields},
    {"pod_selector", "podSelector", kBlock, kSelectorFields}};
constexpr BlockField kPolicyPortFields[] = {
    {"port", "port", kPort}, {"end_port", "endPort", kNumber}, {"protocol", "protocol", kText}};
constexpr BlockField kIngressRuleFields[] = {{"ports", "ports", kBlocks, kPolicyPortFields},
                                             {"from", "from", kBlocks, kPeerFields}};
constexpr BlockField kEgressRuleFields[] = {{"ports", "ports", kBlocks, kPolicyPortFields},
                                            {"to", "to", kBlocks, kPeerFields}};
constexpr BlockField kPolicySpecFields[] = {
    {"pod_selector", "podSelector", kBlock, kSelectorFields},
    {"ingress", "ingress", kBlocks, kIngressRuleFields},
    {"egress", "egress", kBlocks, kEgressRuleFields},
    {"policy_types", "policyTypes", kTexts}};
constexpr BlockField kPolicyFields[] = {{"metadata", "metadata", kBlock, kMetadataFields},
                                        {"spec", "spec", kBlock, kPolicySpecFields}};

constexpr BlockField kContainerPortFields[] = {{"name", "name", kText},
                                               {"container_port", "containerPort", kNumber},
                                               {"protocol", "protocol", kText}};
constexpr BlockField kContainerFields[] = {{"port", "ports", kBlocks, kContainerPortFields},
                                           {"restart_policy", "restartPolicy", kText}};
constexpr BlockField kPodSpecFields[] = {
    {"node_name", "nodeName", kText, {}, true},
    {"host_network", "hostNetwork", kNumber},
    {"container", "containers", kBlocks, kContainerFields},
    {"init_container", "initContainers", kBlocks, kContainerFields}};
constexpr BlockField kPodFields[] = {{"metadata", "metadata", kBlock, kMetadataFields},
                                     {"spec", "spec", kBlock, kPodSpecFields}};
constexpr BlockField kTemplateFields[] = {{"metadata", "metadata", kBlock, kTemplateMetadataFields},
                                          {"spec", "spec", kBlock, kPodSpecFields}};
constexpr BlockField kWorkloadSpecFields[] = {
    {"replicas", "replicas", kCount, {}, true},
    {"selector", "selector", kBlock, kSelectorFields, true},
    {"template", "template", kBlock, kTemplateFields}};
constexpr BlockField kWorkloadFields[] = {{"metadata", "metadata", kBlock, kMetadataFields},
                                          {"spec", "spec", kBlock, kWorkloadSpecFields}};
constexpr BlockField kJobSpecFields[] = {{"template", "template", kBlock, kTemplateFields}};
constexpr BlockField kJobFields[] = {{"metadata", "metadata", kBlock, kMetadataFields},
                                     {"spec", "spec", kBlock, kJobSpecFields}};
constexpr BlockField kJobTemplateFields[] = {{"spec", "spec", kBlock, kJobSpecFields}};
constexpr BlockField kCronJobSpecFields[] = {
    {"job_template", "jobTemplate", kBlock, kJobTemplateFields}};
constexpr BlockField kCronJobFields[] = {{"metadata", "metadata", kBlock, kMetadataFields},
                                         {"spec", "spec", kBlock, kCronJobSpecFields}};

constexpr BlockField kServicePortFields[] = {{"name", "name", kText},
                                             {"port", "port", kNumber},
                                             {"target_port", "targetPort", kPort, {}, true},
                                             {"node_port", "nodePort", kNumber, {}, true},
                                             {"protocol", "protocol", kText}};
constexpr BlockField kServiceSpecFields[] = {
    {"type", "type", kText},
    {"selector", "selector", kTextMap},
    {"cluster_ip", "clusterIP", kText, {}, true},
    {"cluster_ips", "clusterIPs", kTexts, {}, true},
    {"external_ips", "externalIPs", kTexts},
    {"external_name", "externalName", kText},
    {"external_traffic_policy", "externalTrafficPolicy", kText, {}, true},
    {"load_balancer_source_ranges", "loadBalancerSourceRanges", kTexts},
    {"publish_not_ready_addresses", "publishNotReadyAddresses", kNumber},
    {"port", "ports", kBlocks, kServicePortFields}};
constexpr BlockField kServiceFields[] = {{"metadata", "metadata", kBlock, kMetadataFields},
                                         {"spec", "spec", kBlock, kServiceSpecFields}};
constexpr BlockField kNamespaceFields[] = {{"metadata", "metadata", kBlock, kMetadataFields}};

constexpr BlockType kTypes[] = {
    {"kubernetes_network_policy", "networking.k8s.io/v1", "NetworkPolicy", kPolicyFields, true},
    {"kubernetes_namespace", "v1", "Namespace", kNamespaceFields},
    {"kubernetes_pod", "v1", "Pod", kPodFields},
    {"kubernetes_service", "v1", "Service", kServiceFields},
    {"kubernetes_deployment", "apps/v1", "Deployment", kWorkloadFields},
    {"kubernetes_stateful_set", "apps/v1", "StatefulSet", kWorkloadFields},
    {"kubernetes_daemonset", "apps/v1", "DaemonSet", kWorkloadFields},
    {"kubernetes_daemon_set", "apps/v1", "DaemonSet", kWorkloadFields},
    {"kubernetes_job", "batch/v1", "Job", kJobFields},
    {"kubernetes_cron_job", "batch/v1", "CronJob", kCronJobFields},
};

// Whether a value is what the provider has for one that is not given.
bool IsNotGiven(const Node* value) {
  if (value == nullptr || value->kind == NodeKind::kNull) return true;
  if (value->kind == NodeKind::kString) return value->text.empty();
  if (value->kind == NodeKind::kInt) return value->text == "0";
  return (value->kind == NodeKind::kList || value->kind == NodeKind::kMap) && value->count == 0;
}

class BlockReader {
 public:
  BlockReader(Arena& arena, bool strict) : arena_(arena), strict_(strict) {}

  void AddFields(const Node* block, const Node* unknown, std::span<const BlockField> fields,
                 Children& out);
  Node* Block(const Node& block, const Node* unknown, std::span<const BlockField> fields);

 private:
  Node* Value(const Node* value, const Node* unknown, const BlockField& field);
  Node* TextMap(const Node& map, const Node* unknown, const BlockField& field);
  Node* Blocks(const Node& list, const Node* unknown, const BlockField& field);
  Node* Number(const Node& value);
  void KeepUnknownFields(const Node& block, std::span<const BlockField> fields, Children& out);

  Arena& arena_;
  bool strict_;
};

// "080" is 80 to the provider, which would be something else to us.
Node* BlockReader::Number(const Node& value) {
  Node* out = Share(arena_, value);
  if (value.kind != NodeKind::kString) return out;
  std::string_view digits = value.text;
  const bool is_negative = digits.starts_with('-');
  if (is_negative || digits.starts_with('+')) digits.remove_prefix(1);
  const bool is_number = !digits.empty() && std::all_of(digits.begin(), digits.end(), [](char c) {
    return c >= '0' && c <= '9';
  });
  if (!is_number) return out;
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size() - 1));
  out->kind = NodeKind::kInt;
  out->text = arena_.Copy((is_negative ? "-" : "") + std::string(digits));
  return out;
}

Node* BlockReader::TextMap(const Node& map, const Node* unknown, const BlockField& field) {
  return MarkUnknown(arena_, map, field.server_sets ? nullptr : unknown);
}

Node* BlockReader::Blocks(const Node& list, const Node* unknown, const BlockField& field) {
  Node* out = NewNode(arena_, NodeKind::kList, list.mark);
  Children children(out);
  const bool has_marks = unknown != nullptr && unknown->kind == NodeKind::kList;
  const Node* mark = has_marks ? unknown->first : nullptr;
  for (const Node* item = list.first; item != nullptr; item = item->next) {
    children.AddItem(Block(*item, mark, field.fields));
    if (mark != nullptr) mark = mark->next;
  }
  if (HasUnknown(mark)) children.AddItem(NewNode(arena_, NodeKind::kUnknown, list.mark));
  return out;
}

// nullptr where it is not given.
Node* BlockReader::Value(const Node* value, const Node* unknown, const BlockField& field) {
  const bool has_keys =  // that are not known, of a map that may be empty without them
      value != nullptr && value->kind == NodeKind::kMap && HasUnknown(unknown);
  if (IsTrue(unknown) || (IsNotGiven(value) && !has_keys && HasUnknown(unknown))) {
    if (field.server_sets) return nullptr;
    return NewNode(arena_, NodeKind::kUnknown, value == nullptr ? unknown->mark : value->mark);
  }
  if (IsNotGiven(value) && !has_keys) return nullptr;
  const bool is_list = value->kind == NodeKind::kList;
  switch (field.shape) {
    case kText:
    case kNumber:
      return Share(arena_, *value);
    case kPort:
    case kCount:
      return Number(*value);
    case kTexts:
    case kTextMap:
      return TextMap(*value, unknown, field);
    case kBlock:
      if (is_list && value->count == 1) return Blocks(*value, unknown, field)->first;
      return Share(arena_, *value);
    case kBlocks:
      return is_list ? Blocks(*value, unknown, field) : Share(arena_, *value);
    case kIgnored:
      break;
  }
  return nullptr;
}

void BlockReader::KeepUnknownFields(const Node& block, std::span<const BlockField> fields,
                                    Children& out) {
  for (const Node* member = block.first; member != nullptr; member = member->next) {
    const bool is_known = std::any_of(fields.begin(), fields.end(), [&](const BlockField& field) {
      return field.name == member->key;
    });
    if (is_known || IsNotGiven(member)) continue;
    out.Add(member->key, member->key_mark, Share(arena_, *member));
  }
}

void BlockReader::AddFields(const Node* block, const Node* unknown,
                            std::span<const BlockField> fields, Children& out) {
  const bool has_prefix = !TextOfMember(block, "generate_name").empty();
  for (const BlockField& field : fields) {
    if (field.shape == kIgnored) continue;
    const Node* value = MemberOf(block, field.name);
    const Node* mark = MemberOf(unknown, field.name);
    // The server makes a name of generate_name.
    if (has_prefix && field.name == "name") mark = nullptr;
    Node* child = Value(value, mark, field);
    if (child == nullptr) continue;
    out.Add(field.api_name, value == nullptr ? child->mark : value->key_mark, child);
  }
}

Node* BlockReader::Block(const Node& block, const Node* unknown,
                         std::span<const BlockField> fields) {
  if (IsTrue(unknown)) return NewNode(arena_, NodeKind::kUnknown, block.mark);
  if (block.kind != NodeKind::kMap) return Share(arena_, block);
  Node* out = NewNode(arena_, NodeKind::kMap, block.mark);
  Children children(out);
  AddFields(&block, unknown, fields, children);
  if (strict_) KeepUnknownFields(block, fields, children);
  return out;
}

}  // namespace

const BlockType* FindBlockType(std::string_view resource_type) {
  if (resource_type.ends_with("_v1")) resource_type.remove_suffix(3);
  for (const BlockType& type : kTypes) {
    if (type.name == resource_type) return &type;
  }
  return nullptr;
}

Node* ObjectOfBlocks(Arena& arena, const BlockType& type, const Node& values, const Node* unknown) {
  Node* object = NewNode(arena, NodeKind::kMap, values.mark);
  Children children(object);
  const auto add_text = [&](std::string_view key, std::string_view text) {
    children.Add(key, values.mark, NewNode(arena, NodeKind::kString, values.mark, text));
  };
  add_text("apiVersion", type.api_version);
  add_text("kind", type.kind);
  BlockReader(arena, type.strict).AddFields(&values, unknown, type.fields, children);
  return object;
}

}  // namespace npf::load
