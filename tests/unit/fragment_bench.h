// Datagrams cut into fragments, of either family, with or without a VLAN tag, and an engine that
// waits for all of them.
#ifndef NPF_TESTS_UNIT_FRAGMENT_BENCH_H_
#define NPF_TESTS_UNIT_FRAGMENT_BENCH_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "npf/worker.h"
#include "unit/packet_builder.h"

namespace npf::testing {

// The client may go to port 80 of TCP, 53 of UDP and 9 of SCTP of the server, and the server
// nowhere.
extern const char* const kOnlySomePorts;
extern const char* const kNothingAllowed;
extern const char* const kEverythingToTheServer;
Program ProgramOfPods(const char* policies);

// A datagram from the client to the server, or back.
struct WholeDatagram {
  Bytes transport;
  uint8_t protocol = kProtocolUdp;
  int family = 4;
  uint16_t vlan = 0;  // 0: none
  uint32_t id = 7;
  bool reply = false;
  Bytes options{};  // of IPv4, in every fragment's header
};
// An Ethernet frame with `bytes` of it from `begin` on, which is a multiple of eight.
Bytes Fragment(const WholeDatagram& datagram, size_t begin, size_t bytes, bool more);
Bytes Fragment(const WholeDatagram& datagram, size_t begin, size_t bytes);  // more: if there is
// The whole of it, in fragments of `bytes`.
std::vector<Bytes> Fragments(const WholeDatagram& datagram, size_t bytes);
Bytes Unfragmented(const WholeDatagram& datagram);

class FragmentBench {
 public:
  static constexpr uint64_t kSecondNs = 1'000'000'000;

  explicit FragmentBench(const char* policies = nullptr, WorkerOptions options = {});

  // "held", or "allow policy", "deny frag_overlap", ...; then whatever is released, as
  // "; 1 2: allow policy", by the numbers of the frames in the order in which they came, from 1.
  std::string Judge(const Bytes& frame) { return JudgeAll({frame}); }
  // All in one call, one after the other: "held held; 1 2: allow policy".
  std::string JudgeAll(const std::vector<Bytes>& frames);
  uint64_t TicketOf(uint64_t number) const;  // 0: not held

  static std::string Text(const Verdict& verdict);

  Worker worker;
  uint64_t now_ns = kSecondNs;
  Release last{};  // the last one

 private:
  std::map<uint64_t, std::vector<uint64_t>> held_;  // by ticket: numbers
  uint64_t number_ = 0;
};

}  // namespace npf::testing

#endif  // NPF_TESTS_UNIT_FRAGMENT_BENCH_H_
