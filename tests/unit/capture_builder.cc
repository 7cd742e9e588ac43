#include "unit/capture_builder.h"

#include <memory>
#include <utility>

namespace npf::testing {
namespace {

uint32_t Or(int64_t chosen, size_t right) {
  return chosen < 0 ? static_cast<uint32_t>(right) : static_cast<uint32_t>(chosen);
}

ReadCapture Drain(absl::StatusOr<std::unique_ptr<capture::CaptureReader>> reader) {
  ReadCapture read;
  if (!reader.ok()) {
    read.error = std::string(reader.status().message());
    return read;
  }
  capture::CapturePacket packet;
  absl::StatusOr<bool> more = false;
  while ((more = (*reader)->Next(packet)).ok() && *more) {
    read.data.emplace_back(packet.data.begin(), packet.data.end());
    packet.data = {};
    read.packets.push_back(packet);
  }
  if (!more.ok()) read.error = std::string(more.status().message());
  read.counts = (*reader)->counts();
  read.warnings = (*reader)->TakeWarnings();
  return read;
}

}  // namespace

FileBuilder& FileBuilder::U8(uint8_t value) {
  bytes_.push_back(value);
  return *this;
}

FileBuilder& FileBuilder::U16(uint16_t value) {
  const auto high = static_cast<uint8_t>(value >> 8);
  const auto low = static_cast<uint8_t>(value);
  return big_ ? U8(high).U8(low) : U8(low).U8(high);
}

FileBuilder& FileBuilder::U32(uint32_t value) {
  const auto high = static_cast<uint16_t>(value >> 16);
  const auto low = static_cast<uint16_t>(value);
  return big_ ? U16(high).U16(low) : U16(low).U16(high);
}

FileBuilder& FileBuilder::U64(uint64_t value) {
  const auto high = static_cast<uint32_t>(value >> 32);
  const auto low = static_cast<uint32_t>(value);
  return big_ ? U32(high).U32(low) : U32(low).U32(high);
}

FileBuilder& FileBuilder::Raw(const std::vector<uint8_t>& bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return *this;
}

FileBuilder& FileBuilder::PadTo4() {
  bytes_.resize((bytes_.size() + 3) / 4 * 4);
  return *this;
}

FileBuilder& FileBuilder::PcapHeader(uint32_t magic, uint32_t link_type, uint32_t snap_length) {
  return U32(magic).U16(2).U16(4).U32(0).U32(0).U32(snap_length).U32(link_type);
}

FileBuilder& FileBuilder::PcapRecord(uint32_t seconds, uint32_t fraction,
                                     const std::vector<uint8_t>& data, int64_t wire_length) {
  U32(seconds).U32(fraction).U32(static_cast<uint32_t>(data.size()));
  return U32(Or(wire_length, data.size())).Raw(data);
}

FileBuilder& FileBuilder::Block(uint32_t type, const FileBuilder& body) {
  const auto length = static_cast<uint32_t>(body.bytes().size() + 12);
  return U32(type).U32(length).Raw(body.bytes()).U32(length);
}

FileBuilder& FileBuilder::Section() {
  FileBuilder body(big_);
  body.U32(0x1a2b3c4d).U16(1).U16(0).U64(~uint64_t{0});
  return Block(0x0a0d0d0a, body);
}

FileBuilder& FileBuilder::Interface(uint16_t link_type, uint32_t snap_length,
                                    const std::vector<uint8_t>& options) {
  FileBuilder body(big_);
  body.U16(link_type).U16(0).U32(snap_length).Raw(options);
  return Block(1, body);
}

FileBuilder& FileBuilder::EnhancedPacket(uint32_t interface, uint64_t time,
                                         const std::vector<uint8_t>& data, int64_t wire_length) {
  FileBuilder body(big_);
  body.U32(interface).U32(static_cast<uint32_t>(time >> 32)).U32(static_cast<uint32_t>(time));
  body.U32(static_cast<uint32_t>(data.size())).U32(Or(wire_length, data.size()));
  body.Raw(data).PadTo4();
  return Block(6, body);
}

ReadCapture ReadAll(const std::vector<uint8_t>& file) {
  return Drain(capture::OpenCapture(capture::MemorySource(file)));
}

ReadCapture ReadAllOf(const std::string& path) { return Drain(capture::OpenCapture(path)); }

}  // namespace npf::testing
