// Classic pcap: a header of 24 bytes, then records of a 16-byte header and the packet.
#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "capture/readers.h"

namespace npf::capture {
namespace {

constexpr size_t kHeaderRestBytes = 20;
constexpr size_t kRecordHeaderBytes = 16;

class PcapReader : public CaptureReader {
 public:
  PcapReader(std::unique_ptr<ByteSource> source, ByteOrder order, bool nanoseconds,
             uint32_t snap_length, uint32_t link_type)
      : CaptureReader(std::move(source)),
        order_(order),
        nanoseconds_(nanoseconds),
        snap_length_(snap_length),
        link_type_(link_type) {}

 private:
  absl::StatusOr<bool> ReadPacket(CapturePacket& packet) override {
    std::array<uint8_t, kRecordHeaderBytes> header;
    absl::StatusOr<size_t> got = source().Read(header.data(), header.size());
    if (!got.ok()) return RecordError(std::string(got.status().message()));
    if (*got == 0) return false;
    if (*got < header.size()) {
      return RecordError(
          absl::StrCat("the record header is truncated (", *got, " of ", header.size(), " bytes)"));
    }
    const uint32_t captured = order_.U32(header.data() + 8);
    packet.wire_length = order_.U32(header.data() + 12);
    if (captured > snap_length_) {
      return RecordError(absl::StrCat("captured length ", captured, " is over the ", snap_length_,
                                      " bytes that the capture allows"));
    }
    if (captured > packet.wire_length) {
      return RecordError(absl::StrCat("captured length ", captured,
                                      " is over the packet's own length ", packet.wire_length));
    }
    packet.stamp_ns = Stamp(header);
    if (buffer_.size() < captured) buffer_.resize(captured);
    got = source().Read(buffer_.data(), captured);
    if (!got.ok()) return RecordError(std::string(got.status().message()));
    if (*got < captured) {
      return RecordError(absl::StrCat("the file ends within the packet (", *got, " of ", captured,
                                      " bytes): it is truncated"));
    }
    packet.data = {buffer_.data(), captured};
    packet.link_type = link_type_;
    return true;
  }

  uint64_t Stamp(const std::array<uint8_t, kRecordHeaderBytes>& header) {
    const uint64_t seconds = order_.U32(header.data());
    const uint64_t fraction = order_.U32(header.data() + 4);
    if (fraction >= (nanoseconds_ ? 1'000'000'000u : 1'000'000u)) CountInvalidTime();
    return seconds * 1'000'000'000 + fraction * (nanoseconds_ ? 1 : 1000);
  }

  ByteOrder order_;
  bool nanoseconds_;
  uint32_t snap_length_;
  uint32_t link_type_;
  std::vector<uint8_t> buffer_;  // as long as the longest packet so far
};

}  // namespace

absl::StatusOr<std::unique_ptr<CaptureReader>> OpenPcap(std::unique_ptr<ByteSource> source,
                                                        ByteOrder order, bool nanoseconds) {
  std::array<uint8_t, kHeaderRestBytes> rest;
  const absl::StatusOr<size_t> got = source->Read(rest.data(), rest.size());
  if (!got.ok()) return got.status();
  if (*got < rest.size()) {
    return absl::InvalidArgumentError(absl::StrCat("the pcap header is truncated (", 4 + *got,
                                                   " of 24 bytes): the file is too short"));
  }
  const uint16_t major = order.U16(rest.data());
  const uint16_t minor = order.U16(rest.data() + 2);
  if (major != 2 || minor != 4) {
    return absl::InvalidArgumentError(
        absl::StrCat("pcap version ", major, ".", minor, " is not read; 2.4 is"));
  }
  const uint32_t snap_field = order.U32(rest.data() + 12);
  // The upper bits tell of frame check sequences, which stand behind the packet like padding.
  const uint32_t link_type = order.U32(rest.data() + 16) & 0xffff;
  if (!LinkLayerOf(link_type).has_value()) {
    return absl::InvalidArgumentError(UnsupportedLinkType(link_type));
  }
  const uint32_t snap_length =
      snap_field == 0 ? kPacketBytesMax : std::min(snap_field, kPacketBytesMax);
  return std::make_unique<PcapReader>(std::move(source), order, nanoseconds, snap_length,
                                      link_type);
}

}  // namespace npf::capture
