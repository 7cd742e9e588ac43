#include "frames.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "capture/capture.h"
#include "packet/checksum.h"

namespace npf::bench {
namespace {

constexpr size_t kCheckSequenceBytes = 4;  // of a frame's size on the wire, never captured
constexpr size_t kEthernetBytes = 14;

// A frame's headers, front to back, big-endian.
class HeaderWriter {
 public:
  void U8(uint32_t value) { bytes_[size_++] = static_cast<uint8_t>(value); }
  void U16(uint32_t value) {
    U8(value >> 8);
    U8(value);
  }
  void U32(uint32_t value) {
    U16(value >> 16);
    U16(value);
  }
  void Bytes(const uint8_t* data, size_t count) {
    std::copy_n(data, count, bytes_.data() + size_);
    size_ += count;
  }
  void Put16(size_t at, uint32_t value) {
    bytes_[at] = static_cast<uint8_t>(value >> 8);
    bytes_[at + 1] = static_cast<uint8_t>(value);
  }
  const uint8_t* data() const { return bytes_.data(); }
  size_t size() const { return size_; }

 private:
  std::array<uint8_t, FrameBuffers::kHeaderBytesMax> bytes_{};
  size_t size_ = 0;
};

size_t TransportHeaderBytes(uint8_t protocol) {
  switch (protocol) {
    case kProtocolTcp:
      return 20;
    case kProtocolSctp:
      return 28;  // and the header of a DATA chunk
    default:
      return 8;
  }
}

// Seven, four and one of twelve, mixed.
size_t ImixBytes(size_t number) {
  constexpr std::array<size_t, 12> kBytes = {64, 594, 64, 64, 594, 64, 1518, 64, 594, 64, 594, 64};
  return kBytes[number % kBytes.size()];
}

void WriteEthernet(uint8_t family, HeaderWriter& out) {
  constexpr uint8_t kAddresses[12] = {0x02, 0, 0, 0, 0, 0x01, 0x02, 0, 0, 0, 0, 0x02};
  out.Bytes(kAddresses, sizeof kAddresses);
  out.U16(family == 4 ? 0x0800 : 0x86dd);
}

void WriteIp(const FlowKey& key, size_t payload_bytes, HeaderWriter& out) {
  const auto payload = static_cast<uint32_t>(payload_bytes);
  if (key.family == 6) {
    out.U32(0x60000000);
    out.U16(payload);
    out.U8(key.protocol);
    out.U8(64);
    out.Bytes(key.src, 16);
    out.Bytes(key.dst, 16);
    return;
  }
  const size_t start = out.size();
  out.U16(0x4500);
  out.U16(20 + payload);
  out.U32(0x00004000);  // do not fragment
  out.U8(64);
  out.U8(key.protocol);
  out.U16(0);
  out.Bytes(key.src, 4);
  out.Bytes(key.dst, 4);
  out.Put16(start + 10, packet::InternetChecksum(out.data() + start, 20));
}

void WriteTransport(const FlowKey& key, size_t payload_bytes, HeaderWriter& out) {
  const auto payload = static_cast<uint32_t>(payload_bytes);
  switch (key.protocol) {
    case kProtocolTcp:
      out.U16(key.src_port);
      out.U16(key.dst_port);
      out.U32(1);
      out.U32(1);
      out.U16(0x5018);  // five words, ACK and PSH
      out.U16(0xffff);
      out.U32(0);
      return;
    case kProtocolUdp:
      out.U16(key.src_port);
      out.U16(key.dst_port);
      out.U16(payload);
      out.U16(0);
      return;
    case kProtocolSctp:
      out.U16(key.src_port);
      out.U16(key.dst_port);
      out.U32(1);
      out.U32(0);
      out.U32(0x00030000 | (payload - 12));  // the whole of a message
      out.U32(1);
      out.U32(0);
      out.U32(0);
      return;
    default:
      out.U32(key.protocol == kProtocolIcmp ? 0x08000000 : 0x80000000);
      out.U16(key.src_port);
      out.U16(0);
  }
}

// Over the transport header, whose payload is zero, and the addresses before it.
void WriteChecksum(const FlowKey& key, size_t start, size_t payload_bytes, HeaderWriter& out) {
  const auto header_bytes = static_cast<uint32_t>(out.size() - start);
  uint64_t sum = packet::InternetSum(out.data() + start, header_bytes);
  if (key.protocol != kProtocolIcmp) {
    const uint32_t address_bytes = key.family == 4 ? 4 : 16;
    sum += packet::InternetSum(key.src, address_bytes) +
           packet::InternetSum(key.dst, address_bytes) + key.protocol + payload_bytes;
  }
  if (key.protocol == kProtocolSctp) return;  // bears a CRC, which nobody checks here
  const size_t at = key.protocol == kProtocolTcp ? 16 : key.protocol == kProtocolUdp ? 6 : 2;
  out.Put16(start + at, packet::FoldChecksum(sum));
}

}  // namespace

FrameBuffers::FrameBuffers(size_t count) : count_(count) {
  constexpr size_t kHugePageBytes = size_t{2} << 20;
  const size_t pages = (count * kStride + kHugePageBytes - 1) / kHugePageBytes;
  void* const memory = std::aligned_alloc(kHugePageBytes, pages * kHugePageBytes);
  if (memory == nullptr) std::abort();
  madvise(memory, pages * kHugePageBytes, MADV_HUGEPAGE);
  std::memset(memory, 0, pages * kHugePageBytes);
  bytes_.reset(static_cast<uint8_t*>(memory));
}

void FrameBuffers::Release::operator()(uint8_t* bytes) const { std::free(bytes); }

void FrameSet::AddFrame(const FlowKey& key, FrameSizes sizes) {
  HeaderWriter out;
  const size_t headers =
      kEthernetBytes + (key.family == 4 ? 20 : 40) + TransportHeaderBytes(key.protocol);
  const size_t asked = sizes == FrameSizes::kImix ? ImixBytes(frames_.size()) : 64;
  const size_t length = std::max(headers, asked - kCheckSequenceBytes);
  const size_t payload = length - kEthernetBytes - (key.family == 4 ? 20 : 40);
  WriteEthernet(key.family, out);
  WriteIp(key, payload, out);
  const size_t transport = out.size();
  WriteTransport(key, payload, out);
  WriteChecksum(key, transport, payload, out);
  frames_.push_back({.offset = bytes_.size(),
                     .bytes = static_cast<uint16_t>(out.size()),
                     .length = static_cast<uint16_t>(length),
                     .wire_length = static_cast<uint32_t>(length),
                     .link = LinkLayer::kEthernet});
  bytes_.insert(bytes_.end(), out.data(), out.data() + out.size());
}

void FrameSet::AddCaptured(const PacketView& packet, LinkLayer link) {
  const auto length =
      static_cast<uint16_t>(std::min<size_t>(packet.length, FrameBuffers::kFrameBytesMax));
  frames_.push_back({.offset = bytes_.size(),
                     .bytes = length,
                     .length = length,
                     .wire_length = packet.wire_length,
                     .link = link});
  bytes_.insert(bytes_.end(), packet.data, packet.data + length);
}

PacketView FrameSet::Receive(size_t i, uint8_t* buffer) const {
  const Kept& kept = frames_[i];
  std::memset(buffer, 0, std::min<size_t>(kept.length, FrameBuffers::kHeaderBytesMax));
  std::memcpy(buffer, bytes_.data() + kept.offset, kept.bytes);
  return {.data = buffer, .length = kept.length, .wire_length = kept.wire_length};
}

FrameSet MakeFrames(std::span<const FlowKey> keys, FrameSizes sizes) {
  FrameSet frames;
  for (const FlowKey& key : keys) frames.AddFrame(key, sizes);
  return frames;
}

absl::StatusOr<CapturedPackets> ReadPackets(const std::string& path, Checksums checksums) {
  absl::StatusOr<std::unique_ptr<capture::CaptureReader>> reader = capture::OpenCapture(path);
  if (!reader.ok()) return reader.status();
  CapturedPackets read;
  capture::CapturePacket packet;
  absl::StatusOr<bool> more = false;
  while ((more = (*reader)->Next(packet)).ok() && *more) {
    ++read.packets;
    const PacketView view{.data = packet.data.data(),
                          .length = static_cast<uint32_t>(packet.data.size()),
                          .wire_length = packet.wire_length};
    const ParsedPacket parsed = ParsePacket(view, {.link = packet.link, .checksums = checksums});
    if (parsed.outcome != ParseOutcome::kJudge) continue;
    read.keys.push_back(parsed.key);
    read.frames.AddCaptured(view, packet.link);
  }
  read.end = more.status();
  return read;
}

}  // namespace npf::bench
