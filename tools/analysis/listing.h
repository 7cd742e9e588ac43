// Who can reach whom: every allowed connection of one side of a Scene, in as few rows as they take.
//
//   from {shop/frontend}          to {shop/api}               TCP 8080
//   from {shop/*, batch/report}   to {kube-system/dns}        UDP 53
//
// A row means every pair of its ends: each source with each destination, in the families that both
// have (of `families`), but for a pod with itself. Sources with the same reach share their rows, so
// that a cluster without policies is two or three rows, however large. Rows are the plain data that
// every output, and whoever wants another one, is made of.
#ifndef NPF_TOOLS_ANALYSIS_LISTING_H_
#define NPF_TOOLS_ANALYSIS_LISTING_H_

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/connections.h"
#include "analysis/scene.h"

namespace npf::analysis {

inline constexpr uint8_t kIpv4Only = 1;
inline constexpr uint8_t kIpv6Only = 2;
inline constexpr uint8_t kBothFamilies = 3;

struct ListingRow {
  std::vector<uint32_t> from;  // groups of the Scene, sorted; none of them empty
  std::vector<uint32_t> to;
  PortSetId ports = PortSets::kNone;  // never kNone
  uint8_t families = kBothFamilies;   // 3 also where only one is there
};

// From a node to pods that are on it, where that is more than what the node may anyway (R37).
struct OwnNodeRow {
  std::vector<uint32_t> to;
  PortSetId ports = PortSets::kNone;
  uint8_t families = kBothFamilies;
};

struct Listing {
  std::vector<ListingRow> rows;
  std::vector<OwnNodeRow> own_node;
};

// Of side 0. The Scene's choice of sources and destinations is respected; two ends that are no pods
// are in no row, because no policy is about them (R54).
Listing ListConnections(const Scene& scene, Connectivity& side, PortSets& ports);

// What `to` and `from` may between them in a family; kNone where one of them has no address of it.
PortSetId Allowed(Connectivity& side, PortSets& ports, const Group& from, const Group& to,
                  size_t side_index, size_t family);

}  // namespace npf::analysis

#endif  // NPF_TOOLS_ANALYSIS_LISTING_H_
