// What a selector that matches nothing was probably meant to match.
#ifndef NPF_TOOLS_LINT_ALMOST_H_
#define NPF_TOOLS_LINT_ALMOST_H_

#include <optional>
#include <span>
#include <string>

#include "npf/model.h"

namespace npf::lint {

// The one requirement without which the selector would match some of the label sets, and what those
// have in its place.
struct Almost {
  std::string field;       // below the selector: "matchLabels.app", "matchExpressions[0]"
  std::string suggestion;  // "app=frontend is there (found app=frontent)"
};
std::optional<Almost> FindAlmost(const LabelSelector& selector,
                                 std::span<const Labels* const> candidates);

}  // namespace npf::lint

#endif  // NPF_TOOLS_LINT_ALMOST_H_
