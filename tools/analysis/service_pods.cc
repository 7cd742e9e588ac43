#include "analysis/service_pods.h"

#include <string>

#include "model/selector.h"
#include "npf/flow.h"

namespace npf::analysis {
namespace {

ProtocolRange RangeOf(const std::string& protocol, int64_t port) {
  uint8_t number = kProtocolTcp;
  if (protocol == "UDP") number = kProtocolUdp;
  if (protocol == "SCTP") number = kProtocolSctp;
  return {number, static_cast<uint16_t>(port), static_cast<uint16_t>(port)};
}

}  // namespace

std::vector<const Pod*> PodsBehind(const Snapshot& snapshot, const Service& service) {
  std::vector<const Pod*> pods;
  if (service.selector.empty() || service.type == "ExternalName") return pods;
  LabelSelector selector;
  selector.match_labels = service.selector;
  for (const Pod& pod : snapshot.pods()) {
    const bool there = pod.ns == service.ns && !HasEnded(pod) && !pod.ips.empty();
    if (there && model::Matches(selector, pod.labels)) pods.push_back(&pod);
  }
  return pods;
}

std::vector<ProtocolRange> TargetPorts(const ServicePort& port, const Pod& pod) {
  if (!port.target_port) return {RangeOf(port.protocol, port.port)};
  if (const int64_t* number = std::get_if<int64_t>(&*port.target_port)) {
    return {RangeOf(port.protocol, *number)};
  }
  std::vector<ProtocolRange> ranges;
  for (const ContainerPort& container : pod.ports) {
    if (container.name == std::get<std::string>(*port.target_port) &&
        container.protocol == port.protocol) {
      ranges.push_back(RangeOf(container.protocol, container.port));
    }
  }
  return ranges;
}

}  // namespace npf::analysis
