// Namespaces, pods, nodes and workloads, read for what is needed of them.
#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "load/decode.h"
#include "load/decode_parts.h"

namespace npf::load {
namespace {

std::string ControllerOf(Decoding& decoding, const Node* metadata, const Path& path) {
  std::string controller;
  ForEachItem(decoding, metadata, path.Member("ownerReferences"),
              [&](const Node& reference, const Path& at) {
                const bool controls =
                    decoding.Bool(Member(&reference, "controller"), at.Member("controller"))
                        .value_or(false);
                if (!controls) return;
                controller = absl::StrCat(Text(decoding, &reference, at.Member("kind")), "/",
                                          Text(decoding, &reference, at.Member("name")));
              });
  return controller;
}

void DecodeContainerPorts(Decoding& decoding, const Node& container, const Path& path, Pod& out) {
  ForEachItem(decoding, &container, path.Member("ports"), [&](const Node& node, const Path& at) {
    ContainerPort port;
    port.name = Text(decoding, &node, at.Member("name"));
    port.port =
        decoding.Integer(Member(&node, "containerPort"), at.Member("containerPort")).value_or(0);
    port.protocol =
        decoding.String(Member(&node, "protocol"), at.Member("protocol")).value_or("TCP");
    out.ports.push_back(std::move(port));
  });
}

// R28: init containers count where they keep running beside the others.
void DecodePodSpec(Decoding& decoding, const Node* spec, const Path& path, Pod& out) {
  out.node_name = Text(decoding, spec, path.Member("nodeName"));
  out.host_network =
      decoding.Bool(Member(spec, "hostNetwork"), path.Member("hostNetwork")).value_or(false);
  ForEachItem(decoding, spec, path.Member("containers"), [&](const Node& node, const Path& at) {
    DecodeContainerPorts(decoding, node, at, out);
  });
  ForEachItem(decoding, spec, path.Member("initContainers"), [&](const Node& node, const Path& at) {
    if (Text(decoding, &node, at.Member("restartPolicy")) == "Always") {
      DecodeContainerPorts(decoding, node, at, out);
    }
  });
}

PodPhase PhaseOf(std::string_view text) {
  if (text == "Pending") return PodPhase::kPending;
  if (text == "Running") return PodPhase::kRunning;
  if (text == "Succeeded") return PodPhase::kSucceeded;
  if (text == "Failed") return PodPhase::kFailed;
  return PodPhase::kUnknown;
}

// R49: podIPs; podIP where there are none.
void DecodePodStatus(Decoding& decoding, const Node* status, const Path& path, Pod& out) {
  out.phase = PhaseOf(Text(decoding, status, path.Member("phase")));
  ForEachItem(decoding, status, path.Member("podIPs"), [&](const Node& node, const Path& at) {
    std::string ip = Text(decoding, &node, at.Member("ip"));
    if (!ip.empty()) out.ips.push_back(std::move(ip));
  });
  std::string single = Text(decoding, status, path.Member("podIP"));
  if (single.empty()) return;
  if (out.ips.empty()) {
    out.ips.push_back(std::move(single));
  } else if (out.ips.front() != single) {
    decoding.Warning(FindMember(*status, "podIP")->mark, "status.podIP",
                     absl::StrCat(EscapeForMessage(single), " is not the first of podIPs (",
                                  EscapeForMessage(out.ips.front()), "); podIPs count"));
  }
}

}  // namespace

// Most annotations are long and nobody asks for them.
Labels DecodeAnnotations(const Node* metadata) {
  constexpr std::string_view kDomains[] = {"npf/", "istio.io/", "linkerd.io/"};
  Labels out;
  const Node* map = Member(metadata, "annotations");
  if (map == nullptr || map->kind != NodeKind::kMap) return out;
  for (const Node* member = map->first; member != nullptr; member = member->next) {
    if (member->kind != NodeKind::kString) continue;
    const std::string_view key = member->key;
    const bool is_read =
        std::any_of(std::begin(kDomains), std::end(kDomains), [&](std::string_view domain) {
          return key.starts_with(domain) || key.find("." + std::string(domain)) != key.npos;
        });
    if (is_read) out.Set(std::string(key), std::string(member->text));
  }
  return out;
}

Metadata DecodeMetadata(Decoding& decoding, const Node& root) {
  Metadata out;
  const Path object;
  const Path path = object.Member("metadata");
  const Node* node = MemberMap(decoding, &root, path);
  out.name = Text(decoding, node, path.Member("name"));
  out.ns = Text(decoding, node, path.Member("namespace"));
  out.labels = decoding.StringMap(Member(node, "labels"), path.Member("labels"));
  out.annotations = DecodeAnnotations(node);
  out.creation_timestamp = Text(decoding, node, path.Member("creationTimestamp"));
  const Node* deletion = Member(node, "deletionTimestamp");
  out.terminating = deletion != nullptr && deletion->kind != NodeKind::kNull;
  out.controller = ControllerOf(decoding, node, path);
  const std::string prefix = Text(decoding, node, path.Member("generateName"));
  if (out.name.empty() && !prefix.empty()) {
    out.name = prefix.substr(0, prefix.find_last_not_of('-') + 1);
    decoding.Warning(FindMember(*node, "generateName")->mark, "metadata.generateName",
                     absl::StrCat("the API server would make a name of it; here it is ",
                                  EscapeForMessage(out.name)));
  }
  return out;
}

Namespace DecodeNamespace(Decoding& decoding, const Node& root) {
  Namespace out;
  Metadata metadata = DecodeMetadata(decoding, root);
  out.name = std::move(metadata.name);
  out.labels = std::move(metadata.labels);
  out.annotations = std::move(metadata.annotations);
  out.position = decoding.PositionOf(root.mark);
  return out;
}

Pod DecodePod(Decoding& decoding, const Node& root) {
  Pod out;
  Metadata metadata = DecodeMetadata(decoding, root);
  out.ns = std::move(metadata.ns);
  out.name = std::move(metadata.name);
  out.labels = std::move(metadata.labels);
  out.creation_timestamp = std::move(metadata.creation_timestamp);
  out.terminating = metadata.terminating;
  out.controller = std::move(metadata.controller);
  out.annotations = std::move(metadata.annotations);
  out.position = decoding.PositionOf(root.mark);
  const Path path;
  const Path spec = path.Member("spec");
  const Path status = path.Member("status");
  DecodePodSpec(decoding, MemberMap(decoding, &root, spec), spec, out);
  DecodePodStatus(decoding, MemberMap(decoding, &root, status), status, out);
  return out;
}

npf::Node DecodeNode(Decoding& decoding, const Node& root) {
  npf::Node out;
  Metadata metadata = DecodeMetadata(decoding, root);
  out.name = std::move(metadata.name);
  out.labels = std::move(metadata.labels);
  out.position = decoding.PositionOf(root.mark);
  const Path path;
  const Path status = path.Member("status");
  ForEachItem(decoding, MemberMap(decoding, &root, status), status.Member("addresses"),
              [&](const Node& node, const Path& at) {
                const std::string type = Text(decoding, &node, at.Member("type"));
                if (type != "InternalIP" && type != "ExternalIP") return;  // R55
                std::string address = Text(decoding, &node, at.Member("address"));
                if (!address.empty()) out.addresses.push_back(std::move(address));
              });
  const Path spec = path.Member("spec");
  const Node* fields = MemberMap(decoding, &root, spec);
  out.pod_cidrs = decoding.Strings(Member(fields, "podCIDRs"), spec.Member("podCIDRs"));
  std::string single = Text(decoding, fields, spec.Member("podCIDR"));
  if (out.pod_cidrs.empty() && !single.empty()) out.pod_cidrs.push_back(std::move(single));
  return out;
}

std::optional<Workload> DecodeWorkload(Decoding& decoding, const Node& root) {
  Workload out;
  Pod& pod = out.stand_in;
  Metadata metadata = DecodeMetadata(decoding, root);
  pod.ns = std::move(metadata.ns);
  pod.name = std::move(metadata.name);
  pod.controller = std::move(metadata.controller);
  pod.owner_kind = decoding.kind();
  pod.position = decoding.PositionOf(root.mark);
  const Path path;
  const Path spec = path.Member("spec");
  const Node* fields = MemberMap(decoding, &root, spec);
  if (decoding.Integer(Member(fields, "replicas"), spec.Member("replicas")).value_or(1) == 0) {
    return std::nullopt;
  }
  if (const Node* selector = MemberMap(decoding, fields, spec.Member("selector"))) {
    out.selector = DecodeSelector(decoding, *selector, spec.Member("selector"));
  }
  // CronJob has its pod template one level deeper than the others.
  const bool is_cron_job = pod.owner_kind == "CronJob";
  const Path job = spec.Member("jobTemplate");
  const Path job_spec = job.Member("spec");
  if (is_cron_job) fields = MemberMap(decoding, MemberMap(decoding, fields, job), job_spec);
  const Path pod_template = is_cron_job ? job_spec.Member("template") : spec.Member("template");
  const Node* node = MemberMap(decoding, fields, pod_template);
  const Path template_metadata = pod_template.Member("metadata");
  const Path labels = template_metadata.Member("labels");
  const Node* template_fields = MemberMap(decoding, node, template_metadata);
  pod.labels = decoding.StringMap(Member(template_fields, "labels"), labels);
  pod.annotations = DecodeAnnotations(template_fields);
  for (const auto& [key, value] : metadata.annotations) {
    if (key.starts_with("npf/")) pod.annotations.Set(key, value);
  }
  const Path template_spec = pod_template.Member("spec");
  DecodePodSpec(decoding, MemberMap(decoding, node, template_spec), template_spec, pod);
  return out;
}

}  // namespace npf::load
