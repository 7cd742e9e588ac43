// Reading objects from YAML and JSON text, files, directories and standard input.
#ifndef NPF_LOAD_H_
#define NPF_LOAD_H_

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "npf/diagnostics.h"
#include "npf/snapshot.h"

namespace npf {

struct LoadOptions {
  bool lenient = false;              // unknown fields of policies warn instead of failing (R65)
  size_t file_bytes_max = 1u << 30;  // after decompression
  size_t depth_max = 64;             // nesting of collections
  size_t alias_nodes_max = 100'000;  // nodes that YAML aliases may expand to, per document
};

// A policy of another vendor's kind, which is not read.
struct ForeignPolicy {
  std::string kind;    // "cilium.io/v2 CiliumNetworkPolicy"
  std::string object;  // "CiliumNetworkPolicy prod/db"
  Position position;
};

// How many objects of each kind were read, and how many of other kinds were skipped.
struct LoadReport {
  std::map<std::string, size_t> used;     // by kind
  std::map<std::string, size_t> skipped;  // by "apiVersion kind"
  std::vector<ForeignPolicy> foreign;     // in input order
};

// Each adds what it reads to `builder` and what is wrong to `diagnostics`. `name` is the file name
// for messages. Text may be YAML (many documents) or JSON; List kinds are unpacked.
void LoadText(std::string_view text, std::string_view name, const LoadOptions& options,
              SnapshotBuilder& builder, Diagnostics& diagnostics, LoadReport& report);
// A file, a directory (recursively: *.yaml, *.yml, *.json, each also with .gz; nothing that begins
// with a dot), or "-".
void LoadPath(const std::string& path, const LoadOptions& options, SnapshotBuilder& builder,
              Diagnostics& diagnostics, LoadReport& report);
// Which files LoadPath would read of `path` as it is now, sorted; none where it is no file and no
// directory.
std::vector<std::string> ObjectFiles(const std::string& path);

// A file that is not on the disk, called as messages shall name it. Gzip is undone, as in files.
struct NamedText {
  std::string name;
  std::string text;
};
// As LoadPath reads a directory called `directory` that has these files.
void LoadDirectory(const std::string& directory, std::span<const NamedText> files,
                   const LoadOptions& options, SnapshotBuilder& builder, Diagnostics& diagnostics,
                   LoadReport& report);
// As LoadPath reads this file.
void LoadFile(const NamedText& file, const LoadOptions& options, SnapshotBuilder& builder,
              Diagnostics& diagnostics, LoadReport& report);
// Whether a file of this path is read where the directory that the path begins in is.
bool IsObjectPath(std::string_view path);

}  // namespace npf

#endif  // NPF_LOAD_H_
