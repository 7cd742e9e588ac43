#include "capture/source.h"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace npf::capture {
namespace {

class GzipSource : public ByteSource {
 public:
  explicit GzipSource(gzFile file) : file_(file) {}
  ~GzipSource() override { gzclose(file_); }

 private:
  absl::StatusOr<size_t> ReadSome(uint8_t* out, size_t count) override {
    const auto wanted = static_cast<unsigned>(std::min<size_t>(count, 1u << 20));
    const int got = gzread(file_, out, wanted);
    int code = Z_OK;
    std::string_view text = gzerror(file_, &code);  // "<fd:3>: what"
    text.remove_prefix(std::min(text.size(), text.find(": ") + 2));
    if (got < 0 && code == Z_ERRNO) return absl::ErrnoToStatus(errno, "cannot be read");
    // A cut stream gives what it has, and is told when there is no more.
    if (got < 0 || (got == 0 && code == Z_BUF_ERROR)) {
      return absl::InvalidArgumentError(
          absl::StrCat("the gzip data is damaged: ", absl::string_view(text.data(), text.size())));
    }
    return static_cast<size_t>(got);
  }

  gzFile file_;
};

class SpanSource : public ByteSource {
 public:
  explicit SpanSource(std::span<const uint8_t> bytes) : bytes_(bytes) {}

 private:
  absl::StatusOr<size_t> ReadSome(uint8_t* out, size_t count) override {
    const size_t taken = std::min(count, bytes_.size());
    std::copy_n(bytes_.begin(), taken, out);
    bytes_ = bytes_.subspan(taken);
    return taken;
  }

  std::span<const uint8_t> bytes_;
};

}  // namespace

absl::StatusOr<size_t> ByteSource::Read(uint8_t* out, size_t count) {
  size_t done = 0;
  while (done < count) {
    const absl::StatusOr<size_t> got = ReadSome(out + done, count - done);
    if (!got.ok()) return got;
    if (*got == 0) break;
    done += *got;
    offset_ += *got;
  }
  return done;
}

absl::StatusOr<bool> ByteSource::Skip(uint64_t count) {
  std::array<uint8_t, 16384> scratch;
  while (count > 0) {
    const size_t step = static_cast<size_t>(std::min<uint64_t>(count, scratch.size()));
    const absl::StatusOr<size_t> got = Read(scratch.data(), step);
    if (!got.ok()) return got.status();
    if (*got < step) return false;
    count -= step;
  }
  return true;
}

absl::StatusOr<std::unique_ptr<ByteSource>> OpenSource(const std::string& path) {
  const int descriptor = path == "-" ? dup(STDIN_FILENO) : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return absl::ErrnoToStatus(errno, "cannot be opened");
  const gzFile file = gzdopen(descriptor, "rb");
  if (file == nullptr) {
    close(descriptor);
    return absl::ResourceExhaustedError("no memory to read it");
  }
  gzbuffer(file, 1u << 17);
  return std::make_unique<GzipSource>(file);
}

std::unique_ptr<ByteSource> MemorySource(std::span<const uint8_t> bytes) {
  return std::make_unique<SpanSource>(bytes);
}

}  // namespace npf::capture
