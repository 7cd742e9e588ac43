// The tree of one object, as YAML or JSON said it.
//
// Nodes live in an Arena and are freed together when their object has been decoded. Members of a
// map and items of a list are chained in input order. A YAML alias shares the children of what it
// refers to, so a document costs what was written, however much it expands to.
#ifndef NPF_LOAD_NODE_H_
#define NPF_LOAD_NODE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "load/source.h"

namespace npf::load {

// kUnknown is a value that is given, but not yet known: a plan has such, no text does.
enum class NodeKind : uint8_t { kNull, kBool, kInt, kFloat, kString, kList, kMap, kUnknown };

// What is wrong with it where it is needed.
inline constexpr char kUnknownDetail[] = "is not known before it is applied; npf does not guess it";

struct Node {
  std::string_view key;   // of a member of a map
  std::string_view text;  // of a scalar
  Node* first = nullptr;  // of a map or a list
  Node* next = nullptr;   // sibling
  Mark mark = 0;
  Mark key_mark = 0;
  uint32_t count = 0;  // members or items
  uint32_t size = 1;   // nodes of the subtree, aliases expanded; saturating
  uint16_t height = 1;
  NodeKind kind = NodeKind::kNull;
};

// The member called `key`, the last where there are several; nullptr where there is none.
const Node* FindMember(const Node& map, std::string_view key);

// What a kBool says: true, yes and on in YAML, in their spellings.
bool TruthOf(const Node& node);

// "a list", "the string \"80\"", "the number 80.5": for messages.
std::string Describe(const Node& node);

class Arena {
 public:
  Node* NewNode();
  std::string_view Copy(std::string_view text);
  void Reset();  // everything handed out is gone; the memory is kept for the next object
  size_t node_count() const { return node_count_; }

 private:
  static constexpr size_t kNodesInChunk = 512;
  static constexpr size_t kTextChunk = size_t{64} << 10;

  std::vector<std::unique_ptr<Node[]>> node_chunks_;
  std::vector<std::unique_ptr<char[]>> text_chunks_;
  std::vector<std::unique_ptr<char[]>> long_texts_;
  size_t node_count_ = 0;
  size_t text_chunks_used_ = 0;
  size_t text_left_ = 0;
};

}  // namespace npf::load

#endif  // NPF_LOAD_NODE_H_
