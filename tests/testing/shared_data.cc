#include "testing/shared_data.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "npf/load.h"

namespace npf::testing {
namespace {

absl::StatusOr<Snapshot> Build(SnapshotBuilder& builder, Diagnostics& diagnostics) {
  absl::StatusOr<Snapshot> snapshot = builder.Build(diagnostics);
  if (snapshot.ok()) return snapshot;
  std::string text(snapshot.status().message());
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (diagnostic.severity == Severity::kError) {
      absl::StrAppend(&text, "\n", Format(diagnostic, builder.files()));
    }
  }
  return absl::InvalidArgumentError(text);
}

}  // namespace

std::optional<std::filesystem::path> SharedData() {
  const char* given = std::getenv("NPF_SHARED");
  const std::filesystem::path path =
      given != nullptr ? std::filesystem::path(given)
                       : std::filesystem::path(NPF_SOURCE_DIR).parent_path() / "shared";
  if (!std::filesystem::is_directory(path)) return std::nullopt;
  return path;
}

std::string ReadFile(const std::filesystem::path& path) {
  std::string content;
  gzFile file = gzopen(path.c_str(), "rb");  // reads plain files as they are
  if (file == nullptr) {
    ADD_FAILURE() << "cannot read " << path;
    return content;
  }
  std::array<char, 1 << 16> buffer;
  int count = 0;
  while ((count = gzread(file, buffer.data(), buffer.size())) > 0) {
    content.append(buffer.data(), static_cast<size_t>(count));
  }
  if (gzclose(file) != Z_OK || count < 0) ADD_FAILURE() << "cannot read all of " << path;
  return content;
}

std::vector<std::filesystem::path> Directories(const std::filesystem::path& parent) {
  std::vector<std::filesystem::path> result;
  for (const auto& entry : std::filesystem::directory_iterator(parent)) {
    if (entry.is_directory()) result.push_back(entry.path());
  }
  std::sort(result.begin(), result.end());
  return result;
}

absl::StatusOr<Snapshot> LoadSnapshot(const std::vector<std::filesystem::path>& paths) {
  SnapshotBuilder builder;
  Diagnostics diagnostics;
  LoadReport report;
  for (const auto& path : paths) LoadPath(path.string(), {}, builder, diagnostics, report);
  return Build(builder, diagnostics);
}

absl::StatusOr<Snapshot> LoadSnapshotText(const std::string& text, const std::string& name) {
  SnapshotBuilder builder;
  Diagnostics diagnostics;
  LoadReport report;
  LoadText(text, name, {}, builder, diagnostics, report);
  return Build(builder, diagnostics);
}

}  // namespace npf::testing
