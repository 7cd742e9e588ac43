#include "npf/end_json.h"

#include <algorithm>

#include "analysis/listing.h"
#include "npf/output.h"
#include "npf/protocol.h"

namespace npf::tools {
namespace {

using analysis::CidrList;
using analysis::End;
using analysis::EndKind;

std::string JsonPrefixes(const std::vector<IpPrefix>& prefixes) {
  std::string out = "[";
  for (const IpPrefix& prefix : prefixes) {
    out += (out.size() > 1 ? "," : "") + JsonString(ToString(prefix));
  }
  return out + "]";
}

std::string JsonEnd(const analysis::Scene& scene, const End& end) {
  std::string out = "{\"kind\":" + JsonString(Name(end.kind));
  if (end.kind == EndKind::kNode)
    return out + ",\"name\":" + JsonString(scene.nodes()[end.owner]) + "}";
  if (!IsPod(end.kind)) {
    out += ",\"ranges\":[";
    for (const CidrList& list : end.cidrs) {
      out += (&list == &end.cidrs.front() ? "" : ",");
      out += "{\"cidrs\":" + JsonPrefixes(list.cidrs);
      if (!list.except.empty()) out += ",\"except\":" + JsonPrefixes(list.except);
      out += "}";
    }
    return out + "]}";
  }
  const analysis::Workload& workload = scene.workloads()[end.owner];
  out += ",\"namespace\":" + JsonString(workload.ns);
  if (end.kind == EndKind::kNewPod) {
    return out + ",\"new_namespace\":" + (workload.in_new_namespace ? "true" : "false") + "}";
  }
  out +=
      ",\"name\":" + JsonString(workload.name) + ",\"workload_kind\":" + JsonString(workload.kind);
  if (end.whole) return out + "}";
  out += ",\"pods\":[";
  for (const uint32_t pod : end.pods) {
    const std::string& name = scene.pods()[pod].name;
    out += (pod == end.pods.front() ? "" : ",") + JsonString(name.substr(name.find('/') + 1));
  }
  return out + "],\"of\":" + std::to_string(workload.pod_count) + "}";
}

}  // namespace

std::string JsonEnds(const analysis::Scene& scene, const std::vector<End>& ends) {
  std::string out = "[";
  for (const End& end : ends) out += (&end == &ends.front() ? "" : ",") + JsonEnd(scene, end);
  return out + "]";
}

std::string JsonPorts(const analysis::PortSet& set) {
  std::string out = "[";
  for (const analysis::ProtocolRange& range : analysis::Ranges(set)) {
    if (out.size() > 1) out += ",";
    if (range.protocol == 0) {
      out += "{\"protocol\":\"other\"}";
      continue;
    }
    out += "{\"protocol\":" + JsonString(ProtocolName(range.protocol)) +
           ",\"first\":" + std::to_string(range.first) + ",\"last\":" + std::to_string(range.last) +
           "}";
  }
  return out + "]";
}

std::string JsonFamily(uint8_t families) {
  if (families == analysis::kBothFamilies) return "";
  return families == analysis::kIpv4Only ? ",\"family\":\"IPv4\"" : ",\"family\":\"IPv6\"";
}

std::string FamilyNote(uint8_t families) {
  if (families == analysis::kBothFamilies) return "";
  return families == analysis::kIpv4Only ? " (IPv4)" : " (IPv6)";
}

std::string JoinSome(const std::vector<std::string>& texts, size_t max) {
  std::string out;
  const size_t shown = texts.size() > max + 1 ? max : texts.size();
  for (size_t i = 0; i < shown; ++i) out += (i == 0 ? "" : ", ") + texts[i];
  if (shown < texts.size()) out += " and " + std::to_string(texts.size() - shown) + " more";
  return out;
}

}  // namespace npf::tools
