#include "policy.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <chrono>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "npf/compiler.h"
#include "npf/diagnostics.h"
#include "npf/image.h"

namespace npf::appliance {
namespace {

std::string HashOf(const Program& program) {
  const std::span<const std::byte> image = program.image();
  const XXH128_hash_t hash = XXH3_128bits(image.data(), image.size());
  return absl::StrFormat("%016x%016x", hash.high64, hash.low64);
}

absl::Status FailureOf(const tools::LoadedInput& input) {
  std::vector<std::string> lines;
  for (const Diagnostic& diagnostic : input.diagnostics.all()) {
    if (diagnostic.severity == Severity::kError) lines.push_back(Format(diagnostic, input.files));
  }
  const std::string text = absl::StrJoin(lines, "\n");
  switch (input.exit_status) {
    case tools::kExitEnvironment:
      return absl::UnavailableError(text);
    case tools::kExitLimit:
      return absl::ResourceExhaustedError(text);
    default:
      return absl::InvalidArgumentError(text);
  }
}

}  // namespace

absl::StatusOr<PolicyPtr> ReadPolicy(const tools::InputFlags& flags, std::string_view text,
                                     bool allow_all) {
  const auto began = std::chrono::steady_clock::now();
  tools::LoadedInput input = tools::ReadInput(flags, text);
  if (!input.snapshot.has_value()) return FailureOf(input);
  if (input.report.used.empty() && !allow_all) {
    return absl::InvalidArgumentError(
        "the input has no object at all, which would allow everything; --allow-all says that this "
        "is meant");
  }
  const Snapshot& snapshot = *input.snapshot;
  absl::StatusOr<Program> program = Compile(snapshot);
  if (!program.ok()) return program.status();
  std::vector<std::string> warnings;
  for (const Diagnostic& diagnostic : input.diagnostics.all()) {
    if (diagnostic.severity == Severity::kWarning) {
      warnings.push_back(Format(diagnostic, input.files));
    }
  }
  const auto took = std::chrono::steady_clock::now() - began;
  return std::make_shared<const Policy>(Policy{
      .program = *program,
      .snapshot = snapshot,
      .names = tools::AddressNames(snapshot),
      .source = text.empty() ? absl::StrJoin(flags.paths, " ") : "request",
      .hash = HashOf(*program),
      .pods = snapshot.pods().size(),
      .policies = snapshot.policies().size() + snapshot.cluster_policies().size(),
      .compile_ns =
          static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(took).count()),
      .warnings = std::move(warnings)});
}

absl::StatusOr<PolicyPtr> ReadPolicyImage(const std::string& path) {
  absl::StatusOr<Program> program = LoadImage(path);
  if (!program.ok()) return program.status();
  return std::make_shared<const Policy>(
      Policy{.program = *program, .source = path, .hash = HashOf(*program)});
}

}  // namespace npf::appliance
