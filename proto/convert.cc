#include "proto/convert.h"

#include <cstring>
#include <limits>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "npf/address.h"
#include "npf/diagnostics.h"

namespace npf::control {
namespace {

absl::Status Wrong(std::string_view field, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat(std::string(field), ": ", what));
}

// A field that is not known may be one that narrows what the others say.
absl::Status CheckKnown(const google::protobuf::Message& message, std::string_view name) {
  if (message.GetReflection()->GetUnknownFields(message).empty()) return absl::OkStatus();
  return Wrong(name, "has fields that this version does not know");
}

absl::Status ReadObjects(const v1::Objects& from, LoadRequest& to) {
  absl::Status known = CheckKnown(from, "objects");
  if (!known.ok()) return known;
  if (from.paths().empty() == from.text().empty()) {
    return Wrong("objects", "needs either paths or text");
  }
  to.paths.assign(from.paths().begin(), from.paths().end());
  to.text = from.text();
  for (const std::string& path : to.paths) {
    if (path.empty() || path.size() > kFileNameBytesMax || path.find('\0') != std::string::npos) {
      return Wrong("objects.paths", "\"" + EscapeForMessage(path) + "\" is not a path");
    }
  }
  return absl::OkStatus();
}

v1::Enforced ToEnforced(std::string_view text) {
  if (text == "here") return v1::ENFORCED_HERE;
  if (text == "partly") return v1::ENFORCED_PARTLY;
  if (text == "not visible") return v1::ENFORCED_NOT_VISIBLE;
  return v1::ENFORCED_UNSPECIFIED;
}

std::string FromEnforced(v1::Enforced enforced) {
  switch (enforced) {
    case v1::ENFORCED_HERE:
      return "here";
    case v1::ENFORCED_PARTLY:
      return "partly";
    case v1::ENFORCED_NOT_VISIBLE:
      return "not visible";
    default:
      return "";
  }
}

void PortToMessage(const PortStatus& from, v1::PortStatus& to) {
  to.set_name(from.name);
  to.set_link_up(from.link_up);
  to.set_received(from.received);
  to.set_received_bytes(from.received_bytes);
  to.set_missed(from.missed);
  to.set_sent(from.sent);
  to.set_sent_bytes(from.sent_bytes);
  to.set_not_sent(from.not_sent);
}

PortStatus PortFromMessage(const v1::PortStatus& from) {
  PortStatus to;
  to.name = from.name();
  to.link_up = from.link_up();
  to.received = from.received();
  to.received_bytes = from.received_bytes();
  to.missed = from.missed();
  to.sent = from.sent();
  to.sent_bytes = from.sent_bytes();
  to.not_sent = from.not_sent();
  return to;
}

void ListsToMessage(const Status& from, v1::Status& to) {
  for (const std::string& reason : from.not_ready) to.add_not_ready(reason);
  if (from.unconfirmed) {
    to.mutable_unconfirmed()->set_generation(from.unconfirmed->generation);
    to.mutable_unconfirmed()->set_left_ns(from.unconfirmed->left_ns);
  }
  for (const double busy : from.busy) to.add_busy(busy);
  for (const PortStatus& port : from.ports) PortToMessage(port, *to.add_ports());
  for (const ReasonCount& count : from.reasons) {
    v1::ReasonCount& reason = *to.add_reasons();
    reason.set_reason(count.reason);
    reason.set_allowed(count.allowed);
    reason.set_packets(count.packets);
  }
}

void ListsFromMessage(const v1::Status& from, Status& to) {
  to.not_ready.assign(from.not_ready().begin(), from.not_ready().end());
  if (from.has_unconfirmed()) {
    to.unconfirmed = Unconfirmed{.generation = from.unconfirmed().generation(),
                                 .left_ns = from.unconfirmed().left_ns()};
  }
  to.busy.assign(from.busy().begin(), from.busy().end());
  for (const v1::PortStatus& port : from.ports()) to.ports.push_back(PortFromMessage(port));
  for (const v1::ReasonCount& count : from.reasons()) {
    to.reasons.push_back(
        {.reason = count.reason(), .allowed = count.allowed(), .packets = count.packets()});
  }
}

// The port of an address that has none is no port.
absl::Status ReadPort(uint32_t from, std::string_view field, uint16_t& to) {
  if (from > std::numeric_limits<uint16_t>::max()) {
    return Wrong(field, absl::StrCat(from, " is not a port; 0 to 65535"));
  }
  to = static_cast<uint16_t>(from);
  return absl::OkStatus();
}

}  // namespace

void ToMessage(const Status& from, v1::Status& to) {
  to.set_version(from.version);
  to.set_mode(from.mode);
  to.set_placement(from.placement);
  to.set_generation(from.generation);
  to.set_policy_hash(from.policy_hash);
  to.set_policy_source(from.policy_source);
  to.set_policy_age_ns(from.policy_age_ns);
  to.set_last_refusal(from.last_refusal);
  to.set_pods(from.pods);
  to.set_policies(from.policies);
  to.set_program_bytes(from.program_bytes);
  to.set_uptime_ns(from.uptime_ns);
  to.set_ready(from.ready);
  to.set_workers(from.workers);
  to.set_flows(from.flows);
  to.set_flows_max(from.flows_max);
  to.set_openings(from.openings);
  to.set_received(from.received);
  to.set_log_suppressed(from.log_suppressed);
  ListsToMessage(from, to);
}

Status FromMessage(const v1::Status& from) {
  Status to;
  to.version = from.version();
  to.mode = from.mode();
  to.placement = from.placement();
  to.generation = from.generation();
  to.policy_hash = from.policy_hash();
  to.policy_source = from.policy_source();
  to.policy_age_ns = from.policy_age_ns();
  to.last_refusal = from.last_refusal();
  to.pods = from.pods();
  to.policies = from.policies();
  to.program_bytes = from.program_bytes();
  to.uptime_ns = from.uptime_ns();
  to.ready = from.ready();
  to.workers = from.workers();
  to.flows = from.flows();
  to.flows_max = from.flows_max();
  to.openings = from.openings();
  to.received = from.received();
  to.log_suppressed = from.log_suppressed();
  ListsFromMessage(from, to);
  return to;
}

void ToMessage(const PolicyCount& from, v1::PolicyCount& to) {
  to.set_policy(from.policy);
  to.set_tier(from.tier);
  to.set_allowed(from.allowed);
  to.set_packets(from.packets);
}

PolicyCount FromMessage(const v1::PolicyCount& from) {
  return {.policy = from.policy(),
          .tier = from.tier(),
          .allowed = from.allowed(),
          .packets = from.packets()};
}

void ToMessage(const PodVisibility& from, v1::PodVisibility& to) {
  to.set_pod(from.pod);
  to.set_enforced(ToEnforced(from.enforced));
  to.set_why(from.why);
}

PodVisibility FromMessage(const v1::PodVisibility& from) {
  return {.pod = from.pod(), .enforced = FromEnforced(from.enforced()), .why = from.why()};
}

void ToMessage(const LoadRequest& from, v1::Objects& to) {
  for (const std::string& path : from.paths) to.add_paths(path);
  to.set_text(from.text);
}

void ToMessage(const LoadRequest& from, v1::LoadRequest& to) {
  ToMessage(from, *to.mutable_objects());
  to.set_confirm_ns(from.confirm_ns);
}

absl::StatusOr<LoadRequest> FromMessage(const v1::LoadRequest& from) {
  LoadRequest to;
  absl::Status read = CheckKnown(from, "the request");
  if (read.ok()) read = ReadObjects(from.objects(), to);
  if (!read.ok()) return read;
  to.confirm_ns = from.confirm_ns();
  return to;
}

absl::StatusOr<LoadRequest> FromMessage(const v1::WouldCutRequest& from) {
  LoadRequest to;
  absl::Status read = CheckKnown(from, "the request");
  if (read.ok()) read = ReadObjects(from.objects(), to);
  if (!read.ok()) return read;
  return to;
}

void ToMessage(const LoadResult& from, v1::LoadResponse& to) {
  to.set_generation(from.generation);
  to.set_policy_hash(from.policy_hash);
  to.set_pods(from.pods);
  to.set_policies(from.policies);
  to.set_compile_ns(from.compile_ns);
  for (const std::string& warning : from.warnings) to.add_warnings(warning);
}

LoadResult FromMessage(const v1::LoadResponse& from) {
  return {.generation = from.generation(),
          .policy_hash = from.policy_hash(),
          .pods = from.pods(),
          .policies = from.policies(),
          .compile_ns = from.compile_ns(),
          .warnings = {from.warnings().begin(), from.warnings().end()}};
}

void ToMessage(const FlowKey& from, v1::FlowKey& to) {
  to.set_src(ToString(SourceOf(from)));
  to.set_dst(ToString(DestinationOf(from)));
  to.set_protocol(from.protocol);
  to.set_src_port(from.src_port);
  to.set_dst_port(from.dst_port);
}

absl::StatusOr<FlowKey> FromMessage(const v1::FlowKey& from) {
  const std::optional<IpAddress> src = ParseIpAddress(from.src());
  if (!src) return Wrong("key.src", "\"" + EscapeForMessage(from.src()) + "\" is not an address");
  const std::optional<IpAddress> dst = ParseIpAddress(from.dst());
  if (!dst) return Wrong("key.dst", "\"" + EscapeForMessage(from.dst()) + "\" is not an address");
  if (src->family != dst->family) return Wrong("key", "src and dst are of different families");
  if (from.protocol() > 255) {
    return Wrong("key.protocol", absl::StrCat(from.protocol(), " is not a protocol; 0 to 255"));
  }
  uint16_t src_port = 0;
  uint16_t dst_port = 0;
  absl::Status ports = ReadPort(from.src_port(), "key.src_port", src_port);
  if (ports.ok()) ports = ReadPort(from.dst_port(), "key.dst_port", dst_port);
  if (!ports.ok()) return ports;
  return MakeFlowKey(*src, *dst, static_cast<uint8_t>(from.protocol()), dst_port, src_port);
}

void ToMessage(const ExplainResult& from, v1::ExplainResponse& to) {
  to.set_allowed(from.allowed);
  to.set_generation(from.generation);
  to.set_text(from.text);
  to.set_json(from.json);
}

ExplainResult FromMessage(const v1::ExplainResponse& from) {
  return {.allowed = from.allowed(),
          .generation = from.generation(),
          .text = from.text(),
          .json = from.json()};
}

void ToMessage(const Connection& from, v1::Connection& to) {
  ToMessage(from.key, *to.mutable_key());
  to.set_src_pod(from.src_pod);
  to.set_dst_pod(from.dst_pod);
  to.set_state(from.state);
  to.set_generation(from.generation);
}

absl::StatusOr<Connection> FromMessage(const v1::Connection& from) {
  const absl::StatusOr<FlowKey> key = FromMessage(from.key());
  if (!key.ok()) return key.status();
  return Connection{.key = *key,
                    .src_pod = from.src_pod(),
                    .dst_pod = from.dst_pod(),
                    .state = from.state(),
                    .generation = from.generation()};
}

void ToMessage(const DeniedPacket& from, v1::WatchDeniedResponse& to) {
  to.set_time_ns(from.time_ns);
  // A packet that is denied as malformed may have no addresses.
  if (from.key.family != 0) ToMessage(from.key, *to.mutable_key());
  to.set_reason(from.reason);
  to.set_port(from.port);
  to.set_src_pod(from.src_pod);
  to.set_dst_pod(from.dst_pod);
  to.set_why(from.why);
  to.set_packets(from.packets);
  to.set_suppressed(from.suppressed);
}

absl::StatusOr<DeniedPacket> FromMessage(const v1::WatchDeniedResponse& from) {
  DeniedPacket to;
  to.key = FlowKey{};
  if (from.has_key()) {
    const absl::StatusOr<FlowKey> key = FromMessage(from.key());
    if (!key.ok()) return key.status();
    to.key = *key;
  }
  to.time_ns = from.time_ns();
  to.reason = from.reason();
  to.port = from.port();
  to.src_pod = from.src_pod();
  to.dst_pod = from.dst_pod();
  to.why = from.why();
  to.packets = from.packets();
  to.suppressed = from.suppressed();
  return to;
}

}  // namespace npf::control
