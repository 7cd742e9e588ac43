// What was seen of connections, and how much that proves. Nothing here knows a policy.
//
//   captures ──► ParsePacket ──► PacketWatch ─┐
//                                             ├─► Seen: a connection, and the evidence ──► the
//                                             caller
//   flow logs ─► JsonStream ──► FlowLog ──────┘
//
// Whether a denied packet was delivered can be known only from what its receiver did. So evidence
// is graded by who says it:
//
//   proven     the destination answered what it cannot have known otherwise: an acknowledgement of
//              this very SYN, a reply to this very port, data that the other end acknowledges
//   suggested  it was seen where little is between it and the destination, or somebody answered in
//              the destination's place (a RST may come from an enforcer that rejects)
//   dropped    tried again, unanswered; or somebody says that it was not delivered
//   nothing    it was seen, somewhere on its way
//
// Invariants: what is told as `proven` holds under every reading of the packets, as far as ends
// keep to TCP; a connection's direction is told as known only where a packet says which end opened
// it, and packets of unknown direction never raise the grade of a known one. Memory is bounded: of
// connections at once (ConnectionTable), of bytes of a log's value (JsonStream); what is left out
// is counted.
#ifndef NPF_TOOLS_GAPS_SEEN_H_
#define NPF_TOOLS_GAPS_SEEN_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "npf/address.h"
#include "npf/flow.h"

namespace npf::gaps {

enum class Grade : uint8_t { kNothing, kDropped, kSuggested, kProven };

// In rising order of grade; of one grade, in no order.
enum class Evidence : uint8_t {
  kUnseen,         // on its way, and nothing else
  kRetransmitted,  // tried again, and nobody answered
  kRejected,       // an ICMP error says that it was not delivered
  kLogDropped,     // the log says so
  kArrived,        // seen at the destination's node or pod, and nobody answered
  kReset,          // a RST or a port unreachable in the destination's name, seen elsewhere
  kAcknowledged,   // the opener acknowledges; its peer was not seen
  kAnswerOnly,     // an answer, and not what it answers
  kMidstream,      // packets from the middle of a connection
  kForwarded,      // the log says: forwarded to the destination
  kRefused,        // the destination itself refused, seen at its pod
  kBothWays,       // data from the middle that the other end acknowledges
  kReply,          // a datagram, an echo request or an INIT was answered
  kAnswered,       // a SYN was answered
  kHandshake,      // and the answer acknowledged
  kLogReply,       // the log has answers of the destination
};

Grade GradeOf(Evidence evidence);
std::string_view Name(Grade grade);        // "proven"
std::string_view Name(Evidence evidence);  // "handshake"

// How the direction of a connection is known.
enum class Opener : uint8_t {
  kSeen,     // a packet says so: SYN, SYN-ACK, INIT, echo request, or the log
  kByPorts,  // one port is of the range that systems give to clients, the other is not
  kUnknown,
};

// As a flow log names an end: "NAMESPACE/POD", and the name may end in "*", for all that begin so;
// what is no pod has no namespace.
struct LogName {
  std::string ns;
  std::string name;
  bool empty() const { return name.empty(); }
  bool operator==(const LogName& other) const = default;
};

struct LogNames {
  LogName src;
  LogName dst;
  std::string claim;  // what the log's enforcer says it decided by; may be empty
};

// A connection, seen from its opener.
struct Seen {
  // Family 0 where no addresses are known, and `names` has the ends.
  FlowKey key{};
  bool has_ports = true;
  Opener opener = Opener::kSeen;
  Evidence evidence = Evidence::kUnseen;
  uint64_t connections = 1;
  uint64_t packets = 0;  // as often as they were seen
  uint64_t replies = 0;  // of these
  uint64_t first_ns = 0;
  uint64_t last_ns = 0;
  const LogNames* names = nullptr;  // of flow logs; valid for the call
};
using SeenSink = std::function<void(const Seen&)>;

// Whether a place is next to an address.
enum class Nearness : uint8_t { kElsewhere, kNode, kPod };

}  // namespace npf::gaps

#endif  // NPF_TOOLS_GAPS_SEEN_H_
