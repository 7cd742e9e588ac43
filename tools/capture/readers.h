// The two formats, for OpenCapture only.
#ifndef NPF_TOOLS_CAPTURE_READERS_H_
#define NPF_TOOLS_CAPTURE_READERS_H_

#include <cstdint>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "capture/capture.h"

namespace npf::capture {

inline constexpr uint32_t kPcapMagicMicro = 0xa1b2c3d4;
inline constexpr uint32_t kPcapMagicNano = 0xa1b23c4d;
inline constexpr uint32_t kPcapngMagic = 0x0a0d0d0a;

// Integers of a file in its own byte order.
struct ByteOrder {
  bool big = false;
  uint16_t U16(const uint8_t* p) const {
    return static_cast<uint16_t>(big ? p[0] << 8 | p[1] : p[1] << 8 | p[0]);
  }
  uint32_t U32(const uint8_t* p) const {
    const uint32_t first = U16(p);
    const uint32_t second = U16(p + 2);
    return big ? first << 16 | second : second << 16 | first;
  }
  uint64_t U64(const uint8_t* p) const {
    const uint64_t first = U32(p);
    const uint64_t second = U32(p + 4);
    return big ? first << 32 | second : second << 32 | first;
  }
};

// `source` stands behind the four bytes of the magic number.
absl::StatusOr<std::unique_ptr<CaptureReader>> OpenPcap(std::unique_ptr<ByteSource> source,
                                                        ByteOrder order, bool nanoseconds);
absl::StatusOr<std::unique_ptr<CaptureReader>> OpenPcapng(std::unique_ptr<ByteSource> source);

}  // namespace npf::capture

#endif  // NPF_TOOLS_CAPTURE_READERS_H_
