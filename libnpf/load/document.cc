#include "load/document.h"

#include <optional>
#include <span>

#include "load/json_events.h"
#include "load/text_check.h"
#include "load/yaml_events.h"

namespace npf::load {
namespace {

class DocumentSink : public ObjectSink {
 public:
  DocumentSink(const TextSource& source, const VisitDocument& visit)
      : source_(source), visit_(visit) {}

  // A list called "items" stays a member like any other: its items are kept until the end.
  bool OnItem(const Node&, const ParsedObject&) override { return false; }
  void OnDocument(const ParsedObject& document, bool, std::span<const ParsedObject>) override {
    if (document.root->kind != NodeKind::kNull) visit_(source_, document);
  }

 private:
  const TextSource& source_;
  const VisitDocument& visit_;
};

}  // namespace

void ReadDocuments(const std::string& text, std::string_view name, uint32_t file,
                   Diagnostics& diagnostics, const VisitDocument& visit) {
  const bool is_json = LooksLikeJson(text, name);
  const TextSource offsets(text, file, TextSource::Marks::kOffsets);
  std::optional<BadByte> bad = FindBadByte(text);
  if (!bad.has_value() && !is_json) bad = FindLoneCarriageReturn(text);
  if (bad.has_value()) {
    diagnostics.AddError(offsets.PositionOf(bad->offset), "", "", "", bad->detail);
    return;
  }
  const TextSource lines(text, file, TextSource::Marks::kLines);
  const TextSource& source = is_json ? offsets : lines;
  DocumentSink sink(source, visit);
  const LoadOptions options;
  TreeBuilder tree(options, sink);
  const std::optional<TextFault> fault = is_json ? ReadJson(text, tree) : ReadYaml(text, tree);
  if (!fault.has_value()) return;
  diagnostics.AddError(source.PositionOf(fault->mark), "", "", fault->type, fault->detail);
}

}  // namespace npf::load
