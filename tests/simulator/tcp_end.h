// One end of a TCP connection: a small and honest stack that sends, waits, sends again and ends. It
// keeps to RFC 9293 and 7323 as far as anybody between the ends can tell.
#ifndef NPF_TESTS_SIMULATOR_TCP_END_H_
#define NPF_TESTS_SIMULATOR_TCP_END_H_

#include <cstdint>
#include <vector>

#include "simulator/wire.h"
#include "testing/random.h"

namespace npf::simulator {

class TcpEnd {
 public:
  // `key` is of what this end sends.
  TcpEnd(const Key& key, testing::Random& random);

  // Begins, unless the other end has.
  void Open(testing::Random& random, std::vector<Wire>& out);
  // What it would send now: data, what was lost, its end.
  void Poll(testing::Random& random, std::vector<Wire>& out);
  void Receive(const Wire& wire, testing::Random& random, std::vector<Wire>& out);

  bool done() const { return state_ == State::kClosed; }

 private:
  enum class State : uint8_t { kListen, kSynSent, kSynReceived, kEstablished, kClosed };

  Wire Segment(uint8_t flags, uint32_t sequence) const;
  Wire Syn(uint8_t flags) const;
  void Reset(const Wire& wire, std::vector<Wire>& out) const;
  void ReceiveSyn(const Wire& wire, std::vector<Wire>& out);
  void ReceiveInSynSent(const Wire& wire, std::vector<Wire>& out);
  void ReceiveAcknowledgement(const Wire& wire);
  void ReceiveData(const Wire& wire, std::vector<Wire>& out);
  void SendData(testing::Random& random, std::vector<Wire>& out);
  void LearnScale(const Wire& wire);
  uint32_t UnderWay() const { return sent_ - acked_; }

  Key key_;
  State state_ = State::kListen;
  uint16_t window_;  // it offers one window for good
  int scale_;
  uint32_t left_;       // bytes to be sent
  uint32_t early_ = 0;  // data on the SYN (RFC 7413)
  bool scaled_ = false;
  uint32_t begin_ = 0;  // ISS
  uint32_t acked_ = 0;  // SND.UNA
  uint32_t sent_ = 0;   // SND.NXT
  bool fin_sent_ = false;
  bool fin_received_ = false;
  uint32_t received_ = 0;     // RCV.NXT
  uint32_t peer_window_ = 0;  // in bytes
  int peer_scale_ = kNoScale;
};

}  // namespace npf::simulator

#endif  // NPF_TESTS_SIMULATOR_TCP_END_H_
