#include "analysis/exposure.h"

#include <array>
#include <map>
#include <tuple>
#include <utility>

namespace npf::analysis {
namespace {

// By what it is open to, ports and families: peers.
using Openings = std::map<std::tuple<OpenTo, PortSetId, uint8_t>, std::vector<uint32_t>>;

struct ByFamily {
  std::array<PortSetId, kFamilies> ports{};
  std::array<bool, kFamilies> exists{};
};

class ExposureLister {
 public:
  ExposureLister(const Scene& scene, Connectivity& side, PortSets& ports)
      : scene_(scene), side_(side), ports_(ports) {
    for (uint32_t group = 0; group < scene.groups().size(); ++group) {
      if (scene.groups()[group].kind == EndKind::kExternal) external_.push_back(group);
      if (scene.groups()[group].kind == EndKind::kNewPod) new_pods_.push_back(group);
    }
  }

  std::vector<ExposureRow> Run() {
    std::vector<ExposureRow> rows;
    for (const Direction direction : {Direction::kIngress, Direction::kEgress}) {
      std::map<Openings, std::vector<uint32_t>> alike;
      for (uint32_t group = 0; group < scene_.groups().size(); ++group) {
        const Group& subject = scene_.groups()[group];
        const bool ingress = direction == Direction::kIngress;
        if (subject.kind != EndKind::kWorkload) continue;
        if (!(ingress ? subject.is_destination : subject.is_source)) continue;
        alike[OpeningsOf(subject, ingress)].push_back(group);
      }
      for (const auto& [openings, groups] : alike) {
        for (const auto& [how, peers] : openings) {
          const auto& [open_to, ports, families] = how;
          rows.push_back({groups, direction, open_to, peers, ports, families});
        }
      }
    }
    return rows;
  }

 private:
  ByFamily Between(const Group& subject, uint32_t peer, bool ingress) {
    const Group& other = scene_.groups()[peer];
    const Group& from = ingress ? other : subject;
    const Group& to = ingress ? subject : other;
    ByFamily result;
    for (size_t family = 0; family < kFamilies; ++family) {
      result.exists[family] =
          from.classes[0][family] != kAbsent && to.classes[0][family] != kAbsent;
      if (!result.exists[family]) continue;
      const uint32_t src = from.classes[0][family];
      const uint32_t dst = to.classes[0][family];
      result.ports[family] = ingress ? side_.Ingress(src, dst) : side_.Egress(src, dst);
    }
    return result;
  }

  Openings OpeningsOf(const Group& subject, bool ingress) {
    Openings openings;
    for (const uint32_t peer : external_) {
      Add(OpenTo::kExternal, Between(subject, peer, ingress), peer, openings);
    }
    std::vector<ByFamily> of_new;
    ByFamily every{.ports = {PortSets::kAll, PortSets::kAll}};
    for (const uint32_t peer : new_pods_) {
      of_new.push_back(Between(subject, peer, ingress));
      for (size_t family = 0; family < kFamilies; ++family) {
        if (!of_new.back().exists[family]) continue;
        every.exists[family] = true;
        every.ports[family] = ports_.Intersection(every.ports[family], of_new.back().ports[family]);
      }
    }
    for (size_t i = 0; i < new_pods_.size(); ++i) {
      Add(OpenTo::kEveryNamespace, every, new_pods_[i], openings);
      for (size_t family = 0; family < kFamilies; ++family) {
        of_new[i].ports[family] = ports_.Difference(of_new[i].ports[family], every.ports[family]);
      }
      Add(OpenTo::kNewPods, of_new[i], new_pods_[i], openings);
    }
    return openings;
  }

  static void Add(OpenTo open_to, const ByFamily& allowed, uint32_t peer, Openings& openings) {
    const auto add = [&](PortSetId ports, uint8_t families) {
      if (ports != PortSets::kNone) openings[{open_to, ports, families}].push_back(peer);
    };
    if (allowed.exists[0] && allowed.exists[1] && allowed.ports[0] != allowed.ports[1]) {
      add(allowed.ports[0], kIpv4Only);
      add(allowed.ports[1], kIpv6Only);
    } else if (allowed.exists[0] || allowed.exists[1]) {
      add(allowed.exists[0] ? allowed.ports[0] : allowed.ports[1], kBothFamilies);
    }
  }

  const Scene& scene_;
  Connectivity& side_;
  PortSets& ports_;
  std::vector<uint32_t> external_;
  std::vector<uint32_t> new_pods_;
};

}  // namespace

std::vector<ExposureRow> ListExposure(const Scene& scene, Connectivity& side, PortSets& ports) {
  return ExposureLister(scene, side, ports).Run();
}

}  // namespace npf::analysis
