#include "simulator/tcp_end.h"

#include <algorithm>

namespace npf::simulator {
namespace {

constexpr uint32_t kLongest = 60'000;

int32_t Ahead(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b); }
uint32_t Random32(testing::Random& random) { return static_cast<uint32_t>(random.Next()); }

}  // namespace

TcpEnd::TcpEnd(const Key& key, testing::Random& random)
    : key_(key),
      window_(static_cast<uint16_t>(random.Chance(20)   ? random.Below(20)
                                    : random.Chance(50) ? random.Between(500, 9000)
                                                        : 0xffff)),
      scale_(random.Chance(30) ? kNoScale : static_cast<int>(random.Below(15))),
      left_(static_cast<uint32_t>(random.Chance(20) ? 0 : random.Below(200'000))) {}

Wire TcpEnd::Segment(uint8_t flags, uint32_t sequence) const {
  Wire wire;
  wire.key = key_;
  wire.flags = flags;
  wire.sequence = sequence;
  wire.acknowledgement = (flags & kAck) != 0 ? received_ : 0;
  wire.window = window_;
  return wire;
}

Wire TcpEnd::Syn(uint8_t flags) const {
  Wire wire = Segment(flags, begin_);
  wire.scale = scale_;
  return wire;
}

void TcpEnd::Open(testing::Random& random, std::vector<Wire>& out) {
  if (state_ != State::kListen) return;
  begin_ = random.Chance(30) ? ~uint32_t{0} - static_cast<uint32_t>(random.Below(2000))
                             : Random32(random);
  early_ = random.Chance(15) ? static_cast<uint32_t>(random.Below(1400)) : 0;
  acked_ = begin_;
  sent_ = begin_ + 1 + early_;
  state_ = State::kSynSent;
  out.push_back(Syn(kSyn));
  out.back().data = early_;
}

void TcpEnd::Poll(testing::Random& random, std::vector<Wire>& out) {
  switch (state_) {
    case State::kSynSent:
      out.push_back(Syn(kSyn));
      out.back().data = random.Chance(50) ? early_ : 0;
      return;
    case State::kSynReceived:
      out.push_back(Syn(kSyn | kAck));
      return;
    case State::kEstablished:
      return SendData(random, out);
    case State::kListen:
    case State::kClosed:
      return;
  }
}

void TcpEnd::SendData(testing::Random& random, std::vector<Wire>& out) {
  if (UnderWay() != 0 && random.Chance(40)) {  // again, from the first that is not acknowledged
    const uint32_t bytes = UnderWay() - (fin_sent_ ? 1 : 0);
    out.push_back(Segment(bytes == 0 && fin_sent_ ? kFin | kAck : kAck, acked_));
    const uint32_t window = std::max(peer_window_, uint32_t{1});
    out.back().data = std::min({bytes, kLongest, window});
    return;
  }
  if (fin_sent_) return;
  const uint32_t window = std::max(peer_window_, uint32_t{1});
  const uint32_t room = window > UnderWay() ? window - UnderWay() : 0;
  const uint32_t segment = random.Chance(50) ? 1460 : kLongest;
  const uint32_t bytes = std::min({left_, room, segment});
  const bool fin = bytes == left_ && bytes < room && random.Chance(70);
  if (bytes == 0 && !fin) return;
  out.push_back(Segment(fin ? kFin | kAck : kAck, sent_));
  out.back().data = bytes;
  left_ -= bytes;
  sent_ += bytes + (fin ? 1 : 0);
  fin_sent_ = fin;
}

void TcpEnd::Reset(const Wire& wire, std::vector<Wire>& out) const {
  if (wire.Has(kRst)) return;
  Wire reset =
      Segment(wire.Has(kAck) ? kRst : kRst | kAck, wire.Has(kAck) ? wire.acknowledgement : 0);
  if (!wire.Has(kAck)) {
    reset.acknowledgement = wire.sequence + wire.data + (wire.Has(kSyn) ? 1 : 0);
  }
  out.push_back(reset);
}

void TcpEnd::LearnScale(const Wire& wire) {
  peer_scale_ = wire.scale;
  scaled_ = scale_ != kNoScale && wire.scale != kNoScale;
  peer_window_ = wire.window;
}

void TcpEnd::ReceiveSyn(const Wire& wire, std::vector<Wire>& out) {
  LearnScale(wire);
  received_ = wire.sequence + 1 + (early_ % 2 == 0 ? wire.data : 0);  // some take early data
  acked_ = begin_;
  sent_ = begin_ + 1;
  state_ = State::kSynReceived;
  out.push_back(Syn(kSyn | kAck));
}

void TcpEnd::ReceiveInSynSent(const Wire& wire, std::vector<Wire>& out) {
  const bool acknowledges = wire.Has(kAck) && Ahead(wire.acknowledgement, begin_) > 0 &&
                            Ahead(wire.acknowledgement, sent_) <= 0;
  if (wire.Has(kAck) && !acknowledges) return Reset(wire, out);
  if (wire.Has(kRst)) {
    if (acknowledges) state_ = State::kClosed;
    return;
  }
  if (!wire.Has(kSyn)) return;
  LearnScale(wire);
  received_ = wire.sequence + 1 + wire.data;
  if (!wire.Has(kAck)) {  // both open at once; early data have to come again
    left_ += early_;
    sent_ = begin_ + 1;
    state_ = State::kSynReceived;
    out.push_back(Syn(kSyn | kAck));
    return;
  }
  acked_ = wire.acknowledgement;
  const uint32_t not_taken = sent_ - acked_;
  left_ += not_taken;
  sent_ = acked_;
  state_ = State::kEstablished;
  out.push_back(Segment(kAck, sent_));
}

void TcpEnd::ReceiveAcknowledgement(const Wire& wire) {
  const bool in_range =
      Ahead(wire.acknowledgement, acked_) >= 0 && Ahead(wire.acknowledgement, sent_) <= 0;
  if (!in_range) return;
  acked_ = wire.acknowledgement;
  peer_window_ = uint32_t{wire.window} << (scaled_ ? peer_scale_ : 0);
  if (state_ == State::kSynReceived && Ahead(acked_, begin_) > 0) state_ = State::kEstablished;
  if (fin_sent_ && fin_received_ && acked_ == sent_) state_ = State::kClosed;
}

void TcpEnd::ReceiveData(const Wire& wire, std::vector<Wire>& out) {
  const uint32_t end = wire.sequence + wire.data + (wire.Has(kFin) ? 1 : 0);
  if (end == wire.sequence) return;
  const bool next = Ahead(wire.sequence, received_) <= 0 && Ahead(end, received_) > 0;
  const uint32_t offered = uint32_t{window_} << (scaled_ ? scale_ : 0);
  if (next && Ahead(end, received_) <= static_cast<int32_t>(std::max(offered, uint32_t{1}))) {
    received_ = end;
    fin_received_ = fin_received_ || wire.Has(kFin);
  }
  out.push_back(Segment(kAck, sent_));
}

void TcpEnd::Receive(const Wire& wire, testing::Random& random, std::vector<Wire>& out) {
  const bool opens = wire.Has(kSyn) && !wire.Has(kAck);
  if (state_ == State::kListen || (state_ == State::kClosed && random.Chance(30))) {
    if (!opens) return state_ == State::kListen ? Reset(wire, out) : void();
    begin_ = Random32(random);
    fin_sent_ = fin_received_ = false;
    return ReceiveSyn(wire, out);
  }
  if (state_ == State::kClosed) {
    if (!opens && wire.Has(kFin)) out.push_back(Segment(kAck, sent_));  // TIME-WAIT
    return;
  }
  if (state_ == State::kSynSent) return ReceiveInSynSent(wire, out);
  if (wire.Has(kRst)) {
    if (wire.sequence == received_) state_ = State::kClosed;
    return;
  }
  if (wire.Has(kSyn) && !(state_ == State::kSynReceived && wire.Has(kAck))) {
    out.push_back(Segment(kAck, sent_));  // RFC 5961, 4
    return;
  }
  if (wire.Has(kAck)) ReceiveAcknowledgement(wire);
  if (!wire.Has(kSyn)) ReceiveData(wire, out);
}

}  // namespace npf::simulator
