// Events of a parser in, trees of objects out.
//
//   yaml_events ─┐                                    ┌─ one object after the other
//                ├─ StartMap Key Scalar ... ─ TreeBuilder ─ ObjectSink ─ decode_*.cc
//   json_events ─┘                                    └─ the end of each document
//
// Both parsers speak to this one interface, so nothing after it knows which language the text was
// written in. A whole document is never held: what stands under `items` of a document's root is
// handed to the sink item by item, and an item's memory is reused for the next, so a List of
// 150,000 pods costs the memory of one. Kubernetes prints `kind: List` after `items`; an item that
// has no kind of its own waits until the list's kind is known.
//
// Kept out while building: metadata.managedFields (often half of an object, and of no use here),
// and of a Terraform plan what was before and what was written, which is most of it. Refused at
// once (the text cannot be used): nesting beyond a limit, an object of too many values, aliases
// that refer to themselves or expand too far. Noted as Remarks, for the decoder to report where the
// object matters: duplicate keys, keys that are not strings, tags.
#ifndef NPF_LOAD_TREE_BUILDER_H_
#define NPF_LOAD_TREE_BUILDER_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "load/node.h"
#include "npf/load.h"

namespace npf::load {

// Something about an object that its tree does not show.
struct Remark {
  Mark mark = 0;
  std::string field;  // "spec.ingress[0]"
  std::string type;   // as Diagnostic::type
  std::string detail;
  bool always_error = false;  // also where decoding is lenient
};

struct ParsedObject {
  const Node* root;
  std::span<const Remark> remarks;
};

class ObjectSink {
 public:
  virtual ~ObjectSink() = default;
  // An item of `list` (as far as it was read). False: the list's kind must be known first.
  virtual bool OnItem(const Node& list, const ParsedObject& item) = 0;
  // A document ended; `waiting` are the items that OnItem put off.
  virtual void OnDocument(const ParsedObject& document, bool has_items,
                          std::span<const ParsedObject> waiting) = 0;
};

// What stops the reading of a text.
struct TextFault {
  Mark mark = 0;
  std::string type;
  std::string detail;
};

// Each event returns false where reading must stop; fault() says why.
class TreeBuilder {
 public:
  TreeBuilder(const LoadOptions& options, ObjectSink& sink) : options_(options), sink_(sink) {}

  // `stable` text outlives the builder and is not copied.
  bool StartMap(Mark mark) { return StartCollection(mark, NodeKind::kMap); }
  bool StartList(Mark mark) { return StartCollection(mark, NodeKind::kList); }
  bool EndMap() { return EndCollection(); }
  bool EndList() { return EndCollection(); }
  bool Key(Mark mark, std::string_view key, bool stable);
  bool Scalar(Mark mark, NodeKind kind, std::string_view text, bool stable);
  bool Alias(Mark mark, size_t anchor);
  // The next node can be referred to. Anchors hold until the document's end.
  void AnchorNext(size_t anchor) { next_anchor_ = anchor; }
  // About the value that comes next.
  void AddRemark(Mark mark, std::string type, std::string detail, bool always_error);
  bool Fail(Mark mark, std::string detail, std::string type = "");
  bool FailAsTooDeep(Mark mark);
  size_t depth_max() const { return options_.depth_max; }

  // What a finished anchor stands for; nullptr where it is open or not known.
  const Node* FinishedAnchor(size_t anchor) const;
  const TextFault* fault() const { return failed_ ? &fault_ : nullptr; }

 private:
  struct Frame {
    Node* node = nullptr;
    Node* last = nullptr;  // child
    std::string_view key;
    Mark key_mark = 0;
    size_t anchor = 0;
  };
  struct WaitingItem {
    const Node* root;
    std::vector<Remark> remarks;
  };
  static constexpr size_t kNodesInObjectMax = 2'000'000;
  static constexpr size_t kNodesWaitingMax = 20'000'000;

  bool StartCollection(Mark mark, NodeKind kind);
  bool EndCollection();
  bool SkipsScalar();  // the coming scalar is not kept
  bool CheckSize(Mark mark);
  Node* NewNode(Mark mark, NodeKind kind);
  bool Place(Node* node);  // in its parent, or as an item or a document of its own
  void FinishItem(const Node* node);
  void FinishDocument(const Node* node);
  void RemarkDuplicates(const Node& map);
  bool OpensItems(NodeKind kind) const;
  bool IsLeftOut(std::string_view key) const;
  size_t object_depth() const { return items_open_ ? 2 : 0; }
  Arena& arena() { return items_open_ ? item_arena_ : document_arena_; }
  std::vector<Remark>& remarks() { return items_open_ ? item_remarks_ : document_remarks_; }
  std::string FieldPath(size_t frames) const;  // of what the first `frames` frames are at

  const LoadOptions& options_;
  ObjectSink& sink_;
  Arena document_arena_;
  Arena item_arena_;
  std::vector<Frame> stack_;
  std::vector<Remark> document_remarks_;
  std::vector<Remark> item_remarks_;
  std::vector<WaitingItem> waiting_;
  std::vector<const Node*> key_scratch_;
  absl::flat_hash_map<size_t, Node*> anchors_;  // nullptr while its node is open
  size_t next_anchor_ = 0;
  size_t alias_nodes_ = 0;
  size_t skip_depth_ = 0;  // collections open in a part that is not kept
  size_t item_first_node_ = 0;
  bool skip_next_ = false;
  bool items_open_ = false;
  bool has_items_ = false;
  bool failed_ = false;
  TextFault fault_;
};

}  // namespace npf::load

#endif  // NPF_LOAD_TREE_BUILDER_H_
