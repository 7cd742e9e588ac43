// What the model knows of a connection: plain fields, each with one meaning.
#ifndef NPF_TESTS_SIMULATOR_CONNECTION_H_
#define NPF_TESTS_SIMULATOR_CONNECTION_H_

#include <cstdint>
#include <optional>

#include "simulator/wire.h"

namespace npf::simulator {

// What one side of a TCP connection has sent and offered. Numbers are counted on over 2^32, so that
// they can be compared; where they begin is of no matter.
struct TcpSide {
  bool heard = false;
  int64_t next = 0;     // behind the last that it has sent
  int64_t acked = 0;    // behind the last of it that the other has acknowledged
  uint32_t window = 0;  // the largest that it has offered, in bytes
  int scale = kNoScale;
};

// Which tag an end of an SCTP association wants to see, and which one it will after a handshake
// that is under way.
struct SctpEnd {
  std::optional<uint32_t> tag;
  std::optional<uint32_t> coming;
};

enum class Phase : uint8_t {
  kOpening,      // the side that began has been heard
  kAnswered,     // TCP, SCTP: the other has answered
  kMidstream,    // TCP, SCTP: begun in the middle, one side heard
  kEstablished,  // and what comes after it
};

struct Connection {
  Key first;  // of its first packet, in its direction
  Phase phase = Phase::kOpening;
  bool fin[2] = {false, false};  // TCP: this side has ended
  TcpSide tcp[2];
  SctpEnd sctp[2];

  uint64_t begun = 0;  // how many began before it
  uint64_t expires_tick = 0;
  uint32_t generation = 0;  // of the policy that judged it last, and what that said
  Reason reason = Reason::kPolicy;

  bool IsOpening() const { return phase != Phase::kEstablished; }
  bool HasEnd() const { return phase == Phase::kEstablished && (fin[0] || fin[1]); }
};

// What a packet does to its connection.
enum class Effect : uint8_t { kGoesOn, kEnds, kRefused };

// Side 0 began, 1 is the other; `side` sent the packet. What is refused has changed nothing.
void BeginTcp(Connection& connection, int side, const Wire& wire);
Effect TakeTcp(Connection& connection, int side, const Wire& wire);
// Whether an ICMP error may quote this segment of `side` (RFC 5927, 4).
bool MayBeUnderWay(const Connection& connection, int side, uint32_t sequence);

void BeginSctp(Connection& connection, int side, const Wire& wire);
Effect TakeSctp(Connection& connection, int side, const Wire& wire);
bool MayBearTag(const Connection& connection, int side, uint32_t tag);

}  // namespace npf::simulator

#endif  // NPF_TESTS_SIMULATOR_CONNECTION_H_
