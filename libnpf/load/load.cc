#include "npf/load.h"

#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "load/dispatch.h"
#include "load/files.h"
#include "load/json_events.h"
#include "load/text_check.h"
#include "load/yaml_events.h"

namespace npf {
namespace {

using load::TextFault;
using load::TextSource;

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

struct Loading {
  const LoadOptions& options;
  SnapshotBuilder& builder;
  Diagnostics& diagnostics;
  LoadReport& report;
};

void AddFault(const TextSource& source, const TextFault& fault, Diagnostics& diagnostics) {
  diagnostics.AddError(source.PositionOf(fault.mark), "", "", fault.type, fault.detail);
}

// False where the text holds no object and no error was reported.
bool ReadText(const std::string& text, std::string_view name, uint32_t file,
              const Loading& loading) {
  const std::string_view view(text);
  const bool is_json = load::LooksLikeJson(view, name);
  const TextSource offsets(view, file, TextSource::Marks::kOffsets);
  std::optional<load::BadByte> bad = load::FindBadByte(view);
  if (!bad.has_value() && !is_json) bad = load::FindLoneCarriageReturn(view);
  if (bad.has_value()) {
    AddFault(offsets, {bad->offset, "", bad->detail}, loading.diagnostics);
    return true;
  }
  const TextSource lines(view, file, TextSource::Marks::kLines);
  const TextSource& source = is_json ? offsets : lines;
  load::Dispatcher dispatcher(source, loading.options, loading.builder, loading.diagnostics,
                              loading.report);
  load::TreeBuilder tree(loading.options, dispatcher);
  const std::optional<TextFault> fault =
      is_json ? load::ReadJson(text, tree) : load::ReadYaml(view, tree);
  if (fault.has_value()) AddFault(source, *fault, loading.diagnostics);
  return fault.has_value() || dispatcher.has_objects();
}

// False as for ReadText.
bool ReadFile(const std::string& path, const Loading& loading) {
  const std::string name = path == "-" ? "(standard input)" : path;
  const uint32_t file = loading.builder.AddFile(name);
  std::string text;
  load::FileKind kind;
  load::FileFault fault = load::KindOfFile(path, kind);
  if (fault.ok()) fault = load::ReadWhole(path, loading.options.file_bytes_max, text);
  if (!fault.ok()) {
    loading.diagnostics.AddError({file, 0, 0}, "", "", fault.type, fault.detail);
    return true;
  }
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  return ReadText(text, name, file, loading);
}

void ReadDirectory(const std::string& path, const Loading& loading) {
  std::vector<std::string> files;
  const load::FileFault fault = load::ListDirectory(path, files);
  if (!fault.ok()) {
    loading.diagnostics.AddError({loading.builder.AddFile(path), 0, 0}, "", "", fault.type,
                                 fault.detail);
    return;
  }
  bool has_objects = false;
  for (const std::string& file : files) {
    const auto index = static_cast<uint32_t>(loading.builder.files().size());
    if (ReadFile(file, loading)) {
      has_objects = true;
    } else {
      loading.diagnostics.AddWarning({index, 0, 0}, "", "", "no objects");
    }
  }
  if (!has_objects) {
    loading.diagnostics.AddError({loading.builder.AddFile(path), 0, 0}, "", "", "",
                                 "no objects in this directory; *.yaml, *.yml, *.json, each also "
                                 "with .gz, are read");
  }
}

}  // namespace

void LoadText(std::string_view text, std::string_view name, const LoadOptions& options,
              SnapshotBuilder& builder, Diagnostics& diagnostics, LoadReport& report) {
  const uint32_t file = builder.AddFile(std::string(name));
  if (text.size() > options.file_bytes_max) {
    diagnostics.AddError({file, 0, 0}, "", "", "LimitExceeded",
                         absl::StrCat("larger than ", options.file_bytes_max, " bytes"));
    return;
  }
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (!ReadText(std::string(text), name, file, {options, builder, diagnostics, report})) {
    diagnostics.AddError({file, 0, 0}, "", "", "", "no objects");
  }
}

void LoadPath(const std::string& path, const LoadOptions& options, SnapshotBuilder& builder,
              Diagnostics& diagnostics, LoadReport& report) {
  const Loading loading{options, builder, diagnostics, report};
  load::FileKind kind;
  if (load::KindOfFile(path, kind).ok() && kind == load::FileKind::kDirectory) {
    ReadDirectory(path, loading);
    return;
  }
  const auto index = static_cast<uint32_t>(builder.files().size());
  if (!ReadFile(path, loading)) diagnostics.AddError({index, 0, 0}, "", "", "", "no objects");
}

std::vector<std::string> ObjectFiles(const std::string& path) {
  load::FileKind kind;
  if (!load::KindOfFile(path, kind).ok()) return {};
  if (kind == load::FileKind::kFile) return {path};
  std::vector<std::string> files;
  if (!load::ListDirectory(path, files).ok()) return {};
  return files;
}

}  // namespace npf
