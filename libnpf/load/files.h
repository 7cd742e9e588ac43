// Bytes from files, directories and standard input, with a bound on every size.
#ifndef NPF_LOAD_FILES_H_
#define NPF_LOAD_FILES_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace npf::load {

// Why something cannot be read, in the types of Diagnostic::type: "Unreadable" where the system
// refused, "LimitExceeded" where it is too large, "" where it is of a wrong kind.
struct FileFault {
  std::string type;
  std::string detail;
  bool ok() const { return detail.empty(); }
};

enum class FileKind : uint8_t { kFile, kDirectory };
FileFault KindOfFile(const std::string& path, FileKind& kind);

// The objects' files in a directory and below, sorted by path: *.yaml, *.yml, *.json, each also
// with .gz. Links to directories are not followed, and what begins with a dot is not looked at: in
// a mounted ConfigMap it is the same files once more.
FileFault ListDirectory(const std::string& path, std::vector<std::string>& files);

// By its name: *.yaml, *.yml, *.json, each also with .gz.
bool IsObjectFile(std::string_view name);

// Undoes gzip where `bytes` are that.
FileFault Unpack(size_t bytes_max, std::string& bytes);

// The whole of a file, or of standard input where `path` is "-"; gzip is undone.
FileFault ReadWhole(const std::string& path, size_t bytes_max, std::string& out);

}  // namespace npf::load

#endif  // NPF_LOAD_FILES_H_
