#include "npf/validate.h"

#include <memory>

#include "npf/command_line.h"
#include "npf/output.h"
#include "npf/sarif.h"
#include "npf/verbs.h"
#include "npf/version.h"

namespace npf::tools {
namespace {

std::string Json(const Diagnostic& diagnostic, const std::vector<std::string>& files) {
  const Position& position = diagnostic.position;
  const std::string file = position.file < files.size() ? files[position.file] : "";
  std::string out = "{\"severity\":";
  out += diagnostic.severity == Severity::kError ? "\"error\"" : "\"warning\"";
  out += ",\"file\":" + JsonString(file) + ",\"line\":" + std::to_string(position.line) +
         ",\"column\":" + std::to_string(position.column);
  out += ",\"object\":" + JsonString(diagnostic.object);
  out += ",\"field\":" + JsonString(diagnostic.field);
  out += ",\"type\":" + JsonString(diagnostic.type);
  return out + ",\"detail\":" + JsonString(diagnostic.detail) + "}";
}

std::string Json(const std::map<std::string, size_t>& counts) {
  std::string out = "{";
  for (const auto& [name, count] : counts) {
    out += (out.size() > 1 ? "," : "") + JsonString(name) + ":" + std::to_string(count);
  }
  return out + "}";
}

void WriteJson(const LoadedInput& input) {
  const Diagnostics& diagnostics = input.diagnostics;
  std::string out = "{\"valid\":";
  out += diagnostics.ok() ? "true" : "false";
  out += ",\"errors\":" + std::to_string(diagnostics.error_count()) +
         ",\"warnings\":" + std::to_string(diagnostics.warning_count()) +
         ",\"used\":" + Json(input.report.used) + ",\"skipped\":" + Json(input.report.skipped) +
         ",\"diagnostics\":[";
  bool first = true;
  for (const Diagnostic& diagnostic : diagnostics.all()) {
    out += (first ? "" : ",") + Json(diagnostic, input.files);
    first = false;
  }
  WriteOut(out + "]}\n");
}

void WriteJsonLines(const LoadedInput& input) {
  for (const Diagnostic& diagnostic : input.diagnostics.all()) {
    WriteOut(Json(diagnostic, input.files) + "\n");
  }
}

// Rules by the type of a fault, which the API server names too.
void WriteSarif(const LoadedInput& input) {
  SarifLog log({.name = "npf validate", .version = std::string(kLibraryVersion)},
               {{.id = "refused",
                 .title = "The input cannot be used.",
                 .page = "policies.md",
                 .level = SarifLevel::kError},
                {.id = "doubtful",
                 .title = "The input can be used, and may not be meant.",
                 .page = "policies.md"}});
  for (const Diagnostic& diagnostic : input.diagnostics.all()) {
    const bool is_error = diagnostic.severity == Severity::kError;
    const Position& position = diagnostic.position;
    log.Add(
        {.rule = is_error ? size_t{0} : size_t{1},
         .level = is_error ? SarifLevel::kError : SarifLevel::kWarning,
         .message = diagnostic.detail,
         .location = {.file = position.file < input.files.size() ? input.files[position.file] : "",
                      .line = position.line,
                      .column = position.column,
                      .object = diagnostic.object,
                      .field = diagnostic.field},
         .key = diagnostic.detail});
  }
  WriteOut(log.Text());
}

void WriteTable(const LoadedInput& input) {
  Table table({"kind", ">objects", "use"});
  for (const auto& [kind, count] : input.report.used) {
    table.AddRow({kind, std::to_string(count), "read"});
  }
  for (const auto& [kind, count] : input.report.skipped) {
    table.AddRow({EscapeForMessage(kind), std::to_string(count), "skipped"});
  }
  WriteOut(table.Text());
}

}  // namespace

int RunValidate(const ValidateFlags& flags) {
  const LoadedInput input = LoadInput(flags.input);
  if (flags.output == "json") {
    WriteJson(input);
  } else if (flags.output == "jsonl") {
    WriteJsonLines(input);
  } else if (flags.output == "sarif") {
    WriteSarif(input);
  } else if (input.diagnostics.ok()) {
    WriteTable(input);
  }
  return input.exit_status;
}

void AddValidateVerb(CommandLine& line) {
  Verb verb = line.AddVerb(
      "validate", "every error and warning in the input, as the Kubernetes API server sees it");
  auto flags = std::make_shared<ValidateFlags>();
  AddInputFlags(verb, flags->input);
  verb.AddChoice("-o,--output", flags->output, {"table", "json", "jsonl", "sarif"},
                 "table, json, jsonl or sarif");
  verb.SetFooter("Example:\n  npf validate -f policies/ -f cluster.yaml");
  verb.OnRun([flags] { return RunValidate(*flags); });
}

}  // namespace npf::tools
