#include "load/dispatch.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "load/decode.h"
#include "load/terraform.h"
#include "load/wrapped.h"
#include "model/validate.h"

namespace npf::load {
namespace {

enum class Route : uint8_t {
  kNetworkPolicy,
  kClusterObject,
  kIngress,
  kTier,           // a cluster-wide tier of policy.networking.k8s.io
  kUnknownPolicy,  // of a group that decides about traffic, but no kind or version that we know
  kForeignPolicy,  // of another vendor
  kOther,
};

template <size_t kSize>
bool IsOneOf(std::string_view text, const std::string_view (&list)[kSize]) {
  return std::find(std::begin(list), std::end(list), text) != std::end(list);
}

constexpr std::string_view kCoreKinds[] = {"Namespace", "Pod", "Node", "Service"};
constexpr std::string_view kAppsKinds[] = {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"};
constexpr std::string_view kBatchKinds[] = {"Job", "CronJob"};
constexpr std::string_view kNetworkingKinds[] = {"Ingress", "IngressClass", "IPAddress",
                                                 "ServiceCIDR"};  // beside what is read of them
constexpr std::string_view kAdminKinds[] = {"AdminNetworkPolicy", "BaselineAdminNetworkPolicy"};
constexpr char kTierTypes[] =
    "policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy, v1alpha1 AdminNetworkPolicy or "
    "v1alpha1 BaselineAdminNetworkPolicy";
constexpr std::string_view kForeignGroups[] = {
    "cilium.io", "projectcalico.org", "crd.projectcalico.org", "crd.antrea.io", "k8s.ovn.org"};

Route RouteOf(std::string_view api_version, std::string_view kind) {
  const size_t slash = api_version.find('/');
  const bool is_core = slash == std::string_view::npos;
  const std::string_view group = is_core ? std::string_view() : api_version.substr(0, slash);
  const std::string_view version = is_core ? api_version : api_version.substr(slash + 1);
  if (group == "networking.k8s.io") {
    if (kind == "NetworkPolicy" && version == "v1") return Route::kNetworkPolicy;
    if (kind == "Ingress" && version == "v1") return Route::kIngress;
    return IsOneOf(kind, kNetworkingKinds) ? Route::kOther : Route::kUnknownPolicy;
  }
  if (group == "policy.networking.k8s.io") {
    const bool is_known = (version == "v1alpha1" && IsOneOf(kind, kAdminKinds)) ||
                          (version == "v1alpha2" && kind == "ClusterNetworkPolicy");
    return is_known ? Route::kTier : Route::kUnknownPolicy;
  }
  if ((is_core || group == "extensions") && kind == "NetworkPolicy") return Route::kUnknownPolicy;
  if (kind.ends_with("NetworkPolicy")) return Route::kForeignPolicy;
  if (IsOneOf(group, kForeignGroups) && (kind.ends_with("Policy") || kind == "EgressFirewall")) {
    return Route::kForeignPolicy;
  }
  if (is_core && IsOneOf(kind, kCoreKinds)) return Route::kClusterObject;
  if ((group == "apps" || group == "extensions") && IsOneOf(kind, kAppsKinds)) {
    return Route::kClusterObject;
  }
  if (group == "batch" && IsOneOf(kind, kBatchKinds)) return Route::kClusterObject;
  return Route::kOther;
}

// What `npf test` reads, which often lies beside the policies.
bool IsExpectations(const Node& root) {
  return FindMember(root, "expectations") != nullptr && FindMember(root, "kind") == nullptr &&
         FindMember(root, "apiVersion") == nullptr;
}

bool IsListKind(std::string_view kind) { return kind.ends_with("List"); }

std::string_view TextOf(const Node& root, std::string_view key) {
  const Node* node = FindMember(root, key);
  return node == nullptr ? std::string_view() : node->text;
}

std::string TypeName(std::string_view api_version, std::string_view kind) {
  return EscapeForMessage(api_version) + " " + EscapeForMessage(kind);
}

}  // namespace

// False after an error.
bool Dispatcher::ReadTypeMeta(const Node& root, TypeMeta list, TypeMeta& out) {
  const Position position = source_.PositionOf(root.mark);
  if (root.kind != NodeKind::kMap) {
    diagnostics_.AddError(
        position, "", "", "TypeInvalid",
        absl::StrCat("a Kubernetes object must be a map (found ", Describe(root), ")"));
    return false;
  }
  // "PodList" says "Pod" of its items, "List" says nothing (R61).
  if (list.kind.size() > 4 && IsListKind(list.kind)) {
    out = {list.api_version, list.kind.substr(0, list.kind.size() - 4)};
  }
  bool ok = true;
  const auto read = [&](std::string_view key, std::string_view example, std::string_view& text) {
    const Node* node = FindMember(root, key);
    if (node != nullptr && node->kind == NodeKind::kString && !node->text.empty()) {
      text = node->text;
      return;
    }
    if (!text.empty() && (node == nullptr || node->kind == NodeKind::kNull)) return;
    ok = false;
    const Mark mark = node == nullptr ? root.mark : node->mark;
    const bool missing = node == nullptr || node->kind == NodeKind::kNull || node->text.empty();
    std::string detail =
        missing ? "is missing" : "must be a string (found " + Describe(*node) + ")";
    absl::StrAppend(&detail, "; an object needs one, as ",
                    absl::string_view(example.data(), example.size()));
    diagnostics_.AddError(source_.PositionOf(mark), model::ObjectName(out.kind, "", ""),
                          std::string(key), missing ? "Required" : "TypeInvalid",
                          std::move(detail));
  };
  read("kind", "NetworkPolicy", out.kind);
  if (ok) read("apiVersion", "networking.k8s.io/v1", out.api_version);
  return ok;
}

bool Dispatcher::OnItem(const Node& list, const ParsedObject& item) {
  const bool names_itself =
      item.root->kind != NodeKind::kMap ||
      (!TextOf(*item.root, "kind").empty() && !TextOf(*item.root, "apiVersion").empty());
  if (!names_itself && FindMember(list, "kind") == nullptr) return false;
  DispatchItem(list, item);
  return true;
}

void Dispatcher::DispatchItem(const Node& list, const ParsedObject& item) {
  TypeMeta type;
  has_objects_ = true;
  if (!ReadTypeMeta(*item.root, {TextOf(list, "apiVersion"), TextOf(list, "kind")}, type)) return;
  DispatchObject(item, type);
}

void Dispatcher::OnDocument(const ParsedObject& document, bool has_items,
                            std::span<const ParsedObject> waiting) {
  const Node& root = *document.root;
  if (root.kind == NodeKind::kNull) return;
  has_objects_ = true;
  if (IsTerraform(root)) {
    TerraformReader(source_, options_, builder_, diagnostics_, report_).Read(document);
    return;
  }
  TypeMeta type;
  if (IsExpectations(root)) {
    Skip({"npf", "expectations"});
    return;
  }
  if (!ReadTypeMeta(root, {}, type)) return;
  if (!IsListKind(type.kind)) {
    if (has_items && waiting.empty() && FindMember(root, "items")->count > 0) {
      Refuse(root, type, "items", "holds objects, but the kind is not a List");
    } else {
      DispatchObject(document, type);
    }
    return;
  }
  if (!has_items) {
    DispatchNestedList(root, type);
    return;
  }
  for (const ParsedObject& item : waiting) DispatchItem(root, item);
}

// A List as an item of a List, or one without items.
void Dispatcher::DispatchNestedList(const Node& list, TypeMeta type) {
  const Node* items = FindMember(list, "items");
  if (items == nullptr || items->kind == NodeKind::kNull) return;
  if (items->kind != NodeKind::kList) {
    Refuse(list, type, "items", "must be a list (found " + Describe(*items) + ")");
    return;
  }
  for (const Node* item = items->first; item != nullptr; item = item->next) {
    DispatchItem(list, {item, {}});
  }
}

void Dispatcher::DispatchObject(const ParsedObject& object, TypeMeta type) {
  if (IsListKind(type.kind) && FindMember(*object.root, "items") != nullptr) {
    DispatchNestedList(*object.root, type);
    return;
  }
  if (IsCrossplaneObject(type.api_version, type.kind)) {
    DispatchWrapped(object, type);
    return;
  }
  switch (RouteOf(type.api_version, type.kind)) {
    case Route::kNetworkPolicy:
      DecodePolicy(object);
      break;
    case Route::kClusterObject:
      DecodeClusterObject(object, type);
      break;
    case Route::kIngress:
      DecodeEntrance(object);
      break;
    case Route::kTier:
      DecodeTierPolicy(object, type);
      break;
    case Route::kUnknownPolicy:
      RefuseUnknownPolicy(*object.root, type);
      break;
    case Route::kForeignPolicy:
      WarnOfForeignPolicy(*object.root, type);
      break;
    case Route::kOther:
      SkipWithAdvice(*object.root, type);
      break;
  }
}

void Dispatcher::Skip(TypeMeta type) {
  ++report_
        .skipped[absl::StrCat(absl::string_view(type.api_version.data(), type.api_version.size()),
                              " ", absl::string_view(type.kind.data(), type.kind.size()))];
}

void Dispatcher::SkipWithAdvice(const Node& root, TypeMeta type) {
  if (const std::string_view advice = AdviceOn(type.api_version, type.kind); !advice.empty()) {
    Decoding(source_, root, std::string(type.kind), "", {}, diagnostics_)
        .Warning(LocateField(root, "kind"), "", std::string(advice));
  }
  Skip(type);
}

void Dispatcher::DispatchWrapped(const ParsedObject& object, TypeMeta type) {
  Arena arena;
  const WrappedObject wrapped = UnwrapCrossplane(arena, object);
  Decoding decoding(source_, *object.root, std::string(type.kind), "", {}, diagnostics_);
  if (wrapped.is_observed) {
    decoding.Warning(object.root->mark, "spec.managementPolicies",
                     "the object is only observed, not applied; it was left out");
    Skip(type);
  } else if (wrapped.root == nullptr) {
    decoding.Error(object.root->mark, "spec.forProvider.manifest", "Required",
                   "is missing, or is not a map");
  } else if (TypeMeta inner; ReadTypeMeta(*wrapped.root, {}, inner)) {
    DispatchObject({wrapped.root, wrapped.remarks}, inner);
  }
}

void Dispatcher::DecodePolicy(const ParsedObject& object) {
  DecodeAnyPolicy(
      object, "NetworkPolicy", builder_.options().default_namespace,
      [](Decoding& decoding, const Node& root) { return DecodeNetworkPolicy(decoding, root); });
}

void Dispatcher::DecodeTierPolicy(const ParsedObject& object, TypeMeta type) {
  ClusterPolicyKind kind = ClusterPolicyKind::kClusterNetworkPolicy;
  if (type.kind == "AdminNetworkPolicy") kind = ClusterPolicyKind::kAdminNetworkPolicy;
  if (type.kind == "BaselineAdminNetworkPolicy") {
    kind = ClusterPolicyKind::kBaselineAdminNetworkPolicy;
  }
  DecodeAnyPolicy(object, std::string(type.kind), "", [kind](Decoding& decoding, const Node& root) {
    return DecodeClusterPolicy(decoding, root, kind);
  });
}

template <typename Decode>
void Dispatcher::DecodeAnyPolicy(const ParsedObject& object, const std::string& kind,
                                 std::string_view default_namespace, Decode decode) {
  const bool tolerant = builder_.options().skip_invalid;
  Decoding decoding(source_, *object.root, kind, default_namespace, {options_.lenient, tolerant},
                    diagnostics_);
  if (const std::string_view hook = PassingHook(*object.root); !hook.empty()) {
    decoding.Warning(object.root->mark, "metadata.annotations",
                     absl::StrCat("is a Helm hook (", EscapeForMessage(hook),
                                  "), not there while the release is installed; it was left out"));
    Skip({"helm.sh/hook", kind});
    return;
  }
  decoding.Report(object.remarks);
  auto policy = decode(decoding, *object.root);
  ++report_.used[kind];
  if (decoding.error_count() > 0 && tolerant) {
    decoding.Warning(object.root->mark, "",
                     "the policy is invalid and was left out; nothing of it is enforced");
    return;
  }
  // Values of a wrong type are missing from the struct: validating it would find faults that are
  // not in the text.
  if (!decoding.values_are_whole()) return;
  builder_.Add(
      std::move(policy),
      [this, finder = FieldFinder(*object.root)](std::string_view field) mutable {
        return source_.PositionOf(finder.Find(field));
      },
      diagnostics_);
}

void Dispatcher::DecodeClusterObject(const ParsedObject& object, TypeMeta type) {
  const std::string kind(type.kind);
  const bool namespaced = kind != "Namespace" && kind != "Node";
  Decoding decoding(source_, *object.root, kind,
                    namespaced ? std::string_view(builder_.options().default_namespace) : "",
                    {.lenient = true, .tolerant = false}, diagnostics_);
  decoding.Report(object.remarks);
  ++report_.used[kind];
  const FieldLocator locate = [this,
                               finder = FieldFinder(*object.root)](std::string_view field) mutable {
    return source_.PositionOf(finder.Find(field));
  };
  const auto add = [&](auto decoded) {
    if (decoding.values_are_whole()) builder_.Add(std::move(decoded), locate, diagnostics_);
  };
  if (kind == "Pod") {
    add(DecodePod(decoding, *object.root));
  } else if (kind == "Namespace") {
    add(DecodeNamespace(decoding, *object.root));
  } else if (kind == "Node") {
    add(DecodeNode(decoding, *object.root));
  } else if (kind == "Service") {
    Decoding tolerant(source_, *object.root, kind, builder_.options().default_namespace,
                      {.lenient = true, .tolerant = true}, diagnostics_);
    add(DecodeService(decoding, tolerant, *object.root));
  } else if (auto workload = DecodeWorkload(decoding, *object.root);
             workload.has_value() && decoding.values_are_whole()) {
    builder_.AddStandIn(std::move(workload->stand_in), std::move(workload->selector), locate,
                        diagnostics_);
  }
}

// An Ingress decides about no traffic: whatever is wrong with it refuses nothing.
void Dispatcher::DecodeEntrance(const ParsedObject& object) {
  const Node& root = *object.root;
  Decoding tolerant(source_, root, "Ingress", builder_.options().default_namespace,
                    {.lenient = true, .tolerant = true}, diagnostics_);
  tolerant.Report(object.remarks);
  ++report_.used["Ingress"];
  builder_.Add(
      DecodeIngress(tolerant, root),
      [this, finder = FieldFinder(root)](std::string_view field) mutable {
        return source_.PositionOf(finder.Find(field));
      },
      diagnostics_);
}

void Dispatcher::Refuse(const Node& root, TypeMeta type, std::string field, std::string detail) {
  const bool tolerant = builder_.options().skip_invalid;
  Decoding decoding(source_, root, std::string(type.kind), "", {options_.lenient, tolerant},
                    diagnostics_);
  const Mark mark = LocateField(root, field);
  decoding.Error(mark, std::move(field), "NotSupported", std::move(detail));
}

void Dispatcher::RefuseUnknownPolicy(const Node& root, TypeMeta type) {
  if (type.kind != "NetworkPolicy") {
    const bool is_tier = type.api_version.starts_with("policy.networking.k8s.io/");
    Refuse(root, type, "kind",
           "unknown kind of policy (found " + TypeName(type.api_version, type.kind) + "); " +
               (is_tier ? kTierTypes : "networking.k8s.io/v1 NetworkPolicy"));
    return;
  }
  std::string detail = "unknown apiVersion of NetworkPolicy (found \"" +
                       EscapeForMessage(type.api_version) + "\"); networking.k8s.io/v1";
  if (type.api_version.starts_with("extensions/")) {
    detail += ", which replaced it in Kubernetes 1.16 with the same fields";
  }
  Refuse(root, type, "apiVersion", std::move(detail));
}

void Dispatcher::WarnOfForeignPolicy(const Node& root, TypeMeta type) {
  Decoding decoding(source_, root, std::string(type.kind), "", {}, diagnostics_);
  report_.foreign.push_back({TypeName(type.api_version, type.kind), decoding.ObjectName(),
                             source_.PositionOf(LocateField(root, "kind"))});
  decoding.Warning(LocateField(root, "kind"), "kind",
                   absl::StrCat(TypeName(type.api_version, type.kind),
                                " is another vendor's policy: IT IS NOT ENFORCED, verdicts are "
                                "those of the other policies alone"));
  Skip(type);
}

}  // namespace npf::load
