// Packets of many established connections, among them some that begin new ones.
#ifndef NPF_BENCH_CONNECTION_TRAFFIC_H_
#define NPF_BENCH_CONNECTION_TRAFFIC_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "frames.h"
#include "npf/packet.h"
#include "npf/program.h"
#include "npf/snapshot.h"
#include "npf/worker.h"
#include "traffic.h"

namespace npf::bench {

// Distinct connections over TCP and UDP between pods, or pods and others, that policy allows.
std::vector<FlowKey> AllowedConnections(const Snapshot& snapshot, const Program& program,
                                        const TrafficOptions& traffic);

struct ConnectionShape {
  size_t flows = 0;
  bool zipf = false;  // s = 1; else each has its share
  uint32_t miss_percent = 0;
  size_t packets = 512 * 1024;  // in a pass
  uint64_t seed = 1;
};

class ConnectionTraffic {
 public:
  // Of connections as `keys` has them, IPv4 over TCP and UDP, with source ports of their own.
  ConnectionTraffic(std::span<const FlowKey> keys, const ConnectionShape& shape);

  const ConnectionShape& shape() const { return shape_; }
  // What the flow of each packet of a pass is judged by.
  const std::vector<FlowKey>& keys() const { return packet_keys_; }

  // Packet `i` of a pass as it is received. One that begins a connection begins another one each
  // time.
  PacketView Receive(size_t i, uint8_t* buffer);

  // The packets that establish flow `i`: two of UDP, three of TCP; empty where there is no other.
  PacketView ReceiveOpening(size_t i, size_t step, uint8_t* buffer) const;

 private:
  struct Pick {
    uint32_t flow;
    bool reply;
    bool miss;
  };
  static void MakeSyn(uint8_t* frame, bool answer);
  static void TurnRound(uint8_t* frame);

  ConnectionShape shape_;
  std::vector<Pick> picks_;
  std::vector<FlowKey> packet_keys_;
  FrameSet frames_;  // of the flows, forward
  uint32_t begun_ = 0;
};

// The packets that establish all flows, in bursts of at most Worker::kBatch.
void EstablishAll(const ConnectionTraffic& traffic,
                  const std::function<void(std::span<const Frame>)>& process);

}  // namespace npf::bench

#endif  // NPF_BENCH_CONNECTION_TRAFFIC_H_
