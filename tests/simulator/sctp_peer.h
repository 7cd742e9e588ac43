// One end of an SCTP association, as RFC 9260, 5 has it: tags, cookies, and nothing else.
#ifndef NPF_TESTS_SIMULATOR_SCTP_PEER_H_
#define NPF_TESTS_SIMULATOR_SCTP_PEER_H_

#include <cstdint>
#include <vector>

#include "simulator/wire.h"
#include "testing/random.h"

namespace npf::simulator {

class SctpPeer {
 public:
  explicit SctpPeer(const Key& key) : key_(key) {}

  // A handshake, maybe anew over an association that exists.
  void Open(testing::Random& random, std::vector<Wire>& out);
  void Poll(testing::Random& random, std::vector<Wire>& out);
  void Receive(const Wire& wire, testing::Random& random, std::vector<Wire>& out);

 private:
  enum class State : uint8_t { kClosed, kCookieWait, kCookieEchoed, kEstablished };
  Wire Packet(Chunk chunk, uint32_t tag, uint32_t initiate_tag = 0) const;

  Key key_;
  State state_ = State::kClosed;
  uint32_t mine_ = 0;   // the tag that it wants to see
  uint32_t other_ = 0;  // the one that the other end wants to
  // What the cookie says that it has given.
  uint32_t cookie_mine_ = 0;
  uint32_t cookie_other_ = 0;
};

}  // namespace npf::simulator

#endif  // NPF_TESTS_SIMULATOR_SCTP_PEER_H_
