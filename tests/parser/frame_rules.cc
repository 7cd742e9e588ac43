#include "parser/frame_rules.h"

#include <algorithm>
#include <array>

namespace npf::testing {
namespace {

using Kind = LayerKind;

bool Always(const FrameCut& /*cut*/, const Layer& /*layer*/) { return true; }

// LINKTYPE_LINUX_SLL and _SLL2: of these devices, the protocol field does not say what follows:
// Frame Relay, 802.11 with radiotap, Netlink.
bool IsForeignDevice(int64_t device) { return device == 770 || device == 803 || device == 824; }

constexpr auto kLinkRules = std::to_array<Rule>({
    // A header that says what follows is needed whole.
    {Kind::kEthernet, Reason::kTruncated, "Ethernet header cut",
     [](const FrameCut&, const Layer& link) { return link.kept < 14; }},
    {Kind::kLinuxSll, Reason::kTruncated, "SLL header cut",
     [](const FrameCut&, const Layer& link) { return link.kept < 16; }},
    {Kind::kLinuxSll, Reason::kEthertype, "SLL of a device without Ethertypes",
     [](const FrameCut& cut, const Layer& link) { return IsForeignDevice(cut.Known(link, 2, 2)); }},
    {Kind::kLinuxSll2, Reason::kTruncated, "SLL2 header cut",
     [](const FrameCut&, const Layer& link) { return link.kept < 20; }},
    {Kind::kLinuxSll2, Reason::kEthertype, "SLL2 of a device without Ethertypes",
     [](const FrameCut& cut, const Layer& link) { return IsForeignDevice(cut.Known(link, 8, 2)); }},
    {Kind::kBsdLoopback, Reason::kTruncated, "loopback header cut",
     [](const FrameCut&, const Layer& link) { return link.kept < 4; }},
    {Kind::kBsdLoopback, Reason::kEthertype, "loopback of a family other than IP",
     [](const FrameCut& cut, const Layer&) {
       return cut.Find(Kind::kIpv4) == nullptr && cut.Find(Kind::kIpv6) == nullptr;
     }},
    {Kind::kRawStart, Reason::kTruncated, "raw packet of no bytes",
     [](const FrameCut&, const Layer& start) { return start.kept == 0; }},
    {Kind::kRawStart, Reason::kMalformed, "raw packet of another version than 4 and 6",
     [](const FrameCut& cut, const Layer& start) {
       const int64_t version = cut.Known(start, 0, 1) / 16;
       return version != 4 && version != 6;
     }},

    // ATTACKS A50 to A53; VU#855201.
    {Kind::kTag, Reason::kVlanOff, "tag with VLAN off",
     [](const FrameCut& cut, const Layer&) { return !cut.options().vlan; }},
    {Kind::kTag, Reason::kVlanDepth, "third tag",
     [](const FrameCut&, const Layer& tag) { return tag.number >= 2; }},
    {Kind::kTag, Reason::kTruncated, "tag cut",
     [](const FrameCut&, const Layer& tag) { return tag.kept < 4; }},
    // IEEE 802.3, 3.2.6: a value below 0x0600 is a length, and LLC follows.
    {Kind::kLlc, Reason::kLlc, "length in place of a type", Always},
    {Kind::kUnknownType, Reason::kEthertype, "neither IP nor ARP", Always},

    // RFC 826, for IPv4 over six-byte addresses: 28 bytes, of which the first eight say so (A88).
    {Kind::kArp, Reason::kTruncated, "ARP cut",
     [](const FrameCut&, const Layer& arp) { return arp.sent < 28 || arp.kept < 8; }},
    {Kind::kArp, Reason::kMalformed, "ARP of another protocol or of other lengths",
     [](const FrameCut& cut, const Layer& arp) { return cut.Known(arp, 2, 4) != 0x08000604; }},
    {Kind::kArp, Reason::kMalformed, "ARP that neither asks nor answers",
     [](const FrameCut& cut, const Layer& arp) {
       const int64_t operation = cut.Known(arp, 6, 2);
       return operation != 1 && operation != 2;
     }},
});

int64_t Ipv4HeaderBytes(const FrameCut& cut, const Layer& ip) {
  return cut.Known(ip, 0, 1) % 16 * 4;
}

// A85. RFC 1122, 3.2.1.3: 0/8 and 127/8 are not on a network, groups are never sources; RFC 1112,
// 4: nor is class E, 255.255.255.255 included. The address 0.0.0.0 waits for its ports.
bool IsMartianV4(int64_t src, int64_t dst) {
  const auto in = [](int64_t address, int64_t first_byte) { return address >> 24 == first_byte; };
  const bool bad_source = (in(src, 0) && src != 0) || in(src, 127) || src >= int64_t{224} << 24;
  return bad_source || in(dst, 0) || in(dst, 127);
}

// RFC 4291, 2.5.5: IPv4-compatible (::/96, with ::1 among them) and IPv4-mapped addresses.
bool EmbedsV4(std::span<const uint8_t> address) {
  if (IsAllZero(address) || !IsAllZero(address.first(10))) return false;
  const int middle = address[10] * 256 + address[11];
  return middle == 0 || middle == 0xffff;
}

// A57, A85. RFC 4291, 2.5.2, 2.5.3 and 2.7: no packet is for ::, none is from or for ::1 on a
// network, groups are never sources. The address :: waits for what the packet is.
bool IsMartianV6(std::span<const uint8_t> src, std::span<const uint8_t> dst) {
  return EmbedsV4(src) || EmbedsV4(dst) || src[0] == 0xff || IsAllZero(dst);
}

constexpr auto kIpv4Rules = std::to_array<Rule>({
    // RFC 791, 3.1; A40, A44.
    {Kind::kIpv4, Reason::kTruncated, "IPv4 header cut",
     [](const FrameCut&, const Layer& ip) { return IsCut(ip, 20, 20); }},
    {Kind::kIpv4, Reason::kMalformed, "version is not 4",
     [](const FrameCut& cut, const Layer& ip) { return cut.Known(ip, 0, 1) / 16 != 4; }},
    {Kind::kIpv4, Reason::kMalformed, "header length below 20",
     [](const FrameCut& cut, const Layer& ip) { return Ipv4HeaderBytes(cut, ip) < 20; }},
    {Kind::kIpv4, Reason::kMalformed, "total length below the header's",
     [](const FrameCut& cut, const Layer& ip) {
       return cut.Known(ip, 2, 2) < Ipv4HeaderBytes(cut, ip);
     }},
    {Kind::kIpv4, Reason::kMalformed, "total length beyond the frame",
     [](const FrameCut& cut, const Layer& ip) { return cut.Known(ip, 2, 2) > ip.sent; }},
    {Kind::kIpv4, Reason::kTruncated, "IPv4 options cut",
     [](const FrameCut& cut, const Layer& ip) { return ip.kept < Ipv4HeaderBytes(cut, ip); }},
    // RFC 1122, 3.2.1.2: a datagram with a bad header checksum is discarded (A48).
    {Kind::kIpv4, Reason::kChecksum, "IPv4 header checksum",
     [](const FrameCut& cut, const Layer& ip) {
       return cut.options().checksums != Checksums::kIgnore &&
              !SumIsRight(SumOfWords(cut.Bytes(ip, 0, Ipv4HeaderBytes(cut, ip))));
     }},
    // RFC 791, 3.1: bit 0 is reserved, must be zero (A8).
    {Kind::kIpv4Flags, Reason::kIpFlags, "reserved bit",
     [](const FrameCut& cut, const Layer& ip) { return cut.Known(ip, 6, 2) >= 0x8000; }},
    // RFC 791, 3.1: the length counts type and length too (A43).
    {Kind::kIpv4Option, Reason::kMalformed, "IPv4 option without room for its length",
     [](const FrameCut&, const Layer& option) { return option.sent < 2; }},
    {Kind::kIpv4Option, Reason::kMalformed, "IPv4 option of a wrong length",
     [](const FrameCut& cut, const Layer& option) {
       const int64_t bytes = cut.Known(option, 1, 1);
       return bytes < 2 || bytes > option.sent;
     }},
    // RFC 6274, 3.13.2.3 and 3.13.2.4 (A42): loose and strict source route.
    {Kind::kIpv4Option, Reason::kSourceRoute, "source route",
     [](const FrameCut& cut, const Layer& option) {
       const int64_t type = cut.Known(option, 0, 1);
       return type == 131 || type == 137;
     }},
    // A41: record route and timestamp.
    {Kind::kIpv4Option, Reason::kIpOption, "option that routers write into",
     [](const FrameCut& cut, const Layer& option) {
       const int64_t type = cut.Known(option, 0, 1);
       return type == 7 || type == 68;
     }},
    {Kind::kAddresses, Reason::kMartian, "IPv4 address of no network",
     [](const FrameCut& cut, const Layer&) {
       return cut.family() == 4 &&
              IsMartianV4(Ipv4Number(cut.Source()), Ipv4Number(cut.Destination()));
     }},

    // Fragments, of either family. A8; RFC 791, 3.2; RFC 8200, 4.5.
    {Kind::kPart, Reason::kFragmentBad, "fragment of nothing",
     [](const FrameCut& cut, const Layer&) { return cut.part()->payload == 0; }},
    {Kind::kPart, Reason::kFragmentBad, "fragment of no multiple of eight before the last",
     [](const FrameCut& cut, const Layer&) {
       return cut.part()->more && cut.part()->payload % 8 != 0;
     }},
    // A7: the whole datagram's length field has 16 bits.
    {Kind::kPart, Reason::kFragmentOversize, "fragment that ends beyond 65,535",
     [](const FrameCut& cut, const Layer&) {
       return cut.part()->before + cut.part()->offset + cut.part()->payload > 65535;
     }},
    // RFC 3128; RFC 1858, 4.2: offset one unit may bring, or overwrite, the flags (A4).
    {Kind::kPart, Reason::kFragmentTiny, "TCP fragment at eight",
     [](const FrameCut& cut, const Layer&) {
       return cut.part()->protocol == 6 && cut.part()->offset == 8 &&
              !cut.options().header_in_parts;
     }},
    // A85: whatever it is part of would have to be a DHCP client's, which sends no fragments; of
    // IPv6, neighbour or listener discovery, which are refused in fragments (RFC 6980).
    {Kind::kLaterPart, Reason::kMartian, "later fragment from nobody",
     [](const FrameCut& cut, const Layer&) { return IsAllZero(cut.Source()); }},
    // A86: its ports may be equal too.
    {Kind::kLaterPart, Reason::kLand, "later fragment between equal addresses",
     [](const FrameCut& cut, const Layer&) { return AreEqual(cut.Source(), cut.Destination()); }},
});

bool IsPayloadZero(const FrameCut& cut, const Layer& ip) { return cut.Known(ip, 4, 2) == 0; }

// RFC 8200, 4.3 to 4.6; RFC 4302, 2.2. Eight bytes where the length field itself is missing.
int64_t ExtensionBytes(const FrameCut& cut, const Layer& header) {
  const int64_t length = cut.Number(header, 1, 1).value_or(0);
  if (header.kind == Kind::kFragmentHeader || header.kind == Kind::kRouting) return 8;
  if (header.kind != Kind::kAuthentication) return (length + 1) * 8;
  return cut.Number(header, 1, 1).has_value() ? std::max<int64_t>(8, (length + 2) * 4) : 8;
}

bool IsNinth(const FrameCut& /*cut*/, const Layer& header) { return header.number >= 8; }

bool IsExtensionTiny(const FrameCut& cut, const Layer& header) {
  return IsCutByFragment(cut, header, ExtensionBytes(cut, header));
}

// Of routing headers and AH only the first two bytes are needed here, the others' all.
bool IsExtensionCut(const FrameCut& cut, const Layer& header) {
  const int64_t bytes = ExtensionBytes(cut, header);
  const bool two = header.kind == Kind::kRouting || header.kind == Kind::kAuthentication;
  return IsCut(header, bytes, two ? 2 : bytes);
}

constexpr auto kIpv6Rules = std::to_array<Rule>({
    // RFC 8200, 3; A31, A33.
    {Kind::kIpv6, Reason::kTruncated, "IPv6 header cut",
     [](const FrameCut&, const Layer& ip) { return IsCut(ip, 40, 40); }},
    {Kind::kIpv6, Reason::kMalformed, "version is not 6",
     [](const FrameCut& cut, const Layer& ip) { return cut.Known(ip, 0, 1) / 16 != 6; }},
    // RFC 2675, 3: the length is in an option of the Hop-by-Hop header, should there be one.
    {Kind::kIpv6, Reason::kJumbo, "length 0 before a Hop-by-Hop header",
     [](const FrameCut& cut, const Layer& ip) {
       return IsPayloadZero(cut, ip) && cut.Known(ip, 6, 1) == 0 && ip.sent >= 40 + 8;
     }},
    {Kind::kIpv6, Reason::kTruncated, "length 0 and no Hop-by-Hop header",
     [](const FrameCut& cut, const Layer& ip) {
       return IsPayloadZero(cut, ip) && cut.Known(ip, 6, 1) == 0;
     }},
    // How long a quoted packet was, nothing else says.
    {Kind::kIpv6, Reason::kMalformed, "length 0 with more behind the header",
     [](const FrameCut& cut, const Layer& ip) {
       const bool goes_on = !cut.quoted() && ip.sent > 40;
       return IsPayloadZero(cut, ip) && cut.Known(ip, 6, 1) != 59 && goes_on;
     }},
    {Kind::kIpv6, Reason::kTruncated, "payload length beyond the frame",
     [](const FrameCut& cut, const Layer& ip) { return 40 + cut.Known(ip, 4, 2) > ip.sent; }},
    {Kind::kAddresses, Reason::kMartian, "IPv6 address of no network",
     [](const FrameCut& cut, const Layer&) {
       return cut.family() == 6 && IsMartianV6(cut.Source(), cut.Destination());
     }},

    // A23: eight headers at most, whatever the ninth is.
    {Kind::kHopByHop, Reason::kExtensionLimit, "ninth header: Hop-by-Hop", IsNinth},
    {Kind::kDestinationOptions, Reason::kExtensionLimit, "ninth header: options", IsNinth},
    {Kind::kRouting, Reason::kExtensionLimit, "ninth header: routing", IsNinth},
    {Kind::kFragmentHeader, Reason::kExtensionLimit, "ninth header: fragment", IsNinth},
    {Kind::kAuthentication, Reason::kExtensionLimit, "ninth header: AH", IsNinth},
    // RFC 8200, 4.1: Hop-by-Hop only immediately after the IPv6 header (A30).
    {Kind::kHopByHop, Reason::kExtensionOrder, "Hop-by-Hop not first",
     [](const FrameCut&, const Layer& header) { return header.number != 0; }},
    // RFC 7112: a first fragment has the whole chain (A26); A22: lengths of up to 2,048 bytes.
    {Kind::kDestinationOptions, Reason::kFragmentTiny, "options go on in the next fragment",
     IsExtensionTiny},
    {Kind::kRouting, Reason::kFragmentTiny, "routing header goes on in the next fragment",
     IsExtensionTiny},
    {Kind::kFragmentHeader, Reason::kFragmentTiny, "second fragment header is in the next fragment",
     IsExtensionTiny},
    {Kind::kAuthentication, Reason::kFragmentTiny, "AH goes on in the next fragment",
     IsExtensionTiny},
    {Kind::kHopByHop, Reason::kTruncated, "Hop-by-Hop header cut", IsExtensionCut},
    {Kind::kDestinationOptions, Reason::kTruncated, "destination options cut", IsExtensionCut},
    {Kind::kRouting, Reason::kTruncated, "routing header cut", IsExtensionCut},
    {Kind::kFragmentHeader, Reason::kTruncated, "fragment header cut", IsExtensionCut},
    {Kind::kAuthentication, Reason::kTruncated, "AH cut", IsExtensionCut},
    // A29; RFC 5095: the last stop is not the header's destination.
    {Kind::kRouting, Reason::kSourceRoute, "routing header", Always},
    // A24; CVE-2023-4809: a datagram is split once, atomic fragments included.
    {Kind::kFragmentHeader, Reason::kFragmentBad, "second fragment header",
     [](const FrameCut& cut, const Layer& header) {
       return cut.Find(Kind::kFragmentHeader) != &header;
     }},
    // RFC 4302, 2.2: twelve bytes at least; of IPv6, a multiple of eight.
    {Kind::kAuthentication, Reason::kExtensionBad, "AH of an impossible length",
     [](const FrameCut& cut, const Layer& header) {
       const int64_t bytes = (cut.Known(header, 1, 1) + 2) * 4;
       return bytes < 12 || bytes % 8 != 0;
     }},
    // RFC 8200, 4.2 (A34).
    {Kind::kIpv6Option, Reason::kExtensionBad, "option without room for its length",
     [](const FrameCut&, const Layer& option) { return option.sent < 2; }},
    {Kind::kIpv6Option, Reason::kExtensionBad, "option past its header",
     [](const FrameCut& cut, const Layer& option) {
       return 2 + cut.Known(option, 1, 1) > option.sent;
     }},
    {Kind::kIpv6Option, Reason::kJumbo, "jumbo option",
     [](const FrameCut& cut, const Layer& option) { return cut.Known(option, 0, 1) == 0xc2; }},
    // RFC 6275, 6.3: the address in it takes the place of the source.
    {Kind::kIpv6Option, Reason::kExtensionBad, "Home Address option",
     [](const FrameCut& cut, const Layer& option) { return cut.Known(option, 0, 1) == 0xc9; }},
});

}  // namespace

std::span<const Rule> LinkRules() { return kLinkRules; }
std::span<const Rule> Ipv4Rules() { return kIpv4Rules; }
std::span<const Rule> Ipv6Rules() { return kIpv6Rules; }

std::vector<Rule> AllRules() {
  std::vector<Rule> all;
  for (const auto rules :
       {LinkRules(), Ipv4Rules(), Ipv6Rules(), TransportRules(), ControlRules()}) {
    all.insert(all.end(), rules.begin(), rules.end());
  }
  return all;
}

std::optional<Finding> FirstBroken(const FrameCut& cut) {
  static const std::vector<Rule> kRules = AllRules();
  for (size_t i = 0; i < cut.layers().size(); ++i) {
    const Layer& layer = cut.layers()[i];
    for (size_t k = 0; k < kRules.size(); ++k) {
      if (kRules[k].kind == layer.kind && kRules[k].broken(cut, layer)) {
        return Finding{i, k, kRules[k].reason};
      }
    }
  }
  return std::nullopt;
}

int64_t Ipv4Number(std::span<const uint8_t> address) {
  int64_t number = 0;
  for (const uint8_t byte : address) number = number * 256 + byte;
  return number;
}

bool IsAllZero(std::span<const uint8_t> address) {
  return std::all_of(address.begin(), address.end(), [](uint8_t byte) { return byte == 0; });
}

bool IsLinkLocal(std::span<const uint8_t> address) {
  return (address[0] * 256 + address[1]) / 64 == 0xfe80 / 64;
}

bool AreEqual(std::span<const uint8_t> a, std::span<const uint8_t> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

int64_t SumOfWords(std::span<const uint8_t> bytes) {
  int64_t sum = 0;
  for (size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? bytes[i] * 256 : bytes[i];
  return sum;
}

bool SumIsRight(int64_t sum) { return sum != 0 && sum % 65535 == 0; }

bool IsCutByFragment(const FrameCut& cut, const Layer& layer, int64_t sent) {
  return cut.IsFirstPart() && layer.sent < sent;
}

bool IsCut(const Layer& layer, int64_t sent, int64_t kept) {
  return layer.sent < sent || layer.kept < kept;
}

}  // namespace npf::testing
