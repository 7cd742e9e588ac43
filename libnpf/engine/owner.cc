// Whose a packet is, where several workers share the traffic.
#include "conntrack/flow_table.h"
#include "npf/worker.h"
#include "packet/quoted.h"

namespace npf {

uint32_t OwnerOf(const PacketView& frame, const ParsedPacket& parsed, uint64_t secret,
                 uint32_t workers) noexcept {
  FlowKey key = parsed.key;
  if (parsed.quoted_bytes != 0) {
    const ParsedPacket quoted = packet::ParseQuoted(frame, parsed);
    if (quoted.outcome == ParseOutcome::kJudge) key = quoted.key;
  }
  // By the addresses alone: a later fragment has no ports.
  return conntrack::PairHash(key, secret) % workers;
}

}  // namespace npf
