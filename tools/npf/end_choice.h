// Whom --from and --to mean, in the forms that expectations of `npf test` have too (end_text.h).
#ifndef NPF_TOOLS_NPF_END_CHOICE_H_
#define NPF_TOOLS_NPF_END_CHOICE_H_

#include <string>
#include <string_view>
#include <vector>

#include "analysis/scene.h"
#include "npf/program.h"
#include "npf/snapshot.h"

namespace npf::tools {

inline constexpr std::string_view kEndForms =
    "NAMESPACE/WORKLOAD, NAMESPACE/*, labels (app=web,tier!=db), an address, a CIDR, pods, nodes, "
    "internet or external";

// What the texts mean together, among the objects; everybody, where there are none. Throws
// BadUsage, which begins with `option`, where a text is of no form or means nobody.
analysis::Choice ChooseEnds(const std::string& option, const std::vector<std::string>& texts,
                            const std::string& default_namespace, const Snapshot& snapshot,
                            const Program& program);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_END_CHOICE_H_
