#include "load/tree_builder.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace npf::load {
namespace {

// Up to here comparing all pairs is quicker than sorting.
constexpr size_t kPairwiseMax = 12;

}  // namespace

bool TreeBuilder::Fail(Mark mark, std::string detail, std::string type) {
  if (!failed_) fault_ = {mark, std::move(type), std::move(detail)};
  failed_ = true;
  return false;
}

bool TreeBuilder::FailAsTooDeep(Mark mark) {
  return Fail(mark, absl::StrCat("nesting deeper than ", options_.depth_max));
}

std::string TreeBuilder::FieldPath(size_t frames) const {
  std::string path;
  for (size_t i = object_depth(); i < frames; ++i) {
    const Frame& frame = stack_[i];
    if (frame.node->kind == NodeKind::kList) {
      absl::StrAppend(&path, "[", frame.node->count, "]");
    } else {
      absl::StrAppend(&path, path.empty() ? "" : ".", EscapeForMessage(frame.key));
    }
  }
  return path;
}

void TreeBuilder::AddRemark(Mark mark, std::string type, std::string detail, bool always_error) {
  if (skip_depth_ > 0) return;
  remarks().push_back(
      {mark, FieldPath(stack_.size()), std::move(type), std::move(detail), always_error});
}

bool TreeBuilder::CheckSize(Mark mark) {
  const size_t nodes = arena().node_count();
  if (nodes - (items_open_ ? item_first_node_ : 0) >= kNodesInObjectMax) {
    return Fail(mark, absl::StrCat("an object of more than ", kNodesInObjectMax, " values"),
                "LimitExceeded");
  }
  if (nodes >= kNodesWaitingMax) {
    return Fail(mark, "too many items before the kind of their list; put kind before items",
                "LimitExceeded");
  }
  return true;
}

Node* TreeBuilder::NewNode(Mark mark, NodeKind kind) {
  Node* node = arena().NewNode();
  node->mark = mark;
  node->kind = kind;
  return node;
}

bool TreeBuilder::OpensItems(NodeKind kind) const {
  if (kind != NodeKind::kList || stack_.size() != 1 || stack_[0].key != "items") return false;
  const Node* list_kind = FindMember(*stack_[0].node, "kind");
  return list_kind == nullptr || list_kind->text.ends_with("List");
}

bool TreeBuilder::IsLeftOut(std::string_view key) const {
  if (key == "managedFields") {
    return stack_.size() == object_depth() + 2 && stack_[stack_.size() - 2].key == "metadata";
  }
  return (key == "prior_state" || key == "configuration" || key == "resource_drift") &&
         stack_.size() == 1 && FindMember(*stack_[0].node, "format_version") != nullptr;
}

bool TreeBuilder::Key(Mark mark, std::string_view key, bool stable) {
  if (skip_depth_ > 0) return true;
  Frame& frame = stack_.back();
  frame.key = stable ? key : arena().Copy(key);
  frame.key_mark = mark;
  skip_next_ = IsLeftOut(key);
  return true;
}

bool TreeBuilder::SkipsScalar() {
  if (skip_depth_ > 0) return true;
  return std::exchange(skip_next_, false);
}

bool TreeBuilder::StartCollection(Mark mark, NodeKind kind) {
  const size_t anchor = std::exchange(next_anchor_, 0);
  if (stack_.size() + skip_depth_ >= options_.depth_max) {
    return FailAsTooDeep(mark);
  }
  if (skip_depth_ > 0 || skip_next_) {
    skip_next_ = false;
    ++skip_depth_;
    return true;
  }
  if (!CheckSize(mark)) return false;
  const bool opens_items = OpensItems(kind);
  Node* node = NewNode(mark, kind);
  if (anchor != 0) anchors_[anchor] = nullptr;
  stack_.push_back({node, nullptr, {}, 0, anchor});
  if (opens_items) items_open_ = has_items_ = true;
  return true;
}

bool TreeBuilder::EndCollection() {
  if (skip_depth_ > 0) {
    --skip_depth_;
    return true;
  }
  const Frame frame = stack_.back();
  if (frame.node->kind == NodeKind::kMap) RemarkDuplicates(*frame.node);
  stack_.pop_back();
  if (items_open_ && stack_.size() == 1) items_open_ = false;
  if (frame.anchor != 0) anchors_[frame.anchor] = frame.node;
  return Place(frame.node);
}

bool TreeBuilder::Scalar(Mark mark, NodeKind kind, std::string_view text, bool stable) {
  const size_t anchor = std::exchange(next_anchor_, 0);
  if (SkipsScalar()) return true;
  if (!CheckSize(mark)) return false;
  Node* node = NewNode(mark, kind);
  node->text = stable ? text : arena().Copy(text);
  if (anchor != 0) anchors_[anchor] = node;
  return Place(node);
}

const Node* TreeBuilder::FinishedAnchor(size_t anchor) const {
  const auto found = anchors_.find(anchor);
  return found == anchors_.end() ? nullptr : found->second;
}

bool TreeBuilder::Alias(Mark mark, size_t anchor) {
  if (SkipsScalar()) return true;
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end()) return Fail(mark, "this alias refers to a part that is not read");
  const Node* target = found->second;
  if (target == nullptr) return Fail(mark, "this alias refers to itself (recursive)");
  alias_nodes_ += target->size;
  if (alias_nodes_ > options_.alias_nodes_max) {
    return Fail(mark, absl::StrCat("aliases expand beyond ", options_.alias_nodes_max, " nodes"));
  }
  if (stack_.size() + target->height > options_.depth_max) {
    return FailAsTooDeep(mark);
  }
  if (!CheckSize(mark)) return false;
  Node* node = arena().NewNode();
  *node = *target;
  node->next = nullptr;
  node->key = {};
  node->key_mark = 0;
  node->mark = mark;
  return Place(node);
}

bool TreeBuilder::Place(Node* node) {
  if (stack_.empty()) {
    FinishDocument(node);
    return true;
  }
  Frame& parent = stack_.back();
  const bool is_item = items_open_ && stack_.size() == 2;
  if (is_item) {
    FinishItem(node);
    ++parent.node->count;
    return true;
  }
  if (parent.node->kind == NodeKind::kMap) {
    node->key = parent.key;
    node->key_mark = parent.key_mark;
  }
  (parent.last == nullptr ? parent.node->first : parent.last->next) = node;
  parent.last = node;
  ++parent.node->count;
  parent.node->size += node->size;
  parent.node->height = std::max(parent.node->height, static_cast<uint16_t>(node->height + 1));
  return true;
}

void TreeBuilder::FinishItem(const Node* node) {
  if (!sink_.OnItem(*stack_[0].node, {node, item_remarks_})) {
    waiting_.push_back({node, std::move(item_remarks_)});
  }
  item_remarks_.clear();
  if (waiting_.empty() && anchors_.empty()) item_arena_.Reset();
  item_first_node_ = item_arena_.node_count();
}

void TreeBuilder::FinishDocument(const Node* node) {
  std::vector<ParsedObject> waiting;
  waiting.reserve(waiting_.size());
  for (const WaitingItem& item : waiting_) waiting.push_back({item.root, item.remarks});
  sink_.OnDocument({node, document_remarks_}, has_items_, waiting);
  document_arena_.Reset();
  item_arena_.Reset();
  item_first_node_ = 0;
  document_remarks_.clear();
  waiting_.clear();
  anchors_.clear();
  alias_nodes_ = 0;
  has_items_ = false;
}

void TreeBuilder::RemarkDuplicates(const Node& map) {
  const auto remark = [&](const Node& member) {
    std::string field = FieldPath(stack_.size() - 1);
    absl::StrAppend(&field, field.empty() ? "" : ".", EscapeForMessage(member.key));
    remarks().push_back({member.key_mark, std::move(field), "Duplicate",
                         absl::StrCat("duplicate key (found \"", EscapeForMessage(member.key),
                                      "\" more than once); each key may stand once"),
                         false});
  };
  if (map.count <= kPairwiseMax) {
    for (const Node* later = map.first; later != nullptr; later = later->next) {
      const Node* earlier = map.first;
      while (earlier != later && earlier->key != later->key) earlier = earlier->next;
      if (earlier != later) remark(*later);
    }
    return;
  }
  key_scratch_.clear();
  for (const Node* member = map.first; member != nullptr; member = member->next) {
    key_scratch_.push_back(member);
  }
  std::stable_sort(key_scratch_.begin(), key_scratch_.end(),
                   [](const Node* a, const Node* b) { return a->key < b->key; });
  for (size_t i = 1; i < key_scratch_.size(); ++i) {
    if (key_scratch_[i]->key == key_scratch_[i - 1]->key) remark(*key_scratch_[i]);
  }
}

}  // namespace npf::load
