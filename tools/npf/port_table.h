// Every port as a compiled Program tells it apart: which ports are one port class. Asked of the
// engine itself, once for all 196,605 of them, so nothing is left to guess.
#ifndef NPF_TOOLS_NPF_PORT_TABLE_H_
#define NPF_TOOLS_NPF_PORT_TABLE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "npf/expectation.h"
#include "npf/program.h"

namespace npf::tools {

// One port in place of all of its class.
struct PortSample {
  uint8_t protocol = PortSpan::kNoPorts;
  uint16_t port = 0;
  uint32_t port_class = 0;
};

// Immutable; safe to share between threads.
class PortTable {
 public:
  explicit PortTable(const Program& program);

  // A sample of each class that the spans touch.
  std::vector<PortSample> SamplesOf(std::span<const PortSpan> spans) const;
  // What the spans have of those classes.
  std::vector<PortSpan> Within(std::span<const PortSpan> spans,
                               const absl::flat_hash_set<uint32_t>& port_classes) const;
  // All ports of all protocols.
  static std::vector<PortSpan> Everything();

 private:
  uint32_t ClassOf(uint8_t protocol, size_t port) const;

  std::vector<uint32_t> classes_;  // by protocol, then by port; the one without ports is the last
};

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_PORT_TABLE_H_
