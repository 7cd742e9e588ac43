#include "npf/replay_queue.h"

#include <utility>

namespace npf::tools {

void ReplayQueue::Add(JudgedPacket packet) {
  packet.packet.data = packet.bytes;
  bytes_ += packet.bytes.size();
  if (packet.judgement.held != 0) {
    held_[packet.judgement.held].push_back(taken_ + packets_.size());
  }
  packets_.push_back(std::move(packet));
}

template <typename Change>
void ReplayQueue::ForEach(uint64_t ticket, Change change) {
  const auto found = held_.find(ticket);
  if (found == held_.end()) return;
  for (const uint64_t place : found->second) {
    JudgedPacket& packet = packets_[place - taken_];
    packet.judgement.held = 0;
    change(packet);
  }
  held_.erase(found);
}

void ReplayQueue::Settle(const Release& release, uint64_t phase) {
  ForEach(release.ticket, [&](JudgedPacket& packet) {
    packet.judgement.verdict = release.verdict;
    packet.judgement.reply = release.reply;
    packet.judgement.flow_reason = release.flow_reason;
    packet.asked = release.key;
    packet.phase = phase;
  });
}

void ReplayQueue::GiveUp(uint64_t ticket) {
  ForEach(ticket, [](JudgedPacket& packet) {
    packet.judgement.verdict.reason = static_cast<uint8_t>(Reason::kFragmentIncomplete);
  });
}

JudgedPacket ReplayQueue::TakeFirst() {
  JudgedPacket first = std::move(packets_.front());
  packets_.pop_front();
  ++taken_;
  bytes_ -= first.bytes.size();
  return first;
}

}  // namespace npf::tools
