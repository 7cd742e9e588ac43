#include "load/json_values.h"

#include <span>
#include <utility>

#include "load/json_events.h"
#include "load/text_check.h"
#include "load/tree_builder.h"

namespace npf::load {
namespace {

class ValueSink : public ObjectSink {
 public:
  explicit ValueSink(const std::function<std::string(const Node&)>& take) : take_(take) {}

  bool OnItem(const Node&, const ParsedObject& item) override {
    Take(item);
    return true;
  }
  void OnDocument(const ParsedObject& document, bool has_items,
                  std::span<const ParsedObject>) override {
    if (!has_items) Take(document);
  }
  bool failed() const { return failed_; }
  const TextFault& fault() const { return fault_; }

 private:
  void Take(const ParsedObject& value) {
    if (failed_) return;
    if (!value.remarks.empty()) {
      const Remark& first = value.remarks.front();
      return Fail(first.mark, first.field + ": " + first.detail);
    }
    std::string fault = take_(*value.root);
    if (!fault.empty()) Fail(value.root->mark, std::move(fault));
  }
  void Fail(Mark mark, std::string detail) {
    failed_ = true;
    fault_ = {mark, "", std::move(detail)};
  }

  const std::function<std::string(const Node&)>& take_;
  bool failed_ = false;
  TextFault fault_;
};

}  // namespace

std::optional<JsonFault> ReadJsonValues(const std::string& text,
                                        const std::function<std::string(const Node&)>& take) {
  const TextSource source(text, 0, TextSource::Marks::kOffsets);
  const auto fault_at = [&](Mark mark, const std::string& detail) {
    const Position at = source.PositionOf(mark);
    return JsonFault{at.line, at.column, detail};
  };
  if (const std::optional<BadByte> bad = FindBadByte(text)) {
    return fault_at(bad->offset, bad->detail);
  }
  ValueSink sink(take);
  const LoadOptions options;
  TreeBuilder tree(options, sink);
  const std::optional<TextFault> fault = ReadJson(text, tree);
  if (sink.failed()) return fault_at(sink.fault().mark, sink.fault().detail);
  if (fault.has_value()) return fault_at(fault->mark, fault->detail);
  return std::nullopt;
}

const Node* Member(const Node* node, std::string_view name) {
  return node == nullptr || node->kind != NodeKind::kMap ? nullptr : FindMember(*node, name);
}

}  // namespace npf::load
