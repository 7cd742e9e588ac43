// One judged packet, as the outputs of `replay` speak of it.
#ifndef NPF_TOOLS_NPF_REPLAY_RECORD_H_
#define NPF_TOOLS_NPF_REPLAY_RECORD_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "npf/address_names.h"
#include "npf/overlay.h"
#include "npf/worker.h"

namespace npf::tools {

// The tunnel that a packet came out of.
struct TunnelRecord {
  std::string_view kind;  // "vxlan"
  IpAddress src;          // of the outer header
  IpAddress dst;
};

// Nothing of a packet that came out of none. `bytes` is the frame, as far as it was captured.
std::optional<TunnelRecord> TunnelOf(const ParsedPacket& packet, std::span<const uint8_t> bytes,
                                     const Overlays* overlays);

struct PacketRecord {
  uint64_t number = 0;
  uint64_t stamp_ns = 0;
  uint32_t wire_length = 0;
  const Judgement& judgement;
  std::optional<TunnelRecord> tunnel{};
};

bool HasAddresses(const FlowKey& key);
// The packet's key, turned round where the packet goes against its connection's direction.
FlowKey ConnectionKey(const Judgement& judgement);
FlowKey ConnectionKey(FlowKey key, bool reply);

// Whether policy itself said this verdict, so that it can be explained.
bool SaidByPolicy(const Judgement& judgement);

// One line of JSON with its line end, as docs/verdict.schema.json has it. What is not known of a
// packet is left out; `why` is the JSON of an explanation, or empty.
void AppendJsonLine(const PacketRecord& record, const AddressNames& names, std::string_view why,
                    std::string& out);

// The reason of a deny for a reader of the annotated capture, such as
// "npf: deny: policy: 10.0.0.1 -> prod/db TCP 5432; ingress of prod/db: isolated by prod/db". A
// tunnel that it came out of stands before the policy: ", in vxlan 1 192.168.0.1 -> 192.168.0.2".
std::string DenyComment(const PacketRecord& record, const AddressNames& names,
                        std::string_view why);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_REPLAY_RECORD_H_
