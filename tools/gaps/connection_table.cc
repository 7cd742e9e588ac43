#include "gaps/connection_table.h"

#include <algorithm>
#include <cstring>

namespace npf::gaps {
namespace {

constexpr uint64_t kBetweenSweepsNs = 10'000'000'000;
constexpr uint16_t kFirstClientPort = 32768;  // Linux: net.ipv4.ip_local_port_range

}  // namespace

Evidence EvidenceOf(const Live& live) {
  // What a proxy answers, the destination may never have got.
  if (live.Has(kFactLogReply)) return live.proxied ? Evidence::kForwarded : Evidence::kLogReply;
  const bool answered = live.Has(kFactAnswered);
  // A SYN-ACK says who opened, though the SYN was not seen.
  if (live.Has(kFactCompleted) && live.Has(kFactAnswered | kFactAnswerSeen)) {
    return Evidence::kHandshake;
  }
  if (answered) {
    return live.key.protocol == kProtocolTcp ? Evidence::kAnswered : Evidence::kReply;
  }
  if (live.Has(kFactDataAcked)) return Evidence::kBothWays;
  if (live.Has(kFactRefusedAtPod)) return Evidence::kRefused;
  if (live.Has(kFactForwarded)) return Evidence::kForwarded;
  if (live.Has(kFactAnswerSeen)) return Evidence::kAnswerOnly;
  if (live.Has(kFactOpenerAcks)) return Evidence::kAcknowledged;
  if (live.Has(kFactRefused)) return Evidence::kReset;
  if (live.Has(kFactMiddle)) return Evidence::kMidstream;
  if (live.Has(kFactLogDropped)) return Evidence::kLogDropped;
  if (live.Has(kFactRejected)) return Evidence::kRejected;
  if (live.Has(kFactAtPod)) return Evidence::kArrived;
  if (live.Has(kFactRepeated)) return Evidence::kRetransmitted;
  return live.Has(kFactAtNode) ? Evidence::kArrived : Evidence::kUnseen;
}

FlowKey Reversed(FlowKey key) {
  std::swap(key.src, key.dst);
  std::swap(key.src_port, key.dst_port);
  return key;
}

bool SameDirection(const FlowKey& a, const FlowKey& b) {
  return a.src_port == b.src_port && std::memcmp(a.src, b.src, sizeof(a.src)) == 0;
}

ConnectionTable::Ends ConnectionTable::EndsOf(const FlowKey& key) {
  constexpr size_t kEnd = sizeof(key.src) + 2;
  Ends ends{};
  const auto put = [&ends](size_t at, const uint8_t* address, uint16_t port) {
    std::copy_n(address, sizeof(key.src), ends.begin() + static_cast<std::ptrdiff_t>(at));
    ends[at + sizeof(key.src)] = static_cast<uint8_t>(port >> 8);
    ends[at + sizeof(key.src) + 1] = static_cast<uint8_t>(port);
  };
  const int order = std::memcmp(key.src, key.dst, sizeof(key.src));
  const bool src_first = order != 0 ? order < 0 : key.src_port <= key.dst_port;
  put(src_first ? 0 : kEnd, key.src, key.src_port);
  put(src_first ? kEnd : 0, key.dst, key.dst_port);
  ends[2 * kEnd] = key.protocol;
  ends[2 * kEnd + 1] = key.family;
  return ends;
}

Live* ConnectionTable::Find(const FlowKey& key) {
  const auto found = live_.find(EndsOf(key));
  return found == live_.end() ? nullptr : &found->second;
}

Live* ConnectionTable::Begin(const FlowKey& key, uint64_t now_ns) {
  const Ends ends = EndsOf(key);
  auto found = live_.find(ends);
  if (found != live_.end()) {
    Tell(found->second);
    found->second = Live{};
  } else {
    if (live_.size() >= connections_max_) MakeRoom(now_ns);
    if (live_.size() >= connections_max_) {
      ++left_out_;
      return nullptr;
    }
    found = live_.emplace(ends, Live{}).first;
  }
  Live& live = found->second;
  live.key = key;
  live.first_ns = live.last_ns = now_ns;
  return &live;
}

Live* ConnectionTable::BeginByPorts(const FlowKey& key, uint64_t now_ns) {
  const bool from_client = key.src_port >= kFirstClientPort;
  const bool to_client = key.dst_port >= kFirstClientPort;
  Live* live = Begin(to_client && !from_client ? Reversed(key) : key, now_ns);
  if (live == nullptr) return nullptr;
  live->has_ports = HasPorts(key.protocol);
  live->opener = from_client != to_client ? Opener::kByPorts : Opener::kUnknown;
  return live;
}

void ConnectionTable::MakeRoom(uint64_t now_ns) {
  if (now_ns < swept_ns_ + kBetweenSweepsNs) return;
  swept_ns_ = now_ns;
  absl::erase_if(live_, [&](const auto& entry) {
    const bool idle = entry.second.last_ns + kIdleNs < now_ns;
    if (idle) Tell(entry.second);
    return idle;
  });
}

void ConnectionTable::Finish() {
  for (const auto& [ends, live] : live_) Tell(live);
  live_.clear();
}

void ConnectionTable::Tell(const Live& live) {
  sink_(Seen{.key = live.key,
             .has_ports = live.has_ports,
             .opener = live.opener,
             .evidence = EvidenceOf(live),
             .packets = live.packets,
             .replies = live.replies,
             .first_ns = live.first_ns,
             .last_ns = live.last_ns,
             .names = live.names.get()});
}

}  // namespace npf::gaps
