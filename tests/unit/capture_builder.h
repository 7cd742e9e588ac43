// Capture files made by hand, in either byte order.
#ifndef NPF_TESTS_UNIT_CAPTURE_BUILDER_H_
#define NPF_TESTS_UNIT_CAPTURE_BUILDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "capture/capture.h"

namespace npf::testing {

class FileBuilder {
 public:
  explicit FileBuilder(bool big_endian = false) : big_(big_endian) {}
  FileBuilder& U8(uint8_t value);
  FileBuilder& U16(uint16_t value);
  FileBuilder& U32(uint32_t value);
  FileBuilder& U64(uint64_t value);
  FileBuilder& Raw(const std::vector<uint8_t>& bytes);
  FileBuilder& PadTo4();

  FileBuilder& PcapHeader(uint32_t magic = 0xa1b2c3d4, uint32_t link_type = 1,
                          uint32_t snap_length = 65535);
  FileBuilder& PcapRecord(uint32_t seconds, uint32_t fraction, const std::vector<uint8_t>& data,
                          int64_t wire_length = -1);

  // A pcapng block around what `body` holds.
  FileBuilder& Block(uint32_t type, const FileBuilder& body);
  FileBuilder& Section();
  FileBuilder& Interface(uint16_t link_type, uint32_t snap_length = 0,
                         const std::vector<uint8_t>& options = {});
  FileBuilder& EnhancedPacket(uint32_t interface, uint64_t time, const std::vector<uint8_t>& data,
                              int64_t wire_length = -1);

  const std::vector<uint8_t>& bytes() const { return bytes_; }
  bool big() const { return big_; }

 private:
  bool big_;
  std::vector<uint8_t> bytes_;
};

struct ReadCapture {
  std::vector<capture::CapturePacket> packets;  // without data
  std::vector<std::vector<uint8_t>> data;
  capture::CaptureCounts counts;
  std::vector<std::string> warnings;
  std::string error;  // empty where the end was reached
};
ReadCapture ReadAll(const std::vector<uint8_t>& file);
ReadCapture ReadAllOf(const std::string& path);

}  // namespace npf::testing

#endif  // NPF_TESTS_UNIT_CAPTURE_BUILDER_H_
