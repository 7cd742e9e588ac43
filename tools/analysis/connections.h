// Who can connect to whom, exactly: what `npf list` and `npf diff` answer from.
//
// A compiled Program divides addresses and ports into finitely many classes, each of which it
// judges alike. So a complete answer needs no samples: it is worked out for every pair of classes,
// and said of all pods and addresses in them.
//
//   Program ──► Connectivity   for a pair of classes: the set of ports, by direction and together
//   Program, Snapshot ─► Scene  who is in the classes: workloads, nodes, ranges of addresses; of
//   one
//                               input, or of two side by side
//   Scene ──► Listing           rows "these workloads to those: these ports"
//   Scene ──► Difference        rows "newly allowed", "newly denied", with a cause and a witness
//
// Cost follows groups, not pods: a group is everybody whom no policy tells apart, on both sides
// where there are two. 10,000 pods in 600 classes are 600 groups, 360,000 pairs, each a few loads
// and comparisons of numbers, because sets of ports are interned (ports.h) and rows of the Program
// are laid out once. Only pairs that differ are looked at closer.
//
// What no class knows of is kept apart and stated:
//   - a pod to its own address is always allowed (R36) and is in no row;
//   - a pod's own node may be exempt (R37): a pair of node and pod has that apart, Scene::locals();
//   - addresses that a pod has on either side are compared as that pod, never as a range.
#ifndef NPF_TOOLS_ANALYSIS_CONNECTIONS_H_
#define NPF_TOOLS_ANALYSIS_CONNECTIONS_H_

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "analysis/ports.h"
#include "npf/flow.h"
#include "npf/program.h"

namespace npf::analysis {

// The ports that may connect from one class to another, as Classify has it for addresses of these
// classes that differ and, of a node and a pod, are not on one node. Not thread-safe.
class Connectivity {
 public:
  // `ports` must outlive it; several may share it, and their numbers then mean the same.
  Connectivity(Program program, const ClassifyOptions& options, PortSets& ports);

  // What egress of the source's class, and ingress of the destination's, allow alone. A direction
  // that is not asked for, or whose subject is no pod, allows all.
  PortSetId Egress(uint32_t src_class, uint32_t dst_class) {
    return Of(kEgressIndex, src_class, dst_class);
  }
  PortSetId Ingress(uint32_t src_class, uint32_t dst_class) {
    return Of(kIngressIndex, dst_class, src_class);
  }
  // As Ingress, for a node's address and a pod that is on it (R37).
  PortSetId IngressFromOwnNode(uint32_t src_class, uint32_t dst_class);

  const Program& program() const { return program_; }
  const ClassifyOptions& options() const { return options_; }
  bool IsPod(uint32_t address_class) const { return address_class < pod_class_count_; }

 private:
  static constexpr size_t kIngressIndex = 0;  // as layout has directions
  static constexpr size_t kEgressIndex = 1;
  using Row = std::vector<PortSetId>;  // by peer class

  PortSetId Of(size_t direction, uint32_t subject, uint32_t peer);
  const Row& RowAt(size_t direction, uint32_t row);
  PortSetId SetOf(uint32_t bitset);

  Program program_;
  ClassifyOptions options_;
  PortSets& ports_;
  PortClassPlaces places_;
  uint32_t pod_class_count_;
  std::vector<bool> denied_;       // by class: an unknown pod, where those are denied
  std::vector<PortSetId> set_of_;  // by bitset; kUnset
  std::array<std::vector<std::unique_ptr<Row>>, 2> rows_;  // laid out when first asked for
};

}  // namespace npf::analysis

#endif  // NPF_TOOLS_ANALYSIS_CONNECTIONS_H_
