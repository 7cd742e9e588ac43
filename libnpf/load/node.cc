#include "load/node.h"

#include <algorithm>

#include "npf/diagnostics.h"

namespace npf::load {

const Node* FindMember(const Node& map, std::string_view key) {
  const Node* found = nullptr;
  if (map.kind != NodeKind::kMap) return nullptr;
  for (const Node* member = map.first; member != nullptr; member = member->next) {
    if (member->key == key) found = member;
  }
  return found;
}

bool TruthOf(const Node& node) {
  const char first = node.text[0];
  if (first == 'o' || first == 'O') return node.text.size() == 2;  // on, off
  return first == 'y' || first == 'Y' || first == 't' || first == 'T';
}

std::string Describe(const Node& node) {
  switch (node.kind) {
    case NodeKind::kNull:
      return "null";
    case NodeKind::kBool:
      return "the boolean " + EscapeForMessage(node.text);
    case NodeKind::kInt:
    case NodeKind::kFloat:
      return "the number " + EscapeForMessage(node.text);
    case NodeKind::kString:
      return "the string \"" + EscapeForMessage(node.text) + "\"";
    case NodeKind::kList:
      return "a list";
    case NodeKind::kUnknown:
      return "a value that is not known yet";
    case NodeKind::kMap:
      break;
  }
  return "a map";
}

Node* Arena::NewNode() {
  const size_t chunk = node_count_ / kNodesInChunk;
  if (chunk == node_chunks_.size()) {
    node_chunks_.push_back(std::make_unique<Node[]>(kNodesInChunk));
  }
  Node* node = &node_chunks_[chunk][node_count_ % kNodesInChunk];
  *node = Node();
  ++node_count_;
  return node;
}

std::string_view Arena::Copy(std::string_view text) {
  char* place = nullptr;
  if (text.size() > kTextChunk / 4) {
    place = long_texts_.emplace_back(std::make_unique_for_overwrite<char[]>(text.size())).get();
  } else {
    if (text.size() > text_left_) {
      if (text_chunks_used_ == text_chunks_.size()) {
        text_chunks_.push_back(std::make_unique_for_overwrite<char[]>(kTextChunk));
      }
      ++text_chunks_used_;
      text_left_ = kTextChunk;
    }
    if (text.empty()) return {};
    place = text_chunks_[text_chunks_used_ - 1].get() + (kTextChunk - text_left_);
    text_left_ -= text.size();
  }
  std::copy(text.begin(), text.end(), place);
  return {place, text.size()};
}

void Arena::Reset() {
  node_count_ = 0;
  text_chunks_used_ = 0;
  text_left_ = 0;
  long_texts_.clear();
}

}  // namespace npf::load
