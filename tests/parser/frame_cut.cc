#include "parser/frame_cut.h"

#include <algorithm>
#include <array>

namespace npf::testing {
namespace {

constexpr int64_t kAddressBytesV4 = 4;
constexpr int64_t kAddressBytesV6 = 16;

// 802.1Q, 802.1ad, and what stood for the latter before it had a number.
bool IsTagType(int64_t type) { return type == 0x8100 || type == 0x88a8 || type == 0x9100; }

// The kinds of IPv6 header that are walked over (RFC 8200, 4; RFC 4302); nullopt: not one of them.
std::optional<LayerKind> ExtensionKind(int64_t protocol) {
  switch (protocol) {
    case 0:
      return LayerKind::kHopByHop;
    case 43:
      return LayerKind::kRouting;
    case 44:
      return LayerKind::kFragmentHeader;
    case 51:
      return LayerKind::kAuthentication;
    case 60:
      return LayerKind::kDestinationOptions;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::string_view NameOf(LayerKind kind) {
  static constexpr auto kNames = std::to_array<std::string_view>(
      {"Ethernet", "SLL",       "SLL2",        "loopback",    "raw",         "tag",
       "LLC",      "type",      "ARP",         "IPv4",        "IPv4 flags",  "IPv4 option",
       "IPv6",     "addresses", "hop-by-hop",  "dst options", "IPv6 option", "routing",
       "fragment", "AH",        "part",        "later part",  "TCP",         "quoted TCP",
       "UDP",      "SCTP",      "quoted SCTP", "SCTP chunk",  "ICMP",        "foreign ICMP",
       "echo",     "MLD",       "ND",          "ND option",   "ND body",     "other",
       "ends"});
  return kNames.at(static_cast<size_t>(kind));
}

int64_t NeighbourFixedBytes(int64_t type) {
  static constexpr std::array<int64_t, 5> kBytes = {8, 16, 24, 24, 40};  // from type 133 on
  return kBytes.at(static_cast<size_t>(type - 133));
}

FrameCut::FrameCut(const PacketView& view, const ParseOptions& options)
    : FrameCut({view.data, view.length}, std::max(view.length, view.wire_length), options, false) {}

FrameCut FrameCut::OfQuoted(std::span<const uint8_t> bytes) {
  const ParseOptions options{.link = LinkLayer::kRawIp, .checksums = Checksums::kIgnore};
  return FrameCut(bytes, 40 + 65535, options, true);
}

FrameCut::FrameCut(std::span<const uint8_t> bytes, int64_t sent, const ParseOptions& options,
                   bool quoted)
    : bytes_(bytes.begin(), bytes.end()),
      options_(options),
      quoted_(quoted),
      sent_end_(sent),
      kept_end_(static_cast<int64_t>(bytes.size())) {
  CutLink();
}

const Layer* FrameCut::Find(LayerKind kind) const {
  const auto found = std::find_if(layers_.begin(), layers_.end(),
                                  [&](const Layer& layer) { return layer.kind == kind; });
  return found == layers_.end() ? nullptr : &*found;
}

std::span<const uint8_t> FrameCut::Bytes(const Layer& layer, int64_t at, int64_t bytes) const {
  return std::span(bytes_).subspan(static_cast<size_t>(layer.begin + at),
                                   static_cast<size_t>(bytes));
}

std::optional<int64_t> FrameCut::Number(const Layer& layer, int64_t at, int64_t bytes) const {
  if (at + bytes > layer.kept) return std::nullopt;
  int64_t number = 0;
  for (const uint8_t byte : Bytes(layer, at, bytes)) number = number * 256 + byte;
  return number;
}

int64_t FrameCut::Known(const Layer& layer, int64_t at, int64_t bytes) const {
  return Number(layer, at, bytes).value();
}

std::span<const uint8_t> FrameCut::Source() const {
  return Bytes(*Find(LayerKind::kAddresses), 0, family_ == 4 ? kAddressBytesV4 : kAddressBytesV6);
}

std::span<const uint8_t> FrameCut::Destination() const {
  const int64_t bytes = family_ == 4 ? kAddressBytesV4 : kAddressBytesV6;
  return Bytes(*Find(LayerKind::kAddresses), bytes, bytes);
}

std::optional<int64_t> FrameCut::At(int64_t at, int64_t bytes) const {
  return Number({.begin = 0, .kept = kept_end_}, at, bytes);
}

Layer& FrameCut::Add(LayerKind kind, int64_t begin) {
  return layers_.emplace_back(Layer{.kind = kind,
                                    .begin = begin,
                                    .sent = std::max<int64_t>(0, sent_end_ - begin),
                                    .kept = std::max<int64_t>(0, kept_end_ - begin)});
}

void FrameCut::EndAt(int64_t end) {
  sent_end_ = std::min(sent_end_, end);
  kept_end_ = std::min(kept_end_, end);
}

// The link.

void FrameCut::CutLink() {
  const auto headed = [&](LayerKind kind, int64_t bytes, int64_t type_at) {
    Add(kind, 0);
    if (kept_end_ >= bytes) CutTyped(bytes, *At(type_at, 2));
  };
  switch (options_.link) {
    case LinkLayer::kEthernet:
      return headed(LayerKind::kEthernet, 14, 12);
    case LinkLayer::kLinuxSll:
      return headed(LayerKind::kLinuxSll, 16, 14);
    case LinkLayer::kLinuxSll2:
      return headed(LayerKind::kLinuxSll2, 20, 0);
    case LinkLayer::kNull:
    case LinkLayer::kLoop:
      return CutLoopback();
    case LinkLayer::kRawIp:
      Add(LayerKind::kRawStart, 0);
      if (kept_end_ == 0) return;
      if (*At(0, 1) / 16 == 4) CutIpv4(0);
      if (*At(0, 1) / 16 == 6) CutIpv6(0);
  }
}

void FrameCut::CutTyped(int64_t begin, int64_t type) {
  constexpr int64_t kTagsToCut = 3;  // the third is one too many
  for (int64_t tags = 0; IsTagType(type); ++tags) {
    Add(LayerKind::kTag, begin).number = tags;
    const auto next = At(begin + 2, 2);
    if (!next.has_value() || tags + 1 == kTagsToCut) return;
    type = *next;
    begin += 4;
  }
  if (type == 0x0800) return CutIpv4(begin);
  if (type == 0x86dd) return CutIpv6(begin);
  if (type == 0x0806) {
    Add(LayerKind::kArp, begin);
  } else {
    Add(type < 0x0600 ? LayerKind::kLlc : LayerKind::kUnknownType, begin);
  }
}

// The family is a number of the system that captured, in its byte order, or in network order.
void FrameCut::CutLoopback() {
  Add(LayerKind::kBsdLoopback, 0);
  const auto big = At(0, 4);
  if (!big.has_value()) return;
  const int64_t little = *At(3, 1) << 24 | *At(2, 1) << 16 | *At(1, 1) << 8 | *At(0, 1);
  const auto is = [&](int64_t family) {
    return *big == family || (options_.link == LinkLayer::kNull && little == family);
  };
  if (is(2)) CutIpv4(4);
  // AF_INET6 of Linux, of NetBSD and OpenBSD, of FreeBSD, of macOS.
  if (is(10) || is(24) || is(28) || is(30)) CutIpv6(4);
}

// IPv4.

void FrameCut::CutIpv4(int64_t begin) {
  Add(LayerKind::kIpv4, begin);
  if (kept_end_ - begin < 20) return;
  const int64_t header_bytes = *At(begin, 1) % 16 * 4;
  const int64_t total_bytes = *At(begin + 2, 2);
  if (header_bytes < 20 || total_bytes < header_bytes) return;
  EndAt(begin + total_bytes);
  family_ = 4;
  protocol_ = *At(begin + 9, 1);
  hop_limit_ = *At(begin + 8, 1);
  Add(LayerKind::kIpv4Flags, begin);
  const int64_t payload = begin + header_bytes;
  CutIpv4Options(begin + 20, payload);
  Add(LayerKind::kAddresses, begin + 12);
  const int64_t field = *At(begin + 6, 2);
  const Part part{.offset = field % 0x2000 * 8,
                  .payload = std::max<int64_t>(0, sent_end_ - payload),
                  .before = header_bytes,
                  .more = (field & 0x2000) != 0,
                  .protocol = protocol_,
                  .id = *At(begin + 4, 2)};
  if (part.offset != 0 || part.more) {
    part_ = part;
    Add(LayerKind::kPart, payload);
  }
  if (part.offset != 0) {
    Add(LayerKind::kLaterPart, payload);
  } else {
    CutTransport(payload);
  }
}

// RFC 791, 3.1: two options of one byte, one of which ends the list, and others with a length.
void FrameCut::CutIpv4Options(int64_t begin, int64_t end) {
  while (begin < end) {
    const auto type = At(begin, 1);
    if (!type.has_value() || *type == 0) return;
    if (*type == 1) {
      ++begin;
      continue;
    }
    Layer& option = Add(LayerKind::kIpv4Option, begin);
    option.sent = std::min(option.sent, end - begin);
    option.kept = std::min(option.kept, end - begin);
    const auto bytes = Number(option, 1, 1);
    if (!bytes.has_value() || *bytes < 2) return;
    begin += *bytes;
  }
}

// IPv6.

void FrameCut::CutIpv6(int64_t begin) {
  constexpr int64_t kHeaderBytes = 40;
  Add(LayerKind::kIpv6, begin);
  if (kept_end_ - begin < kHeaderBytes) return;
  EndAt(begin + kHeaderBytes + *At(begin + 4, 2));
  family_ = 6;
  protocol_ = *At(begin + 6, 1);
  hop_limit_ = *At(begin + 7, 1);
  Add(LayerKind::kAddresses, begin + 8);
  CutChain(begin + kHeaderBytes, begin + kHeaderBytes);
}

// The ninth header is one too many, so that nothing behind it counts.
void FrameCut::CutChain(int64_t begin, int64_t end_of_header) {
  constexpr int64_t kHeadersToCut = 9;
  for (int64_t number = 0; const auto kind = ExtensionKind(protocol_); ++number) {
    Add(*kind, begin).number = number;
    const auto length = At(begin + 1, 1);
    if (number + 1 == kHeadersToCut || !length.has_value()) return;
    int64_t bytes = (*length + 1) * 8;  // RFC 8200, 4.3, 4.4 and 4.6
    if (kind == LayerKind::kFragmentHeader) bytes = 8;
    if (kind == LayerKind::kAuthentication) bytes = (*length + 2) * 4;  // RFC 4302, 2.2
    if (begin + bytes > sent_end_) return;
    const bool goes_on = kind == LayerKind::kFragmentHeader
                             ? CutFragmentHeader(begin, end_of_header)
                             : CutExtensionHeader(begin, bytes);
    if (!goes_on) return;
    begin += bytes;
  }
  CutTransport(begin);
}

bool FrameCut::CutExtensionHeader(int64_t begin, int64_t bytes) {
  const LayerKind kind = layers_.back().kind;
  if (kind == LayerKind::kHopByHop || kind == LayerKind::kDestinationOptions) {
    CutIpv6Options(begin + 2, begin + bytes, protocol_);
  }
  const auto next = At(begin, 1);
  if (next.has_value()) protocol_ = *next;
  return next.has_value();
}

// RFC 8200, 4.5. An atomic fragment is a whole packet (RFC 6946).
bool FrameCut::CutFragmentHeader(int64_t begin, int64_t end_of_header) {
  const auto field = At(begin + 2, 2);
  const auto id = At(begin + 4, 4);
  if (!field.has_value() || !id.has_value()) return false;
  protocol_ = *At(begin, 1);
  const Part part{.offset = *field / 8 * 8,
                  .payload = sent_end_ - (begin + 8),
                  .before = begin - end_of_header,
                  .more = *field % 2 != 0,
                  .protocol = protocol_,
                  .id = *id};
  if (part.offset == 0 && !part.more) return true;
  if (!part_.has_value()) part_ = part;
  Add(LayerKind::kPart, begin + 8);
  if (part.offset == 0) return true;
  Add(LayerKind::kLaterPart, begin + 8);
  return false;
}

// RFC 8200, 4.2.
void FrameCut::CutIpv6Options(int64_t begin, int64_t end, int64_t header) {
  while (begin < end) {
    const auto type = At(begin, 1);
    if (!type.has_value()) return;
    if (*type == 0) {
      ++begin;
      continue;
    }
    Layer& option = Add(LayerKind::kIpv6Option, begin);
    option.number = header;
    option.sent = std::min(option.sent, end - begin);
    option.kept = std::min(option.kept, end - begin);
    const auto length = Number(option, 1, 1);
    if (!length.has_value()) return;
    begin += 2 + *length;
  }
}

// What IP carries.

void FrameCut::CutTransport(int64_t begin) {
  const int64_t icmp = family_ == 4 ? 1 : 58;
  const int64_t foreign_icmp = family_ == 4 ? 58 : 1;
  if (protocol_ == 6) {
    Add(quoted_ ? LayerKind::kQuotedTcp : LayerKind::kTcp, begin);
  } else if (protocol_ == 17) {
    Add(LayerKind::kUdp, begin);
  } else if (protocol_ == 132 && quoted_) {
    Add(LayerKind::kQuotedSctp, begin);
  } else if (protocol_ == 132) {
    Add(LayerKind::kSctp, begin);
    if (kept_end_ - begin >= 16) Add(LayerKind::kSctpChunk, begin + 12);
  } else if (protocol_ == foreign_icmp) {
    Add(LayerKind::kForeignIcmp, begin);
  } else if (protocol_ == icmp) {
    return CutIcmp(begin);
  } else {
    Add(LayerKind::kOtherProtocol, begin);
  }
  Add(LayerKind::kEnds, begin);
}

void FrameCut::CutIcmp(int64_t begin) {
  Add(LayerKind::kIcmp, begin);
  const auto type = At(begin, 1);
  if (!type.has_value()) return;
  if (family_ == 6 && *type >= 133 && *type <= 137) return CutNeighbour(begin, *type);
  if (family_ == 6 && ((*type >= 130 && *type <= 132) || *type == 143)) {
    Add(LayerKind::kListener, begin);
    return;
  }
  const bool echo = family_ == 4 ? *type == 8 || *type == 0 : *type == 128 || *type == 129;
  if (echo) Add(LayerKind::kIcmpEcho, begin);
  Add(LayerKind::kEnds, begin);
}

// RFC 4861, 4.6: a type, and a length in units of eight bytes, which is not 0.
void FrameCut::CutNeighbour(int64_t begin, int64_t type) {
  Add(LayerKind::kNeighbour, begin);
  int64_t at = begin + NeighbourFixedBytes(type);
  while (at < sent_end_) {
    const Layer option = Add(LayerKind::kNeighbourOption, at);
    const auto units = Number(option, 1, 1);
    if (!units.has_value() || *units == 0) break;
    at += *units * 8;
  }
  Add(LayerKind::kNeighbourBody, begin);
}

}  // namespace npf::testing
