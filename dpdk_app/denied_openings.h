// In audit, what policy denies goes on, and so do answers to it and all that follows, which without
// the first packet would not be there. Here is what was denied, so that they are told for what they
// are: part of a connection that policy denies, neither `no_state` nor an opening of their own.
//
// A table without chains: of two that want one place, the later one has it.
#ifndef NPF_DPDK_APP_DENIED_OPENINGS_H_
#define NPF_DPDK_APP_DENIED_OPENINGS_H_

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/hash/hash.h"
#include "npf/flow.h"
#include "npf/packet.h"
#include "npf/verdict.h"

namespace npf::appliance {

class DeniedOpenings {
 public:
  static constexpr size_t kPlaces = size_t{1} << 15;
  static constexpr uint64_t kIdleNs = 300'000'000'000;

  void Add(const FlowKey& key, Reason reason, uint64_t now_ns) {
    PlaceOf(key) = {.key = key, .reason = reason, .seen_ns = now_ns, .taken = true};
  }
  void Remove(const FlowKey& key) {
    if (Place& place = PlaceOf(key); IsAt(place, key)) place.taken = false;
  }
  // Why the connection that began with `key` was denied; none where it was not, or nothing of it
  // came for kIdleNs.
  std::optional<Reason> ReasonOf(const FlowKey& key, uint64_t now_ns) {
    Place& place = PlaceOf(key);
    if (!IsAt(place, key) || now_ns - place.seen_ns > kIdleNs) return std::nullopt;
    place.seen_ns = now_ns;
    return place.reason;
  }
  // Likewise, of the packet's own direction reversed. Not of what begins a connection by itself.
  std::optional<Reason> ReasonOfAnswer(const ParsedPacket& packet, uint64_t now_ns) {
    const bool marked = packet.key.protocol == kProtocolTcp || packet.key.protocol == kProtocolSctp;
    if (packet.outcome != ParseOutcome::kJudge || (marked && packet.starts_connection)) {
      return std::nullopt;
    }
    FlowKey reversed = packet.key;
    std::swap(reversed.src, reversed.dst);
    if (!IsIcmp(reversed.protocol)) std::swap(reversed.src_port, reversed.dst_port);
    return ReasonOf(reversed, now_ns);
  }

 private:
  struct Place {
    FlowKey key{};
    Reason reason{};
    uint64_t seen_ns = 0;
    bool taken = false;
  };
  static bool IsAt(const Place& place, const FlowKey& key) {
    return place.taken && std::memcmp(&place.key, &key, sizeof key) == 0;
  }
  Place& PlaceOf(const FlowKey& key) {
    const std::string_view bytes(reinterpret_cast<const char*>(&key), sizeof key);
    return places_[absl::Hash<std::string_view>()(bytes) % kPlaces];
  }

  std::vector<Place> places_ = std::vector<Place>(kPlaces);
};

}  // namespace npf::appliance

#endif  // NPF_DPDK_APP_DENIED_OPENINGS_H_
