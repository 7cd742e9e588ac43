#include "load/terraform.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "load/dispatch.h"
#include "load/grow.h"
#include "load/text_check.h"
#include "load/yaml_events.h"

namespace npf::load {
namespace {

// Resources that hold a manifest as text, and in which attribute.
constexpr std::pair<std::string_view, std::string_view> kTextTypes[] = {
    {"kubectl_manifest", "yaml_body"},
    {"kustomization_resource", "manifest"},
    {"k8s_manifest", "content"},
};

// Resources that make objects, or change some, without saying in the plan which.
constexpr std::pair<std::string_view, std::string_view> kOpaqueTypes[] = {
    {"helm_release", "what a chart installs is not in the plan; give what helm template prints"},
    {"kubernetes_labels", "the labels that it sets on an object are not read"},
};

std::string Text(std::string_view text) { return std::string(text); }

// A document inside of a resource; a plan inside of a plan is none of ours.
class NestedSink : public ObjectSink {
 public:
  explicit NestedSink(Dispatcher& dispatcher) : dispatcher_(dispatcher) {}
  bool OnItem(const Node& list, const ParsedObject& item) override {
    return dispatcher_.OnItem(list, item);
  }
  void OnDocument(const ParsedObject& document, bool has_items,
                  std::span<const ParsedObject> waiting) override {
    if (IsTerraform(*document.root)) {
      holds_plan_ = true;
    } else {
      dispatcher_.OnDocument(document, has_items, waiting);
    }
  }
  bool holds_plan() const { return holds_plan_; }

 private:
  Dispatcher& dispatcher_;
  bool holds_plan_ = false;
};

// What else begins like something of Terraform's, and how to get what can be read; empty for what
// can.
std::string_view HowToGetIt(const Node& root) {
  if (FindMember(root, "@level") != nullptr) {
    return "this is the log of terraform plan -json; terraform plan -out=FILE, then "
           "terraform show -json FILE, prints what can be read";
  }
  if (FindMember(root, "format_version") == nullptr) {
    return "this is a state file; terraform show -json prints what can be read of it";
  }
  return {};
}

}  // namespace

bool IsTerraform(const Node& root) {
  if (root.kind != NodeKind::kMap || FindMember(root, "kind") != nullptr) return false;
  const bool is_shown = FindMember(root, "format_version") != nullptr;
  const bool is_log = FindMember(root, "@level") != nullptr;
  const bool is_state_file =
      FindMember(root, "terraform_version") != nullptr && FindMember(root, "lineage") != nullptr;
  return is_shown || is_log || is_state_file;
}

void TerraformReader::Read(const ParsedObject& document) {
  const Node& root = *document.root;
  if (!IsReadable(document)) return;
  file_name_ = builder_.files()[source_.file()];
  const Node* values = FindMember(root, "planned_values");
  is_plan_ = values != nullptr;
  if (is_plan_) {
    IndexChanges(FindMember(root, "resource_changes"));
    RefuseDeferred(FindMember(root, "deferred_changes"));
  } else {
    values = FindMember(root, "values");
  }
  if (const Node* module = MemberOf(values, "root_module")) ReadModule(*module);
  if (objects_ == 0) Warn(root, "no object of Kubernetes in this plan or state");
}

bool TerraformReader::IsReadable(const ParsedObject& document) {
  const Node& root = *document.root;
  const size_t errors = diagnostics_.error_count();
  for (const Remark& remark : document.remarks) {
    diagnostics_.AddError(source_.PositionOf(remark.mark), "", remark.field, remark.type,
                          remark.detail);
  }
  if (const std::string_view how = HowToGetIt(root); !how.empty()) {
    Error(root, "", "NotSupported", Text(how));
    return false;
  }
  const std::string_view version = TextOfMember(&root, "format_version");
  if (!version.starts_with("1.") && !version.starts_with("0.")) {
    Error(root, "format_version", "NotSupported",
          absl::StrCat("unknown version (found \"", EscapeForMessage(version), "\"); 1.x or 0.x"));
  }
  if (IsTrue(FindMember(root, "errored"))) {
    Error(root, "errored", "Invalid", "this plan ended in an error and is not whole");
  }
  return diagnostics_.error_count() == errors;
}

void TerraformReader::IndexChanges(const Node* changes) {
  if (changes == nullptr || changes->kind != NodeKind::kList) return;
  for (const Node* change = changes->first; change != nullptr; change = change->next) {
    if (!TextOfMember(change, "deposed").empty()) continue;  // an old one, which goes
    changes_.emplace(TextOfMember(change, "address"), change);
  }
}

// Terraform puts off what it cannot plan yet, and has it nowhere else.
void TerraformReader::RefuseDeferred(const Node* deferred) {
  if (deferred == nullptr || deferred->kind != NodeKind::kList) return;
  for (const Node* item = deferred->first; item != nullptr; item = item->next) {
    const Node* change = MemberOf(item, "resource_change");
    if (!TextOfMember(change, "type").starts_with("kubernetes_")) continue;
    Error(*item, "deferred_changes", "Invalid",
          absl::StrCat(EscapeForMessage(TextOfMember(change, "address")),
                       " is put off until more is known; npf does not guess it"));
  }
}

void TerraformReader::ReadModule(const Node& module) {
  for (const std::string_view key : {"resources", "child_modules"}) {
    const Node* list = MemberOf(&module, key);
    if (list == nullptr || list->kind != NodeKind::kList) continue;
    for (const Node* item = list->first; item != nullptr; item = item->next) {
      if (key == "resources") {
        ReadResource(*item);
      } else {
        ReadModule(*item);
      }
    }
  }
}

void TerraformReader::ReadResource(const Node& resource) {
  if (TextOfMember(&resource, "mode") != "managed") return;
  const std::string_view type = TextOfMember(&resource, "type");
  const Node* values = MemberOf(&resource, "values");
  if (values == nullptr) values = &resource;
  arena_.Reset();
  ReadKubernetes(resource, *values, type);
}

void TerraformReader::ReadKubernetes(const Node& resource, const Node& values,
                                     std::string_view type) {
  if (const BlockType* blocks = FindBlockType(type)) {
    ReadBlocks(*blocks, resource, values);
    return;
  }
  if (type == "kubernetes_manifest") {
    ReadManifest(resource, values);
    return;
  }
  for (const auto& [name, attribute] : kTextTypes) {
    if (type == name) {
      ReadText(resource, values, attribute);
      return;
    }
  }
  if (type.starts_with("kubernetes_network_policy")) {
    BeginResource(resource);
    Error(resource, "type", "NotSupported",
          absl::StrCat("unknown type of policy (found \"", EscapeForMessage(type),
                       "\"); kubernetes_network_policy_v1"));
    return;
  }
  ++report_.skipped[absl::StrCat("terraform ", Text(type))];
  for (const auto& [name, why] : kOpaqueTypes) {
    if (type != name) continue;
    BeginResource(resource);
    Warn(resource, Text(why));
  }
}

bool TerraformReader::FindUnknown(const Node& resource, const Node*& unknown) {
  unknown = nullptr;
  if (!is_plan_) return true;
  const auto found = changes_.find(TextOfMember(&resource, "address"));
  const Node* change = found == changes_.end() ? nullptr : MemberOf(found->second, "change");
  unknown = MemberOf(change, "after_unknown");
  if (unknown != nullptr) return true;
  Error(resource, "resource_changes", "Required",
        "no change with after_unknown for this resource, so what of it is known cannot be told");
  return false;
}

void TerraformReader::ReadBlocks(const BlockType& type, const Node& resource, const Node& values) {
  BeginResource(resource);
  const Node* unknown = nullptr;
  if (!FindUnknown(resource, unknown)) return;
  Dispatch(*ObjectOfBlocks(arena_, type, values, unknown));
}

void TerraformReader::ReadManifest(const Node& resource, const Node& values) {
  BeginResource(resource);
  const Node* unknown = nullptr;
  if (!FindUnknown(resource, unknown)) return;
  unknown = IsTrue(unknown) ? unknown : MemberOf(unknown, "manifest");
  const Node* manifest = FindMember(values, "manifest");
  if (manifest == nullptr || IsTrue(unknown)) {
    Error(resource, "manifest", "Invalid", kUnknownDetail);
    return;
  }
  Dispatch(*MarkUnknown(arena_, *manifest, unknown));
}

void TerraformReader::ReadText(const Node& resource, const Node& values,
                               std::string_view attribute) {
  BeginResource(resource);
  const Node* unknown = nullptr;
  if (!FindUnknown(resource, unknown)) return;
  const Node* body = FindMember(values, attribute);
  if (HasUnknown(IsTrue(unknown) ? unknown : MemberOf(unknown, attribute)) || body == nullptr ||
      body->kind != NodeKind::kString) {
    Error(resource, Text(attribute), "Invalid", kUnknownDetail);
    return;
  }
  const std::string text(body->text);
  const TextSource offsets(text, source_.file(), TextSource::Marks::kOffsets);
  std::optional<BadByte> bad = FindBadByte(text);
  if (!bad.has_value()) bad = FindLoneCarriageReturn(text);
  if (bad.has_value()) {
    diagnostics_.AddError(offsets.PositionOf(bad->offset), "", "", "", bad->detail);
    return;
  }
  const TextSource lines(text, source_.file(), TextSource::Marks::kLines);
  Dispatcher dispatcher(lines, options_, builder_, diagnostics_, report_);
  NestedSink sink(dispatcher);
  TreeBuilder tree(options_, sink);
  const std::optional<TextFault> fault = ReadYaml(text, tree);
  if (fault.has_value()) {
    diagnostics_.AddError(lines.PositionOf(fault->mark), "", "", fault->type, fault->detail);
  }
  if (sink.holds_plan()) Error(resource, Text(attribute), "NotSupported", "a plan within a plan");
}

void TerraformReader::Dispatch(const Node& object) {
  Dispatcher(source_, options_, builder_, diagnostics_, report_)
      .OnDocument({&object, {}}, /*has_items=*/false, {});
}

void TerraformReader::BeginResource(const Node& resource) {
  ++objects_;
  source_.set_file(
      builder_.AddFile(absl::StrCat(file_name_, "#", Text(TextOfMember(&resource, "address")))));
}

void TerraformReader::Error(const Node& at, std::string field, std::string_view type,
                            std::string detail) {
  diagnostics_.AddError(source_.PositionOf(at.mark), "", std::move(field), Text(type),
                        std::move(detail));
}

void TerraformReader::Warn(const Node& at, std::string detail) {
  diagnostics_.AddWarning(source_.PositionOf(at.mark), "", "", std::move(detail));
}

}  // namespace npf::load
