// Bytes in order, with a count: from a file, standard input (both also gzip), or memory.
#ifndef NPF_TOOLS_CAPTURE_SOURCE_H_
#define NPF_TOOLS_CAPTURE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"

namespace npf::capture {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  // Reads `count` bytes; fewer only at the end.
  absl::StatusOr<size_t> Read(uint8_t* out, size_t count);
  // Goes past `count` bytes. False: the end came first.
  absl::StatusOr<bool> Skip(uint64_t count);
  // Bytes read so far; of a .gz, of what it unpacks to.
  uint64_t offset() const { return offset_; }

 protected:
  ByteSource() = default;
  virtual absl::StatusOr<size_t> ReadSome(uint8_t* out, size_t count) = 0;

 private:
  uint64_t offset_ = 0;
};

absl::StatusOr<std::unique_ptr<ByteSource>> OpenSource(const std::string& path);
std::unique_ptr<ByteSource> MemorySource(std::span<const uint8_t> bytes);  // must outlive it

}  // namespace npf::capture

#endif  // NPF_TOOLS_CAPTURE_SOURCE_H_
