#include "gaps/flow_log.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "gaps/flow_fields.h"
#include "gaps/json_stream.h"
#include "load/json_values.h"
#include "npf/diagnostics.h"
#include "npf/protocol.h"

namespace npf::gaps {
namespace {

using load::Node;

constexpr uint64_t kPortMax = 65535;
constexpr uint64_t kCountMax = INT64_MAX;  // as the .proto has them
constexpr uint64_t kPolicyVerdict = 5;     // Cilium's type of such an event

std::string Bad(std::string_view field, std::string_view what, std::string_view found) {
  return std::string(field) + ": " + std::string(what) + " (found \"" + EscapeForMessage(found) +
         "\")";
}

// "KIND NAMESPACE/NAME", without what is not there.
std::string PolicyName(const Fields& policy) {
  std::string name(policy.Text("kind"));
  const std::string_view ns = policy.Text("namespace");
  if (!name.empty()) name += ' ';
  if (!ns.empty()) name += std::string(ns) + "/";
  return name + std::string(policy.Text("name"));
}

// Hubble.

enum class Way : uint8_t { kOpener, kReply, kUnknown };

struct HubbleEvent {
  FlowKey key{};
  uint64_t time_ns = 0;
  Way way = Way::kUnknown;
  bool reset = false;
};

// False: it has no layer 4 that policy speaks of.
bool ReadLayer4(const Fields& l4, FlowKey& key, HubbleEvent& event, std::string& fault) {
  static constexpr std::pair<std::string_view, uint8_t> kProtocols[] = {
      {"TCP", kProtocolTcp},
      {"UDP", kProtocolUdp},
      {"SCTP", kProtocolSctp},
      {"ICMPv4", kProtocolIcmp},
      {"ICMPv6", kProtocolIcmpv6}};
  for (const auto& [name, protocol] : kProtocols) {
    const Fields of = l4.In(name);
    if (of.node() == nullptr) continue;
    key.protocol = protocol;
    if (IsIcmp(protocol)) {
      const std::optional<uint64_t> type = of.Number("type", {}, 255);
      if (!type.has_value()) fault = Bad("l4.ICMP.type", "is no type", of.Text("type"));
      const bool v6 = protocol == kProtocolIcmpv6;
      if (type == (v6 ? 128u : 8u)) event.way = Way::kOpener;
      if (type == (v6 ? 129u : 0u)) event.way = Way::kReply;
      return true;
    }
    for (const auto& [field, port] :
         {std::pair("source_port", &key.src_port), std::pair("destination_port", &key.dst_port)}) {
      const std::optional<uint64_t> number = of.Number(field, {}, kPortMax);
      if (!number.has_value())
        fault = Bad(std::string("l4.") + field, "is no port", of.Text(field));
      *port = static_cast<uint16_t>(number.value_or(0));
    }
    const Fields flags = of.In("flags");
    if (flags.True("SYN")) event.way = flags.True("ACK") ? Way::kReply : Way::kOpener;
    event.reset = flags.True("RST");
    return true;
  }
  return false;
}

std::string ReadAddresses(const Fields& ip, FlowKey& key) {
  std::optional<IpAddress> ends[2];
  const char* const names[2] = {"source", "destination"};
  for (size_t i = 0; i < 2; ++i) {
    ends[i] = ParseIpAddress(ip.Text(names[i]));
    if (!ends[i].has_value()) {
      return Bad(std::string("IP.") + names[i], "is no IP address", ip.Text(names[i]));
    }
  }
  if (ends[0]->family != ends[1]->family) {
    return Bad("IP.destination", "is of another family than IP.source", ip.Text("destination"));
  }
  key = MakeFlowKey(*ends[0], *ends[1], key.protocol, key.dst_port, key.src_port);
  return "";
}

// What the event says of its connection.
uint16_t FactsOf(const Fields& flow, const HubbleEvent& event, bool reply) {
  const std::string_view verdict = flow.Text("verdict");
  const std::string_view point = flow.Text("trace_observation_point");
  if (verdict == "DROPPED" || verdict == "ERROR") {
    return reply ? kFactAnswerSeen : kFactLogDropped;
  }
  if (verdict == "REDIRECTED" || point == "TO_PROXY" || point == "FROM_PROXY") return 0;
  if (reply && event.reset) {
    return point == "FROM_ENDPOINT" ? kFactRefusedAtPod : kFactRefused;
  }
  if (reply) return kFactLogReply;
  const bool judged_there = flow.In("event_type").Number("type") == kPolicyVerdict &&
                            flow.Text("traffic_direction") == "INGRESS";
  const bool says_delivered = verdict == "FORWARDED" || verdict == "AUDIT";
  if (!says_delivered || (point != "TO_ENDPOINT" && !judged_there)) return 0;
  return kFactForwarded;
}

LogName PodOf(const Fields& end) {
  const std::string_view pod = end.Text("pod_name");
  if (pod.empty()) return {};
  return {std::string(end.Text("namespace")), std::string(pod)};
}

std::string ClaimOf(const Fields& flow) {
  if (flow.Text("verdict") == "AUDIT") return "audit mode";
  for (const char* list : {"ingress_allowed_by", "egress_allowed_by"}) {
    const Node* found = flow.Find(list);
    if (found != nullptr && found->first != nullptr) {
      return "allowed by " + PolicyName(Fields(found->first));
    }
  }
  return "";
}

// The event's connection, new or not, with the direction as it is known now; null: no room.
Live* ConnectionOf(const HubbleEvent& event, ConnectionTable& table) {
  const FlowKey key = event.way == Way::kReply ? Reversed(event.key) : event.key;
  const bool sure = event.way != Way::kUnknown;
  Live* live = table.Find(key);
  const bool contradicts =
      live != nullptr && sure && live->opener == Opener::kSeen && !SameDirection(live->key, key);
  if (live == nullptr || contradicts || event.time_ns > live->last_ns + ConnectionTable::kIdleNs) {
    live = sure ? table.Begin(key, event.time_ns) : table.BeginByPorts(key, event.time_ns);
    if (live == nullptr) return nullptr;
    live->has_ports = HasPorts(key.protocol);
  }
  if (sure && live->opener != Opener::kSeen) {
    // What was noted under a guess that was wrong is about the other direction.
    if (!SameDirection(live->key, key)) {
      live->facts = 0;
      live->replies = 0;
    }
    live->key = key;
    live->opener = Opener::kSeen;
    live->names = nullptr;
  }
  return live;
}

void NoteEvent(const Fields& flow, const HubbleEvent& event, Live& live) {
  const bool reply = !SameDirection(live.key, event.key);
  if (live.names == nullptr) {
    live.names = std::make_unique<LogNames>();
    live.names->src = PodOf(flow.In(reply ? "destination" : "source"));
    live.names->dst = PodOf(flow.In(reply ? "source" : "destination"));
  }
  if (live.names->claim.empty()) live.names->claim = ClaimOf(flow);
  if (flow.Text("verdict") == "REDIRECTED") live.proxied = true;
  const bool says_nothing = reply && event.way == Way::kUnknown;
  if (!says_nothing) live.facts |= FactsOf(flow, event, reply);
  ++live.packets;
  live.replies += reply ? 1 : 0;
  live.first_ns = std::min(live.first_ns, event.time_ns);
  live.last_ns = std::max(live.last_ns, event.time_ns);
}

// Goldmane.

// "-" and "Global" stand for no namespace; what has none is no pod.
LogName EndOf(const Fields& key, bool src) {
  const std::string_view ns = src ? key.Text("source_namespace", "sourceNamespace")
                                  : key.Text("dest_namespace", "destNamespace");
  const std::string_view name =
      src ? key.Text("source_name", "sourceName") : key.Text("dest_name", "destName");
  const bool none = ns == "-" || ns == "Global";
  return {none ? "" : std::string(ns), std::string(name)};
}

std::string DecidedBy(const Fields& key) {
  const Fields trace = key.In("policies");
  const Node* hit = trace.Find("enforced_policies", "enforcedPolicies");
  if (hit == nullptr) hit = trace.Find("enforced");
  if (hit == nullptr || hit->first == nullptr) return "";
  hit = hit->first;
  while (hit->next != nullptr) hit = hit->next;
  const Fields last(hit);
  const bool allows = last.Text("action") == "Allow";
  return (allows ? "allowed by " : "decided by ") + PolicyName(last);
}

Evidence EvidenceOf(std::string_view action, bool by_destination, uint64_t in, uint64_t out) {
  if (action == "Deny") return Evidence::kLogDropped;
  if (action != "Allow") return Evidence::kUnseen;
  if (in > 0 && out > 0) return Evidence::kLogReply;
  return by_destination ? Evidence::kForwarded : Evidence::kUnseen;
}

}  // namespace

FlowLogCounts FlowLog::counts() const {
  FlowLogCounts counts = counts_;
  counts.left_out = table_.left_out();
  return counts;
}

absl::Status FlowLog::Read(std::unique_ptr<capture::ByteSource> source) {
  JsonStream stream(std::move(source));
  std::string text;
  uint64_t line = 0;
  absl::StatusOr<bool> more = false;
  while ((more = stream.Next(text, line)).ok() && *more) {
    const auto fault =
        load::ReadJsonValues(text, [this](const Node& value) { return Take(value); });
    if (!fault.has_value()) continue;
    return absl::InvalidArgumentError("line " + std::to_string(line + fault->line - 1) + ": " +
                                      fault->detail);
  }
  return more.status();
}

std::string FlowLog::Take(const Node& value) {
  if (value.kind != load::NodeKind::kMap) {
    return "must be an object (found " + load::Describe(value) + ")";
  }
  const Fields fields(&value);
  if (const Node* list = fields.Find("flows"); list != nullptr) {
    for (const Node* flow = list->first; flow != nullptr; flow = flow->next) {
      std::string fault = Take(*flow);
      if (!fault.empty()) return "flows: " + fault;
    }
    return "";
  }
  if (const Node* flow = fields.Find("flow"); flow != nullptr) {
    const Fields inner(flow);
    if (inner.Find("Key", "key") != nullptr) return TakeGoldmane(*flow);
    return TakeHubble(*flow, value);
  }
  if (fields.Find("Key", "key") != nullptr || fields.Find("source_name", "sourceName") != nullptr) {
    return TakeGoldmane(value);
  }
  if (fields.Has("verdict") || fields.Has("IP")) return TakeHubble(value, value);
  for (const char* other : {"lost_events", "node_status", "agent_event", "debug_event"}) {
    if (!fields.Has(other)) continue;
    ++counts_.skipped;
    counts_.lost += fields.In("lost_events").Number("num_events_lost").value_or(0);
    return "";
  }
  return "is no flow of Hubble or Goldmane (found an object of " + std::to_string(value.count) +
         " members)";
}

std::string FlowLog::TakeHubble(const Node& node, const Node& wrapper) {
  const Fields flow(&node);
  const std::string_view type = flow.Text("Type");
  HubbleEvent event;
  std::string fault;
  const bool of_packets = (type.empty() || type == "L3_L4") && !flow.Has("l7") && flow.Has("IP");
  if (!of_packets || !ReadLayer4(flow.In("l4"), event.key, event, fault)) {
    ++counts_.skipped;
    return fault;
  }
  if (fault.empty()) fault = ReadAddresses(flow.In("IP"), event.key);
  if (!fault.empty()) return fault;
  const auto time_ns = flow.Has("time") ? flow.TimeNs("time") : Fields(&wrapper).TimeNs("time");
  if (!time_ns.has_value()) return Bad("time", "is no RFC 3339 time", flow.Text("time"));
  event.time_ns = *time_ns;
  if (flow.Has("is_reply")) event.way = flow.True("is_reply") ? Way::kReply : Way::kOpener;
  ++counts_.flows;
  if (event.way == Way::kUnknown) ++counts_.unclear;
  Live* live = ConnectionOf(event, table_);
  if (live != nullptr) NoteEvent(flow, event, *live);
  return "";
}

std::string FlowLog::TakeGoldmane(const Node& node) {
  const Fields flow(&node);
  const Fields key(flow.Find("Key", "key") == nullptr ? &node : flow.Find("Key", "key"));
  const std::string_view protocol = key.Text("proto", "protocol");
  const auto number = tools::ParseProtocol(protocol);
  if (!number.has_value()) return Bad("protocol", "is no protocol", protocol);
  const auto port = key.Number("dest_port", "destPort", kPortMax);
  if (!port.has_value()) return Bad("dest_port", "is no port", key.Text("dest_port", "destPort"));
  const auto begin = flow.TimeNs("start_time", "startTime");
  const auto end = flow.TimeNs("end_time", "endTime");
  if (!begin.has_value() || !end.has_value() || *end < *begin) {
    return Bad("start_time, end_time", "are no window of time",
               std::string(flow.Text("start_time", "startTime")) + ", " +
                   std::string(flow.Text("end_time", "endTime")));
  }
  const auto in = flow.Number("packets_in", "packetsIn", kCountMax);
  const auto out = flow.Number("packets_out", "packetsOut", kCountMax);
  const auto started = flow.Number("num_connections_started", "numConnectionsStarted", kCountMax);
  if (!in.has_value() || !out.has_value() || !started.has_value()) {
    return "packets_in, packets_out, num_connections_started: must be numbers";
  }
  ++counts_.flows;
  const LogNames names{EndOf(key, true), EndOf(key, false), DecidedBy(key)};
  const bool by_destination = absl::AsciiStrToLower(std::string(key.Text("reporter"))) == "dst";
  Seen seen{.has_ports = HasPorts(number->number),
            .evidence = EvidenceOf(key.Text("action"), by_destination, *in, *out),
            .connections = std::max<uint64_t>(*started, 1),
            .packets = *in + *out,
            .replies = by_destination ? *out : *in,
            .first_ns = *begin,
            .last_ns = *end,
            .names = &names};
  seen.key.protocol = number->number;
  seen.key.dst_port = static_cast<uint16_t>(*port);
  sink_(seen);
  return "";
}

}  // namespace npf::gaps
