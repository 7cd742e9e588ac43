// Reading captures, packet by packet, in constant memory.
//
//   ByteSource (source.h)   a file or standard input, .gz as it is, with a count of bytes
//   PcapReader (pcap.cc)    classic pcap: micro- and nanoseconds, both byte orders
//   PcapngReader (pcapng.cc)  sections, interfaces, packet blocks; other blocks are skipped
//   CaptureWriter (writer.h)  pcapng with a verdict and a comment for each packet
//
// A reader of our own, because a file that is bad in the middle must be told with the number and
// offset of the bad record, after everything before it was read, and because one pcapng may mix
// link types. No field of a file is the size of an allocation before it was held against
// kPacketBytesMax; what is longer is an error.
//
// Errors: kInvalidArgument where the content is wrong, kNotFound, kPermissionDenied or kUnavailable
// where the file cannot be read. Messages begin where the fault is: "packet 17 at offset 1234:
// ...".
#ifndef NPF_TOOLS_CAPTURE_CAPTURE_H_
#define NPF_TOOLS_CAPTURE_CAPTURE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "capture/source.h"
#include "npf/packet.h"

namespace npf::capture {

inline constexpr uint32_t kPacketBytesMax = 256 * 1024;

struct CapturePacket {
  uint64_t number = 0;     // from 1, over all sections
  uint64_t time_ns = 0;    // since 1970; never before the previous packet's
  uint64_t stamp_ns = 0;   // as the file has it
  uint32_t link_type = 0;  // as the file has it
  LinkLayer link = LinkLayer::kEthernet;
  uint32_t wire_length = 0;
  std::span<const uint8_t> data;  // valid until the next packet is read
};

struct CaptureCounts {
  uint64_t packets = 0;
  uint64_t snapped = 0;         // captured shorter than they were
  uint64_t time_backwards = 0;  // earlier than the packet before; given that one's time
  uint64_t time_invalid = 0;    // a fraction of a second of one second or more
};

class CaptureReader {
 public:
  virtual ~CaptureReader() = default;
  CaptureReader(const CaptureReader&) = delete;
  CaptureReader& operator=(const CaptureReader&) = delete;

  // False at the end. After an error the reader must not be used again.
  absl::StatusOr<bool> Next(CapturePacket& packet);
  const CaptureCounts& counts() const { return counts_; }
  // What was odd since the last call: the first of each kind, as text.
  std::vector<std::string> TakeWarnings();

 protected:
  explicit CaptureReader(std::unique_ptr<ByteSource> source) : source_(std::move(source)) {}

  // Fills everything but number, time_ns and link. Errors do not name the packet yet.
  virtual absl::StatusOr<bool> ReadPacket(CapturePacket& packet) = 0;

  ByteSource& source() { return *source_; }
  void CountInvalidTime();
  // Where the record that is being read began.
  void StartRecord() { record_offset_ = source_->offset(); }
  // "packet 17 at offset 1234: TEXT".
  absl::Status RecordError(const std::string& text) const;

 private:
  void CheckClock(CapturePacket& packet);

  std::unique_ptr<ByteSource> source_;
  CaptureCounts counts_;
  std::vector<std::string> warnings_;
  uint64_t record_offset_ = 0;
  uint64_t latest_ns_ = 0;
};

// `path` "-" is standard input.
absl::StatusOr<std::unique_ptr<CaptureReader>> OpenCapture(const std::string& path);
absl::StatusOr<std::unique_ptr<CaptureReader>> OpenCapture(std::unique_ptr<ByteSource> source);

// A link type of capture files that the parser knows; nullopt for others.
std::optional<LinkLayer> LinkLayerOf(uint32_t link_type);
// "EN10MB", or its number where it has no name here.
std::string LinkTypeName(uint32_t link_type);
// Says that `link_type` is not read, by name, and which are.
std::string UnsupportedLinkType(uint32_t link_type);

}  // namespace npf::capture

#endif  // NPF_TOOLS_CAPTURE_CAPTURE_H_
