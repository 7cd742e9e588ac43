// Objects as YAML or JSON text: loading ends in a Snapshot or in errors, and a Snapshot compiles
// within its budget or is refused.
#include <string_view>

#include "fuzz/fuzz.h"
#include "npf/compiler.h"
#include "npf/load.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using npf::fuzzing::Expect;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  npf::SnapshotBuilder builder;
  npf::Diagnostics diagnostics;
  npf::LoadReport report;
  npf::LoadOptions options;
  options.alias_nodes_max = 1000;
  npf::LoadText(text, NPF_FUZZ_NAME, options, builder, diagnostics, report);
  const bool loaded = diagnostics.ok();
  const auto snapshot = builder.Build(diagnostics);
  Expect(loaded || !snapshot.ok(), "an error in the text is an error of the build");
  Expect(snapshot.ok() || !diagnostics.ok(), "a failed build says why");
  for (const npf::Diagnostic& diagnostic : diagnostics.all()) {
    Expect(!diagnostic.detail.empty(), "a diagnostic says what is wrong");
  }
  if (!snapshot.ok()) return 0;
  const auto program = npf::Compile(*snapshot, {.image_bytes_max = size_t{8} << 20});
  Expect(program.ok() || !program.status().message().empty(), "a refusal says why");
  return 0;
}
