#include "flood_traffic.h"

#include <algorithm>
#include <cstring>

#include "conntrack/flow_index.h"
#include "conntrack/flow_table.h"

namespace npf::bench {
namespace {

// Of frames of IPv4 without options.
constexpr size_t kIpAt = 14;
constexpr size_t kIdAt = kIpAt + 4;
constexpr size_t kFragmentAt = kIpAt + 6;
constexpr size_t kSourceAt = kIpAt + 12;
constexpr size_t kPortAt = kIpAt + 20;
constexpr size_t kSequenceAt = kPortAt + 4;
constexpr size_t kFlagsAt = kPortAt + 13;
constexpr uint8_t kMoreFragments = 0x20;
constexpr uint8_t kSyn = 0x02;
constexpr uint32_t kFirstPartBytes = 20 + 24;

void Put16(uint8_t* at, uint32_t value) {
  at[0] = static_cast<uint8_t>(value >> 8);
  at[1] = static_cast<uint8_t>(value);
}

// Of networks that nobody refuses, and that are no pod's.
uint32_t AnyAddress(Random& random) {
  return (20 + random.Below(70)) << 24 | random.Below(1 << 24);
}

uint8_t ProtocolOf(Flood flood) { return flood == Flood::kSyn ? kProtocolTcp : kProtocolUdp; }

}  // namespace

std::string_view Name(Flood flood) {
  constexpr std::string_view kNames[] = {"syn",       "udp", "first-fragments", "later-fragments",
                                         "colliding", "junk"};
  return kNames[static_cast<size_t>(flood)];
}

std::vector<FlowKey> CollidingKeys(const FlowKey& target, size_t capacity, size_t count) {
  const conntrack::FlowTable unkeyed({.capacity = 1, .secret = conntrack::Secret{}});
  const uint64_t places = conntrack::FlowIndex::BucketsFor(capacity);
  Random random(count);
  FlowKey key = target;
  key.protocol = kProtocolUdp;
  std::vector<FlowKey> keys;
  while (keys.size() < count) {
    Put16(key.src, AnyAddress(random) >> 16);
    Put16(key.src + 2, random.Below(1 << 16));
    key.src_port = static_cast<uint16_t>(1 + random.Below(65535));
    if (unkeyed.HashOf(key) % places == 0) keys.push_back(key);
  }
  return keys;
}

FloodTraffic::FloodTraffic(Flood flood, const FlowKey& target, std::span<const FlowKey> colliding,
                           uint64_t seed)
    : flood_(flood), colliding_(colliding), random_(seed) {
  FlowKey key = target;
  key.protocol = ProtocolOf(flood);
  frames_.AddFrame(key, FrameSizes::kSmallest);
}

void FloodTraffic::SendFrom(uint32_t address, uint16_t port, uint8_t* buffer) {
  Put16(buffer + kSourceAt, address >> 16);
  Put16(buffer + kSourceAt + 2, address & 0xffff);
  Put16(buffer + kPortAt, port);
}

// Of another version, too short, too long, or from nowhere.
void FloodTraffic::MakeJunk(uint8_t* buffer) {
  switch (random_.Below(4)) {
    case 0:
      buffer[kIpAt] = static_cast<uint8_t>(random_.Below(0x40));
      break;
    case 1:
      Put16(buffer + kIpAt + 2, random_.Below(20));
      break;
    case 2:
      Put16(buffer + kIpAt + 2, 1'000 + random_.Below(60'000));
      break;
    default:
      SendFrom(127u << 24 | random_.Below(1 << 24), 53, buffer);
      break;
  }
}

PacketView FloodTraffic::Receive(uint8_t* buffer) {
  const PacketView view = frames_.Receive(0, buffer);
  SendFrom(AnyAddress(random_), static_cast<uint16_t>(1 + random_.Below(65535)), buffer);
  Put16(buffer + kIdAt, random_.Below(1 << 16));
  switch (flood_) {
    case Flood::kSyn:
      buffer[kFlagsAt] = kSyn;
      std::fill_n(buffer + kSequenceAt, 8, uint8_t{0});
      break;
    case Flood::kUdp:
      Put16(buffer + kPortAt + 2, 1 + random_.Below(65535));
      break;
    case Flood::kFirstFragments:
      buffer[kFragmentAt] = kMoreFragments;
      Put16(buffer + kIpAt + 2, kFirstPartBytes);
      break;
    case Flood::kLaterFragments:
      Put16(buffer + kFragmentAt, 100 + random_.Below(4'000));
      break;
    case Flood::kColliding: {
      const FlowKey& key = colliding_[sent_++ % colliding_.size()];
      std::memcpy(buffer + kSourceAt, key.src, 4);
      Put16(buffer + kPortAt, key.src_port);
      break;
    }
    case Flood::kJunk:
      MakeJunk(buffer);
      break;
  }
  return view;
}

}  // namespace npf::bench
