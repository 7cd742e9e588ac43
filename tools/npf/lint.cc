// `npf lint`: what is legal and probably not meant.
#include "lint/lint.h"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "npf/command_line.h"
#include "npf/input.h"
#include "npf/output.h"
#include "npf/sarif.h"
#include "npf/verbs.h"
#include "npf/version.h"

namespace npf::tools {
namespace {

struct LintFlags {
  InputFlags input;
  std::string output = "table";
  std::string level = "note";
  std::string fail_on = "warning";
  std::string docs_url;
};

using Files = std::vector<std::string>;

std::string LintPlace(const Position& position, const Files& files) {
  if (position.file == 0 || position.file >= files.size()) return "-";
  std::string out = files[position.file];
  if (position.line > 0) out += ":" + std::to_string(position.line);
  if (position.column > 0) out += ":" + std::to_string(position.column);
  return out;
}

std::string_view Basis(const lint::Finding& finding) {
  return lint::KindOf(finding.id).is_proof ? "proof" : "advice";
}

std::string Subject(const std::string& object, const std::string& field) {
  return object.empty() || field.empty() ? object + field : object + ": " + field;
}

// A line of its own for each part: what is long is read, not compared.
void WriteTable(const std::vector<const lint::Finding*>& findings, const Files& files) {
  for (const lint::Finding* finding : findings) {
    const auto line = [](const std::string& text) {
      if (!text.empty()) WriteOut("    " + EscapeForMessage(text, kFileNameBytesMax) + "\n");
    };
    const lint::Kind& kind = lint::KindOf(finding->id);
    WriteOut(EscapeForMessage(LintPlace(finding->position, files), kFileNameBytesMax) + ": " +
             std::string(Name(finding->level)) + ": " + std::string(kind.name) + " (" +
             std::string(Basis(*finding)) + ")\n");
    line(Subject(finding->object, finding->field));
    line(finding->message);
    for (const lint::Related& related : finding->related) {
      line("at " + LintPlace(related.position, files) + ": " +
           Subject(related.object, related.field) + ": " + related.message);
    }
    for (const lint::Probe& probe : finding->probes) {
      line("witness: " + lint::ToString(probe));
      break;
    }
    if (!finding->suggestion.empty()) line("help: " + finding->suggestion);
  }
}

std::string JsonPlace(const Position& position, const Files& files) {
  const std::string file = position.file < files.size() ? files[position.file] : "";
  return "\"file\":" + JsonString(file) + ",\"line\":" + std::to_string(position.line) +
         ",\"column\":" + std::to_string(position.column);
}

std::string JsonProbe(const lint::Probe& probe) {
  std::string out = "{\"src\":" + JsonString(npf::ToString(probe.src)) +
                    ",\"dst\":" + JsonString(npf::ToString(probe.dst)) +
                    ",\"protocol\":" + std::to_string(probe.protocol) +
                    ",\"port\":" + std::to_string(probe.port);
  if (probe.direction) {
    out += ",\"direction\":";
    out += *probe.direction == Direction::kIngress ? "\"ingress\"" : "\"egress\"";
  }
  return out + ",\"verdict\":" + (probe.allowed ? "\"allow\"}" : "\"deny\"}");
}

std::string JsonFinding(const lint::Finding& finding, const Files& files) {
  std::string out =
      "{\"id\":" + JsonString(lint::KindOf(finding.id).name) +
      ",\"level\":" + JsonString(Name(finding.level)) + ",\"basis\":" + JsonString(Basis(finding)) +
      "," + JsonPlace(finding.position, files) + ",\"object\":" + JsonString(finding.object) +
      ",\"field\":" + JsonString(finding.field) + ",\"message\":" + JsonString(finding.message) +
      ",\"suggestion\":" + JsonString(finding.suggestion) + ",\"related\":[";
  for (size_t i = 0; i < finding.related.size(); ++i) {
    const lint::Related& related = finding.related[i];
    out += (i == 0 ? "{" : ",{") + JsonPlace(related.position, files) +
           ",\"object\":" + JsonString(related.object) + ",\"field\":" + JsonString(related.field) +
           ",\"message\":" + JsonString(related.message) + "}";
  }
  out += "],\"witnesses\":[";
  for (size_t i = 0; i < finding.probes.size(); ++i) {
    out += (i == 0 ? "" : ",") + JsonProbe(finding.probes[i]);
  }
  out += "]";
  if (finding.silenced_by) out += ",\"silenced_by\":" + JsonString(*finding.silenced_by);
  return out + "}";
}

// Silenced findings are in it, with the reason.
void WriteJson(const std::vector<lint::Finding>& all, lint::Level least, const Files& files) {
  std::string out = "{\"findings\":[";
  bool first = true;
  for (const lint::Finding& finding : all) {
    if (finding.level < least) continue;
    out += (first ? "\n" : ",\n") + JsonFinding(finding, files);
    first = false;
  }
  WriteOut(out + "]}\n");
}

SarifLevel LevelOf(lint::Level level) { return static_cast<SarifLevel>(level); }

SarifLocation LocationOf(const Position& position, const std::string& object,
                         const std::string& field, const Files& files) {
  return {.file = position.file < files.size() ? files[position.file] : "",
          .line = position.line,
          .column = position.column,
          .object = object,
          .field = field,
          .message = ""};
}

void WriteSarif(const std::vector<lint::Finding>& all, lint::Level least, const LintFlags& flags,
                const Files& files) {
  std::vector<SarifRule> rules;
  for (const lint::Kind& kind : lint::Catalogue()) {
    rules.push_back({.id = std::string(kind.name),
                     .title = std::string(kind.title),
                     .page = "lint.md#" + std::string(kind.name),
                     .level = LevelOf(kind.level)});
  }
  SarifLog log(
      {.name = "npf lint", .version = std::string(kLibraryVersion), .docs_url = flags.docs_url},
      std::move(rules));
  for (const lint::Finding& finding : all) {
    if (finding.level < least) continue;
    SarifResult result;
    result.rule = static_cast<size_t>(finding.id);
    result.level = LevelOf(finding.level);
    result.message = finding.message;
    if (!finding.suggestion.empty()) result.message += "; " + finding.suggestion;
    result.location = LocationOf(finding.position, finding.object, finding.field, files);
    for (const lint::Related& related : finding.related) {
      result.related.push_back(LocationOf(related.position, related.object, related.field, files));
      result.related.back().message = related.message;
    }
    result.suppressed_by = finding.silenced_by.value_or("");
    log.Add(result);
  }
  WriteOut(log.Text());
}

// "2 errors, 1 warning, 3 notes; 1 silenced", on stderr.
void TellCounts(const std::vector<lint::Finding>& all) {
  std::array<size_t, 3> counts{};
  size_t silenced = 0;
  for (const lint::Finding& finding : all) {
    if (finding.silenced_by) {
      ++silenced;
    } else {
      ++counts[static_cast<size_t>(finding.level)];
    }
  }
  std::string out;
  for (const lint::Level level : {lint::Level::kError, lint::Level::kWarning, lint::Level::kNote}) {
    const size_t count = counts[static_cast<size_t>(level)];
    out += (out.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(Name(level)) +
           (count == 1 ? "" : "s");
  }
  if (silenced > 0) out += "; " + std::to_string(silenced) + " silenced";
  PrintError(out);
}

int RunLint(LintFlags flags) {
  flags.input.keep_positions = true;
  flags.input.assume_addresses = true;
  const LoadedInput input = ReadInput(flags.input);
  if (!input.snapshot.has_value()) {
    PrintDiagnostics(input.diagnostics, input.files);
    return input.exit_status;
  }
  const lint::LintOutcome outcome =
      lint::Lint({*input.snapshot, input.diagnostics.all(), input.report.foreign});
  for (const std::string& text : outcome.unanswered) PrintError(text);
  const lint::Level least = *lint::ParseLevel(flags.level);
  const std::optional<lint::Level> fail_on = lint::ParseLevel(flags.fail_on);
  std::vector<const lint::Finding*> told;
  bool fails = false;
  for (const lint::Finding& finding : outcome.findings) {
    if (finding.silenced_by) continue;
    fails = fails || (fail_on && finding.level >= *fail_on);
    if (finding.level >= least) told.push_back(&finding);
  }
  if (flags.output == "json") {
    WriteJson(outcome.findings, least, input.files);
  } else if (flags.output == "sarif") {
    WriteSarif(outcome.findings, least, flags, input.files);
  } else {
    WriteTable(told, input.files);
  }
  TellCounts(outcome.findings);
  return fails ? kExitDenied : kExitDone;
}

}  // namespace

void AddLintVerb(CommandLine& line) {
  Verb verb = line.AddVerb("lint", "what is legal in policies and probably not meant");
  auto flags = std::make_shared<LintFlags>();
  AddInputFlags(verb, flags->input);
  verb.AddChoice("-o,--output", flags->output, {"table", "json", "sarif"}, "table, json or sarif");
  verb.AddChoice("--level", flags->level, {"error", "warning", "note"},
                 "the least level that is told");
  verb.AddChoice("--fail-on", flags->fail_on, {"error", "warning", "note", "never"},
                 "exit status 1 where a finding has at least this level");
  verb.AddText("--docs-url", flags->docs_url,
               "where this project's docs/ is published, for links in SARIF; ends in /")
      .Type("URL");
  verb.SetFooter("Example:\n  npf lint -f policies/ -f cluster.yaml --level warning");
  verb.OnRun([flags] { return RunLint(*flags); });
}

}  // namespace npf::tools
