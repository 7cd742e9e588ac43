#include "npf/sarif.h"

#include <cstdio>

#include "npf/output.h"

namespace npf::tools {
namespace {

constexpr char kSchemaUri[] =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json";

std::string Hex(uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(number));
  return text;
}

// FNV-1a: fingerprints compare results of one repository, nobody gains by forging one.
uint64_t Hash(std::string_view text, uint64_t hash) {
  for (const char c : text) {
    hash ^= static_cast<uint8_t>(c);
    hash *= 0x100000001b3u;
  }
  return hash;
}

std::string Message(std::string_view text) { return "{\"text\":" + JsonString(text) + "}"; }

std::string PhysicalJson(const SarifLocation& location) {
  std::string out =
      "\"physicalLocation\":{\"artifactLocation\":{\"uri\":" + JsonString(FileUri(location.file)) +
      "}";
  if (location.line > 0) {
    out += ",\"region\":{\"startLine\":" + std::to_string(location.line);
    if (location.column > 0) out += ",\"startColumn\":" + std::to_string(location.column);
    out += "}";
  }
  return out + "}";
}

std::string LogicalJson(const SarifLocation& location) {
  std::string full = location.object;
  if (!location.field.empty()) full += "#" + location.field;
  return "\"logicalLocations\":[{\"name\":" +
         JsonString(location.field.empty() ? location.object : location.field) +
         ",\"fullyQualifiedName\":" + JsonString(full) + ",\"kind\":\"object\"}]";
}

std::string LocationJson(const SarifLocation& location) {
  std::string out;
  const auto append = [&](const std::string& member) { out += (out.empty() ? "" : ",") + member; };
  if (!location.file.empty()) append(PhysicalJson(location));
  if (!location.object.empty()) append(LogicalJson(location));
  if (!location.message.empty()) append("\"message\":" + Message(location.message));
  return "{" + out + "}";
}

std::string Joined(const std::vector<std::string>& items) {
  std::string out;
  for (const std::string& item : items) out += (out.empty() ? "\n" : ",\n") + item;
  return "[" + out + "]";
}

}  // namespace

std::string_view Name(SarifLevel level) {
  switch (level) {
    case SarifLevel::kNote:
      return "note";
    case SarifLevel::kWarning:
      return "warning";
    default:
      return "error";
  }
}

std::string FileUri(std::string_view path) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/!$&'()*+,;=@";
  while (path.starts_with("./")) path.remove_prefix(2);
  std::string out = path.starts_with('/') ? "file://" : "";
  for (const char c : path) {
    if (kPlain.find(c) != std::string_view::npos) {
      out += c;
      continue;
    }
    char code[4];
    std::snprintf(code, sizeof(code), "%%%02X", unsigned{static_cast<uint8_t>(c)});
    out += code;
  }
  return out;
}

std::string SarifLog::RuleJson(const SarifRule& rule) const {
  std::string out = "{\"id\":" + JsonString(rule.id) +
                    ",\"shortDescription\":" + Message(rule.title) +
                    ",\"help\":" + Message("docs/" + rule.page);
  if (!tool_.docs_url.empty()) out += ",\"helpUri\":" + JsonString(tool_.docs_url + rule.page);
  return out + ",\"defaultConfiguration\":{\"level\":" + JsonString(Name(rule.level)) + "}}";
}

// The same for the same finding however lines move; of several that it does not tell apart, each
// has its number.
std::string SarifLog::Fingerprint(const SarifResult& result) {
  uint64_t hash = 0xcbf29ce484222325u;
  const std::string_view parts[] = {rules_[result.rule].id, result.location.object,
                                    result.location.field, result.key};
  for (const std::string_view part : parts) hash = Hash({"\0", 1}, Hash(part, hash));
  const std::string text = Hex(hash);
  return text + ":" + std::to_string(++seen_[text]);
}

void SarifLog::Add(const SarifResult& result) {
  std::string out = "{\"ruleId\":" + JsonString(rules_[result.rule].id) +
                    ",\"ruleIndex\":" + std::to_string(result.rule) +
                    ",\"level\":" + JsonString(Name(result.level)) +
                    ",\"message\":" + Message(result.message) + ",\"locations\":[" +
                    LocationJson(result.location) + "]";
  for (size_t i = 0; i < result.related.size(); ++i) {
    out += (i == 0 ? ",\"relatedLocations\":[" : ",") + LocationJson(result.related[i]);
  }
  if (!result.related.empty()) out += "]";
  out += ",\"partialFingerprints\":{\"npf/v1\":" + JsonString(Fingerprint(result)) + "}";
  if (!result.suppressed_by.empty()) {
    out += ",\"suppressions\":[{\"kind\":\"inSource\",\"justification\":" +
           JsonString(result.suppressed_by) + "}]";
  }
  results_.push_back(out + "}");
}

std::string SarifLog::Text() const {
  std::vector<std::string> rules;
  rules.reserve(rules_.size());
  for (const SarifRule& rule : rules_) rules.push_back(RuleJson(rule));
  return std::string("{\"$schema\":\"") + kSchemaUri +
         "\",\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":" +
         JsonString(tool_.name) + ",\"version\":" + JsonString(tool_.version) +
         ",\"rules\":" + Joined(rules) +
         "}},\"columnKind\":\"unicodeCodePoints\",\"results\":" + Joined(results_) + "}]}\n";
}

}  // namespace npf::tools
