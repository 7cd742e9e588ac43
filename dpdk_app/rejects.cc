#include "rejects.h"

#include <rte_ether.h>
#include <rte_icmp.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_tcp.h>

#include <algorithm>
#include <cstring>

#include "npf/flow.h"

namespace npf::appliance {
namespace {

constexpr uint8_t kTtl = 64;
constexpr size_t kQuotedMax = 128;  // of the packet that an ICMP error is about, from its IP header
constexpr uint8_t kIcmpUnreachable = 3;
constexpr uint8_t kIcmpProhibited = 13;
constexpr uint8_t kIcmpv6Unreachable = 1;
constexpr uint8_t kIcmpv6Prohibited = 1;

// How long the link header is, tags and all; 0 where there is no IP packet behind it.
size_t LinkBytes(const uint8_t* data, size_t length) {
  for (size_t at = 12; at + 2 <= length && at <= 20; at += 4) {
    const unsigned type = unsigned{data[at]} << 8 | data[at + 1];
    if (type == RTE_ETHER_TYPE_IPV4 || type == RTE_ETHER_TYPE_IPV6) return at + 2;
    if (type != RTE_ETHER_TYPE_VLAN && type != RTE_ETHER_TYPE_QINQ) return 0;
  }
  return 0;
}

bool IsAnswered(const rte_mbuf& frame, const ParsedPacket& packet) {
  const auto* const ethernet = rte_pktmbuf_mtod(&frame, const rte_ether_hdr*);
  if (packet.fragment || packet.overlay != 0 || packet.captured_short) return false;
  if (rte_is_multicast_ether_addr(&ethernet->dst_addr) != 0) return false;
  const FlowKey& key = packet.key;
  const bool v4 = key.family == 4;
  if (key.src[0] == 0 && v4) return false;
  if (v4 ? key.src[0] >= 224 || key.dst[0] >= 224 : key.src[0] == 0xff || key.dst[0] == 0xff) {
    return false;
  }
  if (key.protocol == kProtocolTcp) return (packet.tcp_flags & RTE_TCP_RST_FLAG) == 0;
  if (!IsIcmp(key.protocol)) return true;
  return packet.icmp_type == (v4 ? RTE_IP_ICMP_ECHO_REQUEST : 128);
}

// RFC 9293, 3.5.2: as from where nobody listens.
size_t WriteReset(const ParsedPacket& packet, uint8_t* out) {
  rte_tcp_hdr header{};
  header.src_port = rte_cpu_to_be_16(packet.key.dst_port);
  header.dst_port = rte_cpu_to_be_16(packet.key.src_port);
  header.data_off = sizeof header / 4 << 4;
  header.tcp_flags = RTE_TCP_RST_FLAG;
  if ((packet.tcp_flags & RTE_TCP_ACK_FLAG) != 0) {
    header.sent_seq = rte_cpu_to_be_32(packet.tcp_acknowledgement);
  } else {
    header.recv_ack = rte_cpu_to_be_32(packet.tcp_sequence + packet.tcp_length);
    header.tcp_flags |= RTE_TCP_ACK_FLAG;
  }
  std::memcpy(out, &header, sizeof header);
  return sizeof header;
}

size_t WriteIcmp(bool v4, const uint8_t* asked, size_t asked_bytes, uint8_t* out) {
  const size_t quoted = std::min(asked_bytes, kQuotedMax);
  std::memset(out, 0, 8);
  out[0] = v4 ? kIcmpUnreachable : kIcmpv6Unreachable;
  out[1] = v4 ? kIcmpProhibited : kIcmpv6Prohibited;
  std::memcpy(out + 8, asked, quoted);
  return 8 + quoted;
}

void Seal4(const rte_ipv4_hdr& asked, bool tcp, size_t bytes, uint8_t* packet) {
  auto* const ip = reinterpret_cast<rte_ipv4_hdr*>(packet);
  *ip = {};
  ip->version_ihl = RTE_IPV4_VHL_DEF;
  ip->total_length = rte_cpu_to_be_16(static_cast<uint16_t>(sizeof *ip + bytes));
  ip->time_to_live = kTtl;
  ip->next_proto_id = tcp ? kProtocolTcp : kProtocolIcmp;
  ip->src_addr = asked.dst_addr;
  ip->dst_addr = asked.src_addr;
  ip->hdr_checksum = rte_ipv4_cksum(ip);
  uint8_t* const payload = packet + sizeof *ip;
  if (tcp) {
    reinterpret_cast<rte_tcp_hdr*>(payload)->cksum = rte_ipv4_udptcp_cksum(ip, payload);
    return;
  }
  const auto sum = static_cast<uint16_t>(~rte_raw_cksum(payload, bytes));
  std::memcpy(payload + 2, &sum, sizeof sum);
}

void Seal6(const rte_ipv6_hdr& asked, bool tcp, size_t bytes, uint8_t* packet) {
  auto* const ip = reinterpret_cast<rte_ipv6_hdr*>(packet);
  *ip = {};
  ip->vtc_flow = rte_cpu_to_be_32(6u << 28);
  ip->payload_len = rte_cpu_to_be_16(static_cast<uint16_t>(bytes));
  ip->proto = tcp ? kProtocolTcp : kProtocolIcmpv6;
  ip->hop_limits = kTtl;
  std::memcpy(ip->src_addr, asked.dst_addr, sizeof ip->src_addr);
  std::memcpy(ip->dst_addr, asked.src_addr, sizeof ip->dst_addr);
  uint8_t* const payload = packet + sizeof *ip;
  const uint16_t sum = rte_ipv6_udptcp_cksum(ip, payload);
  std::memcpy(payload + (tcp ? offsetof(rte_tcp_hdr, cksum) : 2), &sum, sizeof sum);
}

}  // namespace

bool Rejects::HasTurn(uint64_t now_ns) {
  if (now_ns - second_ns_ >= kSecondNs) {
    second_ns_ = now_ns;
    given_ = 0;
  }
  return given_++ < kPerSecond;
}

rte_mbuf* Rejects::AnswerTo(const rte_mbuf& frame, const ParsedPacket& packet, uint64_t now_ns) {
  const auto* const asked = rte_pktmbuf_mtod(&frame, const uint8_t*);
  const size_t link = LinkBytes(asked, rte_pktmbuf_data_len(&frame));
  if (link == 0 || !IsAnswered(frame, packet) || !HasTurn(now_ns)) return nullptr;
  rte_mbuf* const answer = rte_pktmbuf_alloc(pool_);
  if (answer == nullptr) return nullptr;
  const bool v4 = packet.key.family == 4;
  const bool tcp = packet.key.protocol == kProtocolTcp;
  auto* const out = rte_pktmbuf_mtod(answer, uint8_t*);
  std::memcpy(out, asked + RTE_ETHER_ADDR_LEN, RTE_ETHER_ADDR_LEN);
  std::memcpy(out + RTE_ETHER_ADDR_LEN, asked, RTE_ETHER_ADDR_LEN);
  std::memcpy(out + 12, asked + 12, link - 12);
  const size_t header = v4 ? sizeof(rte_ipv4_hdr) : sizeof(rte_ipv6_hdr);
  uint8_t* const payload = out + link + header;
  const size_t asked_bytes = rte_pktmbuf_data_len(&frame) - link;
  const size_t bytes =
      tcp ? WriteReset(packet, payload) : WriteIcmp(v4, asked + link, asked_bytes, payload);
  if (v4) {
    Seal4(*reinterpret_cast<const rte_ipv4_hdr*>(asked + link), tcp, bytes, out + link);
  } else {
    Seal6(*reinterpret_cast<const rte_ipv6_hdr*>(asked + link), tcp, bytes, out + link);
  }
  rte_pktmbuf_append(answer, static_cast<uint16_t>(link + header + bytes));
  return answer;
}

}  // namespace npf::appliance
