// Trees that no text has as they are, made out of nodes that a text has: what an object would look
// like that is written another way. Scalars are shared or made; places stay those of the text.
#ifndef NPF_LOAD_GROW_H_
#define NPF_LOAD_GROW_H_

#include <string_view>

#include "load/node.h"

namespace npf::load {

// Children for one map or list, in order. What it is given has no parent yet.
class Children {
 public:
  explicit Children(Node* parent) : parent_(parent) {}
  void Add(std::string_view key, Mark key_mark, Node* child);
  void AddItem(Node* child) { Add({}, 0, child); }

 private:
  Node* parent_;
  Node* last_ = nullptr;
};

Node* NewNode(Arena& arena, NodeKind kind, Mark mark, std::string_view text = {});
// `node` without its siblings; its children are shared.
Node* Share(Arena& arena, const Node& node);
// `value`, with kUnknown in place of whatever `unknown` marks with true, and without the members
// of maps that are null. `unknown` is as Terraform's after_unknown: of the same form as the value,
// with true for what is not known; may be nullptr.
Node* MarkUnknown(Arena& arena, const Node& value, const Node* unknown);

bool IsTrue(const Node* node);
// Whether there is a true anywhere in it; of nullptr there is none.
bool HasUnknown(const Node* unknown);
// The member called `key`; nullptr where there is none, or `map` is none.
const Node* MemberOf(const Node* map, std::string_view key);
// The text of a string that is a member; empty where there is none.
std::string_view TextOfMember(const Node* map, std::string_view key);

}  // namespace npf::load

#endif  // NPF_LOAD_GROW_H_
