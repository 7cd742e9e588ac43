// Which object goes where: by apiVersion and kind to its decoder and on to the SnapshotBuilder.
#ifndef NPF_LOAD_DISPATCH_H_
#define NPF_LOAD_DISPATCH_H_

#include <span>
#include <string>
#include <string_view>

#include "load/source.h"
#include "load/tree_builder.h"
#include "npf/load.h"

namespace npf::load {

class Dispatcher : public ObjectSink {
 public:
  Dispatcher(const TextSource& source, const LoadOptions& options, SnapshotBuilder& builder,
             Diagnostics& diagnostics, LoadReport& report)
      : source_(source),
        options_(options),
        builder_(builder),
        diagnostics_(diagnostics),
        report_(report) {}

  bool OnItem(const Node& list, const ParsedObject& item) override;
  void OnDocument(const ParsedObject& document, bool has_items,
                  std::span<const ParsedObject> waiting) override;

  // Objects and lists; a text that has none was probably meant to have some.
  bool has_objects() const { return has_objects_; }

 private:
  // What an object says it is, or what the list that it is in says.
  struct TypeMeta {
    std::string_view api_version;
    std::string_view kind;
  };
  bool ReadTypeMeta(const Node& root, TypeMeta list, TypeMeta& out);
  void DispatchItem(const Node& list, const ParsedObject& item);
  void DispatchObject(const ParsedObject& object, TypeMeta type);
  void DispatchNestedList(const Node& list, TypeMeta type);
  void DispatchWrapped(const ParsedObject& object, TypeMeta type);
  void DecodePolicy(const ParsedObject& object);
  void DecodeTierPolicy(const ParsedObject& object, TypeMeta type);
  template <typename Decode>
  void DecodeAnyPolicy(const ParsedObject& object, const std::string& kind,
                       std::string_view default_namespace, Decode decode);
  void DecodeEntrance(const ParsedObject& object);
  void DecodeClusterObject(const ParsedObject& object, TypeMeta type);
  void Refuse(const Node& root, TypeMeta type, std::string field, std::string detail);
  void RefuseUnknownPolicy(const Node& root, TypeMeta type);
  void WarnOfForeignPolicy(const Node& root, TypeMeta type);
  void Skip(TypeMeta type);
  void SkipWithAdvice(const Node& root, TypeMeta type);

  const TextSource& source_;
  const LoadOptions& options_;
  SnapshotBuilder& builder_;
  Diagnostics& diagnostics_;
  LoadReport& report_;
  bool has_objects_ = false;
};

}  // namespace npf::load

#endif  // NPF_LOAD_DISPATCH_H_
