#include "npf/image.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "program/view.h"

namespace npf {
namespace {

// Images are far smaller; a larger file is refused before it is read.
constexpr off_t kImageBytesMax = off_t{1} << 34;

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

absl::Status ErrnoStatus(const std::string& path, const char* what) {
  return absl::ErrnoToStatus(errno, absl::StrCat(path, ": ", what));
}

absl::Status WriteAll(int descriptor, std::span<const std::byte> bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoStatus(path, "cannot write");
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status SaveImage(const Program& program, const std::string& path, unsigned mode) {
  std::string temporary = path + ".XXXXXX";
  const File file(mkstemp(temporary.data()));
  if (file.descriptor() < 0) return ErrnoStatus(temporary, "cannot create");
  absl::Status status = WriteAll(file.descriptor(), program.image(), temporary);
  if (status.ok() && (fchmod(file.descriptor(), mode) != 0 || fsync(file.descriptor()) != 0)) {
    status = ErrnoStatus(temporary, "cannot finish");
  }
  if (status.ok() && rename(temporary.c_str(), path.c_str()) != 0) {
    status = ErrnoStatus(path, "cannot replace");
  }
  if (!status.ok()) unlink(temporary.c_str());
  return status;
}

absl::StatusOr<Program> LoadImage(const std::string& path) {
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.descriptor() < 0) return ErrnoStatus(path, "cannot open");
  struct stat info;
  if (fstat(file.descriptor(), &info) != 0) return ErrnoStatus(path, "cannot stat");
  if (!S_ISREG(info.st_mode)) return absl::InvalidArgumentError(path + ": not a regular file");
  if (info.st_size > kImageBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": ", info.st_size, " bytes, an image has at most ", kImageBytesMax));
  }
  AlignedBlock block(static_cast<size_t>(info.st_size));
  size_t filled = 0;
  while (filled < block.size()) {
    const ssize_t got = read(file.descriptor(), block.data() + filled, block.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(path, "cannot read");
    if (got == 0) return absl::InvalidArgumentError(path + ": shrank while it was read");
    filled += static_cast<size_t>(got);
  }
  absl::StatusOr<Program> program = ProgramAccess::Make(std::move(block));
  if (program.ok()) return program;
  return absl::Status(program.status().code(),
                      absl::StrCat(path, ": ", program.status().message()));
}

}  // namespace npf
