// What `terraform show -json` prints: a plan, or a state.
//
//   {"format_version": "1.2", "terraform_version": "1.11.4",
//    "planned_values": {"root_module": {"resources": [...], "child_modules": [...]}},
//    "resource_changes": [{"address": ..., "change": {"after_unknown": {...}}}, ...]}
//
// planned_values has every object that will be there when the plan is applied, those that do not
// change among them, each instance of `count` and `for_each` as its own, and none that is deleted;
// what is not known before is left out of it, and marked in after_unknown. An unknown value that
// npf needs is an error, never guessed. A state has `values` in place of planned_values, all known.
//
// Positions name a resource as a file of its own, "plan.json#module.shop.kubernetes_pod.web[0]",
// because a plan is usually a single line.
//
// Read are the kubernetes provider's types that terraform_blocks.cc has a table for,
// kubernetes_manifest, and the resources of other providers that hold a manifest as text.
#ifndef NPF_LOAD_TERRAFORM_H_
#define NPF_LOAD_TERRAFORM_H_

#include <span>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_map.h"
#include "load/source.h"
#include "load/terraform_blocks.h"
#include "load/tree_builder.h"
#include "npf/load.h"

namespace npf::load {

// Whether a document is Terraform's: a plan, a state, or what is often taken for one of them.
bool IsTerraform(const Node& root);

class TerraformReader {
 public:
  TerraformReader(const TextSource& source, const LoadOptions& options, SnapshotBuilder& builder,
                  Diagnostics& diagnostics, LoadReport& report)
      : source_(source),
        options_(options),
        builder_(builder),
        diagnostics_(diagnostics),
        report_(report) {}

  void Read(const ParsedObject& document);

 private:
  bool IsReadable(const ParsedObject& document);
  void IndexChanges(const Node* changes);
  void RefuseDeferred(const Node* deferred);
  void ReadModule(const Node& module);
  void ReadResource(const Node& resource);
  void ReadKubernetes(const Node& resource, const Node& values, std::string_view type);
  void ReadBlocks(const BlockType& type, const Node& resource, const Node& values);
  void ReadManifest(const Node& resource, const Node& values);
  void ReadText(const Node& resource, const Node& values, std::string_view attribute);
  // What is not known of a resource; false after an error.
  bool FindUnknown(const Node& resource, const Node*& unknown);
  void Dispatch(const Node& object);
  void BeginResource(const Node& resource);
  void Error(const Node& at, std::string field, std::string_view type, std::string detail);
  void Warn(const Node& at, std::string detail);

  TextSource source_;
  const LoadOptions& options_;
  SnapshotBuilder& builder_;
  Diagnostics& diagnostics_;
  LoadReport& report_;
  Arena arena_;  // of one resource's object
  std::string file_name_;
  bool is_plan_ = false;
  size_t objects_ = 0;
  absl::flat_hash_map<std::string_view, const Node*> changes_;  // by address
};

}  // namespace npf::load

#endif  // NPF_LOAD_TERRAFORM_H_
