#include "npf/port_table.h"

#include <algorithm>
#include <limits>

namespace npf::tools {
namespace {

using analysis::PlaceRange;
using analysis::ProtocolRange;

// Calls `use(places, port_class)` for what `span` has of each run, in order.
template <typename Use>
void ForEachRun(const analysis::PortClassPlaces& classes, const ProtocolRange& span, Use use) {
  const PlaceRange wanted = {analysis::PlaceOf(span.protocol, span.first),
                             analysis::PlaceOf(span.protocol, span.last)};
  for (const auto& run : classes.runs()) {
    const PlaceRange both = {std::max(run.places.first, wanted.first),
                             std::min(run.places.last, wanted.last)};
    if (both.first <= both.last) use(both, run.port_class);
  }
}

}  // namespace

std::vector<PortSample> PortTable::SamplesOf(std::span<const ProtocolRange> spans) const {
  std::vector<PortSample> samples;
  absl::flat_hash_set<uint32_t> seen;
  for (const ProtocolRange& span : spans) {
    ForEachRun(classes_, span, [&](const PlaceRange& places, uint32_t port_class) {
      if (!seen.insert(port_class).second) return;
      const ProtocolRange first = analysis::Ranges({{places.first, places.first}})[0];
      samples.push_back({first.protocol, first.first, port_class});
    });
  }
  return samples;
}

std::vector<ProtocolRange> PortTable::Within(
    std::span<const ProtocolRange> spans, const absl::flat_hash_set<uint32_t>& port_classes) const {
  std::vector<ProtocolRange> found;
  for (const ProtocolRange& span : spans) {
    analysis::PortSet set;
    ForEachRun(classes_, span, [&](const PlaceRange& places, uint32_t port_class) {
      if (port_classes.contains(port_class)) analysis::Append(places, set);
    });
    const std::vector<ProtocolRange> ranges = analysis::Ranges(set);
    found.insert(found.end(), ranges.begin(), ranges.end());
  }
  return found;
}

std::vector<ProtocolRange> PortTable::Everything() {
  constexpr uint16_t kPortMax = std::numeric_limits<uint16_t>::max();
  std::vector<ProtocolRange> all;
  for (const uint8_t protocol : analysis::kPortProtocols) all.push_back({protocol, 1, kPortMax});
  all.push_back({});
  return all;
}

}  // namespace npf::tools
