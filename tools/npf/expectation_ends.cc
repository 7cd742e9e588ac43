#include "npf/expectation_ends.h"

#include <algorithm>
#include <utility>

#include "analysis/service_pods.h"
#include "analysis/workload.h"
#include "model/nearest.h"
#include "model/selector.h"
#include "npf/flow.h"
#include "npf/port_table.h"
#include "npf/protocol.h"

namespace npf::tools {
namespace {

std::string Key(std::string_view ns, std::string_view name) {
  return std::string(ns) + "/" + std::string(name);
}

uint8_t ProtocolNumber(const std::string& name) {
  const auto protocol = ParseProtocol(name);
  return protocol ? protocol->number : kProtocolTcp;
}

analysis::ProtocolRange SpanOf(int64_t port, const std::string& protocol) {
  const auto number = static_cast<uint16_t>(port);
  return {ProtocolNumber(protocol), number, number};
}

// Whether a port, of a container or a Service, is what the text means.
bool Names(const PortName& wanted, const std::string& name, const std::string& protocol) {
  return wanted.name == name && (!wanted.protocol || *wanted.protocol == ProtocolNumber(protocol));
}

bool Means(const PortText& wanted, const ServicePort& port) {
  if (const PortName* name = std::get_if<PortName>(&wanted)) {
    return Names(*name, port.name, port.protocol);
  }
  const analysis::ProtocolRange& span = std::get<analysis::ProtocolRange>(wanted);
  return span.protocol == ProtocolNumber(port.protocol) && span.first <= port.port &&
         port.port <= span.last;
}

// What the texts mean of one pod.
std::vector<analysis::ProtocolRange> PortsOf(const std::vector<PortText>& texts, const Pod& pod) {
  std::vector<analysis::ProtocolRange> spans;
  for (const PortText& text : texts) {
    if (const analysis::ProtocolRange* span = std::get_if<analysis::ProtocolRange>(&text)) {
      spans.push_back(*span);
      continue;
    }
    for (const ContainerPort& port : pod.ports) {
      if (Names(std::get<PortName>(text), port.name, port.protocol)) {
        spans.push_back(SpanOf(port.port, port.protocol));
      }
    }
  }
  return texts.empty() ? PortTable::Everything() : spans;
}

void AddPod(const Pod& pod, analysis::AddressSet& set) {
  for (const std::string& ip : pod.ips) {
    if (const auto address = ParseIpAddress(ip)) set.Add({*address, *address});
  }
}

void Merge(const Targets& more, Targets& targets) {
  for (const auto& [ports, set] : more) targets[ports].Add(set);
}

bool Same(const Targets& a, const Targets& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && x.second.ranges() == y.second.ranges();
  });
}

// Addresses that mean somebody anywhere: not private, not of a link, a host or a group, and not
// reserved.
analysis::AddressSet Global() {
  constexpr const char* kNot[] = {"0.0.0.0/8",      "10.0.0.0/8",     "100.64.0.0/10",
                                  "127.0.0.0/8",    "169.254.0.0/16", "172.16.0.0/12",
                                  "192.168.0.0/16", "198.18.0.0/15",  "224.0.0.0/3"};
  analysis::AddressSet set;
  set.Add(analysis::RangeOf(ParseIpPrefix("0.0.0.0/0").prefix));
  set.Add(analysis::RangeOf(ParseIpPrefix("2000::/3").prefix));
  analysis::AddressSet special;
  for (const char* text : kNot) special.Add(analysis::RangeOf(ParseIpPrefix(text).prefix));
  set.Subtract(special);
  return set;
}

}  // namespace

std::string ToString(const analysis::ProtocolRange& span) {
  if (span.protocol == analysis::ProtocolRange::kNoPorts) return "no ports";
  std::string text = ProtocolName(span.protocol);
  if (span.first == 1 && span.last == 65535) return text;
  text += " " + std::to_string(span.first);
  if (span.last != span.first) text += "-" + std::to_string(span.last);
  return text;
}

std::vector<std::string> WorkloadNames(const Pod& pod) {
  std::vector<std::string> names;
  if (!pod.owner_kind.empty()) names.push_back(pod.name);
  const size_t slash = pod.controller.find('/');
  if (slash == std::string::npos) return names;
  names.push_back(pod.controller.substr(slash + 1));
  const std::string workload = analysis::WorkloadOf(pod).name;
  if (workload != names.back()) names.push_back(workload);
  return names;
}

EndResolver::EndResolver(const Snapshot& snapshot, const analysis::AddressSpace& space,
                         Diagnostics& diagnostics)
    : snapshot_(snapshot), space_(space), diagnostics_(&diagnostics) {
  for (const Pod& pod : snapshot.pods()) {
    if (HasEnded(pod)) continue;
    if (pod.owner_kind.empty()) named_pods_[Key(pod.ns, pod.name)].push_back(&pod);
    for (const std::string& name : WorkloadNames(pod)) {
      named_workloads_[Key(pod.ns, name)].push_back(&pod);
    }
  }
  for (const Service& service : snapshot.services()) {
    named_services_[Key(service.ns, service.name)] = &service;
  }
}

void EndResolver::Error(const EndText& end, std::string detail) {
  diagnostics_->AddError(end.position, "", end.field, "", std::move(detail));
}

ResolvedExpectation EndResolver::Resolve(const Expectation& expectation) {
  ResolvedExpectation resolved;
  for (const EndText& end : expectation.from) resolved.from.Add(SetOf(end));
  for (const EndText& end : expectation.to) {
    Merge(TargetsOf(end, end.ports.empty() ? expectation.ports : end.ports), resolved.to);
  }
  for (const EndText& end : expectation.not_from) resolved.from.Subtract(SetOf(end));
  for (const EndText& end : expectation.not_to) {
    const analysis::AddressSet set = SetOf(end);
    for (auto& [ports, targets] : resolved.to) targets.Subtract(set);
  }
  std::erase_if(resolved.to, [](const auto& entry) { return entry.second.empty(); });
  return resolved;
}

analysis::AddressSet EndResolver::SetOf(const EndText& end) {
  analysis::AddressSet set;
  for (const auto& [ports, targets] : TargetsOf(end, {})) set.Add(targets);
  return set;
}

Targets EndResolver::TargetsOf(const EndText& end, const std::vector<PortText>& ports) {
  switch (end.form) {
    case EndText::Form::kBlock: {
      analysis::AddressSet set;
      set.Add(analysis::RangeOf(end.block));
      return TargetsOfSet(end, set, ports);
    }
    case EndText::Form::kWord:
      if (end.name != "pods") return TargetsOfSet(end, Word(end.name), ports);
      return TargetsOfPods(end, Selected(end), ports);
    case EndText::Form::kService:
      if (const Service* service = FindService(end)) return TargetsOfService(end, *service, ports);
      Error(end, "no Service " + Key(end.ns, end.name) + Suggestion(end));
      return {};
    case EndText::Form::kName:
      return TargetsOfName(end, ports);
    default:
      return TargetsOfPods(end, PodsOf(end), ports);
  }
}

Targets EndResolver::TargetsOfSet(const EndText& end, const analysis::AddressSet& set,
                                  const std::vector<PortText>& ports) {
  std::vector<analysis::ProtocolRange> spans;
  for (const PortText& port : ports) {
    if (const analysis::ProtocolRange* span = std::get_if<analysis::ProtocolRange>(&port)) {
      spans.push_back(*span);
    } else {
      Error(end, "port \"" + std::get<PortName>(port).name + "\" is a name, which only pods have");
    }
  }
  if (set.empty()) Error(end, "there are none");
  if (ports.empty()) spans = PortTable::Everything();
  if (spans.empty() || set.empty()) return {};
  return {{std::move(spans), set}};
}

Targets EndResolver::TargetsOfPods(const EndText& end, const Pods& pods,
                                   const std::vector<PortText>& ports) {
  Targets targets;
  if (pods.empty()) {
    Error(end, "matches no pod" + Suggestion(end));
    return targets;
  }
  for (const Pod* pod : pods) {
    if (pod->ips.empty()) {
      Error(end, "pod " + Key(pod->ns, pod->name) + " has no address");
      return {};
    }
    std::vector<analysis::ProtocolRange> spans = PortsOf(ports, *pod);
    if (!spans.empty()) AddPod(*pod, targets[std::move(spans)]);
  }
  if (targets.empty()) Error(end, "none of these pods has a port of that name");
  return targets;
}

Targets EndResolver::TargetsOfService(const EndText& end, const Service& service,
                                      const std::vector<PortText>& ports) {
  const std::string name = "Service " + Key(service.ns, service.name);
  if (service.selector.empty()) {
    Error(end, name + " has no selector, so its pods are not known");
    return {};
  }
  const Pods pods = analysis::PodsBehind(snapshot_, service);
  if (pods.empty()) Error(end, name + " selects no pod");
  std::string known;
  std::vector<const ServicePort*> meant;
  for (const ServicePort& port : service.ports) {
    known += (known.empty() ? "; it has " : ", ") + std::to_string(port.port) + "/" + port.protocol;
    const bool is_meant =
        ports.empty() || std::any_of(ports.begin(), ports.end(),
                                     [&](const PortText& text) { return Means(text, port); });
    if (is_meant) meant.push_back(&port);
  }
  if (meant.empty()) Error(end, name + " has no such port" + known);
  Targets targets;
  for (const Pod* pod : pods) {
    std::vector<analysis::ProtocolRange> spans;
    for (const ServicePort* port : meant) {
      for (const analysis::ProtocolRange& range : analysis::TargetPorts(*port, *pod)) {
        spans.push_back({range.protocol, range.first, range.last});
      }
    }
    if (!spans.empty()) AddPod(*pod, targets[std::move(spans)]);
  }
  if (targets.empty() && !pods.empty() && !meant.empty()) {
    Error(end, "no pod of " + name + " has the port that it leads to, or an address");
  }
  return targets;
}

// Pods and workloads, or else a Service. Where both have the name, they must mean the same: a port
// of the Service could be another one of the pods.
Targets EndResolver::TargetsOfName(const EndText& end, const std::vector<PortText>& ports) {
  const Service* service = FindService(end);
  const Pods pods = PodsOf(end);
  if (pods.empty() && service != nullptr) return TargetsOfService(end, *service, ports);
  if (pods.empty()) {
    Error(end, "no pod, workload or Service " + Key(end.ns, end.name) + Suggestion(end));
    return {};
  }
  Targets targets = TargetsOfPods(end, pods, ports);
  if (service == nullptr || ports.empty()) return targets;
  Diagnostics unheard;
  Diagnostics* const heard = std::exchange(diagnostics_, &unheard);
  const Targets behind = TargetsOfService(end, *service, ports);
  diagnostics_ = heard;
  if (unheard.ok() && !Same(targets, behind)) {
    Error(end, Key(end.ns, end.name) +
                   " is pods, and a Service whose port leads elsewhere; write {service: " +
                   end.name + ", port: ...} or {workload: " + end.name + ", port: ...}");
  }
  return targets;
}

EndResolver::Pods EndResolver::PodsOf(const EndText& end) const {
  if (end.form == EndText::Form::kPods) return Selected(end);
  Pods pods;
  const auto take = [&](const auto& index) {
    const auto found = index.find(Key(end.ns, end.name));
    if (found != index.end()) pods.insert(pods.end(), found->second.begin(), found->second.end());
  };
  if (end.form != EndText::Form::kWorkload) take(named_pods_);
  if (end.form != EndText::Form::kPod) take(named_workloads_);
  std::sort(pods.begin(), pods.end());
  pods.erase(std::unique(pods.begin(), pods.end()), pods.end());
  return pods;
}

// The word "pods" is all of them.
EndResolver::Pods EndResolver::Selected(const EndText& end) const {
  absl::flat_hash_map<std::string, bool> namespaces;
  for (const Namespace& ns : snapshot_.namespaces()) {
    namespaces[ns.name] =
        end.form == EndText::Form::kWord ||
        (end.namespaces ? model::Matches(*end.namespaces, ns.labels) : ns.name == end.ns);
  }
  Pods pods;
  for (const Pod& pod : snapshot_.pods()) {
    if (!HasEnded(pod) && namespaces[pod.ns] && model::Matches(end.pods, pod.labels)) {
      pods.push_back(&pod);
    }
  }
  return pods;
}

analysis::AddressSet EndResolver::Word(std::string_view word) const {
  if (word == "any") return space_.All();
  if (word == "nodes") return space_.OfKind(layout::AddressKind::kNode);
  analysis::AddressSet set = space_.OfKind(layout::AddressKind::kExternal);
  if (word == "external") return set;
  analysis::AddressSet inner = space_.All();
  inner.Subtract(Global());
  set.Subtract(inner);
  return set;
}

const Service* EndResolver::FindService(const EndText& end) const {
  const auto found = named_services_.find(Key(end.ns, end.name));
  return found == named_services_.end() ? nullptr : found->second;
}

// " in this input; did you mean ...?", of the names in the namespace.
std::string EndResolver::Suggestion(const EndText& end) const {
  const auto& all = snapshot_.namespaces();
  std::vector<std::string_view> namespaces;
  for (const Namespace& ns : all) namespaces.push_back(ns.name);
  const auto meant = [](std::string_view name) {
    return name.empty() ? std::string() : "; did you mean \"" + std::string(name) + "\"?";
  };
  const bool known = std::find(namespaces.begin(), namespaces.end(), end.ns) != namespaces.end();
  if (!known && !end.namespaces && !end.ns.empty()) {
    return "; there is no namespace \"" + EscapeForMessage(end.ns) + "\"" +
           meant(model::NearestWord(end.ns, namespaces));
  }
  if (end.name.empty()) return "";
  std::vector<std::string_view> names;
  const std::string prefix = end.ns + "/";
  const auto gather = [&](const auto& index) {
    for (const auto& [key, value] : index) {
      if (key.starts_with(prefix)) names.push_back(std::string_view(key).substr(prefix.size()));
    }
  };
  if (end.form != EndText::Form::kService && end.form != EndText::Form::kPod) {
    gather(named_workloads_);
  }
  if (end.form != EndText::Form::kService) gather(named_pods_);
  if (end.form != EndText::Form::kPod && end.form != EndText::Form::kWorkload) {
    gather(named_services_);
  }
  std::sort(names.begin(), names.end());
  return meant(model::NearestWord(end.name, names));
}

}  // namespace npf::tools
