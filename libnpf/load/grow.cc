#include "load/grow.h"

#include "absl/container/flat_hash_map.h"

namespace npf::load {

void Children::Add(std::string_view key, Mark key_mark, Node* child) {
  child->key = key;
  child->key_mark = key_mark;
  child->next = nullptr;
  (last_ == nullptr ? parent_->first : last_->next) = child;
  last_ = child;
  ++parent_->count;
}

Node* NewNode(Arena& arena, NodeKind kind, Mark mark, std::string_view text) {
  Node* node = arena.NewNode();
  node->kind = kind;
  node->mark = mark;
  node->text = text;
  return node;
}

Node* Share(Arena& arena, const Node& node) {
  Node* copy = arena.NewNode();
  *copy = node;
  copy->next = nullptr;
  return copy;
}

namespace {

void MarkMembers(Arena& arena, const Node& value, const Node* unknown, Node* out) {
  absl::flat_hash_map<std::string_view, const Node*> marks;
  const bool has_marks = unknown != nullptr && unknown->kind == NodeKind::kMap;
  const Node* first_mark = has_marks ? unknown->first : nullptr;
  for (const Node* mark = first_mark; mark != nullptr; mark = mark->next) marks[mark->key] = mark;
  Children children(out);
  for (const Node* member = value.first; member != nullptr; member = member->next) {
    const auto found = marks.find(member->key);
    const Node* below = found == marks.end() ? nullptr : found->second;
    if (below != nullptr) marks.erase(found);
    if (member->kind == NodeKind::kNull && !IsTrue(below)) continue;
    children.Add(member->key, member->key_mark, MarkUnknown(arena, *member, below));
  }
  // What is not known is left out of the value.
  for (const Node* mark = first_mark; mark != nullptr; mark = mark->next) {
    if (!HasUnknown(mark) || !marks.contains(mark->key)) continue;
    children.Add(mark->key, mark->key_mark, NewNode(arena, NodeKind::kUnknown, value.mark));
  }
}

}  // namespace

Node* MarkUnknown(Arena& arena, const Node& value, const Node* unknown) {
  if (IsTrue(unknown)) return NewNode(arena, NodeKind::kUnknown, value.mark);
  if (value.kind != NodeKind::kMap && value.kind != NodeKind::kList) {
    return HasUnknown(unknown) ? NewNode(arena, NodeKind::kUnknown, value.mark)
                               : Share(arena, value);
  }
  Node* out = NewNode(arena, value.kind, value.mark);
  if (value.kind == NodeKind::kMap) {
    MarkMembers(arena, value, unknown, out);
    return out;
  }
  Children children(out);
  const Node* below =
      unknown != nullptr && unknown->kind == NodeKind::kList ? unknown->first : nullptr;
  for (const Node* item = value.first; item != nullptr; item = item->next) {
    children.AddItem(MarkUnknown(arena, *item, below));
    if (below != nullptr) below = below->next;
  }
  if (HasUnknown(below)) children.AddItem(NewNode(arena, NodeKind::kUnknown, value.mark));
  return out;
}

bool IsTrue(const Node* node) {
  return node != nullptr && node->kind == NodeKind::kBool && TruthOf(*node);
}

bool HasUnknown(const Node* unknown) {
  if (unknown == nullptr) return false;
  if (IsTrue(unknown)) return true;
  const bool has_children = unknown->kind == NodeKind::kList || unknown->kind == NodeKind::kMap;
  const Node* child = has_children ? unknown->first : nullptr;
  while (child != nullptr && !HasUnknown(child)) child = child->next;
  return child != nullptr;
}

const Node* MemberOf(const Node* map, std::string_view key) {
  return map == nullptr ? nullptr : FindMember(*map, key);
}

std::string_view TextOfMember(const Node* map, std::string_view key) {
  const Node* member = MemberOf(map, key);
  return member != nullptr && member->kind == NodeKind::kString ? member->text : std::string_view();
}

}  // namespace npf::load
