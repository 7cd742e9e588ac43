#include "load/wrapped.h"

#include <algorithm>
#include <string>

#include "load/grow.h"

namespace npf::load {
namespace {

constexpr std::string_view kManifestPath = "spec.forProvider.manifest";

// Observe alone, or with Delete: the object is somebody else's, and the manifest may be but a name.
bool IsOnlyObserved(const Node* spec) {
  const std::string_view policy = TextOfMember(spec, "managementPolicy");  // v1alpha1
  if (policy == "Observe" || policy == "ObserveDelete") return true;
  const Node* policies = MemberOf(spec, "managementPolicies");
  if (policies == nullptr || policies->kind != NodeKind::kList || policies->count == 0)
    return false;
  for (const Node* item = policies->first; item != nullptr; item = item->next) {
    if (item->text == "*" || item->text == "Create" || item->text == "Update") return false;
  }
  return true;
}

// `at` of `path` ("spec.ports[0].port") becomes kUnknown. What a path goes through is copied; where
// it leads nowhere, or into a list, all that is there is unknown.
Node* WithUnknown(Arena& arena, const Node& at, std::string_view path) {
  const size_t end = path.find_first_of(".[");
  const std::string_view name = path.substr(0, end);
  const bool goes_on = end != std::string_view::npos && path[end] == '.';
  if (at.kind != NodeKind::kMap || name.empty()) return NewNode(arena, NodeKind::kUnknown, at.mark);
  Node* out = NewNode(arena, NodeKind::kMap, at.mark);
  Children children(out);
  const Node* target = FindMember(at, name);
  for (const Node* member = at.first; member != nullptr; member = member->next) {
    if (member->key == name) continue;
    children.Add(member->key, member->key_mark, Share(arena, *member));
  }
  const bool is_inside = goes_on && target != nullptr;
  children.Add(name, target == nullptr ? at.mark : target->key_mark,
               is_inside ? WithUnknown(arena, *target, path.substr(end + 1))
                         : NewNode(arena, NodeKind::kUnknown, at.mark));
  return out;
}

const Node* WithPatches(Arena& arena, const Node* manifest, const Node* references) {
  constexpr uint32_t kPatchesMax = 64;  // each copies a part of the manifest
  if (references == nullptr || references->kind != NodeKind::kList) return manifest;
  if (references->count > kPatchesMax) return NewNode(arena, NodeKind::kUnknown, manifest->mark);
  for (const Node* item = references->first; item != nullptr; item = item->next) {
    const Node* from = MemberOf(item, "patchesFrom");
    if (from == nullptr) continue;
    std::string_view path = TextOfMember(item, "toFieldPath");
    if (path.empty()) path = TextOfMember(from, "fieldPath");
    manifest = WithUnknown(arena, *manifest, path);
  }
  return manifest;
}

const Node* WithName(Arena& arena, const Node* manifest, const Node* object_metadata) {
  const Node* metadata = MemberOf(manifest, "metadata");
  const Node* name = MemberOf(object_metadata, "name");
  const bool can_be_named = metadata == nullptr || metadata->kind == NodeKind::kMap;
  if (name == nullptr || !can_be_named || MemberOf(metadata, "name") != nullptr) return manifest;
  Node* out = NewNode(arena, NodeKind::kMap, manifest->mark);
  Children children(out);
  for (const Node* member = manifest->first; member != nullptr; member = member->next) {
    if (member->key == "metadata") continue;
    children.Add(member->key, member->key_mark, Share(arena, *member));
  }
  Node* named = NewNode(arena, NodeKind::kMap, metadata == nullptr ? name->mark : metadata->mark);
  Children fields(named);
  fields.Add("name", name->key_mark, Share(arena, *name));
  const Node* field = metadata == nullptr ? nullptr : metadata->first;
  for (; field != nullptr; field = field->next) {
    fields.Add(field->key, field->key_mark, Share(arena, *field));
  }
  children.Add("metadata", named->mark, named);
  return out;
}

std::vector<Remark> RemarksBelow(std::span<const Remark> remarks, std::string_view path) {
  std::vector<Remark> out;
  for (const Remark& remark : remarks) {
    if (!std::string_view(remark.field).starts_with(path)) continue;
    out.push_back(remark);
    out.back().field.erase(0, std::min(path.size() + 1, remark.field.size()));
  }
  return out;
}

bool IsHookThatPasses(std::string_view hook) {
  return hook.starts_with("test") || hook == "pre-delete" || hook == "post-delete" ||
         hook == "pre-rollback" || hook == "post-rollback";
}

}  // namespace

bool IsCrossplaneObject(std::string_view api_version, std::string_view kind) {
  return kind == "Object" && (api_version.starts_with("kubernetes.crossplane.io/") ||
                              api_version.starts_with("kubernetes.m.crossplane.io/"));
}

WrappedObject UnwrapCrossplane(Arena& arena, const ParsedObject& object) {
  const Node* spec = FindMember(*object.root, "spec");
  WrappedObject out;
  out.is_observed = IsOnlyObserved(spec);
  const Node* manifest = MemberOf(MemberOf(spec, "forProvider"), "manifest");
  if (out.is_observed || manifest == nullptr || manifest->kind != NodeKind::kMap) return out;
  out.root = WithName(arena, manifest, FindMember(*object.root, "metadata"));
  out.root = WithPatches(arena, out.root, MemberOf(spec, "references"));
  out.remarks = RemarksBelow(object.remarks, kManifestPath);
  return out;
}

std::string_view AdviceOn(std::string_view api_version, std::string_view kind) {
  if (kind == "Composition" && api_version.starts_with("apiextensions.crossplane.io/")) {
    return "what it composes is not read; give what crossplane render prints";
  }
  if (kind == "ObjectCollection" && api_version.starts_with("kubernetes.crossplane.io/")) {
    return "what it collects is not read; only Object is";
  }
  if (kind == "Kustomization" && api_version.starts_with("kustomize.config.k8s.io/")) {
    return "its patches are not applied; give what kustomize build prints";
  }
  return {};
}

std::string_view PassingHook(const Node& root) {
  const Node* metadata = FindMember(root, "metadata");
  if (MemberOf(metadata, "uid") != nullptr) return {};  // it is there
  const Node* annotations = MemberOf(metadata, "annotations");
  const std::string_view hooks = TextOfMember(annotations, "helm.sh/hook");
  if (hooks.empty()) return {};
  const std::string_view deletion = TextOfMember(annotations, "helm.sh/hook-delete-policy");
  if (deletion.find("hook-succeeded") != std::string_view::npos) return hooks;
  for (std::string_view rest = hooks; !rest.empty();) {
    const size_t comma = rest.find(',');
    std::string_view hook = rest.substr(0, comma);
    rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    while (hook.starts_with(' ')) hook.remove_prefix(1);
    while (hook.ends_with(' ')) hook.remove_suffix(1);
    if (!IsHookThatPasses(hook)) return {};
  }
  return hooks;
}

}  // namespace npf::load
