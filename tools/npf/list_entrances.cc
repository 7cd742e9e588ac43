#include "npf/list_entrances.h"

#include <algorithm>

#include "analysis/ends.h"
#include "analysis/listing.h"
#include "npf/end_json.h"
#include "npf/output.h"

namespace npf::tools {
namespace {

using analysis::EntranceRow;
using Names = std::vector<std::string>;

// The workloads of the pods, in the order of their names.
Names WorkloadsOf(const analysis::Scene& scene, const std::vector<uint32_t>& pods) {
  Names names;
  for (const uint32_t pod : pods) {
    names.push_back(scene.workloads()[scene.pods()[pod].workload].ToString());
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Names SourcesOf(const analysis::Scene& scene, const analysis::EndNamer& namer,
                const EntranceRow& row) {
  Names names = namer.Labels(namer.Of(row.from_groups, analysis::kBothFamilies));
  const Names pods = WorkloadsOf(scene, row.from_pods);
  names.insert(names.end(), pods.begin(), pods.end());
  return names;
}

std::string JsonNames(const Names& names) {
  std::string out = "[";
  for (const std::string& name : names) out += (out.size() > 1 ? "," : "") + JsonString(name);
  return out + "]";
}

}  // namespace

std::vector<std::vector<std::string>> EntranceCells(const analysis::Scene& scene,
                                                    const analysis::PortSets& ports,
                                                    const std::vector<EntranceRow>& rows,
                                                    size_t shown) {
  const analysis::EndNamer namer(scene);
  std::vector<std::vector<std::string>> cells;
  for (const EntranceRow& row : rows) {
    Names sources = SourcesOf(scene, namer, row);
    if (sources.empty()) sources.emplace_back("nobody");
    std::string way = row.service + ", " + row.way;
    if (row.seen == analysis::SeenAs::kNode) way += ", by way of a node";
    if (row.seen == analysis::SeenAs::kController) way += ", by way of a controller";
    cells.push_back({JoinSome(sources, shown), way, JoinSome(WorkloadsOf(scene, row.to), shown),
                     analysis::ToString(ports.Get(row.ports))});
  }
  return cells;
}

std::string JsonEntrances(const analysis::Scene& scene, const analysis::PortSets& ports,
                          const std::vector<EntranceRow>& rows) {
  const analysis::EndNamer namer(scene);
  std::string out = "[";
  for (const EntranceRow& row : rows) {
    out += (out.size() > 1 ? ",\n" : "\n") + std::string("{\"service\":") +
           JsonString(row.service) + ",\"way\":" + JsonString(row.way) +
           ",\"seen\":" + JsonString(Name(row.seen)) +
           ",\"from\":" + JsonNames(SourcesOf(scene, namer, row)) +
           ",\"to\":" + JsonNames(WorkloadsOf(scene, row.to)) +
           ",\"ports\":" + JsonString(analysis::ToString(ports.Get(row.ports))) +
           ",\"wanted\":" + JsonString(analysis::ToString(ports.Get(row.wanted))) + "}";
  }
  return out + "]";
}

}  // namespace npf::tools
