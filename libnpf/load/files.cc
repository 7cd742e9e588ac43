#include "load/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "absl/strings/str_cat.h"

namespace npf::load {
namespace {

constexpr size_t kChunk = size_t{256} << 10;
// Text of real clusters packs 10 to 100 times; a bomb up to 1,000 times.
constexpr size_t kExpansionMax = 500;
constexpr size_t kExpansionFree = 16u << 20;

FileFault SystemFault(std::string_view what, int error) {
  return {"Unreadable", absl::StrCat("cannot ", absl::string_view(what.data(), what.size()), ": ",
                                     std::generic_category().message(error))};
}

FileFault TooLarge(size_t bytes_max) {
  return {"LimitExceeded", absl::StrCat("larger than ", bytes_max, " bytes")};
}

bool IsStandardInput(const std::string& path) { return path == "-" || path == "/dev/stdin"; }

// What a shell puts in place of <(command).
bool IsProcessSubstitution(const std::string& path) {
  return path.starts_with("/dev/fd/") || path.starts_with("/proc/self/fd/");
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ > STDIN_FILENO) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

FileFault ReadDescriptor(int fd, size_t bytes_max, std::string& out) {
  for (;;) {
    const size_t had = out.size();
    if (had > bytes_max) return TooLarge(bytes_max);
    out.resize(had + std::max(kChunk, out.capacity() - had));
    const ssize_t got = read(fd, out.data() + had, out.size() - had);
    out.resize(had + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return {};
    if (got < 0 && errno != EINTR) return SystemFault("read", errno);
  }
}

bool IsGzip(std::string_view bytes) {
  return bytes.size() > 2 && bytes[0] == '\x1f' && bytes[1] == '\x8b';
}

class Inflater {
 public:
  Inflater() { ok_ = inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK; }
  ~Inflater() {
    if (ok_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // A gzip file may have several members, one after the other.
  FileFault Run(std::string& packed, size_t bytes_max, std::string& out) {
    if (!ok_) return {"LimitExceeded", "no memory to decompress"};
    stream_.next_in = reinterpret_cast<Bytef*>(packed.data());
    stream_.avail_in = static_cast<uInt>(packed.size());
    for (;;) {
      const size_t had = out.size();
      if (had > bytes_max) return TooLarge(bytes_max);
      if (had > kExpansionFree && had / kExpansionMax > packed.size()) {
        return {"LimitExceeded",
                absl::StrCat("decompresses to more than ", kExpansionMax, " times its size")};
      }
      out.resize(had + kChunk);
      stream_.next_out = reinterpret_cast<Bytef*>(out.data() + had);
      stream_.avail_out = static_cast<uInt>(kChunk);
      const int result = inflate(&stream_, Z_NO_FLUSH);
      out.resize(had + kChunk - stream_.avail_out);
      if (result == Z_STREAM_END) {
        if (stream_.avail_in == 0) return {};
        if (inflateReset(&stream_) != Z_OK) return Broken();
      } else if (result != Z_OK || (stream_.avail_in == 0 && stream_.avail_out != 0)) {
        return Broken();
      }
    }
  }

 private:
  FileFault Broken() const {
    return {"", absl::StrCat("not a whole gzip file (",
                             stream_.msg == nullptr ? "truncated" : stream_.msg, ")")};
  }

  z_stream stream_{};
  bool ok_ = false;
};

std::string_view SpecialKind(mode_t mode) {
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISCHR(mode)) return "a character device";
  if (S_ISBLK(mode)) return "a block device";
  if (S_ISSOCK(mode)) return "a socket";
  return "of a special kind";
}

}  // namespace

bool IsObjectFile(std::string_view name) {
  if (name.ends_with(".gz")) name.remove_suffix(3);
  return name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json");
}

FileFault KindOfFile(const std::string& path, FileKind& kind) {
  kind = FileKind::kFile;
  if (IsStandardInput(path)) return {};
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return SystemFault("open", errno);
  if (S_ISDIR(status.st_mode)) {
    kind = FileKind::kDirectory;
  } else if (!S_ISREG(status.st_mode) &&
             !(S_ISFIFO(status.st_mode) && IsProcessSubstitution(path))) {
    const std::string_view special = SpecialKind(status.st_mode);
    return {"", absl::StrCat("is ", absl::string_view(special.data(), special.size()),
                             "; a file, a directory, or - for standard input")};
  }
  return {};
}

FileFault ListDirectory(const std::string& path, std::vector<std::string>& files) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::recursive_directory_iterator entries(path, error);
  for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    if (entries->path().filename().native().starts_with('.')) {
      entries.disable_recursion_pending();
      continue;
    }
    const fs::file_status status = entries->status(error);
    if (error) {  // a link to nowhere, or a loop of links: reading it will say so
      error.clear();
    } else if (fs::is_directory(status)) {
      continue;
    }
    if (IsObjectFile(entries->path().filename().native())) {
      files.push_back(entries->path().native());
    }
  }
  if (error) return SystemFault("read the directory", error.value());
  std::sort(files.begin(), files.end());
  return {};
}

FileFault Unpack(size_t bytes_max, std::string& bytes) {
  if (!IsGzip(bytes)) return {};
  std::string packed = std::exchange(bytes, {});
  Inflater inflater;
  return inflater.Run(packed, bytes_max, bytes);
}

FileFault ReadWhole(const std::string& path, size_t bytes_max, std::string& out) {
  const bool is_stdin = IsStandardInput(path);
  const Descriptor file(is_stdin ? STDIN_FILENO
                                 : open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (file.get() < 0) return SystemFault("open", errno);
  struct stat status {};
  if (fstat(file.get(), &status) != 0) return SystemFault("open", errno);
  if (S_ISDIR(status.st_mode)) return SystemFault("read", EISDIR);
  if (S_ISREG(status.st_mode)) {
    const auto size = static_cast<size_t>(status.st_size);
    if (size > bytes_max) return TooLarge(bytes_max);
    out.reserve(size + 1);
  }
  const FileFault fault = ReadDescriptor(file.get(), bytes_max, out);
  return fault.ok() ? Unpack(bytes_max, out) : fault;
}

}  // namespace npf::load
