#include "capture/writer.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "npf/version.h"

namespace npf::capture {
namespace {

constexpr uint32_t kSectionHeader = 0x0a0d0d0a;
constexpr uint32_t kInterfaceDescription = 1;
constexpr uint32_t kEnhancedPacket = 6;

constexpr uint16_t kOptionEnd = 0;
constexpr uint16_t kOptionComment = 1;
constexpr uint16_t kOptionApplication = 4;
constexpr uint16_t kOptionVerdict = 7;
constexpr uint16_t kOptionTimeResolution = 9;
constexpr char kNanoseconds = 9;

constexpr char kVerdictXdp = 2;
constexpr uint64_t kXdpDrop = 1;
constexpr uint64_t kXdpPass = 2;

constexpr size_t kCommentBytesMax = 4096;
constexpr size_t kPendingBytes = size_t{1} << 18;

// Little-endian, `bytes` of it.
void AppendInteger(uint64_t value, int bytes, std::string& out) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

void Pad(std::string& out) { out.append((4 - out.size() % 4) % 4, '\0'); }

// `out` begins at a multiple of four bytes.
void AppendOption(uint16_t code, std::string_view value, std::string& out) {
  AppendInteger(code, 2, out);
  AppendInteger(value.size(), 2, out);
  out.append(value);
  Pad(out);
}

// At most `max` bytes, not ending within a UTF-8 sequence.
std::string_view CutText(std::string_view text, size_t max) {
  if (text.size() <= max) return text;
  while (max > 0 && (static_cast<uint8_t>(text[max]) & 0xc0) == 0x80) --max;
  return text.substr(0, max);
}

}  // namespace

absl::StatusOr<std::unique_ptr<CaptureWriter>> CaptureWriter::Create(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "wbe");
  if (file == nullptr) return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot be written"));
  std::unique_ptr<CaptureWriter> writer(new CaptureWriter(file, path));
  writer->AppendSectionHeader();
  return writer;
}

CaptureWriter::~CaptureWriter() {
  if (file_ != nullptr) std::fclose(file_);
}

void CaptureWriter::AppendSectionHeader() {
  std::string body;
  AppendInteger(0x1a2b3c4d, 4, body);
  AppendInteger(1, 2, body);
  AppendInteger(0, 2, body);
  AppendInteger(~uint64_t{0}, 8, body);  // the section's length is not known yet
  AppendOption(
      kOptionApplication,
      absl::StrCat("npf ", absl::string_view(kLibraryVersion.data(), kLibraryVersion.size())),
      body);
  AppendOption(kOptionEnd, "", body);
  AppendBlock(kSectionHeader, body);
}

void CaptureWriter::AppendBlock(uint32_t type, std::string_view body) {
  const uint64_t length = body.size() + 12;
  AppendInteger(type, 4, pending_);
  AppendInteger(length, 4, pending_);
  pending_.append(body);
  AppendInteger(length, 4, pending_);
}

uint32_t CaptureWriter::InterfaceOf(uint32_t link_type) {
  const auto found = std::find(link_types_.begin(), link_types_.end(), link_type);
  const auto id = static_cast<uint32_t>(found - link_types_.begin());
  if (found != link_types_.end()) return id;
  link_types_.push_back(link_type);
  std::string body;
  AppendInteger(link_type, 2, body);
  AppendInteger(0, 2, body);
  AppendInteger(kPacketBytesMax, 4, body);
  AppendOption(kOptionTimeResolution, std::string_view(&kNanoseconds, 1), body);
  AppendOption(kOptionEnd, "", body);
  AppendBlock(kInterfaceDescription, body);
  return id;
}

absl::Status CaptureWriter::Write(const CapturePacket& packet, bool allowed,
                                  std::string_view comment) {
  const uint32_t interface = InterfaceOf(packet.link_type);
  std::string body;
  body.reserve(packet.data.size() + comment.size() + 64);
  AppendInteger(interface, 4, body);
  AppendInteger(packet.stamp_ns >> 32, 4, body);
  AppendInteger(packet.stamp_ns & 0xffffffff, 4, body);
  AppendInteger(packet.data.size(), 4, body);
  AppendInteger(packet.wire_length, 4, body);
  body.append(packet.data.begin(), packet.data.end());
  Pad(body);
  if (!comment.empty()) AppendOption(kOptionComment, CutText(comment, kCommentBytesMax), body);
  std::string verdict(1, kVerdictXdp);
  AppendInteger(allowed ? kXdpPass : kXdpDrop, 8, verdict);
  AppendOption(kOptionVerdict, verdict, body);
  AppendOption(kOptionEnd, "", body);
  AppendBlock(kEnhancedPacket, body);
  return pending_.size() < kPendingBytes ? absl::OkStatus() : Flush();
}

absl::Status CaptureWriter::Flush() {
  const size_t written = std::fwrite(pending_.data(), 1, pending_.size(), file_);
  if (written < pending_.size()) {
    return absl::ErrnoToStatus(errno, absl::StrCat(path_, ": cannot be written"));
  }
  pending_.clear();
  return absl::OkStatus();
}

absl::Status CaptureWriter::Close() {
  absl::Status status = Flush();
  if (std::fclose(std::exchange(file_, nullptr)) != 0 && status.ok()) {
    status = absl::ErrnoToStatus(errno, absl::StrCat(path_, ": cannot be written"));
  }
  return status;
}

}  // namespace npf::capture
