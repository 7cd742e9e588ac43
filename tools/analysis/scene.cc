#include "analysis/scene.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "classify/address_lookup.h"
#include "program/view.h"

namespace npf::analysis {
namespace {

constexpr std::array<Family, kFamilies> kFamilyOf = {Family::kIpv4, Family::kIpv6};

size_t IndexOf(Family family) { return family == Family::kIpv4 ? 0 : 1; }

uint32_t ClassAt(const Program& program, const IpAddress& address) {
  return npf::ClassOf(program.view(), static_cast<uint8_t>(address.family), address.bytes.data());
}

EndKind KindOf(layout::AddressKind kind) {
  switch (kind) {
    case layout::AddressKind::kPod:
      return EndKind::kWorkload;
    case layout::AddressKind::kNode:
      return EndKind::kNode;
    case layout::AddressKind::kService:
      return EndKind::kService;
    case layout::AddressKind::kUnknownPod:
      return EndKind::kUnknownPod;
    default:
      return EndKind::kExternal;
  }
}

// An address and its class on each side where somebody has it.
struct Twin {
  std::array<std::optional<IpAddress>, 2> address;
  std::array<uint32_t, 2> address_class = {kAbsent, kAbsent};
};

struct RawPod {
  ScenePod pod;
  // By side and family, sorted.
  std::array<std::array<std::vector<IpAddress>, kFamilies>, 2> addresses;
  bool stands_in = false;
};

using GroupKey = std::tuple<EndKind, Classes, bool, bool>;

}  // namespace

class SceneBuilder {
 public:
  SceneBuilder(Scene& scene, const SceneOptions& options) : scene_(scene), options_(options) {}

  void Build() {
    for (size_t side = 0; side < scene_.sides_.size(); ++side) IndexObjects(side);
    for (size_t side = 0; side < scene_.sides_.size(); ++side) ReadEndpoints(side);
    if (scene_.sides_.size() > 1) MatchRollouts();
    for (RawPod& raw : raw_pods_) AddPod(raw);
    AddNodes();
    AddRanges();
    FindAmbiguousNames();
    AddLocals();
  }

 private:
  // Objects by "namespace/name"; workloads of two kinds may share one.
  void IndexObjects(size_t side) {
    if (!scene_.sides_[side].snapshot) return;
    for (const Namespace& ns : scene_.sides_[side].snapshot->namespaces()) {
      if (ns.is_new) new_namespace_ = ns.name;
    }
    for (const Pod& pod : scene_.sides_[side].snapshot->pods()) {
      objects_[side].emplace(pod.ns + "/" + pod.name, &pod);
    }
  }

  // The object that an endpoint is of: of its own side, or, for an image, of the other one.
  const Pod* ObjectOf(size_t side, const std::string& name, const IpAddress& address) const {
    const Pod* found = nullptr;
    const size_t from = scene_.sides_[side].snapshot ? side : 1 - side;
    const auto [begin, end] = objects_[from].equal_range(name);
    for (auto at = begin; at != end; ++at) {
      if (found == nullptr) found = at->second;
      if (std::next(begin) == end) return found;
      for (const std::string& text : at->second->ips) {
        if (ParseIpAddress(text) == address) return at->second;
      }
    }
    return found;
  }

  void ReadEndpoints(size_t side) {
    const ProgramView& view = scene_.sides_[side].program.view();
    for (const layout::Endpoint& endpoint : view.Section<layout::Endpoint>(layout::kEndpoints)) {
      const IpAddress address = AddressOf(endpoint);
      if (endpoint.kind != static_cast<uint8_t>(layout::AddressKind::kPod)) {
        node_addresses_[address][side] = view.String(endpoint.name);
        continue;
      }
      const std::string name(view.String(endpoint.name));
      const Pod* object = ObjectOf(side, name, address);
      RawPod& raw = RawPodOf(name, object);
      if (object != nullptr && scene_.sides_[side].snapshot) raw.pod.object = object;
      raw.pod.present[side] = true;
      raw.pod.node[side] = view.String(endpoint.node);
      raw.addresses[side][IndexOf(address.family)].push_back(address);
      pod_addresses_.insert(Key(address));
    }
  }

  static std::string Key(const IpAddress& address) {
    std::string key(reinterpret_cast<const char*>(address.bytes.data()), address.bytes.size());
    key.push_back(static_cast<char>(address.family));
    return key;
  }

  RawPod& RawPodOf(const std::string& name, const Pod* object) {
    std::string key = name;
    if (object != nullptr && !object->owner_kind.empty()) key += "[" + object->owner_kind;
    const auto [found, inserted] = raw_ids_.try_emplace(std::move(key), raw_pods_.size());
    if (!inserted) return raw_pods_[found->second];
    RawPod& raw = raw_pods_.emplace_back();
    raw.pod.name = name;
    raw.pod.object = object;
    Workload workload;
    if (object != nullptr) {
      workload = WorkloadOf(*object);
    } else {
      const size_t slash = name.find('/');
      workload = {.ns = name.substr(0, slash), .kind = "Pod", .name = name.substr(slash + 1)};
    }
    raw.stands_in = workload.stands_in;
    workload.in_new_namespace = workload.kind == kNewPodKind && workload.ns == new_namespace_;
    raw.pod.workload = InternWorkload(std::move(workload));
    return raw;
  }

  uint32_t InternWorkload(Workload workload) {
    const auto [found, inserted] = workload_ids_.try_emplace(
        std::tuple(workload.ns, workload.name, workload.kind), scene_.workloads_.size());
    if (inserted) scene_.workloads_.push_back(std::move(workload));
    return found->second;
  }

  // A workload with no pod in common: what its pods were is compared with what they are.
  void MatchRollouts() {
    std::vector<std::array<std::vector<size_t>, 2>> only(scene_.workloads_.size());
    std::vector<bool> has_common(scene_.workloads_.size(), false);
    for (size_t i = 0; i < raw_pods_.size(); ++i) {
      const ScenePod& pod = raw_pods_[i].pod;
      if (pod.present[0] && pod.present[1]) {
        has_common[pod.workload] = true;
      } else {
        only[pod.workload][pod.present[0] ? 0 : 1].push_back(i);
      }
    }
    std::vector<RawPod> matched;
    std::vector<bool> gone(raw_pods_.size(), false);
    for (size_t workload = 0; workload < only.size(); ++workload) {
      const auto& [before, after] = only[workload];
      if (has_common[workload] || before.empty() || after.empty()) continue;
      for (const size_t i : before) gone[i] = true;
      for (const size_t i : after) gone[i] = true;
      for (const auto& [b, a] : Pairs(before, after)) {
        RawPod pair = raw_pods_[a];
        pair.pod.present[0] = true;
        pair.pod.node[0] = raw_pods_[b].pod.node[0];
        pair.addresses[0] = raw_pods_[b].addresses[0];
        matched.push_back(std::move(pair));
      }
    }
    for (size_t i = 0; i < raw_pods_.size(); ++i) {
      if (!gone[i]) matched.push_back(std::move(raw_pods_[i]));
    }
    raw_pods_ = std::move(matched);
  }

  // Each with one of the other side, and every way to be judged before with every one after.
  std::set<std::pair<size_t, size_t>> Pairs(const std::vector<size_t>& before,
                                            const std::vector<size_t>& after) const {
    std::set<std::pair<size_t, size_t>> pairs;
    for (size_t i = 0; i < std::max(before.size(), after.size()); ++i) {
      pairs.emplace(before[i % before.size()], after[i % after.size()]);
    }
    for (const size_t b : DistinctlyJudged(before, 0)) {
      for (const size_t a : DistinctlyJudged(after, 1)) pairs.emplace(b, a);
    }
    return pairs;
  }

  std::vector<size_t> DistinctlyJudged(const std::vector<size_t>& raws, size_t side) const {
    std::map<std::vector<uint32_t>, size_t> first;
    for (const size_t i : raws) {
      std::vector<uint32_t> classes;
      for (const auto& of_family : raw_pods_[i].addresses[side]) {
        for (const IpAddress& address : of_family) {
          classes.push_back(ClassAt(scene_.sides_[side].program, address));
        }
        classes.push_back(kAbsent);
      }
      first.emplace(std::move(classes), i);
    }
    std::vector<size_t> distinct;
    for (const auto& [classes, i] : first) distinct.push_back(i);
    return distinct;
  }

  // Addresses that both sides have are the same; what is left is paired in order.
  std::vector<Twin> Twins(const RawPod& raw, size_t family) const {
    std::array<std::vector<IpAddress>, 2> left;
    std::vector<Twin> twins;
    const auto& before = raw.addresses[0][family];
    const auto& after = raw.addresses[1][family];
    const auto has = [](const std::vector<IpAddress>& all, const IpAddress& one) {
      return std::find(all.begin(), all.end(), one) != all.end();
    };
    for (const IpAddress& address : before) {
      if (has(after, address)) {
        twins.push_back({{address, address}});
      } else {
        left[0].push_back(address);
      }
    }
    for (const IpAddress& address : after) {
      if (!has(before, address)) left[1].push_back(address);
    }
    for (size_t i = 0; i < std::max(left[0].size(), left[1].size()); ++i) {
      Twin twin;
      for (const size_t side : {0, 1}) {
        if (i < left[side].size()) twin.address[side] = left[side][i];
      }
      twins.push_back(twin);
    }
    for (Twin& twin : twins) {
      for (size_t side = 0; side < scene_.sides_.size(); ++side) {
        if (!twin.address[side]) continue;
        twin.address_class[side] = ClassAt(scene_.sides_[side].program, *twin.address[side]);
      }
    }
    return twins;
  }

  void AddPod(RawPod& raw) {
    const auto index = static_cast<uint32_t>(scene_.pods_.size());
    Workload& workload = scene_.workloads_[raw.pod.workload];
    ++workload.pod_count;
    const bool is_new = raw.pod.object != nullptr && raw.pod.object->owner_kind == kNewPodKind;
    const EndKind kind = is_new ? EndKind::kNewPod : EndKind::kWorkload;
    // A pod is meant by any of its addresses.
    const auto chosen = [&](const Choice& choice) {
      for (const auto& of_side : raw.addresses) {
        for (const auto& of_family : of_side) {
          for (const IpAddress& address : of_family) {
            if (choice.Covers(address)) return true;
          }
        }
      }
      return false;
    };
    const bool source = chosen(options_.sources);
    const bool destination = chosen(options_.destinations);
    const std::array<std::vector<Twin>, kFamilies> twins = {Twins(raw, 0), Twins(raw, 1)};
    for (size_t i = 0; i < std::max(twins[0].size(), twins[1].size()); ++i) {
      Classes classes{};
      for (auto& of_side : classes) of_side = {kAbsent, kAbsent};
      for (size_t family = 0; family < kFamilies; ++family) {
        if (i >= twins[family].size()) continue;
        for (const size_t side : {0, 1}) {
          classes[side][family] = twins[family][i].address_class[side];
        }
      }
      const uint32_t group = GroupOf({kind, classes, source, destination});
      AddToParty(kind, raw.pod.workload, group, index);
      for (size_t family = 0; family < kFamilies; ++family) {
        if (i >= twins[family].size()) continue;
        AddMember(group, {twins[family][i].address, static_cast<uint8_t>(family), index});
      }
      scene_.groups_[group].stands_in |= raw.stands_in && !is_new;
    }
    scene_.pods_.push_back(std::move(raw.pod));
  }

  uint32_t GroupOf(const GroupKey& key) {
    const auto [found, inserted] =
        groups_.try_emplace(key, static_cast<uint32_t>(scene_.groups_.size()));
    if (inserted) {
      Group group;
      std::tie(group.kind, group.classes, group.is_source, group.is_destination) = key;
      scene_.groups_.push_back(std::move(group));
    }
    return found->second;
  }

  void AddToParty(EndKind kind, uint32_t owner, uint32_t group, uint32_t pod) {
    const auto [found, inserted] = parties_.try_emplace(
        std::tuple(kind, owner, group), static_cast<uint32_t>(scene_.parties_.size()));
    if (inserted) {
      scene_.parties_.push_back({.kind = kind, .owner = owner, .group = group, .pods = {}});
      scene_.groups_[group].parties.push_back(found->second);
    }
    std::vector<uint32_t>& pods = scene_.parties_[found->second].pods;
    if (IsPod(kind) && (pods.empty() || pods.back() != pod)) pods.push_back(pod);
  }

  void AddMember(uint32_t group, const Member& member) {
    for (const size_t side : {0, 1}) {
      if (member.address[side]) ++scene_.groups_[group].counts[side][member.family];
    }
    scene_.groups_[group].members.push_back(member);
  }

  // An address that a node has on a side, compared with what it is on the other.
  void AddNodes() {
    std::map<std::string, uint32_t, std::less<>> names;
    for (const auto& [address, node] : node_addresses_) {
      if (pod_addresses_.contains(Key(address))) continue;
      const size_t family = IndexOf(address.family);
      Classes classes{};
      for (auto& of_side : classes) of_side = {kAbsent, kAbsent};
      Member member{.family = static_cast<uint8_t>(family)};
      for (size_t side = 0; side < scene_.sides_.size(); ++side) {
        classes[side][family] = ClassAt(scene_.sides_[side].program, address);
        member.address[side] = address;
      }
      const std::string_view name = node[1].empty() ? node[0] : node[1];
      const auto [found, inserted] =
          names.try_emplace(std::string(name), static_cast<uint32_t>(names.size()));
      if (inserted) scene_.nodes_.emplace_back(name);
      const bool source = options_.sources.Covers(address);
      const bool destination = options_.destinations.Covers(address);
      const uint32_t group = GroupOf({EndKind::kNode, classes, source, destination});
      AddToParty(EndKind::kNode, found->second, group, 0);
      member.owner = found->second;
      AddMember(group, member);
      for (size_t side = 0; side < scene_.sides_.size(); ++side) {
        if (!node[side].empty()) on_node_[side][std::string(node[side])].push_back({group, member});
      }
    }
  }

  void AddRanges() {
    for (size_t family = 0; family < kFamilies; ++family) {
      const std::vector<ClassRun> first = RunsOf(scene_.sides_[0].program, kFamilyOf[family]);
      if (scene_.sides_.size() == 1) {
        for (const ClassRun& run : first) AddRange(run.range, {run.address_class, kAbsent});
        continue;
      }
      const std::vector<ClassRun> second = RunsOf(scene_.sides_[1].program, kFamilyOf[family]);
      for (auto a = first.begin(), b = second.begin(); a != first.end() && b != second.end();) {
        const AddressRange common{std::max(a->range.first, b->range.first),
                                  std::min(a->range.last, b->range.last)};
        if (common.first <= common.last) AddRange(common, {a->address_class, b->address_class});
        if (a->range.last < b->range.last) {
          ++a;
        } else {
          ++b;
        }
      }
    }
  }

  // Cut where the choice of sources or destinations begins or ends.
  void AddRange(const AddressRange& range, const std::array<uint32_t, 2>& by_side) {
    std::set<IpAddress> begins = {range.first};
    for (const Choice* choice : {&options_.sources, &options_.destinations}) {
      if (!choice->addresses) continue;
      for (const AddressRange& chosen : *choice->addresses) {
        for (const IpAddress& begin : {chosen.first, NextAddress(chosen.last)}) {
          if (range.first < begin && begin <= range.last) begins.insert(begin);
        }
      }
    }
    const size_t last_side = scene_.sides_.size() - 1;
    const auto records =
        scene_.sides_[last_side].program.view().Section<layout::ClassRecord>(layout::kClasses);
    const EndKind kind = KindOf(static_cast<layout::AddressKind>(records[by_side[last_side]].kind));
    const size_t family = IndexOf(range.first.family);
    for (auto at = begins.begin(); at != begins.end(); ++at) {
      const auto next = std::next(at);
      const AddressRange part{*at, next == begins.end() ? range.last : PreviousAddress(*next)};
      const auto key = std::tuple(kind, by_side, options_.sources.Covers(*at),
                                  options_.destinations.Covers(*at));
      const auto [found, inserted] =
          range_groups_.try_emplace(key, static_cast<uint32_t>(scene_.groups_.size()));
      if (inserted) {
        Group group;
        group.kind = kind;
        for (auto& of_side : group.classes) of_side = {kAbsent, kAbsent};
        group.is_source = std::get<2>(key);
        group.is_destination = std::get<3>(key);
        scene_.groups_.push_back(std::move(group));
      }
      Group& group = scene_.groups_[found->second];
      for (size_t side = 0; side < scene_.sides_.size(); ++side) {
        group.classes[side][family] = by_side[side];
      }
      group.ranges.push_back(part);
      scene_.runs_.push_back({part, found->second});
    }
  }

  void FindAmbiguousNames() {
    for (auto at = workload_ids_.begin(); at != workload_ids_.end(); ++at) {
      const auto next = std::next(at);
      if (next == workload_ids_.end()) break;
      const auto& [ns, name, kind] = at->first;
      const auto& [next_ns, next_name, next_kind] = next->first;
      if (ns != next_ns || name != next_name) continue;
      scene_.workloads_[at->second].ambiguous = true;
      scene_.workloads_[next->second].ambiguous = true;
    }
  }

  struct NodeAddress {
    uint32_t group;
    Member member;
  };

  void AddLocals() {
    std::map<std::tuple<uint32_t, uint32_t, uint8_t, uint8_t>, size_t> known;
    for (uint32_t group = 0; group < scene_.groups_.size(); ++group) {
      if (!IsPod(scene_.groups_[group].kind)) continue;
      for (const Member& pod : scene_.groups_[group].members) AddLocalsOf(group, pod, known);
    }
    for (const Local& local : scene_.locals_) {
      scene_.local_pairs_[{local.node_group, local.pod_group, local.family}] += local.count;
    }
  }

  template <typename Known>
  void AddLocalsOf(uint32_t group, const Member& pod, Known& known) {
    std::map<IpAddress, std::pair<const NodeAddress*, uint8_t>> near;
    for (size_t side = 0; side < scene_.sides_.size(); ++side) {
      const std::string_view node = scene_.pods_[pod.owner].node[side];
      if (node.empty() || !pod.address[side]) continue;
      const auto found = on_node_[side].find(std::string(node));
      if (found == on_node_[side].end()) continue;
      for (const NodeAddress& address : found->second) {
        if (address.member.family != pod.family) continue;
        auto& entry = near[*address.member.address[0]];
        entry.first = &address;
        entry.second |= static_cast<uint8_t>(1 << side);
      }
    }
    for (const auto& [address, entry] : near) {
      const auto& [node, sides] = entry;
      const auto [found, inserted] = known.try_emplace(
          std::tuple(node->group, group, pod.family, sides), scene_.locals_.size());
      if (inserted) {
        scene_.locals_.push_back({.node_group = node->group,
                                  .pod_group = group,
                                  .family = pod.family,
                                  .sides = sides,
                                  .node = node->member,
                                  .pod = pod});
      }
      ++scene_.locals_[found->second].count;
    }
  }

  Scene& scene_;
  const SceneOptions& options_;
  std::array<std::multimap<std::string, const Pod*>, 2> objects_;
  std::string new_namespace_;
  std::vector<RawPod> raw_pods_;
  absl::flat_hash_map<std::string, size_t> raw_ids_;
  std::map<std::tuple<std::string, std::string, std::string>, uint32_t> workload_ids_;
  std::map<GroupKey, uint32_t> groups_;
  std::map<std::tuple<EndKind, uint32_t, uint32_t>, uint32_t> parties_;  // kind, owner, group
  std::map<IpAddress, std::array<std::string_view, 2>> node_addresses_;
  absl::flat_hash_set<std::string> pod_addresses_;
  std::array<absl::flat_hash_map<std::string, std::vector<NodeAddress>>, 2> on_node_;
  std::map<std::tuple<EndKind, std::array<uint32_t, 2>, bool, bool>, uint32_t> range_groups_;
};

Scene::Scene(std::vector<SceneSide> sides, const SceneOptions& options) : sides_(std::move(sides)) {
  SceneBuilder(*this, options).Build();
}

uint64_t Scene::PairsApart(uint32_t node_group, uint32_t pod_group, size_t family) const {
  uint64_t nodes = 0;
  uint64_t pods = 0;
  for (const Member& member : groups_[node_group].members) nodes += member.family == family;
  for (const Member& member : groups_[pod_group].members) pods += member.family == family;
  const auto found = local_pairs_.find({node_group, pod_group, family});
  return nodes * pods - (found == local_pairs_.end() ? 0 : found->second);
}

AddressRanges Scene::AddressesOf(const std::vector<uint32_t>& groups) const {
  std::vector<bool> wanted(groups_.size(), false);
  for (const uint32_t group : groups) wanted[group] = true;
  const EndKind kind = groups_[groups.front()].kind;
  AddressRanges set;
  for (const Family family : kFamilyOf) {
    bool open = false;       // the last range goes on until somebody of this kind is not wanted
    bool any_other = false;  // of this kind, before the first one that is wanted
    IpAddress first = FirstAddress({{family, {}}, 0});
    IpAddress behind = first;
    for (const Run& run : runs_) {
      if (run.range.first.family != family || groups_[run.group].kind != kind) continue;
      if (!wanted[run.group]) {
        if (open) set.back().last = PreviousAddress(run.range.first);
        open = false;
        any_other = true;
        behind = NextAddress(run.range.last);
        continue;
      }
      if (!open) set.push_back({any_other ? behind : first, run.range.last});
      open = true;
    }
    if (open) set.back().last = LastAddress({{family, {}}, 0});
  }
  return set;
}

bool Choice::Covers(const IpAddress& address) const {
  if (!addresses) return true;
  const auto after = std::upper_bound(
      addresses->begin(), addresses->end(), address,
      [](const IpAddress& wanted, const AddressRange& range) { return wanted < range.first; });
  return after != addresses->begin() && address <= std::prev(after)->last;
}

std::string_view Name(EndKind kind) {
  constexpr std::string_view kNames[] = {"workload", "new_pod",     "node",
                                         "service",  "unknown_pod", "external"};
  return kNames[static_cast<size_t>(kind)];
}

}  // namespace npf::analysis
