#include "unit/packet_builder.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>

#include "npf/address.h"

namespace npf::testing {
namespace {

uint16_t ChecksumOf(const Bytes& bytes) {
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); ++i) sum += uint32_t{bytes[i]} << (i % 2 == 0 ? 8 : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

void Put16(Bytes& bytes, size_t at, uint32_t value) {
  bytes[at] = static_cast<uint8_t>(value >> 8);
  bytes[at + 1] = static_cast<uint8_t>(value);
}

uint32_t Or(int chosen, size_t right) {
  return chosen < 0 ? static_cast<uint32_t>(right) : static_cast<uint32_t>(chosen);
}

}  // namespace

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Bytes Zeros(size_t count) { return Bytes(count, 0); }

Bytes U16(uint32_t value) {
  return {static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)};
}

Bytes Hex(const std::string& text) {
  std::string digits;
  std::copy_if(text.begin(), text.end(), std::back_inserter(digits),
               [](char c) { return c != ' '; });
  Bytes bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(static_cast<uint8_t>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

// Mapped addresses are none that policy may name, so they are spelled here as bytes.
Bytes AddressBytes(const std::string& text) {
  if (text.starts_with("hex:")) return Hex(text.substr(4));
  const auto address = ParseIpAddress(text);
  if (!address.has_value()) throw std::invalid_argument(text);
  return Bytes(address->bytes.begin(),
               address->bytes.begin() + (address->family == Family::kIpv4 ? 4 : 16));
}

Bytes Ethernet(uint16_t ethertype, const Bytes& payload) {
  return Hex("02 00 00 00 00 01 02 00 00 00 00 02") + U16(ethertype) + payload;
}

Bytes Tag(uint16_t inner_ethertype) { return U16(100) + U16(inner_ethertype); }

Bytes Packet(const Ipv4& header, const Bytes& payload) {
  const size_t header_bytes = 20 + header.options.size();
  Bytes bytes = Zeros(20);
  bytes[0] = static_cast<uint8_t>(header.version << 4 |
                                  static_cast<int>(Or(header.header_words, header_bytes / 4)));
  Put16(bytes, 2, Or(header.total_length, header_bytes + payload.size()));
  Put16(bytes, 4, header.id);
  Put16(bytes, 6, header.fragment);
  bytes[8] = header.time_to_live;
  bytes[9] = header.protocol;
  const Bytes addresses = AddressBytes(header.src) + AddressBytes(header.dst);
  std::copy(addresses.begin(), addresses.end(), bytes.begin() + 12);
  bytes = bytes + header.options;
  Put16(bytes, 10, Or(header.checksum, ChecksumOf(bytes)));
  return bytes + payload;
}

Bytes Packet(const Ipv6& header, const Bytes& payload) {
  Bytes bytes = Zeros(8);
  bytes[0] = static_cast<uint8_t>(header.version << 4);
  Put16(bytes, 4, Or(header.payload_length, payload.size()));
  bytes[6] = header.next;
  bytes[7] = header.hop_limit;
  return bytes + AddressBytes(header.src) + AddressBytes(header.dst) + payload;
}

Bytes OptionsHeader(uint8_t next, const Bytes& options) {
  Bytes bytes = Bytes{next, 0} + options;
  bytes.resize((bytes.size() + 7) / 8 * 8);  // Pad1
  bytes[1] = static_cast<uint8_t>(bytes.size() / 8 - 1);
  return bytes;
}

Bytes FragmentHeader(uint8_t next, uint16_t offset_units, bool more, uint32_t id) {
  return Bytes{next, 0} + U16(offset_units * 8u + (more ? 1 : 0)) + U16(id >> 16) + U16(id);
}

Bytes Segment(const Tcp& header) {
  Bytes bytes = Zeros(std::max<size_t>(20, header.data_offset * 4u) + header.data_bytes);
  Put16(bytes, 0, header.src_port);
  Put16(bytes, 2, header.dst_port);
  bytes[12] = static_cast<uint8_t>(header.data_offset << 4);
  bytes[13] = header.flags;
  Put16(bytes, 4, header.sequence >> 16);
  Put16(bytes, 6, header.sequence);
  Put16(bytes, 8, header.acknowledgement >> 16);
  Put16(bytes, 10, header.acknowledgement);
  Put16(bytes, 14, header.window);
  std::copy(header.options.begin(), header.options.end(), bytes.begin() + 20);
  return bytes;
}

Bytes Segment(const Tcp& header, const std::string& src, const std::string& dst) {
  Bytes segment = Segment(header);
  const Bytes pseudo = AddressBytes(src) + AddressBytes(dst) + Zeros(2) + U16(kProtocolTcp) +
                       U16(static_cast<uint32_t>(segment.size())) + Zeros(2);
  Put16(segment, 16, ChecksumOf(pseudo + segment));
  return segment;
}

Bytes Udp(uint16_t src_port, uint16_t dst_port, size_t data_bytes, int length) {
  return U16(src_port) + U16(dst_port) + U16(Or(length, 8 + data_bytes)) + Zeros(2 + data_bytes);
}

Bytes Sctp(uint16_t src_port, uint16_t dst_port, uint8_t chunk) {
  const Bytes tag = chunk == 1 ? Zeros(4) : Hex("00000007");
  return U16(src_port) + U16(dst_port) + tag + Zeros(4) + Bytes{chunk, 0, 0, 20} + Zeros(16);
}

Bytes Icmp(uint8_t type, uint8_t code, uint16_t id, const Bytes& rest) {
  return Bytes{type, code, 0, 0} + U16(id) + Zeros(2) + rest;
}

ParsedPacket Parse(const Bytes& frame, const ParseOptions& options, int captured) {
  const size_t length = captured < 0 ? frame.size() : static_cast<size_t>(captured);
  const std::unique_ptr<uint8_t[]> exact(new uint8_t[length]);
  std::copy_n(frame.begin(), length, exact.get());
  return ParsePacket({.data = exact.get(),
                      .length = static_cast<uint32_t>(length),
                      .wire_length = static_cast<uint32_t>(frame.size())},
                     options);
}

ParsedPacket ParseIp(const Bytes& packet) {
  return Parse(packet, {.link = LinkLayer::kRawIp, .checksums = Checksums::kIgnore});
}

std::string Outcome(const ParsedPacket& parsed) {
  switch (parsed.outcome) {
    case ParseOutcome::kJudge:
      return "judge";
    case ParseOutcome::kPass:
      return "pass " + std::string(Name(parsed.reason));
    case ParseOutcome::kDeny:
      return "deny " + std::string(Name(parsed.reason));
  }
  return "";
}

}  // namespace npf::testing
