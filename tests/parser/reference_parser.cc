#include "parser/reference_parser.h"

#include <algorithm>
#include <array>
#include <iomanip>
#include <sstream>

namespace npf::testing {
namespace {

using Kind = LayerKind;

// The layers up to the one whose rule is broken, which has no say any more.
std::span<const Layer> Understood(const FrameCut& cut, const std::optional<Finding>& finding) {
  const std::span<const Layer> layers = cut.layers();
  return finding.has_value() ? layers.first(finding->layer) : layers;
}

const Layer* FindIn(std::span<const Layer> layers, Kind kind) {
  const auto found = std::find_if(layers.begin(), layers.end(),
                                  [&](const Layer& layer) { return layer.kind == kind; });
  return found == layers.end() ? nullptr : &*found;
}

void FillAddresses(const FrameCut& cut, FlowKey& key) {
  key.family = static_cast<uint8_t>(cut.family());
  std::copy(cut.Source().begin(), cut.Source().end(), key.src);
  std::copy(cut.Destination().begin(), cut.Destination().end(), key.dst);
}

void FillPart(const FrameCut& cut, const Layer& payload, ParsedPacket& parsed) {
  const Part& part = *cut.part();
  parsed.fragment = true;
  parsed.fragment_more = part.more;
  parsed.fragment_begin = static_cast<uint16_t>(part.offset / 8);
  parsed.fragment_end = static_cast<uint16_t>((part.offset + part.payload + 7) / 8);
  parsed.fragment_protocol = static_cast<uint8_t>(part.protocol);
  parsed.fragment_id = static_cast<uint32_t>(part.id);
  parsed.fragment_at = static_cast<uint16_t>(payload.begin);
  parsed.fragment_bytes = static_cast<uint16_t>(part.payload);
}

// What is known of any frame, denied or not.
void FillUnderstood(const FrameCut& cut, std::span<const Layer> layers, ParsedPacket& parsed) {
  for (const Layer& layer : layers) {
    if (layer.kind != Kind::kTag) continue;
    const auto identifier = static_cast<uint32_t>(cut.Known(layer, 0, 2) % 4096);
    parsed.network = parsed.network * 65536 + identifier;
  }
  const bool has_addresses =
      FindIn(layers, Kind::kIpv4) != nullptr || FindIn(layers, Kind::kIpv6) != nullptr;
  if (has_addresses) FillAddresses(cut, parsed.key);
  if (const Layer* const part = FindIn(layers, Kind::kPart)) FillPart(cut, *part, parsed);
}

void FillPorts(const FrameCut& cut, const Layer& header, ParsedPacket& parsed) {
  parsed.key.src_port = static_cast<uint16_t>(cut.Known(header, 0, 2));
  parsed.key.dst_port = static_cast<uint16_t>(cut.Known(header, 2, 2));
  parsed.ports_known = true;
}

// RFC 9293, 3.1: an option is one octet, or a kind, a length that counts both, and the rest; what
// is no such list says nothing. RFC 7323, 2.2 and 2.3: kind 3 of three octets, at most 14.
int64_t WindowScale(const FrameCut& cut, const Layer& tcp) {
  const int64_t end = cut.Known(tcp, 12, 1) / 16 * 4;
  if (tcp.kept < end) return kTcpWindowScaleMax;
  for (int64_t at = 20; at < end;) {
    const int64_t kind = cut.Known(tcp, at, 1);
    if (kind == 0) break;
    if (kind == 1) {
      at += 1;
      continue;
    }
    if (at + 2 > end) break;
    const int64_t length = cut.Known(tcp, at + 1, 1);
    if (length < 2 || at + length > end) break;
    if (kind == 3 && length == 3) return std::min<int64_t>(cut.Known(tcp, at + 2, 1), 14);
    at += length;
  }
  return kNoTcpWindowScale;
}

// RFC 9293, 3.4: the length in sequence space counts SYN and FIN.
void FillTcp(const FrameCut& cut, const Layer& tcp, ParsedPacket& parsed) {
  const int64_t flags = cut.Known(tcp, 13, 1);
  const int64_t syn = flags / 2 % 2;
  const int64_t fin = flags % 2;
  const int64_t data = tcp.sent - cut.Known(tcp, 12, 1) / 16 * 4;
  parsed.tcp_flags = static_cast<uint8_t>(flags);
  parsed.tcp_sequence = static_cast<uint32_t>(cut.Known(tcp, 4, 4));
  parsed.tcp_acknowledgement = static_cast<uint32_t>(cut.Known(tcp, 8, 4));
  parsed.tcp_length = static_cast<uint32_t>(data + syn + fin);
  parsed.tcp_window = tcp.kept >= 16 ? static_cast<uint16_t>(cut.Known(tcp, 14, 2)) : 0xffff;
  if (syn == 1) parsed.tcp_window_scale = static_cast<uint8_t>(WindowScale(cut, tcp));
  parsed.starts_connection = syn == 1 && flags / 16 % 2 == 0;
}

// RFC 9260, 3.1 and 3.3.2: the tag, the first chunk's type and flags, and the tag that an INIT or
// INIT ACK chooses.
void FillSctp(const FrameCut& cut, const Layer& sctp, const Layer& chunk, ParsedPacket& parsed) {
  const int64_t type = cut.Known(chunk, 0, 1);
  parsed.starts_connection = type == 1;
  parsed.sctp_tag = static_cast<uint32_t>(cut.Known(sctp, 4, 4));
  parsed.sctp_chunk = static_cast<uint8_t>(type);
  parsed.sctp_chunk_flags = static_cast<uint8_t>(cut.Known(chunk, 1, 1));
  const bool chooses = type == 1 || type == 2;
  const auto initiate = cut.Number(chunk, 4, 4);
  parsed.sctp_known = !chooses || initiate.has_value();
  if (chooses) parsed.sctp_initiate_tag = static_cast<uint32_t>(initiate.value_or(0));
}

// RFC 792; RFC 4443, 2.1: those that quote what they are about.
bool IsError(const FrameCut& cut, int64_t type) {
  static constexpr std::array<int64_t, 4> kErrorsV4 = {3, 4, 11, 12};
  if (cut.family() == 6) return type >= 1 && type <= 4;
  return std::find(kErrorsV4.begin(), kErrorsV4.end(), type) != kErrorsV4.end();
}

void FillIcmp(const FrameCut& cut, const Layer& icmp, ParsedPacket& parsed) {
  const int64_t type = cut.Known(icmp, 0, 1);
  parsed.icmp_type = static_cast<uint8_t>(type);
  if (cut.Find(Kind::kIcmpEcho) != nullptr) {
    parsed.key.src_port = static_cast<uint16_t>(cut.Known(icmp, 4, 2));
  }
  if (IsError(cut, type) && !cut.IsFirstPart() && icmp.kept > 8) {
    parsed.quoted_offset = static_cast<uint16_t>(icmp.begin + 8);
    parsed.quoted_bytes = static_cast<uint16_t>(icmp.kept - 8);
  }
  const bool is_reply = type == (cut.family() == 4 ? 0 : 129);
  parsed.starts_connection = !is_reply;
}

void FillTransport(const FrameCut& cut, ParsedPacket& parsed) {
  if (const Layer* const tcp = cut.Find(Kind::kTcp)) {
    FillPorts(cut, *tcp, parsed);
    FillTcp(cut, *tcp, parsed);
  } else if (const Layer* const quoted = cut.Find(Kind::kQuotedTcp)) {
    FillPorts(cut, *quoted, parsed);
    parsed.tcp_sequence = static_cast<uint32_t>(cut.Known(*quoted, 4, 4));
  } else if (const Layer* const udp = cut.Find(Kind::kUdp)) {
    FillPorts(cut, *udp, parsed);
    parsed.starts_connection = true;
  } else if (const Layer* const sctp = cut.Find(Kind::kSctp)) {
    FillPorts(cut, *sctp, parsed);
    const Layer* const chunk = cut.Find(Kind::kSctpChunk);
    if (chunk != nullptr) FillSctp(cut, *sctp, *chunk, parsed);
  } else if (const Layer* const quoted_sctp = cut.Find(Kind::kQuotedSctp)) {
    FillPorts(cut, *quoted_sctp, parsed);
    parsed.sctp_tag = static_cast<uint32_t>(cut.Known(*quoted_sctp, 4, 4));
  } else if (const Layer* const icmp = cut.Find(Kind::kIcmp)) {
    FillIcmp(cut, *icmp, parsed);
  } else if (cut.Find(Kind::kOtherProtocol) != nullptr) {
    parsed.starts_connection = true;
  }
}

int64_t BeginOf(const FrameCut& cut, std::initializer_list<Kind> kinds) {
  for (const Kind kind : kinds) {
    if (const Layer* const layer = cut.Find(kind)) return layer->begin;
  }
  return 0;
}

// Nothing was wrong.
void FillGood(const FrameCut& cut, ParsedPacket& parsed) {
  const Kind last = cut.layers().back().kind;
  const bool control =
      last == Kind::kArp || last == Kind::kListener || last == Kind::kNeighbourBody;
  parsed.outcome = control ? ParseOutcome::kPass : ParseOutcome::kJudge;
  parsed.reason = control ? Reason::kLinkControl : Reason::kPolicy;
  parsed.l3_offset = static_cast<uint16_t>(BeginOf(cut, {Kind::kIpv4, Kind::kIpv6, Kind::kArp}));
  if (last == Kind::kArp) return;
  parsed.l4_offset = static_cast<uint16_t>(
      BeginOf(cut, {Kind::kLaterPart, Kind::kTcp, Kind::kQuotedTcp, Kind::kUdp, Kind::kSctp,
                    Kind::kQuotedSctp, Kind::kIcmp, Kind::kOtherProtocol}));
  parsed.key.protocol = static_cast<uint8_t>(cut.protocol());
  if (last == Kind::kLaterPart) {
    parsed.later_fragment = true;
    parsed.key.protocol = kProtocolUnknown;
    return;
  }
  FillTransport(cut, parsed);
  if (control) parsed.starts_connection = false;
}

struct ComparedField {
  std::string_view name;
  uint64_t (*of)(const ParsedPacket& p);
};
constexpr auto kFieldsOfAny = std::to_array<ComparedField>({
    {"outcome", [](const ParsedPacket& p) -> uint64_t { return static_cast<uint64_t>(p.outcome); }},
    {"family", [](const ParsedPacket& p) -> uint64_t { return p.key.family; }},
    {"network", [](const ParsedPacket& p) -> uint64_t { return p.network; }},
    {"captured_short", [](const ParsedPacket& p) -> uint64_t { return p.captured_short; }},
    {"fragment", [](const ParsedPacket& p) -> uint64_t { return p.fragment; }},
    {"fragment_more", [](const ParsedPacket& p) -> uint64_t { return p.fragment_more; }},
    {"fragment_begin", [](const ParsedPacket& p) -> uint64_t { return p.fragment_begin; }},
    {"fragment_end", [](const ParsedPacket& p) -> uint64_t { return p.fragment_end; }},
    {"fragment_protocol", [](const ParsedPacket& p) -> uint64_t { return p.fragment_protocol; }},
    {"fragment_id", [](const ParsedPacket& p) -> uint64_t { return p.fragment_id; }},
    {"fragment_at", [](const ParsedPacket& p) -> uint64_t { return p.fragment_at; }},
    {"fragment_bytes", [](const ParsedPacket& p) -> uint64_t { return p.fragment_bytes; }},
});
constexpr auto kFieldsOfGood = std::to_array<ComparedField>({
    {"protocol", [](const ParsedPacket& p) -> uint64_t { return p.key.protocol; }},
    {"src_port", [](const ParsedPacket& p) -> uint64_t { return p.key.src_port; }},
    {"dst_port", [](const ParsedPacket& p) -> uint64_t { return p.key.dst_port; }},
    {"ports_known", [](const ParsedPacket& p) -> uint64_t { return p.ports_known; }},
    {"tcp_flags", [](const ParsedPacket& p) -> uint64_t { return p.tcp_flags; }},
    {"tcp_sequence", [](const ParsedPacket& p) -> uint64_t { return p.tcp_sequence; }},
    {"tcp_acknowledgement",
     [](const ParsedPacket& p) -> uint64_t { return p.tcp_acknowledgement; }},
    {"tcp_length", [](const ParsedPacket& p) -> uint64_t { return p.tcp_length; }},
    {"tcp_window", [](const ParsedPacket& p) -> uint64_t { return p.tcp_window; }},
    {"tcp_window_scale", [](const ParsedPacket& p) -> uint64_t { return p.tcp_window_scale; }},
    {"sctp_known", [](const ParsedPacket& p) -> uint64_t { return p.sctp_known; }},
    {"sctp_tag", [](const ParsedPacket& p) -> uint64_t { return p.sctp_tag; }},
    {"sctp_chunk", [](const ParsedPacket& p) -> uint64_t { return p.sctp_chunk; }},
    {"sctp_chunk_flags", [](const ParsedPacket& p) -> uint64_t { return p.sctp_chunk_flags; }},
    {"sctp_initiate_tag", [](const ParsedPacket& p) -> uint64_t { return p.sctp_initiate_tag; }},
    {"icmp_type", [](const ParsedPacket& p) -> uint64_t { return p.icmp_type; }},
    {"starts_connection", [](const ParsedPacket& p) -> uint64_t { return p.starts_connection; }},
    {"later_fragment", [](const ParsedPacket& p) -> uint64_t { return p.later_fragment; }},
    {"quoted_offset", [](const ParsedPacket& p) -> uint64_t { return p.quoted_offset; }},
    {"quoted_bytes", [](const ParsedPacket& p) -> uint64_t { return p.quoted_bytes; }},
    {"l3_offset", [](const ParsedPacket& p) -> uint64_t { return p.l3_offset; }},
    {"l4_offset", [](const ParsedPacket& p) -> uint64_t { return p.l4_offset; }},
});

void PrintHex(std::span<const uint8_t> bytes, std::ostream& out) {
  constexpr size_t kBytesMax = 400;
  out << std::hex << std::setfill('0');
  for (const uint8_t byte : bytes.first(std::min(bytes.size(), kBytesMax))) {
    out << std::setw(2) << int{byte};
  }
  out << std::dec << (bytes.size() > kBytesMax ? "...\n" : "\n");
}

}  // namespace

ReferenceAnswer ReferenceParse(const FrameCut& cut, const PacketView& view) {
  const std::optional<Finding> finding = FirstBroken(cut);
  ReferenceAnswer answer;
  ParsedPacket& parsed = answer.parsed;
  parsed.captured_short = view.wire_length > view.length;
  FillUnderstood(cut, Understood(cut, finding), parsed);
  if (finding.has_value()) {
    answer.rule = finding->rule;
    parsed.outcome = ParseOutcome::kDeny;
    parsed.reason = finding->reason;
  } else {
    FillGood(cut, parsed);
  }
  return answer;
}

ReferenceAnswer ReferenceParseQuoted(const PacketView& view, const ParsedPacket& error) {
  const FrameCut cut = FrameCut::OfQuoted(
      std::span(view.data, view.length).subspan(error.quoted_offset, error.quoted_bytes));
  ReferenceAnswer answer = ReferenceParse(cut, {});
  if (answer.parsed.key.family != error.key.family) {  // A77
    answer.parsed.outcome = ParseOutcome::kDeny;
    answer.parsed.reason = Reason::kIcmpMismatch;
  }
  return answer;
}

std::string Difference(const ParsedPacket& found, const ParsedPacket& expected) {
  std::ostringstream text;
  const auto compare = [&](std::span<const ComparedField> fields) {
    for (const ComparedField& field : fields) {
      const uint64_t is = field.of(found);
      const uint64_t should = field.of(expected);
      if (is != should) text << " " << field.name << " is " << is << ", not " << should << ";";
    }
  };
  if (found.reason != expected.reason) {
    text << " reason is " << Name(found.reason) << ", not " << Name(expected.reason) << ";";
  }
  if (!AreEqual(found.key.src, expected.key.src)) text << " another source;";
  if (!AreEqual(found.key.dst, expected.key.dst)) text << " another destination;";
  compare(kFieldsOfAny);
  if (expected.outcome != ParseOutcome::kDeny) compare(kFieldsOfGood);
  return text.str();
}

std::string Describe(const FrameCut& cut, const PacketView& view, const ReferenceAnswer& answer) {
  std::ostringstream text;
  text << "link " << static_cast<int>(cut.options().link) << ", vlan " << cut.options().vlan
       << ", checksums " << static_cast<int>(cut.options().checksums) << ", captured "
       << view.length << " of " << view.wire_length << "\n";
  for (const Layer& layer : cut.layers()) {
    text << "  " << NameOf(layer.kind) << " at " << layer.begin << ", sent " << layer.sent
         << ", kept " << layer.kept << "\n";
  }
  text << "decided by: "
       << (answer.rule.has_value() ? AllRules()[*answer.rule].says : "nothing wrong") << "\n";
  PrintHex({view.data, view.length}, text);
  return text.str();
}

}  // namespace npf::testing
