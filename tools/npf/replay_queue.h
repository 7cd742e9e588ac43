// The packets of a replay that wait because a fragment before them has no verdict yet: records come
// in the order of the capture, with the verdicts that the packets have in the end.
//
// What waits is bounded, in packets and in bytes. Where it is too much, the datagram that the first
// of them belongs to is to be given up, so that the others can be told.
#ifndef NPF_TOOLS_NPF_REPLAY_QUEUE_H_
#define NPF_TOOLS_NPF_REPLAY_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "capture/capture.h"
#include "npf/worker.h"

namespace npf::tools {

// A packet with all that is needed to tell it.
struct JudgedPacket {
  capture::CapturePacket packet;
  std::vector<uint8_t> bytes;  // what packet.data is about, where it has to outlive the batch
  Judgement judgement;
  FlowKey asked{};     // what policy was asked
  uint64_t phase = 0;  // which policy
};

class ReplayQueue {
 public:
  struct Limits {
    size_t packets = size_t{1} << 18;  // some 400 bytes each
    size_t bytes = size_t{128} << 20;
  };

  explicit ReplayQueue(const Limits& limits) : limits_(limits) {}

  bool empty() const { return packets_.empty(); }
  void Add(JudgedPacket packet);

  // Gives a datagram's packets their verdict, which policy said in `phase`.
  void Settle(const Release& release, uint64_t phase);
  // They will get none: denied as frag_incomplete.
  void GiveUp(uint64_t ticket);

  // Whether the first one has its verdict.
  bool ready() const { return !packets_.empty() && packets_.front().judgement.held == 0; }
  JudgedPacket TakeFirst();  // which is there

  // The ticket that the first one waits for; 0: nothing waits.
  uint64_t first_ticket() const { return packets_.empty() ? 0 : packets_.front().judgement.held; }
  bool over_limit() const { return packets_.size() > limits_.packets || bytes_ > limits_.bytes; }

 private:
  // Calls `change` for each packet that is held under `ticket`, which then is no longer.
  template <typename Change>
  void ForEach(uint64_t ticket, Change change);

  Limits limits_;
  std::deque<JudgedPacket> packets_;
  absl::flat_hash_map<uint64_t, std::vector<uint64_t>> held_;  // by ticket: places since the start
  uint64_t taken_ = 0;
  size_t bytes_ = 0;
};

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_REPLAY_QUEUE_H_
