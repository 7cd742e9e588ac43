// Frames made by hand, byte by byte, with lengths and checksums that can be made wrong.
#ifndef NPF_TESTS_UNIT_PACKET_BUILDER_H_
#define NPF_TESTS_UNIT_PACKET_BUILDER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "npf/packet.h"

namespace npf::testing {

using Bytes = std::vector<uint8_t>;

Bytes operator+(Bytes left, const Bytes& right);
Bytes Zeros(size_t count);
Bytes U16(uint32_t value);
// "0a 00 00 01" or "0a000001".
Bytes Hex(const std::string& text);
// The address as it stands in a header: 4 or 16 bytes.
Bytes AddressBytes(const std::string& text);

Bytes Ethernet(uint16_t ethertype, const Bytes& payload);
Bytes Tag(uint16_t inner_ethertype);  // what follows the tag's own ethertype

struct Ipv4 {
  std::string src = "198.51.100.7";
  std::string dst = "10.0.1.10";
  uint8_t protocol = kProtocolTcp;
  uint8_t version = 4;
  int header_words = -1;  // -1: the right one
  int total_length = -1;
  int checksum = -1;
  uint16_t fragment = 0;  // flags and offset, as in the header
  uint8_t time_to_live = 64;
  uint16_t id = 0x1234;
  Bytes options{};  // of a multiple of four
};
Bytes Packet(const Ipv4& header, const Bytes& payload);

struct Ipv6 {
  std::string src = "2001:db8::7";
  std::string dst = "fd00:1::10";
  uint8_t next = kProtocolTcp;
  uint8_t version = 6;
  int payload_length = -1;
  uint8_t hop_limit = 64;
};
Bytes Packet(const Ipv6& header, const Bytes& payload);
// A header of options for a packet's chain: `next`, and options that fill eight bytes and more.
Bytes OptionsHeader(uint8_t next, const Bytes& options);
Bytes FragmentHeader(uint8_t next, uint16_t offset_units, bool more, uint32_t id = 0x2a);

struct Tcp {
  uint16_t src_port = 40000;
  uint16_t dst_port = 80;
  uint8_t flags = 0x02;
  uint8_t data_offset = 5;
  size_t data_bytes = 0;
  uint32_t sequence = 0;
  uint32_t acknowledgement = 0;
  uint16_t window = 0;
  Bytes options{};  // at most as long as `data_offset` leaves room for
};
Bytes Segment(const Tcp& header);  // with a checksum of zero
// With the right checksum between these addresses.
Bytes Segment(const Tcp& header, const std::string& src, const std::string& dst);
Bytes Udp(uint16_t src_port, uint16_t dst_port, size_t data_bytes = 8, int length = -1);
// One chunk of 20 bytes; under tag 0 where it is an INIT (1), else under tag 7.
Bytes Sctp(uint16_t src_port, uint16_t dst_port, uint8_t chunk);
Bytes Icmp(uint8_t type, uint8_t code = 0, uint16_t id = 0, const Bytes& rest = {});

// Parsed from a buffer that ends where the bytes end, so that AddressSanitizer sees any read
// beyond. `captured` below the size cuts what was captured, not what was on the wire.
ParsedPacket Parse(const Bytes& frame, const ParseOptions& options = {}, int captured = -1);
// Without link layer, checksums not looked at.
ParsedPacket ParseIp(const Bytes& packet);

// "judge", "pass" or "deny", and the reason of the last two: "deny malformed".
std::string Outcome(const ParsedPacket& parsed);

}  // namespace npf::testing

#endif  // NPF_TESTS_UNIT_PACKET_BUILDER_H_
