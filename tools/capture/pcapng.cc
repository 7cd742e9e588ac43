// pcapng: blocks of a type, a length, a body and the length again. A Section Header sets the byte
// order and forgets the interfaces; Interface Descriptions number them from 0. Packets stand in
// Enhanced, Simple and (obsolete) Packet Blocks. Everything else is skipped unread, among it the
// Decryption Secrets, of which nothing may be told.
#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "capture/readers.h"

namespace npf::capture {
namespace {

constexpr uint32_t kSectionHeader = kPcapngMagic;
constexpr uint32_t kInterfaceDescription = 1;
constexpr uint32_t kObsoletePacket = 2;
constexpr uint32_t kSimplePacket = 3;
constexpr uint32_t kEnhancedPacket = 6;
constexpr uint32_t kByteOrderMagic = 0x1a2b3c4d;

constexpr uint32_t kFrameBytes = 12;  // type and both lengths
constexpr uint32_t kOptionBytesMax = 64 * 1024;
constexpr uint32_t kPacketHeaderBytes = 20;  // of the body of an Enhanced or obsolete Packet Block
constexpr uint32_t kBodyBytesMax = kPacketHeaderBytes + kPacketBytesMax + kOptionBytesMax;
constexpr size_t kInterfacesMax = 65536;

constexpr uint16_t kOptionTimeResolution = 9;
constexpr uint16_t kOptionTimeOffset = 14;

constexpr uint64_t kSecondNs = 1'000'000'000;

struct Interface {
  uint32_t link_type = 0;
  uint32_t snap_length = 0;  // 0: no limit
  uint64_t units_per_second = 1'000'000;
  int64_t offset_seconds = 0;
};

// Of a time stamp of `units`; the nearest that 64 bits of nanoseconds hold.
uint64_t Nanoseconds(const Interface& interface, uint64_t units) {
  const uint64_t per_second = interface.units_per_second;
  const uint64_t fraction = units % per_second;
  const auto fraction_ns =
      static_cast<uint64_t>(static_cast<unsigned __int128>(fraction) * kSecondNs / per_second);
  const __int128 seconds = static_cast<__int128>(units / per_second) + interface.offset_seconds;
  const __int128 total = seconds * static_cast<__int128>(kSecondNs) + fraction_ns;
  if (total < 0) return 0;
  if (total > std::numeric_limits<uint64_t>::max()) return std::numeric_limits<uint64_t>::max();
  return static_cast<uint64_t>(total);
}

// 10 or 2 to the power that if_tsresol names; 0 where 64 bits do not hold it.
uint64_t UnitsPerSecond(uint8_t resolution) {
  const uint32_t exponent = resolution & 0x7f;
  if (resolution & 0x80) return exponent < 64 ? uint64_t{1} << exponent : 0;
  if (exponent > 19) return 0;
  uint64_t units = 1;
  for (uint32_t i = 0; i < exponent; ++i) units *= 10;
  return units;
}

uint32_t Padded(uint32_t length) { return (length + 3) / 4 * 4; }

class PcapngReader : public CaptureReader {
 public:
  explicit PcapngReader(std::unique_ptr<ByteSource> source) : CaptureReader(std::move(source)) {}

  // The first block: its type has been read already.
  absl::Status Begin() { return ReadSection(); }

 private:
  absl::StatusOr<bool> ReadPacket(CapturePacket& packet) override;
  absl::Status ReadExact(uint8_t* out, size_t count, const char* what);
  absl::Status ReadSection();
  absl::Status CheckBlockLength(uint32_t length) const;
  absl::StatusOr<uint32_t> ReadBody(uint32_t block_length);
  absl::Status EndBlock(uint32_t block_length);
  absl::Status AddInterface(uint32_t body_length);
  absl::Status ReadInterfaceOption(uint16_t code, const uint8_t* value, uint16_t length,
                                   Interface& interface) const;
  absl::Status FillPacket(uint32_t type, uint32_t body_length, CapturePacket& packet);
  absl::Status FillSimplePacket(uint32_t body_length, CapturePacket& packet);

  ByteOrder order_;
  std::vector<Interface> interfaces_;
  std::vector<uint8_t> body_;     // as long as the longest so far
  uint64_t latest_stamp_ns_ = 0;  // a Simple Packet Block has none of its own
};

absl::Status PcapngReader::ReadExact(uint8_t* out, size_t count, const char* what) {
  const absl::StatusOr<size_t> got = source().Read(out, count);
  if (!got.ok()) return RecordError(std::string(got.status().message()));
  if (*got == count) return absl::OkStatus();
  return RecordError(absl::StrCat("the file ends within ", what, ": it is truncated"));
}

absl::Status PcapngReader::CheckBlockLength(uint32_t length) const {
  if (length >= kFrameBytes && length % 4 == 0) return absl::OkStatus();
  return RecordError(
      absl::StrCat("block length ", length, "; it is at least 12 and a multiple of 4"));
}

// Behind the block type: length, byte-order magic, version, section length, options.
absl::Status PcapngReader::ReadSection() {
  std::array<uint8_t, 20> header;
  absl::Status status = ReadExact(header.data(), header.size(), "the section header");
  if (!status.ok()) return status;
  order_.big = ByteOrder{.big = true}.U32(header.data() + 4) == kByteOrderMagic;
  if (order_.U32(header.data() + 4) != kByteOrderMagic) {
    return RecordError(absl::StrCat("the byte-order magic 0x",
                                    absl::Hex(order_.U32(header.data() + 4), absl::kZeroPad8),
                                    " is not that of pcapng"));
  }
  const uint32_t length = order_.U32(header.data());
  status = CheckBlockLength(length);
  if (!status.ok()) return status;
  const uint16_t major = order_.U16(header.data() + 8);
  const uint16_t minor = order_.U16(header.data() + 10);
  if (major != 1 || (minor != 0 && minor != 2)) {
    return RecordError(absl::StrCat("pcapng version ", major, ".", minor, " is not read; 1.0 is"));
  }
  constexpr uint32_t kLeastBytes = 28;
  if (length < kLeastBytes) {
    return RecordError(
        absl::StrCat("block length ", length, " of a section header; it is 28 or more"));
  }
  interfaces_.clear();
  const absl::StatusOr<bool> skipped = source().Skip(length - kLeastBytes);
  if (!skipped.ok()) return RecordError(std::string(skipped.status().message()));
  return EndBlock(length);
}

// Reads the trailing length, also where the body was cut short by the end of the file.
absl::Status PcapngReader::EndBlock(uint32_t block_length) {
  std::array<uint8_t, 4> trailer;
  absl::Status status = ReadExact(trailer.data(), trailer.size(), "a block");
  if (!status.ok()) return status;
  const uint32_t repeated = order_.U32(trailer.data());
  if (repeated == block_length) return absl::OkStatus();
  return RecordError(absl::StrCat("block length ", block_length, " before the block and ", repeated,
                                  " in its trailer"));
}

// Into body_; returns its length.
absl::StatusOr<uint32_t> PcapngReader::ReadBody(uint32_t block_length) {
  const uint32_t length = block_length - kFrameBytes;
  if (length > kBodyBytesMax) {
    return RecordError(absl::StrCat("block length ", block_length, " is over the limit of ",
                                    kBodyBytesMax + kFrameBytes, " bytes"));
  }
  if (body_.size() < length) body_.resize(length);
  absl::Status status = ReadExact(body_.data(), length, "a block");
  if (status.ok()) status = EndBlock(block_length);
  if (!status.ok()) return status;
  return length;
}

absl::Status PcapngReader::ReadInterfaceOption(uint16_t code, const uint8_t* value, uint16_t length,
                                               Interface& interface) const {
  if (code == kOptionTimeResolution) {
    if (length != 1) return RecordError(absl::StrCat("option if_tsresol has length ", length));
    interface.units_per_second = UnitsPerSecond(value[0]);
    if (interface.units_per_second == 0) {
      return RecordError(
          absl::StrCat("option if_tsresol ", int{value[0]}, " is too fine to be read"));
    }
  }
  if (code == kOptionTimeOffset) {
    if (length != 8) return RecordError(absl::StrCat("option if_tsoffset has length ", length));
    interface.offset_seconds = static_cast<int64_t>(order_.U64(value));
  }
  return absl::OkStatus();
}

absl::Status PcapngReader::AddInterface(uint32_t body_length) {
  if (body_length < 8) {
    return RecordError(absl::StrCat("an interface description of length ", body_length));
  }
  if (interfaces_.size() == kInterfacesMax) {
    return RecordError(absl::StrCat("more than ", kInterfacesMax, " interfaces in one section"));
  }
  Interface interface;
  interface.link_type = order_.U16(body_.data());
  interface.snap_length = order_.U32(body_.data() + 4);
  uint32_t at = 8;
  while (at + 4 <= body_length) {
    const uint16_t code = order_.U16(body_.data() + at);
    const uint16_t length = order_.U16(body_.data() + at + 2);
    if (code == 0) break;
    if (Padded(length) > body_length - at - 4) {
      return RecordError(absl::StrCat("option ", code, " of an interface has length ", length,
                                      ", past the end of its block"));
    }
    const absl::Status status = ReadInterfaceOption(code, body_.data() + at + 4, length, interface);
    if (!status.ok()) return status;
    at += 4 + Padded(length);
  }
  interfaces_.push_back(interface);
  return absl::OkStatus();
}

// An Enhanced or an obsolete Packet Block, which differ in where the interface stands.
absl::Status PcapngReader::FillPacket(uint32_t type, uint32_t body_length, CapturePacket& packet) {
  if (body_length < kPacketHeaderBytes) {
    return RecordError(absl::StrCat("a packet block of body length ", body_length));
  }
  const uint8_t* body = body_.data();
  const uint32_t id = type == kEnhancedPacket ? order_.U32(body) : order_.U16(body);
  if (id >= interfaces_.size()) {
    return RecordError(absl::StrCat("interface ", id, " is not described; the section describes ",
                                    interfaces_.size()));
  }
  const uint32_t captured = order_.U32(body + 12);
  packet.wire_length = order_.U32(body + 16);
  if (captured > kPacketBytesMax || captured > body_length - kPacketHeaderBytes) {
    return RecordError(absl::StrCat("captured length ", captured, " is past the end of its block"));
  }
  if (captured > packet.wire_length) {
    return RecordError(absl::StrCat("captured length ", captured,
                                    " is over the packet's own length ", packet.wire_length));
  }
  const uint64_t units = uint64_t{order_.U32(body + 4)} << 32 | order_.U32(body + 8);
  packet.stamp_ns = Nanoseconds(interfaces_[id], units);
  packet.link_type = interfaces_[id].link_type;
  packet.data = {body + kPacketHeaderBytes, captured};
  latest_stamp_ns_ = packet.stamp_ns;
  return absl::OkStatus();
}

absl::Status PcapngReader::FillSimplePacket(uint32_t body_length, CapturePacket& packet) {
  if (interfaces_.empty()) return RecordError("interface 0 is not described");
  if (body_length < 4)
    return RecordError(absl::StrCat("a packet block of body length ", body_length));
  const uint32_t snap_length = interfaces_[0].snap_length;
  packet.wire_length = order_.U32(body_.data());
  const uint32_t captured =
      snap_length == 0 ? packet.wire_length : std::min(packet.wire_length, snap_length);
  if (captured > kPacketBytesMax || captured > body_length - 4) {
    return RecordError(absl::StrCat("captured length ", captured, " is past the end of its block"));
  }
  packet.stamp_ns = latest_stamp_ns_;
  packet.link_type = interfaces_[0].link_type;
  packet.data = {body_.data() + 4, captured};
  return absl::OkStatus();
}

absl::StatusOr<bool> PcapngReader::ReadPacket(CapturePacket& packet) {
  while (true) {
    StartRecord();
    std::array<uint8_t, 8> header;
    const absl::StatusOr<size_t> got = source().Read(header.data(), 4);
    if (!got.ok()) return RecordError(std::string(got.status().message()));
    if (*got == 0) return false;
    if (*got < 4) return RecordError("the file ends within a block type: it is truncated");
    const uint32_t type = order_.U32(header.data());
    if (type == kSectionHeader) {
      const absl::Status status = ReadSection();
      if (!status.ok()) return status;
      continue;
    }
    absl::Status status = ReadExact(header.data() + 4, 4, "a block length");
    const uint32_t length = order_.U32(header.data() + 4);
    if (status.ok()) status = CheckBlockLength(length);
    if (!status.ok()) return status;
    const bool packet_block =
        type == kEnhancedPacket || type == kObsoletePacket || type == kSimplePacket;
    if (!packet_block && type != kInterfaceDescription) {
      const absl::StatusOr<bool> skipped = source().Skip(length - kFrameBytes);
      if (!skipped.ok()) return RecordError(std::string(skipped.status().message()));
      status = EndBlock(length);
      if (!status.ok()) return status;
      continue;
    }
    const absl::StatusOr<uint32_t> body_length = ReadBody(length);
    if (!body_length.ok()) return body_length.status();
    if (type == kInterfaceDescription) {
      status = AddInterface(*body_length);
    } else if (type == kSimplePacket) {
      status = FillSimplePacket(*body_length, packet);
    } else {
      status = FillPacket(type, *body_length, packet);
    }
    if (!status.ok()) return status;
    if (packet_block) return true;
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<CaptureReader>> OpenPcapng(std::unique_ptr<ByteSource> source) {
  auto reader = std::make_unique<PcapngReader>(std::move(source));
  const absl::Status status = reader->Begin();
  if (!status.ok()) return status;
  return reader;
}

}  // namespace npf::capture
