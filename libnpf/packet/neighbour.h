// Neighbour discovery's messages (RFC 4861) as they are laid out.
#ifndef NPF_PACKET_NEIGHBOUR_H_
#define NPF_PACKET_NEIGHBOUR_H_

#include <cstdint>

namespace npf::packet {

inline constexpr uint8_t kRouterSolicitation = 133;
inline constexpr uint8_t kRouterAdvertisement = 134;
inline constexpr uint8_t kNeighbourSolicitation = 135;
inline constexpr uint8_t kNeighbourAdvertisement = 136;
inline constexpr uint8_t kRedirect = 137;

inline constexpr uint32_t kNeighbourTarget = 8;  // of the last three, from the start of the message

inline constexpr uint8_t kOptionSourceLinkAddress = 1;
inline constexpr uint8_t kOptionTargetLinkAddress = 2;

// Of the message without options.
inline uint32_t NeighbourBytes(uint8_t type) {
  switch (type) {
    case kRouterAdvertisement:
      return 16;
    case kNeighbourSolicitation:
    case kNeighbourAdvertisement:
      return 24;
    case kRedirect:
      return 40;
    default:
      return 8;
  }
}

}  // namespace npf::packet

#endif  // NPF_PACKET_NEIGHBOUR_H_
