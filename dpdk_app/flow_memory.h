// Where a worker's connections are kept so that the next process finds them: a file in memory.
#ifndef NPF_DPDK_APP_FLOW_MEMORY_H_
#define NPF_DPDK_APP_FLOW_MEMORY_H_

#include <cstddef>
#include <span>
#include <string>

#include "absl/status/statusor.h"

namespace npf::appliance {

// A file that is mapped, and unmapped in the end.
class MappedFile {
 public:
  MappedFile() = default;
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  // A new one of zeros, under a name of its own until Rename().
  static absl::StatusOr<MappedFile> Create(const std::string& path, size_t bytes);
  // As it is; changes stay private. Refused where it is not a file of this user.
  static absl::StatusOr<MappedFile> Open(const std::string& path);
  // To the path that Create was given, over what was there.
  absl::Status Rename() const;

  std::span<std::byte> bytes() const { return bytes_; }

 private:
  std::string path_;
  std::span<std::byte> bytes_;
};

}  // namespace npf::appliance

#endif  // NPF_DPDK_APP_FLOW_MEMORY_H_
