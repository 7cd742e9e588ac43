// `npf list -o html`: one page that needs nothing else, with the connections in it as compact data.
//
// The page (list_page.html) is markup, style and script; the data is one JSON object. Whom no
// policy tells apart is one group there as everywhere, and rows speak of lists of groups, so that
// the page grows with what is distinct: 10,000 pods cost their names.
#ifndef NPF_TOOLS_NPF_LIST_HTML_H_
#define NPF_TOOLS_NPF_LIST_HTML_H_

#include <string>
#include <vector>

#include "analysis/connections.h"
#include "analysis/entrances.h"
#include "analysis/exposure.h"
#include "analysis/listing.h"
#include "analysis/scene.h"

namespace npf::tools {

struct ListedScene {
  const analysis::Scene& scene;  // side 0 has a Snapshot
  analysis::Connectivity& side;
  analysis::PortSets& ports;
  const analysis::Listing& listing;
  const std::vector<analysis::EntranceRow>& entrances;
  const std::vector<analysis::ExposureRow>& exposure;
};

std::string ListHtml(const ListedScene& listed);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_LIST_HTML_H_
