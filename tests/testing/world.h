// Tests that say their cluster as YAML text.
#ifndef NPF_TESTS_TESTING_WORLD_H_
#define NPF_TESTS_TESTING_WORLD_H_

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "npf/compiler.h"
#include "npf/load.h"

namespace npf::testing {

// Stops the test where the text is not valid.
inline Snapshot SnapshotOf(std::string_view yaml) {
  SnapshotBuilder builder;
  Diagnostics diagnostics;
  LoadReport report;
  LoadText(yaml, "world.yaml", {}, builder, diagnostics, report);
  const auto files = builder.files();
  absl::StatusOr<Snapshot> snapshot = builder.Build(diagnostics);
  if (!snapshot.ok()) {
    for (const Diagnostic& d : diagnostics.all()) std::cerr << Format(d, files) << '\n';
    std::abort();
  }
  return *std::move(snapshot);
}

inline Program ProgramOf(std::string_view yaml, const CompileOptions& options = {}) {
  absl::StatusOr<Program> program = Compile(SnapshotOf(yaml), options);
  if (!program.ok()) {
    std::cerr << program.status() << '\n';
    std::abort();
  }
  return *std::move(program);
}

// One pod in block style.
inline std::string PodYaml(const std::string& ns, const std::string& name, const std::string& ip,
                           const std::string& labels, const std::string& port_name = "") {
  std::string text = "---\napiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
                     ", namespace: " + ns + ", labels: {" + labels +
                     "}}\nspec: {containers: [{name: c";
  if (!port_name.empty()) text += ", ports: [{name: " + port_name + ", containerPort: 8080}]";
  return text + "}]}\nstatus: {phase: Running, podIPs: [{ip: \"" + ip + "\"}]}\n";
}

inline std::string PolicyYaml(const std::string& ns, const std::string& name,
                              const std::string& spec) {
  return "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: " + name +
         ", namespace: " + ns + "}\nspec: " + spec + "\n";
}

}  // namespace npf::testing

#endif  // NPF_TESTS_TESTING_WORLD_H_
