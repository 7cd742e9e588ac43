// Which policies a change comes from, asked of both sides at one witness.
#ifndef NPF_TOOLS_ANALYSIS_CAUSES_H_
#define NPF_TOOLS_ANALYSIS_CAUSES_H_

#include <optional>
#include <vector>

#include "analysis/difference.h"

namespace npf::analysis {

// Two addresses of the groups whose verdict for the place of the port line (ports.h) changed; where
// `own_node` is not 0, on one node on those sides. nullopt where no pair of addresses that both
// sides have shows it.
std::optional<ChangeWitness> FindWitness(const Scene& scene, Connectivity& before,
                                         Connectivity& after, uint32_t from, uint32_t to,
                                         uint8_t own_node, uint32_t place, size_t family,
                                         ChangeKind kind);

// The parts in the direction, or in both, that made the verdict of the witness change.
std::vector<CausePart> CausesOf(const Connectivity& before, const Connectivity& after,
                                const ChangeWitness& witness, ChangeKind kind, ChangedBy by);

}  // namespace npf::analysis

#endif  // NPF_TOOLS_ANALYSIS_CAUSES_H_
