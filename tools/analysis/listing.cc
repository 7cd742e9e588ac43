#include "analysis/listing.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace npf::analysis {
namespace {

// What a source reaches: destinations by ports and families.
using Reach = std::map<std::pair<PortSetId, uint8_t>, std::vector<uint32_t>>;

class Lister {
 public:
  Lister(const Scene& scene, Connectivity& side, PortSets& ports)
      : scene_(scene), side_(side), ports_(ports) {}

  Listing Run() {
    // Sources with the same reach, in the order of their first.
    std::map<Reach, std::vector<uint32_t>> by_reach;
    for (uint32_t source = 0; source < scene_.groups().size(); ++source) {
      if (!scene_.groups()[source].is_source) continue;
      Reach reach = ReachOf(source);
      if (!reach.empty()) by_reach[std::move(reach)].push_back(source);
    }
    Listing listing;
    for (const auto& [reach, sources] : by_reach) {
      for (const auto& [how, destinations] : reach) {
        if (sources == destinations && sources.size() == 1 && IsAlone(sources[0])) continue;
        listing.rows.push_back({sources, destinations, how.first, how.second});
      }
    }
    std::sort(listing.rows.begin(), listing.rows.end(), [](const auto& a, const auto& b) {
      return std::tie(a.from, a.to, a.ports, a.families) <
             std::tie(b.from, b.to, b.ports, b.families);
    });
    AddOwnNodes(listing);
    return listing;
  }

 private:
  bool IsAlone(uint32_t group) const {
    return !scene_.groups()[group].HasPairOfItself(0, 0) &&
           !scene_.groups()[group].HasPairOfItself(0, 1);
  }

  Reach ReachOf(uint32_t source) {
    Reach reach;
    const Group& from = scene_.groups()[source];
    for (uint32_t destination = 0; destination < scene_.groups().size(); ++destination) {
      const Group& to = scene_.groups()[destination];
      if (!to.is_destination || (!IsPod(from.kind) && !IsPod(to.kind))) continue;
      std::array<PortSetId, kFamilies> allowed{};
      std::array<bool, kFamilies> exists{};
      for (size_t family = 0; family < kFamilies; ++family) {
        exists[family] = Exists(source, destination, family);
        if (exists[family]) allowed[family] = Allowed(side_, ports_, from, to, 0, family);
      }
      if (exists[0] && exists[1] && allowed[0] != allowed[1]) {
        Add(reach, allowed[0], kIpv4Only, destination);
        Add(reach, allowed[1], kIpv6Only, destination);
      } else {
        Add(reach, exists[0] ? allowed[0] : allowed[1], kBothFamilies, destination);
      }
    }
    return reach;
  }

  bool Exists(uint32_t source, uint32_t destination, size_t family) const {
    const Group& from = scene_.groups()[source];
    const Group& to = scene_.groups()[destination];
    if (from.classes[0][family] == kAbsent || to.classes[0][family] == kAbsent) return false;
    return from.kind != EndKind::kNode || scene_.PairsApart(source, destination, family) > 0;
  }

  static void Add(Reach& reach, PortSetId ports, uint8_t families, uint32_t destination) {
    if (ports != PortSets::kNone) reach[{ports, families}].push_back(destination);
  }

  void AddOwnNodes(Listing& listing) {
    std::map<std::pair<PortSetId, uint8_t>, std::vector<uint32_t>> rows;
    for (const Local& local : scene_.locals()) {
      const Group& node = scene_.groups()[local.node_group];
      const Group& pod = scene_.groups()[local.pod_group];
      if (!node.is_source || !pod.is_destination) continue;
      const uint32_t src = node.classes[0][local.family];
      const uint32_t dst = pod.classes[0][local.family];
      const PortSetId allowed = side_.IngressFromOwnNode(src, dst);
      if (allowed == side_.Ingress(src, dst) &&
          scene_.PairsApart(local.node_group, local.pod_group, local.family) > 0) {
        continue;
      }
      const auto families = static_cast<uint8_t>(local.family == 0 ? kIpv4Only : kIpv6Only);
      if (allowed != PortSets::kNone) rows[{allowed, families}].push_back(local.pod_group);
    }
    for (auto& [how, pods] : rows) {
      std::sort(pods.begin(), pods.end());
      pods.erase(std::unique(pods.begin(), pods.end()), pods.end());
    }
    MergeFamilies(rows, listing);
  }

  // A row of IPv4 and one of IPv6 that say the same are one.
  static void MergeFamilies(std::map<std::pair<PortSetId, uint8_t>, std::vector<uint32_t>>& rows,
                            Listing& listing) {
    for (auto& [how, pods] : rows) {
      const auto other = rows.find({how.first, static_cast<uint8_t>(kBothFamilies - how.second)});
      const bool same = other != rows.end() && other->second == pods;
      if (same && how.second == kIpv6Only) continue;
      listing.own_node.push_back({pods, how.first, same ? kBothFamilies : how.second});
    }
  }

  const Scene& scene_;
  Connectivity& side_;
  PortSets& ports_;
};

}  // namespace

PortSetId Allowed(Connectivity& side, PortSets& ports, const Group& from, const Group& to,
                  size_t side_index, size_t family) {
  const uint32_t src = from.classes[side_index][family];
  const uint32_t dst = to.classes[side_index][family];
  if (src == kAbsent || dst == kAbsent) return PortSets::kNone;
  return ports.Intersection(side.Egress(src, dst), side.Ingress(src, dst));
}

Listing ListConnections(const Scene& scene, Connectivity& side, PortSets& ports) {
  return Lister(scene, side, ports).Run();
}

}  // namespace npf::analysis
