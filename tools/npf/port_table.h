// Every port as a compiled Program tells it apart: which ports are one port class.
#ifndef NPF_TOOLS_NPF_PORT_TABLE_H_
#define NPF_TOOLS_NPF_PORT_TABLE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "analysis/ports.h"
#include "npf/program.h"

namespace npf::tools {

// One port in place of all of its class.
struct PortSample {
  uint8_t protocol = analysis::ProtocolRange::kNoPorts;
  uint16_t port = 0;
  uint32_t port_class = 0;
};

// Immutable; safe to share between threads.
class PortTable {
 public:
  explicit PortTable(const Program& program) : classes_(program) {}

  // A sample of each class that the spans touch.
  std::vector<PortSample> SamplesOf(std::span<const analysis::ProtocolRange> spans) const;
  // What the spans have of those classes.
  std::vector<analysis::ProtocolRange> Within(
      std::span<const analysis::ProtocolRange> spans,
      const absl::flat_hash_set<uint32_t>& port_classes) const;
  // All ports of all protocols.
  static std::vector<analysis::ProtocolRange> Everything();

 private:
  analysis::PortClassPlaces classes_;
};

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_PORT_TABLE_H_
