// The bytes of packets: made from flow keys, or read from a capture. Payload is zero and is not
// kept; what is kept of a frame is what a parser looks at.
#ifndef NPF_BENCH_FRAMES_H_
#define NPF_BENCH_FRAMES_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "npf/packet.h"

namespace npf::bench {

enum class FrameSizes : uint8_t {
  kSmallest,  // 64 bytes with the frame check sequence, or what the headers need
  kImix,      // seven of 64, four of 594 and one of 1518 bytes
};

// Where frames are received: as far apart as a dataplane's buffers, so that they use the sets of a
// cache evenly, and in huge pages where the system has them.
class FrameBuffers {
 public:
  static constexpr size_t kFrameBytesMax = 2048;
  static constexpr size_t kHeaderBytesMax = 128;  // what FrameSet::Receive() clears

  explicit FrameBuffers(size_t count);
  size_t count() const { return count_; }
  uint8_t* At(size_t i) { return bytes_.get() + i * kStride; }

 private:
  static constexpr size_t kStride = kFrameBytesMax + 256;  // a descriptor, headroom, data
  struct Release {
    void operator()(uint8_t* bytes) const;
  };
  size_t count_;
  std::unique_ptr<uint8_t[], Release> bytes_;
};

class FrameSet {
 public:
  // Ethernet with the addresses, protocol and ports of `key`; a TCP segment bears ACK and data, an
  // SCTP packet a DATA chunk, ICMP is an echo request. Checksums are right.
  void AddFrame(const FlowKey& key, FrameSizes sizes);
  void AddCaptured(const PacketView& packet, LinkLayer link);

  size_t size() const { return frames_.size(); }
  // Writes frame `i` as if it had just been received.
  PacketView Receive(size_t i, uint8_t* buffer) const;
  LinkLayer link(size_t i) const { return frames_[i].link; }

 private:
  struct Kept {
    size_t offset;  // in bytes_
    uint16_t bytes;
    uint16_t length;  // captured, at most kFrameBytesMax
    uint32_t wire_length;
    LinkLayer link;
  };
  std::vector<uint8_t> bytes_;
  std::vector<Kept> frames_;
};

FrameSet MakeFrames(std::span<const FlowKey> keys, FrameSizes sizes);

// Of a capture, what can be judged: the packets that are not refused as they stand, and that are
// not the link's own.
struct CapturedPackets {
  std::vector<FlowKey> keys;
  FrameSet frames;     // frames[i] bears keys[i]
  size_t packets = 0;  // in the capture
  absl::Status end;    // why it was not read further, where it is bad in the middle
};
absl::StatusOr<CapturedPackets> ReadPackets(const std::string& path, Checksums checksums);

}  // namespace npf::bench

#endif  // NPF_BENCH_FRAMES_H_
