#include "flow_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace npf::appliance {
namespace {

std::string NameUntilRenamed(const std::string& path) { return path + ".new"; }

absl::Status Failure(const std::string& path) { return absl::ErrnoToStatus(errno, path); }

absl::StatusOr<std::span<std::byte>> Map(int file, size_t bytes, int flags,
                                         const std::string& path) {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, file, 0);
  if (memory == MAP_FAILED) return Failure(path);
  madvise(memory, bytes, MADV_HUGEPAGE);
  return std::span(static_cast<std::byte*>(memory), bytes);
}

}  // namespace

MappedFile::~MappedFile() {
  if (!bytes_.empty()) munmap(bytes_.data(), bytes_.size());
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

absl::StatusOr<MappedFile> MappedFile::Create(const std::string& path, size_t bytes) {
  const std::string name = NameUntilRenamed(path);
  unlink(name.c_str());
  const int file = open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return Failure(name);
  // Room now, not when a page is first written: that would be a signal in the middle of a burst.
  const int code = posix_fallocate(file, 0, static_cast<off_t>(bytes));
  absl::StatusOr<std::span<std::byte>> mapped =
      code == 0 ? Map(file, bytes, MAP_SHARED, name)
                : absl::StatusOr<std::span<std::byte>>(
                      absl::ErrnoToStatus(code, absl::StrCat(name, ": ", bytes, " bytes")));
  close(file);
  if (!mapped.ok()) return mapped.status();
  MappedFile created;
  created.path_ = path;
  created.bytes_ = *mapped;
  return created;
}

absl::StatusOr<MappedFile> MappedFile::Open(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return Failure(path);
  struct stat info {};
  absl::StatusOr<std::span<std::byte>> mapped =
      absl::PermissionDeniedError(path + ": is not a file of this user");
  if (fstat(file, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == geteuid() &&
      info.st_size > 0) {
    mapped = Map(file, static_cast<size_t>(info.st_size), MAP_PRIVATE, path);
  }
  close(file);
  if (!mapped.ok()) return mapped.status();
  MappedFile opened;
  opened.path_ = path;
  opened.bytes_ = *mapped;
  return opened;
}

absl::Status MappedFile::Rename() const {
  if (std::rename(NameUntilRenamed(path_).c_str(), path_.c_str()) != 0) return Failure(path_);
  return absl::OkStatus();
}

}  // namespace npf::appliance
