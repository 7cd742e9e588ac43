// Packets whose sender means no connection, only to cost as much as he can.
#ifndef NPF_BENCH_FLOOD_TRAFFIC_H_
#define NPF_BENCH_FLOOD_TRAFFIC_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "frames.h"
#include "npf/packet.h"
#include "workload.h"

namespace npf::bench {

enum class Flood : uint8_t {
  kSyn,             // from anywhere to a port that policy allows
  kUdp,             // likewise, with any ports
  kFirstFragments,  // of datagrams that do not go on
  kLaterFragments,  // of datagrams that never began
  kColliding,       // keys of one place under a hash without a key
  kJunk,            // frames that cannot be judged
};
inline constexpr Flood kFloods[] = {
    Flood::kSyn,       Flood::kUdp, Flood::kFirstFragments, Flood::kLaterFragments,
    Flood::kColliding, Flood::kJunk};
std::string_view Name(Flood flood);

// `count` keys of UDP like `target` that differ in their source, and that a table of so many
// connections would keep in one place, were its hash without a key.
std::vector<FlowKey> CollidingKeys(const FlowKey& target, size_t capacity, size_t count);

class FloodTraffic {
 public:
  // `target` is IPv4 and what anybody may send to. `colliding` is what kColliding sends, and
  // outlives it.
  FloodTraffic(Flood flood, const FlowKey& target, std::span<const FlowKey> colliding,
               uint64_t seed);

  // The next packet, as it is received. Each differs from those before.
  PacketView Receive(uint8_t* buffer);

 private:
  void SendFrom(uint32_t address, uint16_t port, uint8_t* buffer);
  void MakeJunk(uint8_t* buffer);

  Flood flood_;
  std::span<const FlowKey> colliding_;
  size_t sent_ = 0;
  Random random_;
  FrameSet frames_;  // one
};

}  // namespace npf::bench

#endif  // NPF_BENCH_FLOOD_TRAFFIC_H_
