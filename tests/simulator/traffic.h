// Traffic from one seed: conversations of honest ends over a network that loses, doubles, reorders
// and splits, and somebody between them who forges.
//
//   ends ──► queue ──► Next() ──► the judge ──► Passed() ──► ends
//              └ lost, doubled, out of order, in fragments
#ifndef NPF_TESTS_SIMULATOR_TRAFFIC_H_
#define NPF_TESTS_SIMULATOR_TRAFFIC_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "simulator/forger.h"
#include "simulator/model.h"
#include "simulator/sctp_peer.h"
#include "simulator/tcp_end.h"
#include "simulator/wire.h"
#include "testing/random.h"

namespace npf::simulator {

struct TrafficOptions {
  size_t conversations = 6;  // at once
  size_t hosts = kHosts;
  uint16_t ports = 3;  // of which clients choose
  // In percent.
  size_t forged = 30;
  size_t lost = 3;
  size_t doubled = 3;
  size_t reordered = 10;
  size_t split = 3;
  size_t ended = 2;  // conversations that are given up, and their ports used again
  bool v6 = true;
  ForgerOptions forger;
  std::vector<uint8_t> protocols = {kProtocolTcp, kProtocolTcp,  kProtocolTcp,
                                    kProtocolUdp, kProtocolSctp, kProtocolIcmp};
};

// Two ends that talk; of what protocol, the key says.
class Conversation {
 public:
  Conversation(const Key& key, testing::Random& random);
  void Poll(testing::Random& random, std::vector<Wire>& out);
  void Receive(const Wire& wire, testing::Random& random, std::vector<Wire>& out);
  bool done() const { return tcp_[0] != nullptr && tcp_[0]->done() && tcp_[1]->done(); }
  const Key& key() const { return key_; }

 private:
  void PollDatagrams(testing::Random& random, std::vector<Wire>& out);

  Key key_;
  size_t polls_ = 0;
  bool asked_ = false;
  std::unique_ptr<TcpEnd> tcp_[2];
  std::unique_ptr<SctpPeer> sctp_[2];
};

class Traffic {
 public:
  Traffic(const TrafficOptions& options, testing::Random& random);

  // The next packet on the wire. `model` is what a forger would give much to know.
  Wire Next(const Model& model);
  // It was let through.
  void Passed(const Wire& wire);
  // Whether the last packet was an honest one.
  bool honest() const { return honest_; }

 private:
  Key NewKey();
  void Begin();
  void Send(std::vector<Wire>& wires);
  void Split(const Wire& whole);
  void PollEnds();
  Wire FromQueue();

  TrafficOptions options_;
  testing::Random& random_;
  Forger forger_;
  std::map<Key, std::shared_ptr<Conversation>> by_key_;  // both directions
  std::vector<std::shared_ptr<Conversation>> conversations_;
  std::deque<Wire> queue_;
  struct Reassembly {
    Wire whole;
    size_t missing = 0;
  };
  std::map<uint16_t, Reassembly> split_;  // by identifier
  uint16_t next_id_ = 100;
  bool honest_ = true;
};

}  // namespace npf::simulator

#endif  // NPF_TESTS_SIMULATOR_TRAFFIC_H_
