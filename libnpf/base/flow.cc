#include "npf/flow.h"

#include <algorithm>

namespace npf {
namespace {

IpAddress AddressOf(const FlowKey& key, const uint8_t* bytes) {
  IpAddress address;
  address.family = static_cast<Family>(key.family);
  std::copy_n(bytes, address.bytes.size(), address.bytes.begin());
  return address;
}

}  // namespace

FlowKey MakeFlowKey(const IpAddress& src, const IpAddress& dst, uint8_t protocol, uint16_t dst_port,
                    uint16_t src_port) {
  FlowKey key{};
  std::copy(src.bytes.begin(), src.bytes.end(), key.src);
  std::copy(dst.bytes.begin(), dst.bytes.end(), key.dst);
  key.src_port = src_port;
  key.dst_port = dst_port;
  key.protocol = protocol;
  key.family = src.family == dst.family ? static_cast<uint8_t>(src.family) : uint8_t{0};
  return key;
}

IpAddress SourceOf(const FlowKey& key) { return AddressOf(key, key.src); }
IpAddress DestinationOf(const FlowKey& key) { return AddressOf(key, key.dst); }

}  // namespace npf
