// What holds of policies whatever pods there are: one selector, peer or list of ports takes in
// another because of how they are written. Answers err on the side of no.
#ifndef NPF_TOOLS_LINT_STRUCTURE_H_
#define NPF_TOOLS_LINT_STRUCTURE_H_

#include <string>
#include <vector>

#include "npf/flow.h"
#include "npf/model.h"

namespace npf::lint {

bool Covers(const LabelSelector& wide, const LabelSelector& narrow);
// Peers of policies in one namespace, `ns`.
bool Covers(const PolicyPeer& wide, const PolicyPeer& narrow, const std::string& ns);
bool Covers(const std::vector<PolicyPort>& wide, const std::vector<PolicyPort>& narrow);
bool Covers(const IpBlock& wide, const IpBlock& narrow);
bool CoversPorts(const ClusterRule& wide, const ClusterRule& narrow);
bool Covers(const ClusterPeer& wide, const ClusterPeer& narrow);

// R7, R8: whether the policy isolates in that direction, so that its rules there count.
bool Governs(const NetworkPolicy& policy, Direction direction);

}  // namespace npf::lint

#endif  // NPF_TOOLS_LINT_STRUCTURE_H_
