#include "simulator/wire.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace npf::simulator {
namespace {

constexpr uint32_t kTcpBytes = 20;
constexpr uint32_t kScaleOptionBytes = 4;
constexpr uint32_t kUdpBytes = 8;
constexpr uint32_t kSctpBytes = 12 + 20;  // with a chunk as long as an INIT
constexpr uint32_t kIcmpBytes = 8;
constexpr uint32_t kQuotedBytes = 8;  // of transport

class Writer {
 public:
  explicit Writer(BuiltFrame& frame) : frame_(frame) { frame_.length = 0; }
  Writer& U8(uint32_t value) {
    frame_.bytes.at(frame_.length++) = static_cast<uint8_t>(value);
    return *this;
  }
  Writer& U16(uint32_t value) { return U8(value >> 8).U8(value); }
  Writer& U32(uint32_t value) { return U16(value >> 16).U16(value); }
  Writer& Zeros(uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) U8(0);
    return *this;
  }
  void Address(uint8_t family, uint8_t host) {
    if (family == 4) {
      U32(0x0a000001u + host);
    } else {
      U16(0xfd00).Zeros(12).U16(host + 1u);
    }
  }
  // Of the bytes from `from` on, whose own place is zero.
  void PutChecksum(uint32_t from, uint32_t count, uint32_t at) {
    uint32_t sum = 0;
    for (uint32_t i = from; i < from + count; i += 2) {
      sum += uint32_t{frame_.bytes[i]} << 8 | frame_.bytes[i + 1];
    }
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    frame_.bytes[at] = static_cast<uint8_t>(~sum >> 8);
    frame_.bytes[at + 1] = static_cast<uint8_t>(~sum);
  }
  void CutTo(uint32_t length) { frame_.length = std::min(frame_.length, length); }
  uint32_t length() const { return frame_.length; }

 private:
  BuiltFrame& frame_;
};

void WriteIpv4(const Wire& wire, uint32_t payload, Writer& out) {
  const Key& key = wire.key;
  const Part part = wire.part.value_or(Part{});
  const uint32_t begin = out.length();
  out.U16(0x4500).U16(20 + payload).U16(part.id).U16(part.begin / 8 | (part.more ? 0x2000u : 0u));
  out.U8(64).U8(key.protocol).U16(0);
  out.Address(4, key.src);
  out.Address(4, key.dst);
  out.PutChecksum(begin, 20, begin + 10);
}

void WriteIpv6(const Wire& wire, uint32_t payload, Writer& out) {
  const Key& key = wire.key;
  const uint32_t header = wire.part.has_value() ? 8 : 0;
  out.U32(0x60000000).U16(payload + header).U8(header != 0 ? 44u : key.protocol).U8(64);
  out.Address(6, key.src);
  out.Address(6, key.dst);
  if (!wire.part.has_value()) return;
  out.U8(key.protocol).U8(0).U16(wire.part->begin | (wire.part->more ? 1 : 0)).U32(wire.part->id);
}

void WriteTcp(const Wire& wire, Writer& out) {
  const bool scaled = wire.Has(kSyn) && wire.scale != kNoScale;
  out.U16(wire.key.src_port).U16(wire.key.dst_port).U32(wire.sequence).U32(wire.acknowledgement);
  out.U8(scaled ? 0x60 : 0x50).U8(wire.flags).U16(wire.window).U32(0);
  if (scaled) out.U8(1).U8(3).U8(3).U8(static_cast<uint32_t>(wire.scale));
}

void WriteSctp(const Wire& wire, Writer& out) {
  out.U16(wire.key.src_port).U16(wire.key.dst_port).U32(wire.tag).U32(0);
  out.U8(wire.chunk).U8(wire.reflected ? 1 : 0).U16(20).U32(wire.initiate_tag).Zeros(12);
}

void WriteIpAndTransport(const Wire& wire, Writer& out);

void WriteIcmp(const Wire& wire, Writer& out) {
  const bool v6 = wire.key.protocol == kProtocolIcmpv6;
  switch (wire.icmp) {
    case Icmp::kRequest:
      out.U8(v6 ? 128 : 8).U8(0).U16(0).U16(wire.key.src_port).U16(0);
      return;
    case Icmp::kReply:
      out.U8(v6 ? 129 : 0).U8(0).U16(0).U16(wire.key.src_port).U16(0);
      return;
    case Icmp::kTimestamp:
      out.U8(v6 ? 200 : 13).U8(0).U16(0).U32(0);
      return;
    case Icmp::kError:
      out.U8(v6 ? 1 : 3).U8(0).U16(0).U32(0);
      if (wire.quoted != nullptr) WriteIpAndTransport(*wire.quoted, out);
      return;
  }
}

void WriteTransport(const Wire& wire, Writer& out) {
  switch (wire.key.protocol) {
    case kProtocolTcp:
      return WriteTcp(wire, out);
    case kProtocolUdp:
      out.U16(wire.key.src_port).U16(wire.key.dst_port).U16(kUdpBytes + wire.data).U16(0);
      return;
    case kProtocolSctp:
      return WriteSctp(wire, out);
    case kProtocolIcmp:
    case kProtocolIcmpv6:
      return WriteIcmp(wire, out);
    default:
      return;
  }
}

uint32_t QuoteBytes(const Wire& quoted) {
  const uint32_t fragment = quoted.part.has_value() ? 8 : 0;
  return (quoted.key.family == 4 ? 20 : 40 + fragment) + kQuotedBytes;
}

uint32_t DataBytes(const Wire& wire) {
  if (wire.quoted != nullptr) return QuoteBytes(*wire.quoted);
  const bool has_data = wire.key.protocol != kProtocolSctp;
  return has_data ? wire.data : 0;
}

// Bytes that stand there beside those that are told are zeros that were not captured.
void WriteIpAndTransport(const Wire& wire, Writer& out) {
  const uint32_t whole = TransportHeaderBytes(wire) + DataBytes(wire);
  const Part part = wire.part.value_or(Part{.begin = 0, .end = whole});
  const uint32_t payload = part.end - part.begin;
  wire.key.family == 4 ? WriteIpv4(wire, payload, out) : WriteIpv6(wire, payload, out);
  const uint32_t transport = out.length();
  if (part.begin == 0) WriteTransport(wire, out);
  out.CutTo(transport + part.end - part.begin);
}

const char* ProtocolName(uint8_t protocol) {
  switch (protocol) {
    case kProtocolTcp:
      return "TCP";
    case kProtocolUdp:
      return "UDP";
    case kProtocolSctp:
      return "SCTP";
    case kProtocolIcmp:
      return "ICMP";
    case kProtocolIcmpv6:
      return "ICMPv6";
    default:
      return "other";
  }
}

std::string TcpText(const Wire& wire) {
  std::string text = " ";
  for (const auto& [flag, name] : {std::pair{kSyn, 'S'}, {kFin, 'F'}, {kRst, 'R'}, {kAck, 'A'}}) {
    if (wire.Has(flag)) text += name;
  }
  absl::StrAppend(&text, " seq ", wire.sequence, " bytes ", wire.data);
  if (wire.Has(kAck)) absl::StrAppend(&text, " ack ", wire.acknowledgement);
  absl::StrAppend(&text, " win ", wire.window);
  if (wire.scale != kNoScale) absl::StrAppend(&text, " scale ", wire.scale);
  return text;
}

std::string IcmpText(const Wire& wire) {
  static constexpr const char* kNames[] = {" echo", " echo reply", " error", " timestamp"};
  std::string text = kNames[static_cast<size_t>(wire.icmp)];
  if (wire.quoted != nullptr) absl::StrAppend(&text, " about {", ToString(*wire.quoted), "}");
  return text;
}

}  // namespace

uint32_t TransportHeaderBytes(const Wire& wire) {
  switch (wire.key.protocol) {
    case kProtocolTcp:
      return kTcpBytes + (wire.Has(kSyn) && wire.scale != kNoScale ? kScaleOptionBytes : 0);
    case kProtocolUdp:
      return kUdpBytes;
    case kProtocolSctp:
      return kSctpBytes;
    case kProtocolIcmp:
    case kProtocolIcmpv6:
      return kIcmpBytes;
    default:
      return 0;
  }
}

bool Wire::Starts() const {
  if (key.protocol == kProtocolTcp) return Has(kSyn) && !Has(kAck);
  if (key.protocol == kProtocolSctp) return chunk == kInit;
  return !IsEcho() || icmp == Icmp::kRequest;
}

bool Wire::SaysItStarts() const {
  const uint8_t protocol = key.protocol;
  const bool marked = protocol == kProtocolTcp || protocol == kProtocolSctp || IsEcho();
  return marked && Starts();
}

void Build(const Wire& wire, BuiltFrame& frame) {
  Writer out(frame);
  const uint32_t ethertype = wire.key.family == 4 ? 0x0800 : 0x86dd;
  frame.link = wire.raw ? LinkLayer::kRawIp : LinkLayer::kEthernet;
  if (!wire.raw) out.Zeros(12);
  if (!wire.raw && wire.vlan != 0) out.U16(0x8100).U16(wire.vlan);
  if (!wire.raw) out.U16(ethertype);
  const uint32_t link_bytes = out.length();
  WriteIpAndTransport(wire, out);
  const uint32_t whole = TransportHeaderBytes(wire) + DataBytes(wire);
  const uint32_t payload = wire.part.has_value() ? wire.part->end - wire.part->begin : whole;
  const uint32_t fragment_header = wire.part.has_value() ? 8 : 0;
  frame.wire_length = link_bytes + (wire.key.family == 4 ? 20 : 40 + fragment_header) + payload;
  frame.length = std::min(frame.length, frame.wire_length);
}

std::string ToString(const Key& key) {
  return absl::StrCat("v", key.family, " ", ProtocolName(key.protocol), " ", key.src, ":",
                      key.src_port, " > ", key.dst, ":", key.dst_port);
}

std::string ToString(const Wire& wire) {
  std::string text = ToString(wire.key);
  if (wire.key.protocol == kProtocolTcp) text += TcpText(wire);
  if (wire.key.protocol == kProtocolSctp) {
    absl::StrAppend(&text, " chunk ", wire.chunk, wire.reflected ? "T" : "", " tag ", wire.tag,
                    " mine ", wire.initiate_tag);
  }
  if (wire.IsIcmp()) text += IcmpText(wire);
  if (wire.part.has_value()) {
    absl::StrAppend(&text, " part ", wire.part->begin, "-", wire.part->end,
                    wire.part->more ? " more" : " last", " of ", wire.part->id);
  }
  if (wire.vlan != 0) absl::StrAppend(&text, " vlan ", wire.vlan);
  if (wire.raw) text += " raw";
  return text;
}

}  // namespace npf::simulator
