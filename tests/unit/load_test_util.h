// Loading a text, and everything that comes of it.
#ifndef NPF_TESTS_UNIT_LOAD_TEST_UTIL_H_
#define NPF_TESTS_UNIT_LOAD_TEST_UTIL_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "npf/load.h"
#include "npf/snapshot.h"
#include "unit/model_test_util.h"

namespace npf {

struct Loaded {
  std::optional<Snapshot> snapshot;
  Diagnostics diagnostics;
  LoadReport report;
  std::vector<std::string> files;

  // Every error as one line, as the command prints it.
  std::string Errors() const {
    std::string out;
    for (const Diagnostic& diagnostic : diagnostics.all()) {
      if (diagnostic.severity == Severity::kError) out += Format(diagnostic, files) + "\n";
    }
    return out;
  }
  std::string Warnings() const {
    std::string out;
    for (const Diagnostic& diagnostic : diagnostics.all()) {
      const bool of_namespace = diagnostic.object.starts_with("Namespace ");  // made up (R63)
      if (diagnostic.severity == Severity::kWarning && !of_namespace) {
        out += Format(diagnostic, files) + "\n";
      }
    }
    return out;
  }
};

inline Loaded Finish(SnapshotBuilder& builder, Loaded loaded) {
  auto snapshot = builder.Build(loaded.diagnostics);
  loaded.files = builder.files();
  if (snapshot.ok()) loaded.snapshot = *std::move(snapshot);
  return loaded;
}

inline Loaded Load(std::string_view text, std::string_view name = "t.yaml",
                   const LoadOptions& options = {}, SnapshotOptions snapshot_options = {}) {
  SnapshotBuilder builder(std::move(snapshot_options));
  Loaded loaded;
  LoadText(text, name, options, builder, loaded.diagnostics, loaded.report);
  return Finish(builder, std::move(loaded));
}

// A policy of `spec`, which stands at column 3 from line 4 on.
inline std::string PolicyText(const std::string& spec) {
  return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
         "metadata: {name: p, namespace: prod}\nspec:\n" +
         spec;
}

}  // namespace npf

#endif  // NPF_TESTS_UNIT_LOAD_TEST_UTIL_H_
