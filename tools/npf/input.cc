#include "npf/input.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <tuple>

#include "npf/address.h"
#include "npf/command_line.h"
#include "npf/domains.h"
#include "npf/output.h"
#include "npf/revision.h"

namespace npf::tools {
namespace {

constexpr size_t kPrintedMax = 50;

std::vector<IpPrefix> ParsePrefixes(const std::vector<std::string>& texts) {
  std::vector<IpPrefix> prefixes;
  prefixes.reserve(texts.size());
  for (const std::string& text : texts) prefixes.push_back(ParseIpPrefix(text).prefix);
  return prefixes;
}

std::string CheckPrefix(const std::string& text) {
  const ParsedPrefix parsed = ParseIpPrefix(text);
  if (parsed.fault == PrefixFault::kNone && !parsed.host_bits_set) return "";
  return "not a CIDR (found \"" + EscapeForMessage(text) + "\"); as 10.0.0.0/8 or fd00::/8";
}

std::string CheckTime(const std::string& text) {
  if (ParseTime(text)) return "";
  return "not a time (found \"" + EscapeForMessage(text) + "\"); as 2027-01-01T00:00:00Z";
}

// What concerns the input as a whole comes last; what concerns a file as a whole comes first in it.
Diagnostics InInputOrder(const Diagnostics& diagnostics) {
  std::vector<Diagnostic> all(diagnostics.all().begin(), diagnostics.all().end());
  const auto place = [](const Diagnostic& diagnostic) {
    const Position& position = diagnostic.position;
    return std::tuple(position.file == 0, position.file, position.line, position.column);
  };
  std::stable_sort(all.begin(), all.end(),
                   [&](const Diagnostic& a, const Diagnostic& b) { return place(a) < place(b); });
  Diagnostics sorted;
  for (Diagnostic& diagnostic : all) sorted.Add(std::move(diagnostic));
  return sorted;
}

void PrintRest(size_t count, size_t printed, const std::string& what) {
  if (count <= printed) return;
  const size_t rest = count - printed;
  PrintError("... and " + std::to_string(rest) + " more " + what + (rest == 1 ? "" : "s"));
}

void LoadRevision(const std::string& path, const LoadOptions& options, SnapshotBuilder& builder,
                  Diagnostics& diagnostics, LoadReport& report) {
  RevisionFiles revision;
  const load::FileFault fault = ReadRevision(path, options.file_bytes_max, revision);
  if (!fault.ok()) {
    diagnostics.AddError({builder.AddFile(path), 0, 0}, "", "", fault.type, fault.detail);
    return;
  }
  for (const std::string& module : revision.modules) {
    diagnostics.AddWarning({builder.AddFile(path), 0, 0}, "", "",
                           EscapeForMessage(module) + " is a submodule; it is not read");
  }
  if (revision.is_directory) {
    LoadDirectory(path, revision.files, options, builder, diagnostics, report);
  } else {
    LoadFile(revision.files[0], options, builder, diagnostics, report);
  }
}

}  // namespace

void AddInputFlags(Verb& verb, InputFlags& flags, InputNeed need) {
  Option file = verb.AddTexts(
      "-f,--file", flags.paths,
      "a file or directory of Kubernetes objects, YAML or JSON, or - for standard input; "
      "repeatable");
  file.Type("PATH");
  if (need == InputNeed::kRequired) {
    file.Required();
    AddGitFlag(verb, flags.git);
  }
  verb.AddText("-n,--namespace", flags.default_namespace, "the namespace of objects that name none")
      .ShowDefault()
      .Type("NAMESPACE");
  verb.AddFlag("--strict-cidr", flags.strict_cidr, "a CIDR with host bits is an error");
  verb.AddFlag("--lenient", flags.lenient, "unknown fields of policies are warnings");
  verb.AddFlag("--last-wins", flags.last_wins, "of objects with one name the last counts");
  verb.AddFlag("--skip-invalid", flags.skip_invalid,
               "invalid policies are left out, with a warning");
  verb.AddTexts("--pod-cidr", flags.pod_cidrs, "addresses of pods, known or not; repeatable")
      .Check(CheckPrefix, "CIDR");
  verb.AddTexts("--service-cidr", flags.service_cidrs, "addresses of Services; repeatable")
      .Check(CheckPrefix, "CIDR");
  verb.AddTexts("--domains", flags.domains,
                "a CSV file of resolved names (name,address,expires) for domainNames peers; "
                "repeatable")
      .Type("FILE");
  verb.AddText("--now", flags.now,
               "the time by which resolved names expire, RFC 3339 or Unix seconds; default: the "
               "present")
      .Check(CheckTime, "TIME");
}

void AddGitFlag(Verb& verb, bool& git) {
  verb.AddFlag("--git", git,
               "a PATH with a colon is REV:PATH, a file or directory in a revision of Git");
}

int ExitStatusOf(const Diagnostics& diagnostics) {
  if (diagnostics.ok()) return kExitDone;
  bool limit_reached = false;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    if (diagnostic.severity != Severity::kError) continue;
    if (diagnostic.type == "Unreadable") return kExitEnvironment;
    limit_reached = limit_reached || diagnostic.type == "LimitExceeded";
  }
  return limit_reached ? kExitLimit : kExitBadInput;
}

void PrintDiagnostics(const Diagnostics& diagnostics, const std::vector<std::string>& files) {
  size_t errors = 0;
  size_t warnings = 0;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    size_t& count = diagnostic.severity == Severity::kError ? errors : warnings;
    if (count == kPrintedMax) continue;
    ++count;
    PrintError(Format(diagnostic, files));
  }
  PrintRest(diagnostics.error_count(), errors, "error");
  PrintRest(diagnostics.warning_count(), warnings, "warning");
}

LoadedInput LoadInput(const InputFlags& flags) {
  LoadedInput input = ReadInput(flags);
  PrintDiagnostics(input.diagnostics, input.files);
  return input;
}

LoadedInput ReadInput(const InputFlags& flags, std::string_view text) {
  LoadedInput input;
  SnapshotOptions options;
  options.strict_cidr = flags.strict_cidr;
  options.last_wins = flags.last_wins;
  options.skip_invalid = flags.skip_invalid;
  options.default_namespace = flags.default_namespace;
  options.pod_cidrs = ParsePrefixes(flags.pod_cidrs);
  options.service_cidrs = ParsePrefixes(flags.service_cidrs);
  options.now_s = flags.now.empty() ? std::time(nullptr) : *ParseTime(flags.now);
  options.keep_positions = flags.keep_positions;
  options.assume_addresses = flags.assume_addresses;
  options.new_pods = flags.new_pods;
  SnapshotBuilder builder(std::move(options));
  LoadOptions load_options;
  load_options.lenient = flags.lenient;
  Diagnostics diagnostics;
  for (const std::string& path : flags.paths) {
    if (flags.git && IsRevisionPath(path)) {
      LoadRevision(path, load_options, builder, diagnostics, input.report);
    } else {
      LoadPath(path, load_options, builder, diagnostics, input.report);
    }
  }
  if (!text.empty()) {
    LoadText(text, "request", load_options, builder, diagnostics, input.report);
  }
  for (const std::string& path : flags.domains) {
    LoadDomains(path, builder, diagnostics, input.report);
  }
  input.files = builder.files();
  absl::StatusOr<Snapshot> snapshot = builder.Build(diagnostics);
  input.diagnostics = InInputOrder(diagnostics);
  input.exit_status = ExitStatusOf(input.diagnostics);
  if (snapshot.ok()) input.snapshot = *std::move(snapshot);
  return input;
}

}  // namespace npf::tools
