// Who is who in one input, or in two side by side: workloads, nodes and ranges of addresses, and
// the groups that no policy of either side tells apart.
//
// Pods are of the workload that controls them; a ReplicaSet that a Deployment made, as its
// pod-template-hash tells, is that Deployment. Pods of one workload that are judged differently are
// different parties of it. Between two sides pods are matched by namespace and name and, where a
// workload has no pod in common (a rollout renames all), party by party; nodes and ranges are
// matched by their addresses.
#ifndef NPF_TOOLS_ANALYSIS_SCENE_H_
#define NPF_TOOLS_ANALYSIS_SCENE_H_

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "analysis/addresses.h"
#include "analysis/workload.h"
#include "npf/model.h"
#include "npf/program.h"
#include "npf/snapshot.h"

namespace npf::analysis {

enum class EndKind : uint8_t {
  kWorkload,
  kNewPod,      // a pod that is not there: SnapshotOptions::new_pods
  kNode,        // an address of a node
  kService,     // a Service's address, before it is translated
  kUnknownPod,  // in a pod CIDR, and no pod has it
  kExternal,
};
std::string_view Name(EndKind kind);  // "workload", "new_pod", "node", ...

constexpr bool IsPod(EndKind kind) {
  return kind == EndKind::kWorkload || kind == EndKind::kNewPod;
}

inline constexpr uint32_t kAbsent = ~uint32_t{0};
inline constexpr size_t kFamilies = 2;  // 0 IPv4, 1 IPv6
// Address classes, by side and family; kAbsent where it has no such address there.
using Classes = std::array<std::array<uint32_t, kFamilies>, 2>;

struct ScenePod {
  std::string name;  // "namespace/name"
  uint32_t workload = 0;
  const Pod* object = nullptr;  // of the last side that has it; nullptr: an image's
  std::array<bool, 2> present{};
  std::array<std::string_view, 2> node;
};

// An address of a pod or a node, as both sides have it.
struct Member {
  std::array<std::optional<IpAddress>, 2> address;  // by side
  uint8_t family = 0;
  uint32_t owner = 0;  // index of pods, or of node names
};

// Pods of one workload, or addresses of one node, that are judged alike.
struct Party {
  EndKind kind = EndKind::kWorkload;
  uint32_t owner = 0;  // index of workloads, or of node names
  uint32_t group = 0;
  std::vector<uint32_t> pods;  // sorted
};

// Whom no policy tells apart, on any side.
struct Group {
  EndKind kind = EndKind::kWorkload;
  Classes classes;
  bool is_source = true;  // as SceneOptions choose
  bool is_destination = true;
  std::vector<uint32_t> parties;
  std::vector<Member> members;                              // of ranges: none
  std::array<std::array<uint32_t, kFamilies>, 2> counts{};  // of member addresses, by side
  bool stands_in = false;                                   // somebody in it may have several pods
  AddressRanges ranges;                                     // in order, those of both families
  // Whether the group has a pair of different addresses on a side.
  bool HasPairOfItself(size_t side, size_t family) const {
    return counts[side][family] > 1 || stands_in;
  }
};

// A node's addresses and the pods that are on it (R37).
struct Local {
  uint32_t node_group = 0;
  uint32_t pod_group = 0;
  uint8_t family = 0;
  uint8_t sides = 0;  // bit by side: they are on one node there
  uint32_t count = 0;
  Member node, pod;  // one of them
};

struct SceneSide {
  Program program;
  std::optional<Snapshot> snapshot;  // absent: an image, whose pods have names only
};

// Whom to look at, as one end of connections.
struct Choice {
  std::optional<AddressRanges> addresses;  // absent: everybody

  bool Covers(const IpAddress& address) const;
};

struct SceneOptions {
  Choice sources;
  Choice destinations;
};

class Scene {
 public:
  // One side, or two: before and after.
  explicit Scene(std::vector<SceneSide> sides, const SceneOptions& options = {});

  size_t side_count() const { return sides_.size(); }
  const SceneSide& side(size_t i) const { return sides_[i]; }
  const std::vector<Workload>& workloads() const { return workloads_; }
  const std::vector<ScenePod>& pods() const { return pods_; }
  const std::vector<std::string>& nodes() const { return nodes_; }
  const std::vector<Party>& parties() const { return parties_; }
  const std::vector<Group>& groups() const { return groups_; }
  const std::vector<Local>& locals() const { return locals_; }
  // Pairs of the two groups of which none is on one node, on any side.
  uint64_t PairsApart(uint32_t node_group, uint32_t pod_group, size_t family) const;

  // All addresses of the groups, which are of one kind. Addresses of other kinds between them are
  // taken in, for they are never meant.
  AddressRanges AddressesOf(const std::vector<uint32_t>& groups) const;

 private:
  friend class SceneBuilder;
  struct Run {
    AddressRange range;
    uint32_t group = 0;
  };
  std::vector<SceneSide> sides_;
  std::vector<Workload> workloads_;
  std::vector<ScenePod> pods_;
  std::vector<std::string> nodes_;
  std::vector<Party> parties_;
  std::vector<Group> groups_;
  std::vector<Local> locals_;
  std::map<std::tuple<uint32_t, uint32_t, size_t>, uint64_t> local_pairs_;
  std::vector<Run> runs_;  // in order
};

}  // namespace npf::analysis

#endif  // NPF_TOOLS_ANALYSIS_SCENE_H_
