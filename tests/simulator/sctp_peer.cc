#include "simulator/sctp_peer.h"

namespace npf::simulator {
namespace {

// Few tags, so that a forged one is often right.
uint32_t SomeTag(testing::Random& random) { return static_cast<uint32_t>(random.Between(1, 40)); }

}  // namespace

Wire SctpPeer::Packet(Chunk chunk, uint32_t tag, uint32_t initiate_tag) const {
  Wire wire;
  wire.key = key_;
  wire.chunk = chunk;
  wire.tag = tag;
  wire.initiate_tag = initiate_tag;
  return wire;
}

void SctpPeer::Open(testing::Random& random, std::vector<Wire>& out) {
  mine_ = SomeTag(random);
  state_ = State::kCookieWait;
  out.push_back(Packet(kInit, 0, mine_));
}

void SctpPeer::Poll(testing::Random& random, std::vector<Wire>& out) {
  switch (state_) {
    case State::kClosed:
      return;
    case State::kCookieWait:
      out.push_back(Packet(kInit, 0, mine_));
      return;
    case State::kCookieEchoed:
      out.push_back(Packet(kCookieEcho, other_));
      return;
    case State::kEstablished:
      if (random.Chance(6)) return Open(random, out);
      if (random.Chance(6)) {
        const bool reflected = random.Chance(30);
        out.push_back(
            Packet(random.Chance(50) ? kAbort : kShutdownComplete, reflected ? mine_ : other_));
        out.back().reflected = reflected;
        state_ = State::kClosed;
        return;
      }
      out.push_back(Packet(random.Chance(80) ? kData : kError, other_));
  }
}

void SctpPeer::Receive(const Wire& wire, testing::Random& random, std::vector<Wire>& out) {
  switch (wire.chunk) {
    case kInit:
      if (random.Chance(10)) {
        out.push_back(Packet(kAbort, wire.initiate_tag));
        return;
      }
      cookie_mine_ = state_ == State::kCookieWait ? mine_ : SomeTag(random);
      cookie_other_ = wire.initiate_tag;
      out.push_back(Packet(kInitAck, wire.initiate_tag, cookie_mine_));
      return;
    case kInitAck:
      if (state_ != State::kCookieWait || wire.tag != mine_) return;
      other_ = wire.initiate_tag;
      state_ = State::kCookieEchoed;
      out.push_back(Packet(kCookieEcho, other_));
      return;
    case kCookieEcho:
      if (wire.tag != cookie_mine_ && wire.tag != mine_) return;
      if (wire.tag == cookie_mine_) {
        mine_ = cookie_mine_;
        other_ = cookie_other_;
      }
      state_ = State::kEstablished;
      out.push_back(Packet(kCookieAck, other_));
      return;
    case kCookieAck:
      if (state_ == State::kCookieEchoed && wire.tag == mine_) state_ = State::kEstablished;
      return;
    case kAbort:
    case kShutdownComplete:
      if (wire.tag == (wire.reflected ? other_ : mine_)) state_ = State::kClosed;
      return;
    default:
      return;
  }
}

}  // namespace npf::simulator
