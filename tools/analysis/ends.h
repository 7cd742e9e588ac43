// How the ends of rows are called: workloads, nodes and CIDRs in place of groups.
#ifndef NPF_TOOLS_ANALYSIS_ENDS_H_
#define NPF_TOOLS_ANALYSIS_ENDS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/scene.h"

namespace npf::analysis {

// One end of a row.
struct End {
  EndKind kind = EndKind::kWorkload;
  uint32_t owner = 0;           // of workloads and new pods: index of workloads; of nodes: of nodes
  std::vector<uint32_t> pods;   // of workloads: indexes of pods, sorted
  bool whole = true;            // all pods of the workload that have an address
  std::vector<CidrList> cidrs;  // of the others: a list for each family
  bool everything = false;      // of the others: all addresses of the kind
};

// The families that a row of these groups can be of: bit 0 IPv4, bit 1 IPv6.
uint8_t FamiliesOf(const Scene& scene, const std::vector<uint32_t>& from,
                   const std::vector<uint32_t>& to);

class EndNamer {
 public:
  explicit EndNamer(const Scene& scene);

  // In the order of their names: workloads, new pods, nodes, ranges by kind. Ranges are of the
  // families only.
  std::vector<End> Of(const std::vector<uint32_t>& groups, uint8_t families) const;
  // "shop/web", "shop/web (2 of 3 pods: web-a, web-b)", "node node-a", "external 10.0.0.0/8",
  // "external" where it is everything that is external.
  std::string Label(const End& end) const;
  // A label for each; but all workloads of a namespace are "shop/*", and all there are "*/*".
  std::vector<std::string> Labels(const std::vector<End>& ends) const;

 private:
  void AddOwned(const std::vector<uint32_t>& groups, std::vector<End>& out) const;
  void AddRanges(const std::vector<uint32_t>& groups, EndKind kind, uint8_t families,
                 std::vector<End>& out) const;

  const Scene& scene_;
  std::vector<uint32_t> rank_;           // of workloads, by name
  std::vector<std::string> namespaces_;  // that have workloads, sorted
  std::vector<uint32_t> namespace_of_;   // by workload
  std::vector<uint32_t> workloads_in_;   // by namespace; new pods are none
};

}  // namespace npf::analysis

#endif  // NPF_TOOLS_ANALYSIS_ENDS_H_
