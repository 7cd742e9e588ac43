// What diff says, in its four forms.
#ifndef NPF_TOOLS_NPF_DIFF_REPORT_H_
#define NPF_TOOLS_NPF_DIFF_REPORT_H_

#include <array>
#include <optional>
#include <string>

#include "analysis/difference.h"
#include "analysis/ends.h"
#include "npf/address_names.h"
#include "npf/diff_trace.h"
#include "npf/why.h"

namespace npf::tools {

struct DiffResults {
  const analysis::Scene& scene;
  const analysis::PortSets& ports;
  const analysis::Difference& difference;
  std::array<std::optional<Places>, 2> places;  // of each side's objects; absent: an image
  std::optional<TraceDifference> trace;
  AddressNames names;  // of the capture's addresses
};

std::string DiffTable(const DiffResults& results);
std::string DiffMarkdown(const DiffResults& results);
std::string DiffJson(const DiffResults& results);
std::string DiffSarif(const DiffResults& results);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_DIFF_REPORT_H_
