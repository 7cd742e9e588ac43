#include "npf/settings.h"

#include <optional>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "load/files.h"
#include "load/json_events.h"
#include "load/text_check.h"
#include "load/tree_builder.h"
#include "load/yaml_events.h"

namespace npf {
namespace {

using load::NodeKind;

constexpr size_t kSettingsBytesMax = size_t{1} << 20;

class SettingsSink : public load::ObjectSink {
 public:
  explicit SettingsSink(const load::TextSource& source, std::string_view name)
      : source_(source), name_(name) {}

  // The tree gives the items of a list "items" one by one, as it does for a List of Kubernetes.
  bool OnItem(const load::Node&, const load::ParsedObject& item) override {
    TakeValue("items", *item.root);
    return true;
  }
  void OnDocument(const load::ParsedObject& document, bool,
                  std::span<const load::ParsedObject>) override {
    const load::Node& root = *document.root;
    if (root.kind == NodeKind::kNull) return;
    if (std::exchange(has_document_, true)) Error(root.mark, "a second document; there may be one");
    for (const load::Remark& remark : document.remarks) Error(remark.mark, remark.detail);
    if (root.kind != NodeKind::kMap) {
      Error(root.mark, "must be a mapping of names to values (found " + load::Describe(root) + ")");
      return;
    }
    for (const load::Node* member = root.first; member != nullptr; member = member->next) {
      TakeMember(*member);
    }
  }
  void Error(load::Mark mark, std::string_view detail) {
    const Position at = source_.PositionOf(mark);
    errors_.push_back(
        absl::StrCat(std::string(name_), ":", at.line, ":", at.column, ": ", std::string(detail)));
  }
  absl::StatusOr<std::vector<Setting>> Take() {
    if (!errors_.empty()) return absl::InvalidArgumentError(absl::StrJoin(errors_, "\n"));
    return std::move(settings_);
  }

 private:
  void TakeMember(const load::Node& member) {
    if (member.kind != NodeKind::kList) {
      TakeValue(member.key, member, member.key_mark);
      return;
    }
    for (const load::Node* item = member.first; item != nullptr; item = item->next) {
      TakeValue(member.key, *item);
    }
  }
  void TakeValue(std::string_view name, const load::Node& value, load::Mark mark = 0) {
    if (mark == 0) mark = value.mark;
    const std::string shown = EscapeForMessage(name);
    if (value.kind == NodeKind::kNull) {
      Error(mark, shown + ": has no value");
    } else if (value.kind == NodeKind::kMap || value.kind == NodeKind::kList) {
      Error(mark, shown + ": must be a scalar or a list of scalars (found " +
                      load::Describe(value) + ")");
    } else {
      const Position at = source_.PositionOf(mark);
      settings_.push_back({std::string(name), std::string(value.text), at.line, at.column});
    }
  }

  const load::TextSource& source_;
  std::string_view name_;
  bool has_document_ = false;
  std::vector<Setting> settings_;
  std::vector<std::string> errors_;
};

}  // namespace

absl::StatusOr<std::vector<Setting>> ReadSettingsText(std::string_view view,
                                                      std::string_view name) {
  const std::string text(view);
  const bool is_json = load::LooksLikeJson(text, name);
  const load::TextSource offsets(text, 0, load::TextSource::Marks::kOffsets);
  std::optional<load::BadByte> bad = load::FindBadByte(text);
  if (!bad.has_value() && !is_json) bad = load::FindLoneCarriageReturn(text);
  if (bad.has_value()) {
    SettingsSink sink(offsets, name);
    sink.Error(bad->offset, bad->detail);
    return sink.Take();
  }
  const load::TextSource lines(text, 0, load::TextSource::Marks::kLines);
  SettingsSink sink(is_json ? offsets : lines, name);
  const LoadOptions options;
  load::TreeBuilder tree(options, sink);
  const std::optional<load::TextFault> fault =
      is_json ? load::ReadJson(text, tree) : load::ReadYaml(text, tree);
  if (fault.has_value()) sink.Error(fault->mark, fault->detail);
  return sink.Take();
}

absl::StatusOr<std::vector<Setting>> ReadSettingsFile(const std::string& path) {
  std::string text;
  load::FileKind kind = load::FileKind::kFile;
  load::FileFault fault = load::KindOfFile(path, kind);
  if (fault.ok() && kind == load::FileKind::kDirectory) fault.detail = "is a directory";
  if (fault.ok()) fault = load::ReadWhole(path, kSettingsBytesMax, text);
  if (!fault.ok()) return absl::InvalidArgumentError(absl::StrCat(path, ": ", fault.detail));
  return ReadSettingsText(text, path);
}

}  // namespace npf
