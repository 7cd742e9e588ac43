// SARIF 2.1.0, the form in which code review systems and editors take findings about files:
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/. Section numbers below are of that document.
//
//   SarifLog log({.name = "npf lint", .version = "0.1.0"}, rules);
//   log.Add({.rule = 0, .message = "...", .location = {.file = "a.yaml", .line = 3}});
//   WriteOut(log.Text());
//
// One run of one tool; the text does not depend on time or machine, so equal findings give equal
// bytes.
#ifndef NPF_TOOLS_NPF_SARIF_H_
#define NPF_TOOLS_NPF_SARIF_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace npf::tools {

enum class SarifLevel : uint8_t { kNote, kWarning, kError };
std::string_view Name(SarifLevel level);  // "note", "warning", "error"

struct SarifTool {
  std::string name;
  std::string version;
  // Where the project's docs/ is published, as "https://example.org/npf/docs/". A helpUri has to be
  // absolute (3.49.12): without a base, rules have none, and their help names the page.
  std::string docs_url;
};

struct SarifRule {
  std::string id;
  std::string title;  // a sentence
  std::string page;   // in docs/, with its anchor: "lint.md#no-match"
  SarifLevel level = SarifLevel::kWarning;
};

struct SarifLocation {
  std::string file;     // as the user named it; empty: no physical location
  uint32_t line = 0;    // from 1; 0: the whole file
  uint32_t column = 0;  // from 1; 0: the whole line
  std::string object;   // "NetworkPolicy shop/db"; empty: no logical location
  std::string field;    // "spec.ingress[0].from[1]"; may be empty
  std::string message;  // of related locations: what is there
};

struct SarifResult {
  size_t rule = 0;  // index of the rules
  SarifLevel level = SarifLevel::kWarning;
  std::string message;
  SarifLocation location;
  std::vector<SarifLocation> related;
  // What tells it from others of the same rule at the same object and field, and stays when lines
  // move; may be empty.
  std::string key;
  std::string suppressed_by;  // the reason that the input gives for silencing it; empty: it is not
};

class SarifLog {
 public:
  SarifLog(SarifTool tool, std::vector<SarifRule> rules)
      : tool_(std::move(tool)), rules_(std::move(rules)) {}
  void Add(const SarifResult& result);
  std::string Text() const;  // ends in a newline

 private:
  std::string RuleJson(const SarifRule& rule) const;
  std::string Fingerprint(const SarifResult& result);

  SarifTool tool_;
  std::vector<SarifRule> rules_;
  std::vector<std::string> results_;
  std::map<std::string, size_t> seen_;  // results by fingerprint
};

// A path as a URI reference: absolute ones become file:///..., others stay relative (3.4.3);
// what RFC 3986 does not allow in a path is percent-encoded.
std::string FileUri(std::string_view path);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_SARIF_H_
