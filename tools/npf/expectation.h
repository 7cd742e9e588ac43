// What `npf test` is asked to hold: expectations as they stand in a file, before anybody looks at
// the objects that they speak of. docs/test.md describes the file.
#ifndef NPF_TOOLS_NPF_EXPECTATION_H_
#define NPF_TOOLS_NPF_EXPECTATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "analysis/ports.h"
#include "npf/address.h"
#include "npf/diagnostics.h"
#include "npf/model.h"

namespace npf::tools {

// A port by the name that a container or a Service gives it.
struct PortName {
  std::string name;
  std::optional<uint8_t> protocol;  // absent: of any
};

using PortText = std::variant<analysis::ProtocolRange, PortName>;

// One side of an expectation, or one of several that it has.
struct EndText {
  enum class Form : uint8_t {
    kName,      // `name`: a pod, a workload, or else a Service
    kPod,       // `name`
    kWorkload,  // `name`
    kService,   // `name`
    kPods,      // those that `pods` and `namespaces` select
    kBlock,     // `block`
    kWord,      // `name`: any, pods, nodes, internet, external
  };
  Form form = Form::kName;
  std::string ns;  // of names and of `pods` without `namespaces`
  std::string name;
  LabelSelector pods;
  std::optional<LabelSelector> namespaces;
  IpPrefix block;
  std::vector<PortText> ports;  // empty: those of the expectation; of `to` only
  Position position;
  std::string field;  // "expectations[3].to[0]"
  std::string text;   // as people would write it
};

struct Expectation {
  std::string name;  // made of the rest where the file gives none
  std::vector<EndText> from, not_from, to, not_to;
  std::vector<PortText> ports;  // empty: all ports and all protocols
  bool allow = false;
  Position position;
  std::string field;  // "expectations[3]"
};

struct ExpectationFile {
  std::vector<Expectation> expectations;
  std::vector<std::string> files;  // that Position::file indexes; [0] is empty
};

// Reads files of expectations ("-": standard input), each error into `diagnostics`. Names without a
// namespace are in `default_namespace`, unless the file says another.
ExpectationFile ReadExpectations(const std::vector<std::string>& paths,
                                 const std::string& default_namespace, Diagnostics& diagnostics);
// As one of them, called `name`, has it.
ExpectationFile ReadExpectationText(const std::string& text, const std::string& name,
                                    const std::string& default_namespace, Diagnostics& diagnostics);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_EXPECTATION_H_
