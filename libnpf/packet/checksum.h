// The Internet checksum (RFC 1071).
#ifndef NPF_PACKET_CHECKSUM_H_
#define NPF_PACKET_CHECKSUM_H_

#include <cstdint>

namespace npf::packet {

// Sum of the big-endian 16-bit words; an odd last byte counts as if a zero followed it.
inline uint64_t InternetSum(const uint8_t* data, uint32_t length) {
  uint64_t sum = 0;
  uint32_t i = 0;
  for (; i + 1 < length; i += 2) sum += static_cast<uint32_t>(data[i]) << 8 | data[i + 1];
  if (i < length) sum += static_cast<uint32_t>(data[i]) << 8;
  return sum;
}

inline uint16_t FoldChecksum(uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

// 0 over a header that includes its own right checksum.
inline uint16_t InternetChecksum(const uint8_t* data, uint32_t length) {
  return FoldChecksum(InternetSum(data, length));
}

}  // namespace npf::packet

#endif  // NPF_PACKET_CHECKSUM_H_
