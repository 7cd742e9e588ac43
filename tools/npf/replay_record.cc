#include "npf/replay_record.h"

#include <algorithm>
#include <cinttypes>
#include <cstddef>
#include <cstdio>
#include <string_view>
#include <utility>

#include "npf/output.h"
#include "npf/protocol.h"

namespace npf::tools {
namespace {

constexpr uint32_t kNoCell = ~uint32_t{0};

// `name` and `text` need no escaping.
void AppendMember(std::string_view name, std::string_view text, std::string& out) {
  out.append(",\"").append(name).append("\":\"").append(text).append("\"");
}

void AppendNumber(std::string_view name, uint64_t number, std::string& out) {
  out.append(",\"").append(name).append("\":").append(std::to_string(number));
}

void AppendPod(std::string_view name, std::string_view pod, std::string& out) {
  if (!pod.empty()) out.append(",\"").append(name).append("\":").append(JsonString(pod));
}

// Of a later fragment, nobody knows it surely.
std::string ProtocolWord(const ParsedPacket& packet) {
  return packet.later_fragment ? "fragment" : ProtocolName(packet.key.protocol);
}

std::string TimeText(uint64_t stamp_ns) {
  char text[32];
  std::snprintf(text, sizeof(text), "%" PRIu64 ".%09" PRIu64, stamp_ns / 1'000'000'000,
                stamp_ns % 1'000'000'000);
  return text;
}

void AppendTuple(const ParsedPacket& packet, const AddressNames& names, std::string& out) {
  const IpAddress src = SourceOf(packet.key);
  const IpAddress dst = DestinationOf(packet.key);
  AppendMember("src", ToString(src), out);
  AppendMember("dst", ToString(dst), out);
  AppendPod("src_pod", names.PodOf(src), out);
  AppendPod("dst_pod", names.PodOf(dst), out);
  AppendMember("proto", ProtocolWord(packet), out);
  if (!packet.ports_known) return;
  AppendNumber("src_port", packet.key.src_port, out);
  AppendNumber("dst_port", packet.key.dst_port, out);
}

void AppendTunnel(const ParsedPacket& packet, const TunnelRecord& tunnel, std::string& out) {
  AppendMember("overlay", tunnel.kind, out);
  if (packet.tunnel_has_id) AppendNumber("tunnel_id", packet.tunnel_id, out);
  AppendMember("outer_src", ToString(tunnel.src), out);
  AppendMember("outer_dst", ToString(tunnel.dst), out);
}

std::string Named(const IpAddress& address, const AddressNames& names) {
  const std::string_view pod = names.PodOf(address);
  return pod.empty() ? ToString(address) : std::string(pod);
}

}  // namespace

std::optional<TunnelRecord> TunnelOf(const ParsedPacket& packet, std::span<const uint8_t> bytes,
                                     const Overlays* overlays) {
  if (packet.overlay == 0) return std::nullopt;
  const auto header = bytes.subspan(packet.outer_l3_offset);
  const bool v4 = header[0] >> 4 == 4;
  const auto address = [&](size_t at) {
    IpAddress read{.family = v4 ? Family::kIpv4 : Family::kIpv6};
    std::copy_n(header.begin() + static_cast<std::ptrdiff_t>(at), v4 ? 4 : 16, read.bytes.begin());
    return read;
  };
  return TunnelRecord{.kind = Name(overlays->kind(packet.overlay - 1u)),
                      .src = address(v4 ? 12 : 8),
                      .dst = address(v4 ? 16 : 24)};
}

bool HasAddresses(const FlowKey& key) { return key.family == 4 || key.family == 6; }

FlowKey ConnectionKey(const Judgement& judgement) {
  return ConnectionKey(judgement.packet.key, judgement.reply);
}

FlowKey ConnectionKey(FlowKey key, bool reply) {
  if (reply) {
    std::swap(key.src, key.dst);
    std::swap(key.src_port, key.dst_port);
  }
  return key;
}

bool SaidByPolicy(const Judgement& judgement) {
  return judgement.verdict.cell != kNoCell &&
         static_cast<Reason>(judgement.verdict.reason) != Reason::kEstablished;
}

void AppendJsonLine(const PacketRecord& record, const AddressNames& names, std::string_view why,
                    std::string& out) {
  const Verdict& verdict = record.judgement.verdict;
  const auto reason = static_cast<Reason>(verdict.reason);
  out.append("{\"n\":").append(std::to_string(record.number));
  AppendMember("verdict", VerdictWord(verdict.allowed != 0), out);
  AppendMember("reason", Name(reason), out);
  AppendMember("egress", VerdictWord((verdict.directions & kEgressAllowed) != 0), out);
  AppendMember("ingress", VerdictWord((verdict.directions & kIngressAllowed) != 0), out);
  AppendMember("time", TimeText(record.stamp_ns), out);
  AppendNumber("bytes", record.wire_length, out);
  if (HasAddresses(record.judgement.packet.key)) {
    AppendTuple(record.judgement.packet, names, out);
  }
  if (record.tunnel) AppendTunnel(record.judgement.packet, *record.tunnel, out);
  if (record.judgement.reply) out.append(",\"reply\":true");
  if (reason == Reason::kEstablished) {
    AppendMember("flow_reason", Name(record.judgement.flow_reason), out);
  }
  if (verdict.cell != kNoCell) AppendNumber("cell", verdict.cell, out);
  AppendNumber("generation", verdict.generation, out);
  if (!why.empty()) out.append(",\"why\":").append(why);
  out.append("}\n");
}

std::string DenyComment(const PacketRecord& record, const AddressNames& names,
                        std::string_view why) {
  const ParsedPacket& packet = record.judgement.packet;
  std::string out = "npf: deny: ";
  out += Name(static_cast<Reason>(record.judgement.verdict.reason));
  if (HasAddresses(packet.key)) {
    out += ": " + Named(SourceOf(packet.key), names) + " -> " +
           Named(DestinationOf(packet.key), names) + " " + ProtocolWord(packet);
    if (packet.ports_known) out += " " + std::to_string(packet.key.dst_port);
  }
  if (record.tunnel) {
    out.append(", in ").append(record.tunnel->kind);
    if (packet.tunnel_has_id) out += " " + std::to_string(packet.tunnel_id);
    out += " " + ToString(record.tunnel->src) + " -> " + ToString(record.tunnel->dst);
  }
  if (!why.empty()) out.append("; ").append(why);
  return out;
}

}  // namespace npf::tools
