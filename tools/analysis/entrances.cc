#include "analysis/entrances.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "analysis/listing.h"
#include "analysis/service_pods.h"

namespace npf::analysis {
namespace {

// Some of a group: of pods those that are meant, of others all of it.
struct Some {
  std::vector<uint32_t> pods;
  PortSet ports;  // of a destination
};
using ByGroup = std::map<uint32_t, Some>;

void Append(const std::vector<uint32_t>& more, std::vector<uint32_t>& out) {
  out.insert(out.end(), more.begin(), more.end());
}

bool Overlap(const AddressRange& a, const AddressRange& b) {
  return a.first.family == b.first.family && a.first <= b.last && b.first <= a.last;
}

class EntranceLister {
 public:
  EntranceLister(const Scene& scene, Connectivity& side, PortSets& ports)
      : scene_(scene), side_(side), ports_(ports), snapshot_(*scene.side(0).snapshot) {
    for (const Party& party : scene.parties()) {
      for (const uint32_t pod : party.pods) {
        place_of_[scene.pods()[pod].name] = {party.group, pod};
      }
    }
    for (uint32_t group = 0; group < scene.groups().size(); ++group) {
      if (scene.groups()[group].kind == EndKind::kExternal) external_[group];
      if (scene.groups()[group].kind == EndKind::kNode) nodes_[group];
      const bool inside = scene.groups()[group].kind == EndKind::kWorkload ||
                          scene.groups()[group].kind == EndKind::kNode;
      if (inside && scene.groups()[group].is_source) inside_[group];
    }
  }

  std::vector<EntranceRow> RunInside() {
    for (const Service& service : snapshot_.services()) {
      for (const ServicePort& port : service.ports) {
        const ByGroup targets = TargetsOf(service, port);
        if (targets.empty()) continue;
        AddRows(service, absl::StrCat("port ", port.port, "/", port.protocol), SeenAs::kClient,
                inside_, targets);
      }
    }
    return std::move(rows_);
  }

  std::vector<EntranceRow> Run() {
    for (const Service& service : snapshot_.services()) AddService(service);
    for (const Ingress& ingress : snapshot_.ingresses()) AddIngress(ingress);
    return std::move(rows_);
  }

 private:
  void AddService(const Service& service) {
    const bool on_nodes = service.type == "NodePort" || service.type == "LoadBalancer";
    if (!on_nodes && service.external_ips.empty()) return;
    for (const ServicePort& port : service.ports) {
      const ByGroup targets = TargetsOf(service, port);
      if (targets.empty()) continue;
      const std::string number = absl::StrCat(port.port, "/", port.protocol);
      if (on_nodes && port.node_port != 0) {
        AddWay(service, absl::StrCat("NodePort ", port.node_port, "/", port.protocol), external_,
               targets);
      }
      if (service.type == "LoadBalancer") AddBalancer(service, number, targets);
      for (const std::string& ip : service.external_ips) {
        AddWay(service, absl::StrCat("external address ", ip, ", ", number), external_, targets);
      }
    }
  }

  void AddBalancer(const Service& service, const std::string& number, const ByGroup& targets) {
    std::string way = "LoadBalancer";
    for (const std::string& ip : service.load_balancer_ips) absl::StrAppend(&way, " ", ip);
    absl::StrAppend(&way, way == "LoadBalancer" ? " " : ", ", number);
    if (service.source_ranges.empty()) {
      AddWay(service, way, external_, targets);
      return;
    }
    std::vector<AddressRange> allowed;
    absl::StrAppend(&way, " from");
    for (const std::string& text : service.source_ranges) {
      const ParsedPrefix parsed = ParseIpPrefix(text);
      if (parsed.fault != PrefixFault::kNone) continue;
      allowed.push_back({FirstAddress(parsed.prefix), LastAddress(parsed.prefix)});
      absl::StrAppend(&way, " ", text);
    }
    ByGroup clients;
    for (const auto& [group, all] : external_) {
      const auto& ranges = scene_.groups()[group].ranges;
      const bool some = std::any_of(ranges.begin(), ranges.end(), [&](const AddressRange& range) {
        return std::any_of(allowed.begin(), allowed.end(),
                           [&](const AddressRange& other) { return Overlap(range, other); });
      });
      if (some) clients[group];
    }
    AddWay(service, way, clients, targets);
  }

  // What the client, and where kube-proxy stands between them the node, may.
  void AddWay(const Service& service, const std::string& way, const ByGroup& clients,
              const ByGroup& targets) {
    bool entered = AddRows(service, way, SeenAs::kClient, clients, targets);
    if (service.external_traffic != "Local") {
      entered = AddRows(service, way, SeenAs::kNode, nodes_, targets) || entered;
    }
    if (!entered) return;
    for (const auto& [group, some] : targets) entered_[group].pods = some.pods;
  }

  void AddIngress(const Ingress& ingress) {
    for (const IngressBackend& backend : ingress.backends) {
      const auto service = std::find_if(
          snapshot_.services().begin(), snapshot_.services().end(), [&](const Service& other) {
            return other.ns == ingress.ns && other.name == backend.service;
          });
      if (service == snapshot_.services().end()) continue;
      ByGroup targets;
      for (const ServicePort& port : service->ports) {
        const std::string* name = std::get_if<std::string>(&backend.port);
        const bool meant =
            name != nullptr ? port.name == *name : port.port == std::get<int64_t>(backend.port);
        if (meant) targets.merge(TargetsOf(*service, port));
      }
      if (targets.empty()) continue;
      const std::string where =
          backend.host.empty() && backend.path.empty()
              ? "everything"
              : absl::StrCat(backend.host.empty() ? "*" : backend.host, backend.path);
      ByGroup controllers = entered_;
      controllers.insert(nodes_.begin(), nodes_.end());
      AddRows(*service, absl::StrCat("Ingress ", ingress.ns, "/", ingress.name, ": ", where),
              SeenAs::kController, controllers, targets);
    }
  }

  ByGroup TargetsOf(const Service& service, const ServicePort& port) const {
    ByGroup targets;
    for (const Pod* pod : PodsBehind(snapshot_, service)) {
      const auto place = place_of_.find(absl::StrCat(pod->ns, "/", pod->name));
      if (place == place_of_.end()) continue;
      const auto& [group, index] = place->second;
      const std::vector<ProtocolRange> ranges = TargetPorts(port, *pod);
      if (ranges.empty() || !scene_.groups()[group].is_destination) continue;
      Some& target = targets[group];  // whose pods have the same named ports
      target.pods.push_back(index);
      const uint32_t at = PlaceOf(ranges[0].protocol, ranges[0].first);
      target.ports = {{at, at}};
    }
    return targets;
  }

  // What is allowed: sources with the same reach are one row. One row that nothing is open where
  // nothing is, and false.
  bool AddRows(const Service& service, const std::string& way, SeenAs seen, const ByGroup& from,
               const ByGroup& targets) {
    using Reach = std::pair<PortSetId, std::vector<uint32_t>>;  // ports, groups
    std::map<Reach, std::vector<uint32_t>> sources;
    EntranceRow row{absl::StrCat(service.ns, "/", service.name), way, seen, {}, {}, {}, {}, {}};
    for (const auto& [to, target] : targets) {
      row.wanted = ports_.Union(row.wanted, ports_.Intern(target.ports));
    }
    for (const auto& [source, some] : from) {
      std::map<PortSetId, std::vector<uint32_t>> reach;
      for (const auto& [to, target] : targets) {
        if (source == to && IsOneself(some, target, to)) continue;
        const PortSetId allowed =
            ports_.Intersection(ports_.Intern(target.ports), Between(source, to));
        if (allowed != PortSets::kNone) reach[allowed].push_back(to);
      }
      for (auto& [allowed, groups] : reach) sources[{allowed, groups}].push_back(source);
    }
    for (const auto& [reach, groups] : sources) {
      EntranceRow open = row;
      open.ports = reach.first;
      for (const uint32_t source : groups) {
        const std::vector<uint32_t>& pods = from.at(source).pods;
        if (pods.empty()) open.from_groups.push_back(source);
        Append(pods, open.from_pods);
      }
      for (const uint32_t to : reach.second) Append(targets.at(to).pods, open.to);
      rows_.push_back(std::move(open));
    }
    if (!sources.empty()) return true;
    for (const auto& [to, target] : targets) Append(target.pods, row.to);
    rows_.push_back(std::move(row));
    return false;
  }

  // Whether source and destination, of one group, are one and the same pod.
  bool IsOneself(const Some& source, const Some& target, uint32_t group) const {
    const Group& all = scene_.groups()[group];
    if (all.stands_in || target.pods.size() > 1) return false;
    if (!source.pods.empty()) return source.pods == target.pods;
    return !all.HasPairOfItself(0, 0) && !all.HasPairOfItself(0, 1);
  }

  PortSetId Between(uint32_t from, uint32_t to) {
    PortSetId allowed = PortSets::kNone;
    for (size_t family = 0; family < kFamilies; ++family) {
      allowed = ports_.Union(
          allowed, Allowed(side_, ports_, scene_.groups()[from], scene_.groups()[to], 0, family));
    }
    return allowed;
  }

  const Scene& scene_;
  Connectivity& side_;
  PortSets& ports_;
  const Snapshot& snapshot_;
  // By "namespace/pod": its group, and its index.
  absl::flat_hash_map<std::string, std::pair<uint32_t, uint32_t>> place_of_;
  ByGroup external_;
  ByGroup nodes_;
  ByGroup inside_;   // workloads and nodes that are chosen as sources
  ByGroup entered_;  // pods that a Service lets the outside reach
  std::vector<EntranceRow> rows_;
};

}  // namespace

std::string_view Name(SeenAs seen) {
  switch (seen) {
    case SeenAs::kClient:
      return "client";
    case SeenAs::kNode:
      return "node";
    default:
      return "controller";
  }
}

std::vector<EntranceRow> ListEntrances(const Scene& scene, Connectivity& side, PortSets& ports) {
  return EntranceLister(scene, side, ports).Run();
}

std::vector<EntranceRow> ListServices(const Scene& scene, Connectivity& side, PortSets& ports) {
  return EntranceLister(scene, side, ports).RunInside();
}

}  // namespace npf::analysis
