// Objects inside of objects: what Crossplane's provider-kubernetes applies, and what is said of
// objects that only make others.
#ifndef NPF_LOAD_WRAPPED_H_
#define NPF_LOAD_WRAPPED_H_

#include <optional>
#include <string_view>
#include <vector>

#include "load/node.h"
#include "load/tree_builder.h"

namespace npf::load {

// Object of kubernetes.crossplane.io (or .m.crossplane.io), any version.
bool IsCrossplaneObject(std::string_view api_version, std::string_view kind);

// spec.forProvider.manifest, as it is applied: an object that names itself nothing has the name of
// the Object, and what references patch into it is kUnknown.
struct WrappedObject {
  const Node* root = nullptr;  // nullptr where there is none, or it is only observed
  bool is_observed = false;
  std::vector<Remark> remarks;  // those that are about it, with paths of its own
};
WrappedObject UnwrapCrossplane(Arena& arena, const ParsedObject& object);

// What to do about an object that stands for others which npf cannot make: empty for all but a few.
std::string_view AdviceOn(std::string_view api_version, std::string_view kind);

// Of an object that Helm rendered, but that is not there while the release is installed: the hook
// that it is for. Empty for all others.
std::string_view PassingHook(const Node& root);

}  // namespace npf::load

#endif  // NPF_LOAD_WRAPPED_H_
