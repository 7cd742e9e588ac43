// Whether a frame came from where its source is bound to be (npf/sources.h).
//
// Everything that speaks for an address is held against the bindings: the source of an IP packet,
// that of a configured tunnel too; the sender of ARP; in neighbour discovery the target of an
// advertisement, a redirect or a search for duplicates, and the link-layer address that is told of
// it (A79, A88). Inside a tunnel the port alone counts: the frame's own Ethernet source is the
// tunnel's.
#ifndef NPF_ENGINE_SPOOFING_H_
#define NPF_ENGINE_SPOOFING_H_

#include "npf/packet.h"
#include "npf/sources.h"
#include "npf/worker.h"

namespace npf {

// kSpoofed, or kTruncated where what has to be looked at was not captured; kPolicy: nothing is
// wrong. `parsed` is what ParsePacket says of the frame and no denial, or of a fragment.
Reason CheckSource(const SourceBindings& sources, const Frame& frame,
                   const ParsedPacket& parsed) noexcept;

}  // namespace npf

#endif  // NPF_ENGINE_SPOOFING_H_
