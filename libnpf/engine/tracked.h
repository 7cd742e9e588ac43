// Which packets belong to connections, and which begin one.
#ifndef NPF_ENGINE_TRACKED_H_
#define NPF_ENGINE_TRACKED_H_

#include <cstdint>
#include <utility>

#include "npf/flow.h"
#include "npf/packet.h"

namespace npf {

inline bool IsEcho(const ParsedPacket& packet) {
  const uint8_t type = packet.icmp_type;
  return packet.key.protocol == kProtocolIcmp ? type == 0 || type == 8 : type == 128 || type == 129;
}

// Packets that may belong to a connection. Of ICMP, only echo has one.
inline bool IsTracked(const ParsedPacket& packet) {
  return packet.outcome == ParseOutcome::kJudge && !packet.later_fragment &&
         (!IsIcmp(packet.key.protocol) || IsEcho(packet));
}

// Of a protocol whose packets say whether they begin a connection, one that does.
inline bool SaysItStarts(const ParsedPacket& packet) {
  const uint8_t protocol = packet.key.protocol;
  const bool marked = protocol == kProtocolTcp || protocol == kProtocolSctp || IsIcmp(protocol);
  return marked && packet.starts_connection;
}

inline FlowKey Reversed(const FlowKey& key) {
  FlowKey reversed = key;
  std::swap(reversed.src, reversed.dst);
  if (!IsIcmp(key.protocol)) std::swap(reversed.src_port, reversed.dst_port);
  return reversed;
}

}  // namespace npf

#endif  // NPF_ENGINE_TRACKED_H_
