#include "npf/port_table.h"

#include <algorithm>

#include "npf/classify.h"
#include "npf/flow.h"

namespace npf::tools {
namespace {

constexpr uint8_t kProtocols[] = {kProtocolTcp, kProtocolUdp, kProtocolSctp};
constexpr size_t kPorts = 65536;
constexpr uint16_t kPortMax = 65535;

}  // namespace

PortTable::PortTable(const Program& program) {
  const IpAddress src = IpAddress::V4(1);
  const IpAddress dst = IpAddress::V4(2);
  std::vector<FlowKey> keys;
  keys.reserve(std::size(kProtocols) * kPorts + 1);
  for (const uint8_t protocol : kProtocols) {
    for (size_t port = 0; port < kPorts; ++port) {
      keys.push_back(MakeFlowKey(src, dst, protocol, static_cast<uint16_t>(port)));
    }
  }
  keys.push_back(MakeFlowKey(src, dst, kProtocolIcmp, 0));
  std::vector<Verdict> verdicts(keys.size());
  Classify(program, {}, keys, verdicts);
  classes_.reserve(keys.size());
  for (const Verdict& verdict : verdicts) classes_.push_back(verdict.port_class);
}

uint32_t PortTable::ClassOf(uint8_t protocol, size_t port) const {
  const auto* const at = std::find(std::begin(kProtocols), std::end(kProtocols), protocol);
  const auto index = static_cast<size_t>(at - std::begin(kProtocols));
  return index == std::size(kProtocols) ? classes_.back() : classes_[index * kPorts + port];
}

std::vector<PortSample> PortTable::SamplesOf(std::span<const PortSpan> spans) const {
  std::vector<PortSample> samples;
  absl::flat_hash_set<uint32_t> seen;
  for (const PortSpan& span : spans) {
    for (size_t port = span.first; port <= span.last; ++port) {
      const uint32_t port_class = ClassOf(span.protocol, port);
      if (!seen.insert(port_class).second) continue;
      samples.push_back({span.protocol, static_cast<uint16_t>(port), port_class});
    }
  }
  return samples;
}

std::vector<PortSpan> PortTable::Within(std::span<const PortSpan> spans,
                                        const absl::flat_hash_set<uint32_t>& port_classes) const {
  std::vector<PortSpan> found;
  for (const PortSpan& span : spans) {
    bool open = false;
    for (size_t port = span.first; port <= span.last; ++port) {
      const bool in = port_classes.contains(ClassOf(span.protocol, port));
      const auto number = static_cast<uint16_t>(port);
      if (in && !open) found.push_back({span.protocol, number, number});
      if (in) found.back().last = number;
      open = in;
    }
  }
  return found;
}

std::vector<PortSpan> PortTable::Everything() {
  std::vector<PortSpan> all;
  for (const uint8_t protocol : kProtocols) all.push_back({protocol, 1, kPortMax});
  all.push_back({});
  return all;
}

}  // namespace npf::tools
