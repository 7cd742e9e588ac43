#include "engine/spoofing.h"

#include <algorithm>

#include "packet/neighbour.h"

namespace npf {
namespace {

class SourceCheck {
 public:
  SourceCheck(const SourceBindings& sources, const Frame& frame, const ParsedPacket& parsed)
      : sources_(sources), frame_(frame), parsed_(parsed), ethernet_(EthernetOf(frame)) {}

  Reason Run() {
    if (parsed_.overlay != 0) {
      if (!OuterMayCome()) return Reason::kSpoofed;
      ethernet_ = SourceBindings::kAnyEthernet;
    }
    const FlowKey& key = parsed_.key;
    if (key.family == 0) return CheckArp();
    if (!MayCome(key.family, key.src)) return Reason::kSpoofed;
    const bool discovery = parsed_.outcome == ParseOutcome::kPass &&
                           parsed_.icmp_type >= packet::kRouterSolicitation &&
                           parsed_.icmp_type <= packet::kRedirect;
    return discovery ? CheckNeighbourMessage() : Reason::kPolicy;
  }

 private:
  // The parser has read past the Ethernet header.
  static uint64_t EthernetOf(const Frame& frame) {
    constexpr size_t kSource = 6;
    if (frame.link != LinkLayer::kEthernet) return SourceBindings::kNoEthernet;
    return SourceBindings::NumberOf(frame.packet.data + kSource);
  }
  bool MayCome(uint8_t family, const uint8_t* source) const {
    return sources_.MayCome(family, source, frame_.port, ethernet_);
  }
  // The same of an address that is said to be found at the Ethernet address `told`.
  bool MayBeAt(uint8_t family, const uint8_t* source, const uint8_t* told) const {
    if (ethernet_ == SourceBindings::kAnyEthernet) return MayCome(family, source);
    return sources_.MayCome(family, source, frame_.port, SourceBindings::NumberOf(told));
  }
  const uint8_t* At(uint32_t offset) const { return frame_.packet.data + offset; }
  bool Has(uint32_t offset, uint32_t count) const {
    return offset <= frame_.packet.length && count <= frame_.packet.length - offset;
  }

  bool OuterMayCome() const {
    constexpr uint32_t kSourceV4 = 12, kSourceV6 = 8;
    const uint32_t at = parsed_.outer_l3_offset;
    const uint8_t family = *At(at) >> 4;
    return MayCome(family, At(at + (family == 4 ? kSourceV4 : kSourceV6)));
  }

  Reason CheckArp() const {
    constexpr uint32_t kSenderEthernet = 8, kSender = 14, kBytes = 28;
    const uint32_t at = parsed_.l3_offset;
    if (!Has(at, kBytes)) return Reason::kTruncated;
    const uint8_t* const sender = At(at + kSender);
    const bool good = MayCome(4, sender) && MayBeAt(4, sender, At(at + kSenderEthernet));
    return good ? Reason::kPolicy : Reason::kSpoofed;
  }

  // Well formed, and captured but for what options hold.
  Reason CheckNeighbourMessage() const {
    const uint8_t type = parsed_.icmp_type;
    const uint32_t at = parsed_.l4_offset;
    const uint8_t* const src = parsed_.key.src;
    const bool nobody = std::all_of(src, src + 16, [](uint8_t byte) { return byte == 0; });
    const bool tells_target = type == packet::kNeighbourAdvertisement || type == packet::kRedirect;
    const bool of_target = tells_target || (type == packet::kNeighbourSolicitation && nobody);
    const uint8_t* const claimed = of_target ? At(at + packet::kNeighbourTarget) : src;
    if (!MayCome(6, claimed)) return Reason::kSpoofed;
    return CheckOptions(
        at + packet::NeighbourBytes(type), claimed,
        tells_target ? packet::kOptionTargetLinkAddress : packet::kOptionSourceLinkAddress);
  }

  // Every option that tells where `claimed` is, for receivers differ in which one they take.
  Reason CheckOptions(uint32_t at, const uint8_t* claimed, uint8_t telling) const {
    constexpr uint32_t kHeaderBytes = 40, kPayloadLength = 4, kOptionBytes = 8;
    const uint8_t* const length = At(parsed_.l3_offset + kPayloadLength);
    const uint32_t end = parsed_.l3_offset + kHeaderBytes + (length[0] << 8u | length[1]);
    while (at < end) {
      if (!Has(at, kOptionBytes)) return Reason::kTruncated;
      if (*At(at) == telling && !MayBeAt(6, claimed, At(at + 2))) return Reason::kSpoofed;
      at += At(at)[1] * kOptionBytes;
    }
    return Reason::kPolicy;
  }

  const SourceBindings& sources_;
  const Frame& frame_;
  const ParsedPacket& parsed_;
  uint64_t ethernet_;
};

}  // namespace

Reason CheckSource(const SourceBindings& sources, const Frame& frame,
                   const ParsedPacket& parsed) noexcept {
  return SourceCheck(sources, frame, parsed).Run();
}

}  // namespace npf
