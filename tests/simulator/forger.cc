#include "simulator/forger.h"

#include <algorithm>
#include <memory>

namespace npf::simulator {
namespace {

constexpr size_t kSeen = 48;
constexpr uint32_t kUnit = 8;

constexpr uint8_t kFlags[] = {kAck, kAck,        kAck, kAck | kPush, kFin | kAck, kFin | kAck, kRst,
                              kRst, kRst | kAck, kSyn, kSyn | kAck,  kSyn | kAck, kAck | kPush};
constexpr Chunk kChunks[] = {
    kData, kData, kInit, kInitAck, kAbort, kCookieEcho, kCookieAck, kShutdownComplete, kError};

int64_t AcknowledgedLeast(const Connection& connection, size_t side) {
  return connection.tcp[1 - side].acked - int64_t{connection.tcp[side].window};
}

}  // namespace

std::vector<int64_t> EdgesOf(const Connection& connection, size_t side) {
  const TcpSide& mine = connection.tcp[side];
  const int64_t window = connection.tcp[1 - side].window;
  return {mine.next,          mine.next,          mine.acked,
          mine.acked,         mine.next - window, mine.acked + window,
          mine.next - window, mine.acked - 65536, mine.next + (int64_t{1} << 31)};
}

void Forger::Saw(const Wire& wire) {
  if (seen_.size() < kSeen) {
    seen_.push_back(wire);
  } else {
    seen_[random_.Below(kSeen)] = wire;
  }
}

uint32_t Forger::Near(const std::vector<int64_t>& edges) {
  if (random_.Chance(8)) return static_cast<uint32_t>(random_.Next());
  return static_cast<uint32_t>(random_.Pick(edges) + static_cast<int64_t>(random_.Below(5)) - 2);
}

Wire Forger::Forge(const Model& model, const Key& key) {
  if (random_.Chance(options_.errors)) return ForgeError(model);
  if (random_.Chance(options_.parts)) return ForgePart();
  if (!seen_.empty() && random_.Chance(10)) {
    Wire again = random_.Pick(seen_);
    if (!options_.one_fragment_source || !again.part.has_value()) return again;
  }
  Wire wire;
  const Key from = random_.Chance(50) ? key.Reversed() : key;
  switch (key.protocol) {
    case kProtocolTcp:
      return ForgeTcp(model.Find(from), from);
    case kProtocolSctp:
      return ForgeSctp(model.Find(from), from);
    default:
      wire.key = from;
      wire.data = static_cast<uint32_t>(random_.Below(50));
      wire.icmp = random_.Chance(50) ? Icmp::kRequest : Icmp::kReply;
      if (wire.IsIcmp() && random_.Chance(10)) {
        wire.icmp = Icmp::kTimestamp;
        wire.key.src_port = wire.key.dst_port = 0;
      }
      return wire;
  }
}

Wire Forger::ForgeTcp(const Connection* connection, const Key& key) {
  static constexpr uint32_t kData[] = {0, 0, 0, 1, 2, 100, 1460, 60'000};
  static constexpr uint16_t kWindows[] = {0, 1, 100, 1000, 0x7fff, 0xffff};
  Wire wire;
  wire.key = key;
  wire.flags = kFlags[random_.Below(std::size(kFlags))];
  wire.data = kData[random_.Below(std::size(kData))];
  wire.window = kWindows[random_.Below(std::size(kWindows))];
  if (wire.Has(kSyn) && random_.Chance(60)) wire.scale = static_cast<int>(random_.Below(16));
  const size_t side = connection != nullptr && connection->first == key ? 0 : 1;
  wire.sequence = static_cast<uint32_t>(random_.Next());
  wire.acknowledgement = static_cast<uint32_t>(random_.Next());
  if (connection == nullptr) return wire;
  wire.sequence = Near(EdgesOf(*connection, side));
  // As often as not its end is what stands beside the edge.
  if (random_.Chance(50)) wire.sequence -= wire.data;
  std::vector<int64_t> acknowledged = EdgesOf(*connection, 1 - side);
  acknowledged.resize(4);
  acknowledged.push_back(AcknowledgedLeast(*connection, side));
  if (wire.Has(kAck)) wire.acknowledgement = Near(acknowledged);
  return wire;
}

Wire Forger::ForgeSctp(const Connection* connection, const Key& key) {
  Wire wire;
  wire.key = key;
  wire.chunk = kChunks[random_.Below(std::size(kChunks))];
  wire.reflected = random_.Chance(20);
  wire.initiate_tag = static_cast<uint32_t>(random_.Between(1, 40));
  std::vector<uint32_t> tags = {static_cast<uint32_t>(random_.Between(1, 40))};
  if (connection != nullptr) {
    for (const SctpEnd& end : connection->sctp) {
      for (const auto& tag : {end.tag, end.coming}) {
        if (tag.has_value()) tags.push_back(*tag);
      }
    }
  }
  wire.tag = random_.Pick(tags);
  if ((wire.chunk == kInit) != random_.Chance(2)) wire.tag = wire.chunk == kInit ? 0 : wire.tag;
  return wire;
}

void Forger::ChangeQuoted(const Model& model, Wire& quoted) {
  const Connection* const connection = model.Find(quoted.key);
  if (random_.Chance(10)) quoted.key = quoted.key.Reversed();
  if (random_.Chance(5) && HasPorts(quoted.key.protocol)) ++quoted.key.dst_port;
  if (random_.Chance(20)) quoted.tag = static_cast<uint32_t>(random_.Below(40));
  if (connection != nullptr && random_.Chance(50)) {
    quoted.sequence = Near(EdgesOf(*connection, connection->first == quoted.key ? 0 : 1));
  }
}

Wire Forger::ForgeError(const Model& model) {
  Wire wire;
  if (seen_.empty()) return ForgePart();
  Wire quoted = random_.Pick(seen_);
  quoted.vlan = 0;
  if (quoted.quoted != nullptr && quoted.quoted->quoted != nullptr) quoted.quoted = nullptr;
  if (random_.Chance(60)) ChangeQuoted(model, quoted);
  wire.key = {.family = quoted.key.family,
              .protocol = quoted.key.family == 4 ? kProtocolIcmp : kProtocolIcmpv6,
              .src = static_cast<uint8_t>(random_.Below(kHosts)),
              .dst = quoted.key.src,
              .src_port = 0,
              .dst_port = 0};
  if (random_.Chance(10)) wire.key.dst = static_cast<uint8_t>(random_.Below(kHosts));
  if (wire.key.src == wire.key.dst) wire.key.src = quoted.key.dst;
  if (wire.key.src == wire.key.dst) return ForgePart();
  wire.icmp = Icmp::kError;
  wire.quoted = std::make_shared<const Wire>(std::move(quoted));
  return wire;
}

// Of few datagrams, so that parts meet.
Wire Forger::ForgePart() {
  static constexpr uint8_t kProtocols[] = {kProtocolUdp,  kProtocolUdp,  kProtocolTcp,
                                           kProtocolSctp, kProtocolIcmp, 47};
  Wire wire;
  if (!seen_.empty() && random_.Chance(70)) wire = random_.Pick(seen_);
  wire.quoted = nullptr;
  if (seen_.empty() || wire.quoted != nullptr || wire.icmp == Icmp::kError) wire = Wire();
  if (wire.key.src == wire.key.dst) {
    wire.key.src = static_cast<uint8_t>(random_.Below(4));
    wire.key.dst = static_cast<uint8_t>(random_.Between(4, 5));
    wire.key.protocol = kProtocols[random_.Below(std::size(kProtocols))];
    wire.key.dst_port = 53;
    wire.key.src_port = 1000;
    if (wire.IsIcmp() || wire.key.protocol == 47) wire.key.src_port = wire.key.dst_port = 0;
    wire.flags = kSyn;
    wire.chunk = kInit;
  }
  if (options_.one_fragment_source) {
    wire.key.family = 4;
    wire.key.src = 2;
    if (wire.key.dst == 2) wire.key.dst = 1;
    if (wire.key.protocol == kProtocolIcmpv6) wire.key.protocol = kProtocolIcmp;
  }
  wire.data = std::max(wire.data, uint32_t{200});
  const auto begin = static_cast<uint32_t>(random_.Chance(40) ? 0 : random_.Between(4, 9)) * kUnit;
  const auto units = static_cast<uint32_t>(random_.Between(begin == 0 ? 5 : 1, 6));
  const bool more = random_.Chance(70);
  const auto odd = static_cast<uint32_t>(more ? 0 : random_.Below(kUnit));
  wire.part =
      Part{.begin = begin,
           .end = begin + units * kUnit - odd,
           .more = more || begin == 0,
           .id = static_cast<uint16_t>(random_.Below(options_.one_fragment_source ? 60 : 4))};
  if (wire.part->more) wire.part->end = begin + units * kUnit;
  const bool init = wire.key.protocol == kProtocolSctp && wire.chunk == kInit;
  if (init && begin == 0) wire.part->end = TransportHeaderBytes(wire);  // alone in its packet
  wire.vlan = random_.Chance(20) ? 7 : 0;
  return wire;
}

}  // namespace npf::simulator
