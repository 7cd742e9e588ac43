// Services in `npf list`: who reaches them, and what they and Ingresses let in from outside.
#ifndef NPF_TOOLS_NPF_LIST_ENTRANCES_H_
#define NPF_TOOLS_NPF_LIST_ENTRANCES_H_

#include <string>
#include <vector>

#include "analysis/entrances.h"
#include "analysis/ports.h"
#include "analysis/scene.h"

namespace npf::tools {

// Of each row: its sources, the Service with the way to it, the pods behind it, their open ports.
// At most `shown` names of a side; "nobody" where policy lets nothing through.
std::vector<std::vector<std::string>> EntranceCells(const analysis::Scene& scene,
                                                    const analysis::PortSets& ports,
                                                    const std::vector<analysis::EntranceRow>& rows,
                                                    size_t shown);

// [{"service":"shop/web","way":"NodePort 30080/TCP","seen":"node","from":[...],"to":[...],
//   "ports":"TCP 8080","wanted":"TCP 8080"}, ...]
std::string JsonEntrances(const analysis::Scene& scene, const analysis::PortSets& ports,
                          const std::vector<analysis::EntranceRow>& rows);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_LIST_ENTRANCES_H_
