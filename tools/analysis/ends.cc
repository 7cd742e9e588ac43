#include "analysis/ends.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

namespace npf::analysis {
namespace {

bool IsNewPod(const Workload& workload) { return workload.kind == kNewPodKind; }

std::string_view PodName(const ScenePod& pod) {
  return std::string_view(pod.name).substr(pod.name.find('/') + 1);
}

}  // namespace

uint8_t FamiliesOf(const Scene& scene, const std::vector<uint32_t>& from,
                   const std::vector<uint32_t>& to) {
  const auto of = [&](const std::vector<uint32_t>& groups) {
    uint8_t families = 0;
    for (const uint32_t group : groups) {
      for (const auto& of_side : scene.groups()[group].classes) {
        for (size_t family = 0; family < kFamilies; ++family) {
          if (of_side[family] != kAbsent) families |= static_cast<uint8_t>(1 << family);
        }
      }
    }
    return families;
  };
  return of(from) & of(to);
}

EndNamer::EndNamer(const Scene& scene) : scene_(scene) {
  const std::vector<Workload>& workloads = scene.workloads();
  std::vector<uint32_t> order(workloads.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return std::tie(workloads[a].ns, workloads[a].name, workloads[a].kind) <
           std::tie(workloads[b].ns, workloads[b].name, workloads[b].kind);
  });
  rank_.resize(workloads.size());
  namespace_of_.resize(workloads.size());
  for (uint32_t i = 0; i < order.size(); ++i) {
    const Workload& workload = workloads[order[i]];
    rank_[order[i]] = i;
    if (namespaces_.empty() || namespaces_.back() != workload.ns) {
      namespaces_.push_back(workload.ns);
      workloads_in_.push_back(0);
    }
    namespace_of_[order[i]] = static_cast<uint32_t>(namespaces_.size() - 1);
    if (!IsNewPod(workload) && workload.pod_count > 0) ++workloads_in_.back();
  }
}

void EndNamer::AddOwned(const std::vector<uint32_t>& groups, std::vector<End>& out) const {
  std::map<std::pair<EndKind, uint32_t>, End> ends;  // by kind and rank
  for (const uint32_t group : groups) {
    for (const uint32_t index : scene_.groups()[group].parties) {
      const Party& party = scene_.parties()[index];
      const uint32_t rank = IsPod(party.kind) ? rank_[party.owner] : party.owner;
      End& end = ends[{party.kind, rank}];
      end.kind = party.kind;
      end.owner = party.owner;
      end.pods.insert(end.pods.end(), party.pods.begin(), party.pods.end());
    }
  }
  for (auto& [key, end] : ends) {
    std::sort(end.pods.begin(), end.pods.end());
    end.pods.erase(std::unique(end.pods.begin(), end.pods.end()), end.pods.end());
    end.whole = !IsPod(end.kind) || end.pods.size() == scene_.workloads()[end.owner].pod_count;
    out.push_back(std::move(end));
  }
}

void EndNamer::AddRanges(const std::vector<uint32_t>& groups, EndKind kind, uint8_t families,
                         std::vector<End>& out) const {
  std::vector<uint32_t> of_kind;
  for (const uint32_t group : groups) {
    if (scene_.groups()[group].kind == kind) of_kind.push_back(group);
  }
  if (of_kind.empty()) return;
  End end{.kind = kind};
  size_t whole = 0;
  for (CidrList& list : ToCidrs(scene_.AddressesOf(of_kind))) {
    const bool v4 = list.cidrs.front().address.family == Family::kIpv4;
    if ((families & (v4 ? 1 : 2)) == 0) continue;
    if (list.cidrs.front().length == 0 && list.except.empty()) ++whole;
    end.cidrs.push_back(std::move(list));
  }
  if (end.cidrs.empty()) return;
  end.everything = whole == (families == 3 ? 2u : 1u);
  out.push_back(std::move(end));
}

std::vector<End> EndNamer::Of(const std::vector<uint32_t>& groups, uint8_t families) const {
  std::vector<End> ends;
  AddOwned(groups, ends);
  for (const EndKind kind : {EndKind::kService, EndKind::kUnknownPod, EndKind::kExternal}) {
    AddRanges(groups, kind, families, ends);
  }
  return ends;
}

std::string EndNamer::Label(const End& end) const {
  switch (end.kind) {
    case EndKind::kWorkload:
      break;
    case EndKind::kNewPod:
      return scene_.workloads()[end.owner].in_new_namespace
                 ? "a new pod in a new namespace"
                 : "a new pod in " + scene_.workloads()[end.owner].ns;
    case EndKind::kNode:
      return "node " + scene_.nodes()[end.owner];
    default: {
      std::string text = end.kind == EndKind::kService      ? "Services"
                         : end.kind == EndKind::kUnknownPod ? "unknown pods"
                                                            : "external";
      if (end.everything) return text;
      for (const CidrList& list : end.cidrs) {
        text += (&list == &end.cidrs.front() ? " " : "; ") + ToString(list);
      }
      return text;
    }
  }
  const Workload& workload = scene_.workloads()[end.owner];
  std::string text = workload.ToString();
  if (end.whole) return text;
  constexpr size_t kNamesMax = 3;
  text += " (" + std::to_string(end.pods.size()) + " of " + std::to_string(workload.pod_count) +
          " pods: ";
  for (size_t i = 0; i < std::min(end.pods.size(), kNamesMax); ++i) {
    text += (i == 0 ? "" : ", ") + std::string(PodName(scene_.pods()[end.pods[i]]));
  }
  return text + (end.pods.size() > kNamesMax ? ", ...)" : ")");
}

std::vector<std::string> EndNamer::Labels(const std::vector<End>& ends) const {
  std::vector<uint32_t> whole_in(namespaces_.size(), 0);
  for (const End& end : ends) {
    if (end.kind == EndKind::kWorkload && end.whole) ++whole_in[namespace_of_[end.owner]];
  }
  size_t with_workloads = 0;
  size_t all_of = 0;
  for (size_t ns = 0; ns < namespaces_.size(); ++ns) {
    with_workloads += workloads_in_[ns] > 0 ? 1 : 0;
    all_of += workloads_in_[ns] > 0 && whole_in[ns] == workloads_in_[ns] ? 1 : 0;
  }
  const bool all = with_workloads > 1 && all_of == with_workloads;
  std::vector<std::string> labels;
  if (all) labels.emplace_back("*/*");
  std::vector<bool> said(namespaces_.size(), false);
  for (const End& end : ends) {
    if (end.kind == EndKind::kWorkload) {
      if (all) continue;
      const uint32_t ns = namespace_of_[end.owner];
      if (workloads_in_[ns] > 1 && whole_in[ns] == workloads_in_[ns]) {
        if (!said[ns]) labels.push_back(namespaces_[ns] + "/*");
        said[ns] = true;
        continue;
      }
    }
    labels.push_back(Label(end));
  }
  return labels;
}

}  // namespace npf::analysis
