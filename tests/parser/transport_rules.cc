// TCP, UDP, SCTP, ICMP, and what holds of any packet in the end.
#include <array>

#include "parser/frame_rules.h"

namespace npf::testing {
namespace {

using Kind = LayerKind;

constexpr int64_t kFin = 0x01;
constexpr int64_t kSyn = 0x02;
constexpr int64_t kRst = 0x04;
constexpr int64_t kAck = 0x10;
constexpr int64_t kUrg = 0x20;

int64_t TcpFlags(const FrameCut& cut, const Layer& tcp) { return cut.Known(tcp, 13, 1); }
int64_t TcpHeaderBytes(const FrameCut& cut, const Layer& tcp) {
  return cut.Known(tcp, 12, 1) / 16 * 4;
}

// RFC 9293, 3.1, over the pseudo-header of either family (RFC 8200, 8.1). Of a fragment, or of a
// cut capture, nobody can tell.
bool IsTcpSumWrong(const FrameCut& cut, const Layer& tcp) {
  const bool changes_state = (TcpFlags(cut, tcp) & (kFin | kSyn | kRst)) != 0;
  if (!changes_state || cut.options().checksums != Checksums::kVerify) return false;
  if (cut.part().has_value() || tcp.kept < tcp.sent) return false;
  return !SumIsRight(SumOfWords(cut.Source()) + SumOfWords(cut.Destination()) + 6 + tcp.sent +
                     SumOfWords(cut.Bytes(tcp, 0, tcp.sent)));
}

// Two numbers at the start of a header, where it has them.
std::optional<int64_t> PortPair(const FrameCut& cut) {
  for (const Kind kind :
       {Kind::kTcp, Kind::kQuotedTcp, Kind::kUdp, Kind::kSctp, Kind::kQuotedSctp}) {
    const Layer* const header = cut.Find(kind);
    if (header != nullptr) return cut.Number(*header, 0, 4);
  }
  return std::nullopt;
}

// RFC 2131, 4.1: a client without an address asks everybody.
bool IsDhcpClient(const FrameCut& cut) {
  constexpr int64_t kClientToServer = 68 << 16 | 67;
  return cut.family() == 4 && cut.protocol() == 17 && PortPair(cut) == kClientToServer &&
         Ipv4Number(cut.Destination()) == 0xffffffff;
}

// RFC 9260, 3.3.2: an INIT without parameters has 20 bytes.
constexpr int64_t kInitBytes = 20;
bool IsInit(const FrameCut& cut, const Layer& chunk) { return cut.Known(chunk, 0, 1) == 1; }

constexpr auto kTransportRules = std::to_array<Rule>({
    // RFC 9293, 3.1; A4, A44, A45. Ports, offset and flags are needed.
    {Kind::kTcp, Reason::kFragmentTiny, "TCP header goes on in the next fragment",
     [](const FrameCut& cut, const Layer& tcp) { return IsCutByFragment(cut, tcp, 20); }},
    {Kind::kTcp, Reason::kTruncated, "TCP header cut",
     [](const FrameCut&, const Layer& tcp) { return IsCut(tcp, 20, 14); }},
    {Kind::kTcp, Reason::kMalformed, "data offset below 20",
     [](const FrameCut& cut, const Layer& tcp) { return TcpHeaderBytes(cut, tcp) < 20; }},
    {Kind::kTcp, Reason::kFragmentTiny, "TCP options go on in the next fragment",
     [](const FrameCut& cut, const Layer& tcp) {
       return IsCutByFragment(cut, tcp, TcpHeaderBytes(cut, tcp));
     }},
    {Kind::kTcp, Reason::kMalformed, "data offset beyond the packet",
     [](const FrameCut& cut, const Layer& tcp) { return TcpHeaderBytes(cut, tcp) > tcp.sent; }},
    // A63. RFC 9293, 3.5 and 3.10: what opens does not close; what is no SYN and no RST has ACK.
    {Kind::kTcp, Reason::kTcpFlags, "SYN with FIN or RST",
     [](const FrameCut& cut, const Layer& tcp) {
       return (TcpFlags(cut, tcp) & kSyn) != 0 && (TcpFlags(cut, tcp) & (kFin | kRst)) != 0;
     }},
    {Kind::kTcp, Reason::kTcpFlags, "RST with FIN",
     [](const FrameCut& cut, const Layer& tcp) {
       return (TcpFlags(cut, tcp) & (kRst | kFin)) == (kRst | kFin);
     }},
    {Kind::kTcp, Reason::kTcpFlags, "neither SYN, RST nor ACK",
     [](const FrameCut& cut, const Layer& tcp) {
       return (TcpFlags(cut, tcp) & (kSyn | kRst | kAck)) == 0;
     }},
    {Kind::kTcp, Reason::kTcpFlags, "RST with URG and no ACK",
     [](const FrameCut& cut, const Layer& tcp) {
       return (TcpFlags(cut, tcp) & (kRst | kUrg | kAck)) == (kRst | kUrg);
     }},
    // A48.
    {Kind::kTcp, Reason::kChecksum, "TCP checksum", IsTcpSumWrong},

    // RFC 792: the header and eight bytes; RFC 4443, 2.4: as much as fits (A77).
    {Kind::kQuotedTcp, Reason::kFragmentTiny, "quoted TCP header goes on in the next fragment",
     [](const FrameCut& cut, const Layer& tcp) { return IsCutByFragment(cut, tcp, 20); }},
    {Kind::kQuotedTcp, Reason::kTruncated, "quoted TCP header cut",
     [](const FrameCut&, const Layer& tcp) { return IsCut(tcp, 20, 8); }},

    // RFC 768; A45. Length 0 is for jumbograms alone (RFC 2675, 4).
    {Kind::kUdp, Reason::kFragmentTiny, "UDP header goes on in the next fragment",
     [](const FrameCut& cut, const Layer& udp) { return IsCutByFragment(cut, udp, 8); }},
    {Kind::kUdp, Reason::kTruncated, "UDP header cut",
     [](const FrameCut&, const Layer& udp) { return IsCut(udp, 8, 6); }},
    {Kind::kUdp, Reason::kMalformed, "UDP length below 8",
     [](const FrameCut& cut, const Layer& udp) { return cut.Known(udp, 4, 2) < 8; }},
    {Kind::kUdp, Reason::kMalformed, "UDP length beyond the packet",
     [](const FrameCut& cut, const Layer& udp) {
       return !cut.IsFirstPart() && cut.Known(udp, 4, 2) > udp.sent;
     }},

    // RFC 9260, 3.1; A14, A44. Ports are needed.
    {Kind::kSctp, Reason::kFragmentTiny, "SCTP header goes on in the next fragment",
     [](const FrameCut& cut, const Layer& sctp) { return IsCutByFragment(cut, sctp, 12); }},
    {Kind::kSctp, Reason::kTruncated, "SCTP header cut",
     [](const FrameCut&, const Layer& sctp) { return IsCut(sctp, 12, 4); }},
    // RFC 9260, 10: an error quotes the tag, too, so that a forged one can be told (A77).
    {Kind::kQuotedSctp, Reason::kFragmentTiny, "quoted SCTP header goes on in the next fragment",
     [](const FrameCut& cut, const Layer& sctp) { return IsCutByFragment(cut, sctp, 12); }},
    {Kind::kQuotedSctp, Reason::kTruncated, "quoted SCTP header cut",
     [](const FrameCut&, const Layer& sctp) { return IsCut(sctp, 12, 8); }},
    // RFC 9260, 8.5.1: an INIT has tag 0, and nothing else has (A80).
    {Kind::kSctpChunk, Reason::kMalformed, "INIT with a tag, or another chunk without",
     [](const FrameCut& cut, const Layer& chunk) {
       return IsInit(cut, chunk) != (cut.Known(*cut.Find(Kind::kSctp), 4, 4) == 0);
     }},
    {Kind::kSctpChunk, Reason::kMalformed, "INIT too short",
     [](const FrameCut& cut, const Layer& chunk) {
       return IsInit(cut, chunk) && cut.Known(chunk, 2, 2) < kInitBytes;
     }},
    {Kind::kSctpChunk, Reason::kMalformed, "INIT beyond the packet",
     [](const FrameCut& cut, const Layer& chunk) {
       return IsInit(cut, chunk) && !cut.IsFirstPart() && cut.Known(chunk, 2, 2) > chunk.sent;
     }},
    // RFC 9260, 6.10: INIT is not bundled. What is shorter than a chunk's header is padding.
    {Kind::kSctpChunk, Reason::kMalformed, "INIT with another chunk",
     [](const FrameCut& cut, const Layer& chunk) {
       return IsInit(cut, chunk) && chunk.sent - cut.Known(chunk, 2, 2) >= 4;
     }},

    // A47.
    {Kind::kForeignIcmp, Reason::kIcmpMismatch, "ICMP of the other family",
     [](const FrameCut&, const Layer&) { return true; }},
    // RFC 792, RFC 4443, 2.1; A44. Type and code are needed.
    {Kind::kIcmp, Reason::kFragmentTiny, "ICMP header goes on in the next fragment",
     [](const FrameCut& cut, const Layer& icmp) { return IsCutByFragment(cut, icmp, 8); }},
    {Kind::kIcmp, Reason::kTruncated, "ICMP header cut",
     [](const FrameCut&, const Layer& icmp) { return IsCut(icmp, 8, 2); }},
    {Kind::kIcmp, Reason::kNeighbourDiscovery, "ICMP redirect",  // A79
     [](const FrameCut& cut, const Layer& icmp) {
       return cut.family() == 4 && cut.Known(icmp, 0, 1) == 5;
     }},
    // The identifier tells its flow from others (A78).
    {Kind::kIcmpEcho, Reason::kTruncated, "echo without its identifier",
     [](const FrameCut&, const Layer& echo) { return echo.kept < 6; }},

    // A85: RFC 1122, 3.2.1.3 (a); RFC 4291, 2.5.2.
    {Kind::kEnds, Reason::kMartian, "from nobody, and no DHCP client",
     [](const FrameCut& cut, const Layer&) {
       return IsAllZero(cut.Source()) && !IsDhcpClient(cut);
     }},
    // A86: one end is the other.
    {Kind::kEnds, Reason::kLand, "equal addresses and ports",
     [](const FrameCut& cut, const Layer&) {
       const auto ports = PortPair(cut);
       return ports.has_value() && AreEqual(cut.Source(), cut.Destination()) &&
              *ports / 65536 == *ports % 65536;
     }},
});

}  // namespace

std::span<const Rule> TransportRules() { return kTransportRules; }

}  // namespace npf::testing
