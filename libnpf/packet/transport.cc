// TCP, UDP, SCTP, ICMP, and everything else as a protocol without ports.
#include <algorithm>
#include <cstring>

#include "packet/checksum.h"
#include "packet/frame.h"
#include "packet/plain.h"
#include "packet/sctp_chunks.h"
#include "packet/tcp_flags.h"

namespace npf::packet {
namespace {

constexpr uint8_t kIcmpEchoReply = 0;
constexpr uint8_t kIcmpRedirect = 5;
constexpr uint8_t kIcmpEcho = 8;
constexpr uint8_t kIcmpv6Echo = 128;
constexpr uint8_t kIcmpv6EchoReply = 129;

// The last checks that hold for every protocol. The ports, where there are any, are in the key.
void Finish(const Walk& walk) {
  const FlowKey& key = walk.parsed.key;
  if (UnspecifiedSourceIsWrong(key)) return walk.Deny(Reason::kMartian);
  if (walk.parsed.ports_known && EqualAddresses(key) && key.src_port == key.dst_port) {
    return walk.Deny(Reason::kLand);
  }
  walk.Judge();
}

void FinishFirst(Walk& walk) {
  walk.parsed.starts_connection = true;
  Finish(walk);
}

// Apart from what has no overlays to ask, which then has no registers to keep.
[[gnu::noinline]] void FinishUnlessTunnel(Walk& walk) {
  if (!ParseTunnel(walk)) FinishFirst(walk);
}

// Of protocols whose every packet may begin a connection, or be a tunnel.
void FinishOrEnter(Walk& walk) {
  if (walk.options.overlays != nullptr) return FinishUnlessTunnel(walk);
  FinishFirst(walk);
}

void ReadPorts(Walk& walk) {
  walk.parsed.key.src_port = walk.frame.U16(walk.offset);
  walk.parsed.key.dst_port = walk.frame.U16(walk.offset + 2);
  walk.parsed.ports_known = true;
}

// What no stack sends (A63).
bool TcpFlagsAreWrong(uint8_t flags) {
  const bool syn = (flags & kTcpSyn) != 0;
  const bool rst = (flags & kTcpRst) != 0;
  const bool fin = (flags & kTcpFin) != 0;
  if (syn && (rst || fin)) return true;
  if (rst && fin) return true;
  if (flags & kTcpAck) return false;
  if (!syn && !rst) return true;
  return rst && (flags & kTcpUrg) != 0;
}

// Only for a whole segment, all of it captured.
bool TcpChecksumIsWrong(const Walk& walk) {
  const FlowKey& key = walk.parsed.key;
  const uint32_t length = walk.frame.WireFrom(walk.offset);
  const uint32_t address_bytes = key.family == 4 ? 4 : 16;
  uint64_t sum = InternetSum(key.src, address_bytes) + InternetSum(key.dst, address_bytes);
  sum += uint64_t{kProtocolTcp} + length;
  sum += InternetSum(walk.frame.At(walk.offset), length);
  return FoldChecksum(sum) != 0;
}

void ParseQuotedTcp(Walk& walk) {
  constexpr uint32_t kHeaderBytes = 20;
  constexpr uint32_t kNeededBytes = 8;  // ports, sequence number
  if (!walk.Require(kHeaderBytes, kNeededBytes)) return;
  ReadPorts(walk);
  walk.parsed.tcp_sequence = walk.frame.U32(walk.offset + 4);
  Finish(walk);
}

// RFC 7323, 2.2. What is no proper list of options offers nothing.
uint8_t WindowScaleOf(const Frame& frame, uint32_t at, uint32_t end) {
  constexpr uint8_t kEnd = 0, kNothing = 1, kWindowScale = 3;
  if (!frame.Has(0, end)) return kTcpWindowScaleMax;
  while (at < end && frame.U8(at) != kEnd) {
    if (frame.U8(at) == kNothing) {
      ++at;
      continue;
    }
    const uint32_t length = at + 1 < end ? frame.U8(at + 1) : 0;
    if (length < 2 || length > end - at) break;
    if (frame.U8(at) == kWindowScale && length == 3) {
      return std::min(frame.U8(at + 2), kTcpWindowScaleMax);
    }
    at += length;
  }
  return kNoTcpWindowScale;
}

// What connection tracking asks for, as far as it was captured; a window that was not is any.
void ReadTcpWindow(Walk& walk, uint32_t header_bytes) {
  constexpr uint32_t kHeaderBytes = 20;
  ParsedPacket& parsed = walk.parsed;
  parsed.tcp_window = walk.frame.Has(walk.offset, 16) ? walk.frame.U16(walk.offset + 14) : 0xffff;
  if ((parsed.tcp_flags & kTcpSyn) == 0) return;
  parsed.tcp_window_scale =
      WindowScaleOf(walk.frame, walk.offset + kHeaderBytes, walk.offset + header_bytes);
}

void ParseTcp(Walk& walk) {
  constexpr uint32_t kHeaderBytes = 20;
  constexpr uint32_t kNeededBytes = 14;  // ports, data offset, flags
  if (walk.quoted) return ParseQuotedTcp(walk);
  if (!walk.Require(kHeaderBytes, kNeededBytes)) return;
  ReadPorts(walk);
  const uint32_t data_offset = uint32_t{walk.frame.U8(walk.offset + 12)} / 16 * 4;
  const uint32_t payload = walk.frame.WireFrom(walk.offset);
  if (data_offset < kHeaderBytes) return walk.Deny(Reason::kMalformed);
  if (data_offset > payload) {
    return walk.Deny(walk.first_fragment ? Reason::kFragmentTiny : Reason::kMalformed);
  }
  const uint8_t flags = walk.frame.U8(walk.offset + 13);
  walk.parsed.tcp_flags = flags;
  walk.parsed.tcp_sequence = walk.frame.U32(walk.offset + 4);
  walk.parsed.tcp_acknowledgement = walk.frame.U32(walk.offset + 8);
  walk.parsed.tcp_length =
      payload - data_offset + ((flags & kTcpSyn) != 0 ? 1 : 0) + ((flags & kTcpFin) != 0 ? 1 : 0);
  if (TcpFlagsAreWrong(flags)) return walk.Deny(Reason::kTcpFlags);
  const bool changes_state = (flags & (kTcpSyn | kTcpFin | kTcpRst)) != 0;
  if (changes_state && walk.options.checksums == Checksums::kVerify && !walk.first_fragment &&
      walk.frame.Has(walk.offset, payload) && TcpChecksumIsWrong(walk)) {
    return walk.Deny(Reason::kChecksum);
  }
  ReadTcpWindow(walk, data_offset);
  walk.parsed.starts_connection = (flags & kTcpSyn) != 0 && (flags & kTcpAck) == 0;
  Finish(walk);
}

void ParseUdp(Walk& walk) {
  constexpr uint32_t kHeaderBytes = 8;
  constexpr uint32_t kNeededBytes = 6;  // ports, length
  if (!walk.Require(kHeaderBytes, kNeededBytes)) return;
  ReadPorts(walk);
  const uint32_t length = walk.frame.U16(walk.offset + 4);
  if (length < kHeaderBytes) return walk.Deny(Reason::kMalformed);
  if (!walk.first_fragment && length > walk.frame.WireFrom(walk.offset)) {
    return walk.Deny(Reason::kMalformed);
  }
  FinishOrEnter(walk);
}

// An association begins with an INIT, alone in its packet, under tag 0, which nothing else bears
// (RFC 9260, 6.10 and 8.5.1; A80).
Reason CheckFirstChunk(const Walk& walk, uint32_t chunk) {
  constexpr uint32_t kInitBytes = 20;
  const Frame& frame = walk.frame;
  const bool init = frame.U8(chunk) == kSctpInit;
  const bool tag_is_zero = frame.U32(walk.offset + 4) == 0;
  if (init != tag_is_zero) return Reason::kMalformed;
  if (!init) return Reason::kPolicy;
  const uint32_t length = frame.U16(chunk + 2);
  const uint32_t sent = frame.WireFrom(chunk);
  const bool whole = length <= sent || walk.first_fragment;  // the rest of it is in the next one
  const bool bundled = length <= sent && sent - length >= 4;
  return length >= kInitBytes && whole && !bundled ? Reason::kPolicy : Reason::kMalformed;
}

void ReadSctpTags(const Walk& walk, uint32_t chunk) {
  const Frame& frame = walk.frame;
  ParsedPacket& parsed = walk.parsed;
  parsed.sctp_tag = frame.U32(walk.offset + 4);
  parsed.sctp_chunk = frame.U8(chunk);
  parsed.sctp_chunk_flags = frame.U8(chunk + 1);
  const bool chooses = parsed.sctp_chunk == kSctpInit || parsed.sctp_chunk == kSctpInitAck;
  parsed.sctp_known = !chooses || frame.Has(chunk, 8);
  if (chooses && parsed.sctp_known) parsed.sctp_initiate_tag = frame.U32(chunk + 4);
}

void ParseSctp(Walk& walk) {
  constexpr uint32_t kHeaderBytes = 12;
  constexpr uint32_t kPortBytes = 4;
  constexpr uint32_t kChunkHeaderBytes = 4;
  constexpr uint32_t kTagBytes = 8;  // an ICMP error quotes the tag, too
  if (!walk.Require(kHeaderBytes, walk.quoted ? kTagBytes : kPortBytes)) return;
  ReadPorts(walk);
  if (walk.quoted) {
    walk.parsed.sctp_tag = walk.frame.U32(walk.offset + 4);
    return Finish(walk);
  }
  const uint32_t chunk = walk.offset + kHeaderBytes;
  if (walk.frame.Has(chunk, kChunkHeaderBytes)) {
    const Reason fault = CheckFirstChunk(walk, chunk);
    if (fault != Reason::kPolicy) return walk.Deny(fault);
    walk.parsed.starts_connection = walk.frame.U8(chunk) == kSctpInit;
    ReadSctpTags(walk, chunk);
  }
  Finish(walk);
}

// Those that quote a packet (RFC 792; RFC 4443, 2.1).
bool IsIcmpError(uint8_t type, bool v6) {
  if (v6) return type >= 1 && type <= 4;
  return type == 3 || type == 4 || type == 11 || type == 12;
}

void ParseIcmp(Walk& walk) {
  constexpr uint32_t kHeaderBytes = 8;
  if (!walk.Require(kHeaderBytes, 2)) return;
  const uint8_t type = walk.frame.U8(walk.offset);
  const bool v6 = walk.protocol == kProtocolIcmpv6;
  walk.parsed.icmp_type = type;
  const bool control = (type >= 130 && type <= 137) || type == 143;
  if (v6 && control) return ParseIcmpv6Control(walk);
  if (!v6 && type == kIcmpRedirect) return walk.Deny(Reason::kNeighbourDiscovery);
  const bool echo = type == (v6 ? kIcmpv6Echo : kIcmpEcho);
  const bool echo_reply = type == (v6 ? kIcmpv6EchoReply : kIcmpEchoReply);
  if (echo || echo_reply) {
    if (!walk.Require(kHeaderBytes, 6)) return;
    walk.parsed.key.src_port = walk.frame.U16(walk.offset + 4);  // tells its flow from others
  }
  if (IsIcmpError(type, v6) && !walk.first_fragment &&
      walk.frame.captured() > walk.offset + kHeaderBytes) {
    walk.parsed.quoted_offset = static_cast<uint16_t>(walk.offset + kHeaderBytes);
    walk.parsed.quoted_bytes =
        static_cast<uint16_t>(walk.frame.captured() - walk.parsed.quoted_offset);
  }
  walk.parsed.starts_connection = !echo_reply;
  Finish(walk);
}

}  // namespace

bool UnspecifiedSourceIsWrong(const FlowKey& key) {
  static constexpr uint8_t kBroadcast[4] = {255, 255, 255, 255};
  if (!HasUnspecifiedSource(key)) return false;
  const bool dhcp = key.family == 4 && key.protocol == kProtocolUdp && key.src_port == 68 &&
                    key.dst_port == 67 && std::memcmp(key.dst, kBroadcast, 4) == 0;
  return !dhcp;
}

void DescribeSyn(const PacketView& view, ParsedPacket& parsed) {
  constexpr uint32_t kHeaderBytes = 20;
  const uint32_t at = parsed.l4_offset;
  const uint32_t data_offset = uint32_t{view.data[at + 12]} / 16 * 4;
  parsed.tcp_window_scale = WindowScaleOf(Frame(view), at + kHeaderBytes, at + data_offset);
}

void ParseTransport(Walk& walk) {
  const uint8_t protocol = walk.protocol;
  const bool v4 = walk.parsed.key.family == 4;
  switch (protocol) {
    case kProtocolTcp:
      return ParseTcp(walk);
    case kProtocolUdp:
      return ParseUdp(walk);
    case kProtocolSctp:
      return ParseSctp(walk);
    case kProtocolIcmp:
    case kProtocolIcmpv6:
      if (v4 != (protocol == kProtocolIcmp)) return walk.Deny(Reason::kIcmpMismatch);
      return ParseIcmp(walk);
    default:
      return FinishOrEnter(walk);
  }
}

}  // namespace npf::packet
