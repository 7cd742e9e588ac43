// Writes packets as pcapng, each with the engine's verdict.
//
// The verdict is an `epb_verdict` option of the type that the format reserves for Linux XDP (octet
// 2), whose values every reader of the format can name: XDP_DROP (1) for a deny and XDP_PASS (2)
// for an allow. A comment is an `opt_comment`. In Wireshark and tshark they are
// `frame.verdict.ebpf_xdp` and `frame.comment`.
#ifndef NPF_TOOLS_CAPTURE_WRITER_H_
#define NPF_TOOLS_CAPTURE_WRITER_H_

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "capture/capture.h"

namespace npf::capture {

class CaptureWriter {
 public:
  static absl::StatusOr<std::unique_ptr<CaptureWriter>> Create(const std::string& path);
  ~CaptureWriter();
  CaptureWriter(const CaptureWriter&) = delete;
  CaptureWriter& operator=(const CaptureWriter&) = delete;

  // `comment` is UTF-8 and may be empty; beyond 4,096 bytes it is cut.
  absl::Status Write(const CapturePacket& packet, bool allowed, std::string_view comment);
  // Everything is in the file, or says why not.
  absl::Status Close();

 private:
  CaptureWriter(std::FILE* file, std::string path) : file_(file), path_(std::move(path)) {}
  uint32_t InterfaceOf(uint32_t link_type);  // described in the file where it is new
  void AppendSectionHeader();
  void AppendBlock(uint32_t type, std::string_view body);
  absl::Status Flush();

  std::FILE* file_;
  std::string path_;
  std::string pending_;  // whole blocks
  std::vector<uint32_t> link_types_;
};

}  // namespace npf::capture

#endif  // NPF_TOOLS_CAPTURE_WRITER_H_
