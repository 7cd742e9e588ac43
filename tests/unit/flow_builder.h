// Keys and packets of connections, without frames.
#ifndef NPF_TESTS_UNIT_FLOW_BUILDER_H_
#define NPF_TESTS_UNIT_FLOW_BUILDER_H_

#include <cstdint>
#include <utility>

#include "npf/packet.h"

namespace npf::testing {

inline FlowKey Key(uint8_t protocol, uint32_t src, uint16_t src_port, uint32_t dst,
                   uint16_t dst_port) {
  return MakeFlowKey(IpAddress::V4(src), IpAddress::V4(dst), protocol, dst_port, src_port);
}

inline FlowKey Reverse(FlowKey key) {
  std::swap(key.src, key.dst);
  std::swap(key.src_port, key.dst_port);
  return key;
}

}  // namespace npf::testing

#endif  // NPF_TESTS_UNIT_FLOW_BUILDER_H_
