#include "connection_traffic.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "npf/classify.h"
#include "zipf.h"

namespace npf::bench {
namespace {

// Of frames of IPv4 without options.
constexpr size_t kProtocolAt = 23;
constexpr size_t kAddressesAt = 26;
constexpr size_t kPortsAt = 34;
constexpr size_t kSequenceAt = 38;
constexpr size_t kFlagsAt = 47;
constexpr uint8_t kSyn = 0x02;
constexpr uint8_t kAck = 0x10;

// Those of established connections; the others begin new ones.
constexpr uint32_t kFirstPort = 1024;
constexpr uint32_t kPorts = 31 * 1024;
constexpr uint32_t kFirstNewPort = kFirstPort + kPorts;

bool IsTcp(const uint8_t* frame) { return frame[kProtocolAt] == kProtocolTcp; }

}  // namespace

std::vector<FlowKey> AllowedConnections(const Snapshot& snapshot, const Program& program,
                                        const TrafficOptions& traffic) {
  std::vector<FlowKey> keys = MakeTraffic(snapshot, program, traffic).keys;
  std::vector<Verdict> verdicts(keys.size());
  Classify(program, {.placement = Placement::kNodeWire}, keys, verdicts);
  std::vector<FlowKey> allowed;
  for (size_t i = 0; i < keys.size(); ++i) {
    const auto reason = static_cast<Reason>(verdicts[i].reason);
    const bool ports = keys[i].protocol == kProtocolTcp || keys[i].protocol == kProtocolUdp;
    const bool known = reason == Reason::kPolicy || reason == Reason::kNoPolicy;
    if (verdicts[i].allowed != 0 && ports && known) allowed.push_back(keys[i]);
  }
  const auto less = [](const FlowKey& a, const FlowKey& b) {
    return std::memcmp(&a, &b, sizeof a) < 0;
  };
  std::ranges::sort(allowed, less);
  allowed.erase(std::unique(allowed.begin(), allowed.end(),
                            [&](const FlowKey& a, const FlowKey& b) { return !less(a, b); }),
                allowed.end());
  return allowed;
}

ConnectionTraffic::ConnectionTraffic(std::span<const FlowKey> keys, const ConnectionShape& shape)
    : shape_(shape) {
  Random random(shape.seed);
  std::vector<FlowKey> flows;
  for (size_t i = 0; i < shape.flows; ++i) {
    FlowKey key = keys[i % keys.size()];
    key.src_port = static_cast<uint16_t>(kFirstPort + (i / keys.size() + i) % kPorts);
    flows.push_back(key);
  }
  frames_ = MakeFrames(flows, FrameSizes::kSmallest);
  std::optional<ZipfRanks> ranks;
  if (shape.zipf) ranks.emplace(shape.flows, 1.0);
  const auto bound = static_cast<uint32_t>(shape.flows);
  for (size_t i = 0; i < shape.packets; ++i) {
    const bool miss = random.Percent(shape.miss_percent);
    const size_t rank = ranks.has_value() && !miss ? ranks->Draw(random) : random.Below(bound);
    // Neighbouring ranks are no neighbours in the table.
    const auto flow = static_cast<uint32_t>(rank * 0x9e3779b1 % shape.flows);
    picks_.push_back({flow, !miss && random.Percent(50), miss});
    packet_keys_.push_back(flows[flow]);
  }
}

void ConnectionTraffic::MakeSyn(uint8_t* frame, bool answer) {
  frame[kFlagsAt] = answer ? kSyn | kAck : kSyn;
  std::fill_n(frame + kSequenceAt, answer ? 4 : 8, uint8_t{0});
}

void ConnectionTraffic::TurnRound(uint8_t* frame) {
  std::swap_ranges(frame + kAddressesAt, frame + kAddressesAt + 4, frame + kAddressesAt + 4);
  std::swap_ranges(frame + kPortsAt, frame + kPortsAt + 2, frame + kPortsAt + 2);
}

PacketView ConnectionTraffic::Receive(size_t i, uint8_t* buffer) {
  const Pick& pick = picks_[i % picks_.size()];
  const PacketView view = frames_.Receive(pick.flow, buffer);
  if (pick.reply) TurnRound(buffer);
  if (!pick.miss) return view;
  const uint32_t port = kFirstNewPort + begun_++ % (65536 - kFirstNewPort);
  buffer[kPortsAt] = static_cast<uint8_t>(port >> 8);
  buffer[kPortsAt + 1] = static_cast<uint8_t>(port);
  if (IsTcp(buffer)) MakeSyn(buffer, false);
  return view;
}

PacketView ConnectionTraffic::ReceiveOpening(size_t i, size_t step, uint8_t* buffer) const {
  const PacketView view = frames_.Receive(i, buffer);
  const bool tcp = IsTcp(buffer);
  if (step >= (tcp ? 3u : 2u)) return {};
  if (step == 1) TurnRound(buffer);
  if (tcp && step < 2) MakeSyn(buffer, step == 1);
  return view;
}

void EstablishAll(const ConnectionTraffic& traffic,
                  const std::function<void(std::span<const Frame>)>& process) {
  FrameBuffers buffers(Worker::kBatch);
  std::vector<Frame> frames;
  const size_t flows = traffic.shape().flows;
  for (size_t first = 0; first < flows; first += Worker::kBatch) {
    const size_t end = std::min(flows, first + Worker::kBatch);
    for (size_t step = 0; step < 3; ++step) {
      frames.clear();
      for (size_t i = first; i < end; ++i) {
        const PacketView view = traffic.ReceiveOpening(i, step, buffers.At(i - first));
        if (view.length != 0) frames.push_back({.packet = view});
      }
      if (!frames.empty()) process(frames);
    }
  }
}

}  // namespace npf::bench
