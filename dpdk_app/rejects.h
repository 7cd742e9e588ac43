// Answers to the senders of denied packets, where --deny reject asks for them: a RST to TCP, else
// the ICMP error "communication administratively prohibited" (RFC 1812 5.2.7.1, RFC 4443 3.1). They
// bear the address of the host that was asked, for the appliance has none.
//
// Nobody is answered who sent to many, from nowhere, a fragment, a RST or an ICMP error (RFC 1122
// 3.2.2), or out of a tunnel: there the answer would have to be put into one.
#ifndef NPF_DPDK_APP_REJECTS_H_
#define NPF_DPDK_APP_REJECTS_H_

#include <cstdint>

#include "npf/packet.h"

struct rte_mbuf;
struct rte_mempool;

namespace npf::appliance {

inline constexpr uint64_t kSecondNs = 1'000'000'000;

// Of one worker.
class Rejects {
 public:
  static constexpr uint32_t kPerSecond = 100;

  explicit Rejects(rte_mempool* pool) : pool_(pool) {}

  // What is to leave by the port that `frame` came in by; null: nothing.
  rte_mbuf* AnswerTo(const rte_mbuf& frame, const ParsedPacket& packet, uint64_t now_ns);

 private:
  bool HasTurn(uint64_t now_ns);

  rte_mempool* pool_;
  uint64_t second_ns_ = 0;  // when the second began
  uint32_t given_ = 0;      // in it
};

}  // namespace npf::appliance

#endif  // NPF_DPDK_APP_REJECTS_H_
