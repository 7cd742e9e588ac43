// Three bytes choose the link layer, the options and how much longer the packet was on the wire;
// the rest is the frame. The upper bit of the second one switches overlays on.
#include <cstring>
#include <vector>

#include "fuzz/fuzz.h"
#include "npf/overlay.h"
#include "npf/packet.h"
#include "packet/plain.h"
#include "packet/quoted.h"

namespace {

using npf::ParsedPacket;
using npf::ParseOutcome;
using npf::fuzzing::Expect;

// One of each kind between 192.168.0.0/24 and 2001:db8:1::/64, with any identifier up to 255.
const npf::Overlays& AllKinds() {
  static const npf::Overlays& overlays = *[] {
    std::vector<npf::OverlaySpec> specs(5);
    for (size_t i = 0; i < specs.size(); ++i) {
      specs[i].kind = static_cast<npf::OverlayKind>(i);
      specs[i].endpoints = {npf::ParseIpPrefix("192.168.0.0/24").prefix,
                            npf::ParseIpPrefix("2001:db8:1::/64").prefix};
      if (npf::MaxIdentifier(specs[i].kind) != 0) specs[i].identifiers = {{0, 255}};
    }
    specs[1].critical_options = {{0x0102, 0x80}};
    return new npf::Overlays(npf::Overlays::Make(specs).value());
  }();
  return overlays;
}

ParsedPacket Parse(const std::vector<uint8_t>& frame, uint32_t wire_length,
                   const npf::ParseOptions& options) {
  return npf::ParsePacket({.data = frame.data(),
                           .length = static_cast<uint32_t>(frame.size()),
                           .wire_length = wire_length},
                          options);
}

bool SameKey(const ParsedPacket& a, const ParsedPacket& b) {
  return std::memcmp(&a.key, &b.key, sizeof(a.key)) == 0;
}

void CheckPromises(const ParsedPacket& parsed, const npf::ParseOptions& options) {
  if (parsed.outcome != ParseOutcome::kJudge) return;
  Expect(parsed.key.family == 4 || parsed.key.family == 6, "what is judged has addresses");
  Expect(!(parsed.later_fragment && parsed.ports_known), "a later fragment has no ports");
  const uint8_t protocol = parsed.key.protocol;
  const bool has_ports = protocol == npf::kProtocolTcp || protocol == npf::kProtocolUdp ||
                         protocol == npf::kProtocolSctp;
  Expect(has_ports == parsed.ports_known, "ports are known where the protocol has them");
  const uint32_t outermost = parsed.overlay == 0 ? parsed.l3_offset : parsed.outer_l3_offset;
  Expect(options.vlan || options.link != npf::LinkLayer::kEthernet || outermost == 14,
         "with VLAN off, nothing tagged is judged");
}

// What came out of a tunnel is judged as it would be on a bare wire; what did not, as without
// overlays.
void CheckTunnel(const std::vector<uint8_t>& frame, uint32_t wire_length, npf::ParseOptions options,
                 const ParsedPacket& parsed) {
  Expect(parsed.overlay <= (options.overlays == nullptr ? 0 : options.overlays->size()),
         "a packet came out of an overlay that there is");
  if (options.overlays == nullptr || parsed.outcome != ParseOutcome::kJudge) return;
  options.overlays = nullptr;
  if (parsed.overlay == 0) {
    Expect(SameKey(Parse(frame, wire_length, options), parsed), "no tunnel is judged as it is");
    return;
  }
  Expect(parsed.outer_l3_offset < parsed.l3_offset, "the inner packet is inside");
  options.link = npf::LinkLayer::kRawIp;
  const std::vector<uint8_t> inner(frame.begin() + parsed.l3_offset, frame.end());
  const ParsedPacket bare = Parse(inner, wire_length - parsed.l3_offset, options);
  Expect(bare.outcome == ParseOutcome::kJudge && SameKey(bare, parsed),
         "what is inside is judged as on a bare wire");
}

// Whatever the straight line accepts is judged, with the same key.
void CheckPlain(const std::vector<uint8_t>& frame, uint32_t wire_length,
                const npf::ParseOptions& options, const ParsedPacket& parsed) {
  if (options.link != npf::LinkLayer::kEthernet || options.overlays != nullptr) return;
  npf::FlowKey key;
  const npf::PacketView view{frame.data(), static_cast<uint32_t>(frame.size()), wire_length};
  if (!npf::packet::PlainReader(options).Read(view, key)) return;
  Expect(parsed.outcome == ParseOutcome::kJudge && !parsed.later_fragment,
         "what is plain is judged");
  Expect(std::memcmp(&key, &parsed.key, sizeof key) == 0, "and has its own key");
}

// What an error quotes lies within the frame, and is read no further (under ASan).
void CheckQuoted(const std::vector<uint8_t>& frame, const ParsedPacket& parsed) {
  if (parsed.quoted_bytes == 0) return;
  const size_t end = size_t{parsed.quoted_offset} + parsed.quoted_bytes;
  Expect(end <= frame.size(), "what is quoted was captured");
  const std::vector<uint8_t> exact(frame.begin(), frame.begin() + static_cast<long>(end));
  const npf::PacketView view{exact.data(), static_cast<uint32_t>(end), static_cast<uint32_t>(end)};
  const ParsedPacket quoted = npf::packet::ParseQuoted(view, parsed);
  if (quoted.outcome != ParseOutcome::kJudge) return;
  Expect(quoted.key.family == parsed.key.family, "an error quotes a packet of its own family");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  npf::ParseOptions options;
  options.link = static_cast<npf::LinkLayer>(data[0] % 6);
  options.vlan = (data[1] & 1) == 0;
  options.checksums = static_cast<npf::Checksums>((data[1] >> 1) % 64 % 3);
  if ((data[1] & 0x80) != 0) options.overlays = &AllKinds();
  const std::vector<uint8_t> frame(data + 3, data + size);
  const auto wire_length = static_cast<uint32_t>(frame.size() + data[2]);
  const ParsedPacket whole = Parse(frame, wire_length, options);
  CheckPromises(whole, options);
  CheckTunnel(frame, wire_length, options, whole);
  CheckPlain(frame, wire_length, options, whole);
  CheckQuoted(frame, whole);
  // Of a capture that was cut, either nothing is known of the key, or the same.
  const std::vector<uint8_t> half(frame.begin(),
                                  frame.begin() + static_cast<long>(frame.size() / 2));
  const ParsedPacket cut = Parse(half, wire_length, options);
  CheckPromises(cut, options);
  if (cut.outcome == ParseOutcome::kJudge && whole.outcome == ParseOutcome::kJudge) {
    Expect(SameKey(cut, whole), "a cut capture has the whole packet's key");
  }
  return 0;
}
