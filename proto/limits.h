// What both ends of the control socket hold to; docs/control.md names them.
#ifndef NPF_PROTO_LIMITS_H_
#define NPF_PROTO_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace npf::control {

inline constexpr int kRequestBytesMax = 64 << 20;
inline constexpr int kReaderRequestBytesMax = 1 << 20;  // of a peer that may only read
inline constexpr uint64_t kWaitNsMax = 600'000'000'000;
inline constexpr uint32_t kConnectionsDefault = 1'000;  // of a list
inline constexpr uint32_t kConnectionsMax = 100'000;

// How long the message of a status may be; a client that takes more says so in its metadata.
inline constexpr size_t kStatusBytesDefault = 2 << 10;
inline constexpr size_t kStatusBytesMax = 256 << 10;
inline constexpr char kStatusBytesKey[] = "npf-status-bytes";

}  // namespace npf::control

#endif  // NPF_PROTO_LIMITS_H_
