#include "npf/load.h"

#include <functional>
#include <optional>
#include <utility>
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
bool ReadText(std::string text, std::string_view name, uint32_t file, const Loading& loading) {
  load::BlankReleaseProse(text);
  const std::string_view view(text);
  const bool is_json = load::LooksLikeJson(view, name);
  const TextSource offsets(view, file, TextSource::Marks::kOffsets);
  std::optional<load::BadByte> bad = load::FindBadByte(view);
  if (!bad.has_value() && !is_json) bad = load::FindLoneCarriageReturn(view);
  if (bad.has_value()) {
    if (view.starts_with("PK\x03\x04")) {
      bad = {0, "an archive, as terraform plan -out writes; give what terraform show -json prints"};
    }
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

// Reads `path` as it is called, or as it is on the disk.
using Read = std::function<load::FileFault(const std::string& path, std::string& text)>;

// False as for ReadText.
bool ReadFile(const std::string& path, const Read& read, const Loading& loading) {
  const std::string name = path == "-" ? "(standard input)" : path;
  const uint32_t file = loading.builder.AddFile(name);
  std::string text;
  const load::FileFault fault = read(path, text);
  if (!fault.ok()) {
    loading.diagnostics.AddError({file, 0, 0}, "", "", fault.type, fault.detail);
    return true;
  }
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  return ReadText(std::move(text), name, file, loading);
}

void ReadDirectory(const std::string& path, std::span<const std::string> files, const Read& read,
                   const Loading& loading) {
  bool has_objects = false;
  for (const std::string& file : files) {
    const auto index = static_cast<uint32_t>(loading.builder.files().size());
    if (ReadFile(file, read, loading)) {
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

void ReadOne(const std::string& path, const Read& read, const Loading& loading) {
  const auto index = static_cast<uint32_t>(loading.builder.files().size());
  if (!ReadFile(path, read, loading)) {
    loading.diagnostics.AddError({index, 0, 0}, "", "", "", "no objects");
  }
}

Read FromDisk(const LoadOptions& options) {
  return [&options](const std::string& path, std::string& text) {
    load::FileKind kind;
    load::FileFault fault = load::KindOfFile(path, kind);
    return fault.ok() ? load::ReadWhole(path, options.file_bytes_max, text) : fault;
  };
}

// Of the files that are asked for in their order.
Read FromMemory(std::span<const NamedText> files, const LoadOptions& options) {
  return [next = files.begin(), &options](const std::string&, std::string& text) mutable {
    text = (next++)->text;
    return load::Unpack(options.file_bytes_max, text);
  };
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
  if (!load::KindOfFile(path, kind).ok() || kind != load::FileKind::kDirectory) {
    ReadOne(path, FromDisk(options), loading);
    return;
  }
  std::vector<std::string> files;
  const load::FileFault fault = load::ListDirectory(path, files);
  if (fault.ok()) {
    ReadDirectory(path, files, FromDisk(options), loading);
  } else {
    diagnostics.AddError({builder.AddFile(path), 0, 0}, "", "", fault.type, fault.detail);
  }
}

void LoadDirectory(const std::string& directory, std::span<const NamedText> files,
                   const LoadOptions& options, SnapshotBuilder& builder, Diagnostics& diagnostics,
                   LoadReport& report) {
  std::vector<std::string> names;
  names.reserve(files.size());
  for (const NamedText& file : files) names.push_back(file.name);
  ReadDirectory(directory, names, FromMemory(files, options),
                {options, builder, diagnostics, report});
}

void LoadFile(const NamedText& file, const LoadOptions& options, SnapshotBuilder& builder,
              Diagnostics& diagnostics, LoadReport& report) {
  ReadOne(file.name, FromMemory({&file, 1}, options), {options, builder, diagnostics, report});
}

bool IsObjectPath(std::string_view path) {
  const size_t slash = path.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  const bool is_hidden = path.starts_with('.') || path.find("/.") != std::string_view::npos;
  return !is_hidden && load::IsObjectFile(name);
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
