// From the tree of an object to a model struct.
//
// Decoding looks at types and field names only; what values mean is the model's business. Policies
// are decoded strictly: a field that is not known could be a typo that widens a policy, so it is an
// error (R65). Other kinds are read for what is needed and may have any further fields.
#ifndef NPF_LOAD_DECODE_H_
#define NPF_LOAD_DECODE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "load/node.h"
#include "load/source.h"
#include "load/tree_builder.h"
#include "npf/snapshot.h"

namespace npf::load {

// A field path that is only written out when a message needs it.
struct Path {
  const Path* parent = nullptr;
  std::string_view key;
  int64_t index = -1;  // of a list item, where not negative

  Path Member(std::string_view name) const { return {this, name, -1}; }
  Path Item(size_t i) const { return {this, {}, static_cast<int64_t>(i)}; }
  std::string ToString() const;
};

// Finds fields of one object, one after another. It goes on from where it was in each list on the
// way, so that faults all along a list cost one walk over it.
class FieldFinder {
 public:
  explicit FieldFinder(const Node& root) : root_(root) {}
  // The place of a field ("spec.ingress[0].ports"), or of the nearest one around it that is there.
  Mark Find(std::string_view field);

 private:
  struct Finger {
    const Node* list = nullptr;
    const Node* item = nullptr;
    size_t index = 0;  // of the item
  };
  static const Node* ItemAt(const Node& list, std::string_view index_text, Finger& finger);

  static constexpr size_t kFingers = 4;  // lists within lists; of further ones the last is shared
  const Node& root_;
  std::array<Finger, kFingers> fingers_;
};

inline Mark LocateField(const Node& root, std::string_view field) {
  return FieldFinder(root).Find(field);
}

// The decoding of one object: takes what is found wrong.
class Decoding {
 public:
  struct Options {
    bool lenient = false;   // unknown fields and duplicate keys warn (R65)
    bool tolerant = false;  // errors are told as warnings, the object will be left out (R79)
  };
  Decoding(const TextSource& source, const Node& root, std::string kind,
           std::string_view default_ns, Options options, Diagnostics& out)
      : source_(source),
        root_(root),
        kind_(std::move(kind)),
        default_namespace_(default_ns),
        options_(options),
        out_(out) {}

  void Error(Mark mark, std::string field, std::string_view type, std::string detail);
  void Warning(Mark mark, std::string field, std::string detail);
  void WrongType(const Path& path, const Node& node, std::string_view wanted);
  void UnknownField(const Path& path, const Node& member,
                    const std::vector<std::string_view>& known);
  void Report(std::span<const Remark> remarks);

  // Each returns nothing, or an empty value, after reporting a node of another type. nullptr and
  // null stand for absent.
  const Node* Map(const Node* node, const Path& path);
  const Node* List(const Node* node, const Path& path);
  std::optional<std::string> String(const Node* node, const Path& path);
  std::optional<bool> Bool(const Node* node, const Path& path);
  std::optional<int64_t> Integer(const Node* node, const Path& path);
  std::vector<std::string> Strings(const Node* node, const Path& path);
  Labels StringMap(const Node* node, const Path& path);

  Position PositionOf(Mark mark) const { return source_.PositionOf(mark); }
  std::string ObjectName() const;
  const std::string& kind() const { return kind_; }
  size_t error_count() const { return error_count_; }
  bool values_are_whole() const { return wrong_type_count_ == 0; }

 private:
  const TextSource& source_;
  const Node& root_;
  std::string kind_;
  std::string_view default_namespace_;
  Options options_;
  Diagnostics& out_;
  size_t error_count_ = 0;
  size_t wrong_type_count_ = 0;
};

// Reads the members of a map strictly: those that nobody took are reported at the end. A member
// that is there but null means what an absent one means, which is often "everything": a text that
// was cut off behind `ports:` allows every port, so kWarn tells of it.
class StrictMap {
 public:
  enum class Nulls : uint8_t { kWarn, kQuiet };
  StrictMap(Decoding& decoding, const Node* node, const Path& path, Nulls nulls = Nulls::kWarn);
  ~StrictMap();
  StrictMap(const StrictMap&) = delete;
  StrictMap& operator=(const StrictMap&) = delete;

  const Node* Take(std::string_view key);  // nullptr where absent or null

 private:
  Decoding& decoding_;
  const Node* node_;
  const Path& path_;
  Nulls nulls_;
  std::vector<std::string_view> known_;
};

struct Metadata {
  std::string name;
  std::string ns;
  Labels labels;
  std::string creation_timestamp;
  bool terminating = false;
  std::string controller;  // "KIND/NAME"
  Labels annotations;      // those that are read: in the domains npf and of service meshes
};
// The annotations of a metadata map that are read; nullptr has none.
Labels DecodeAnnotations(const Node* metadata);
Metadata DecodeMetadata(Decoding& decoding, const Node& root);

NetworkPolicy DecodeNetworkPolicy(Decoding& decoding, const Node& root);
ClusterPolicy DecodeClusterPolicy(Decoding& decoding, const Node& root, ClusterPolicyKind kind);
LabelSelector DecodeSelector(Decoding& decoding, const Node& node, const Path& path);

Namespace DecodeNamespace(Decoding& decoding, const Node& root);
Pod DecodePod(Decoding& decoding, const Node& root);
npf::Node DecodeNode(Decoding& decoding, const Node& root);
// `tolerant` takes what is wrong with fields that decide about no traffic.
Service DecodeService(Decoding& decoding, Decoding& tolerant, const Node& root);
Ingress DecodeIngress(Decoding& tolerant, const Node& root);

// A pod in place of those that a Deployment, StatefulSet, DaemonSet, ReplicaSet, Job or CronJob
// makes; nullopt where it is scaled to none.
struct Workload {
  Pod stand_in;
  std::optional<LabelSelector> selector;
};
std::optional<Workload> DecodeWorkload(Decoding& decoding, const Node& root);

}  // namespace npf::load

#endif  // NPF_LOAD_DECODE_H_
