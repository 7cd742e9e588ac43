#include "npf/man.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "npf/exit_status.h"
#include "npf/output.h"

namespace npf::tools {
namespace {

constexpr char kExample[] = "Example:\n";

// The documentation's page about a verb, where it has another name.
constexpr std::pair<std::string_view, std::string_view> kPages[] = {
    {"npf validate", "policies"}, {"npf explain", "reasons"}, {"npf compile", "image-format"},
    {"npf status", "control"},    {"npf load", "control"},    {"npf wait", "control"},
    {"npf watch", "control"},     {"npf-dpdk", "appliance"},  {"npf", "errors"},
    {"npf-bench", "performance"}, {"npf verify", "testing"},  {"npf eval", "verdicts"},
};

std::string Upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string PageName(const ProgramText& program, std::string_view verb) {
  return program.name + (verb.empty() ? "" : "-" + std::string(verb));
}

std::string Bold(std::string_view text) { return "\\fB" + RoffText(text) + "\\fR"; }
std::string Slanted(std::string_view text) { return "\\fI" + RoffText(text) + "\\fR"; }

std::string ValueOf(const OptionText& option) {
  if (option.choices.empty()) return Slanted(option.type);
  std::string out;
  for (const std::string& choice : option.choices) out += (out.empty() ? "" : "|") + Bold(choice);
  return out;
}

std::string NameOf(const OptionText& option) {
  if (!option.place.empty()) return Slanted(option.place);
  std::string out;
  for (const std::string& name : option.names) out += (out.empty() ? "" : ", ") + Bold(name);
  return option.is_flag() ? out : out + " " + ValueOf(option);
}

std::string OptionsOf(const VerbText& verb) {
  std::string out;
  for (const OptionText& option : verb.options) {
    out += ".TP\n" + NameOf(option) + "\n" + RoffText(option.help);
    if (!option.help.ends_with('.')) out += '.';
    if (!option.standard.empty()) out += "\nDefault: " + Bold(option.standard) + ".";
    if (option.required) out += "\nRequired.";
    out += "\n";
  }
  return out;
}

// "Exit status: ... Example:\n  npf ..." in its parts.
std::string_view BeforeExample(std::string_view footer) {
  return footer.substr(0, footer.find(kExample));
}
std::string_view ExampleOf(std::string_view footer) {
  const size_t at = footer.find(kExample);
  return at == std::string_view::npos ? std::string_view()
                                      : footer.substr(at + sizeof kExample - 1);
}

std::string Verbatim(std::string_view text) {
  std::string out = ".PP\n.EX\n" + RoffText(text);
  if (!out.ends_with('\n')) out += '\n';
  return out + ".EE\n";
}

std::string SynopsisOf(const std::string& command, const VerbText& verb) {
  std::string out = Bold(command);
  bool optional = false;
  std::string placed;
  for (const OptionText& option : verb.options) {
    if (!option.place.empty()) {
      placed += option.required ? " " + Slanted(option.place) : " [" + Slanted(option.place) + "]";
    } else if (option.required) {
      out += " " + Bold(option.names.front()) + " " + ValueOf(option);
    } else {
      optional = true;
    }
  }
  return out + (optional ? " [" + Slanted("options") + "]" : "") + placed + "\n";
}

std::string VerbsOf(const ProgramText& program, const Manual& manual) {
  std::string out = ".SH VERBS\n";
  for (const VerbText& verb : program.verbs) {
    if (verb.hidden) continue;
    if (manual.one_page) {
      out += ".SS " + RoffText(verb.name) + "\n" + RoffText(verb.description) + ".\n" +
             OptionsOf(verb);
    } else {
      out += ".TP\n" + Bold(verb.name) + "\n" + RoffText(verb.description) + ".\nSee " +
             Bold(PageName(program, verb.name)) + "(1).\n";
    }
  }
  return out;
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string ProseOf(const std::string& docs, const std::string& program, const std::string& verb) {
  if (docs.empty()) return "";
  const std::string full = verb.empty() ? program : program + " " + verb;
  std::string page = verb.empty() ? program : verb;
  for (const auto& [name, other] : kPages) {
    if (name == full) page = other;
  }
  return ReadFile(std::filesystem::path(docs) / (page + ".md"));
}

}  // namespace

std::string ManPage(const ProgramText& program, const Manual& manual, std::string_view verb_name,
                    std::string_view prose) {
  const VerbText* named = program.FindVerb(verb_name);
  const VerbText& verb = named == nullptr ? program.whole : *named;
  const std::string name = PageName(program, verb_name);
  const std::string command =
      program.name + (verb_name.empty() ? "" : " " + std::string(verb_name));
  std::string out = ".TH " + Upper(name) + " " + std::to_string(manual.section) + " \"\" \"" +
                    RoffText(program.version) + "\" \"npf manual\"\n.ad l\n.SH NAME\n" +
                    RoffText(name) + " \\- " + RoffText(verb.description) + "\n.SH SYNOPSIS\n";
  const bool of_verbs = verb_name.empty() && !program.verbs.empty();
  if (!manual.synopsis.empty()) {
    out += Bold(command) + " " + RoffText(manual.synopsis) + "\n";
  } else if (of_verbs && !manual.one_page) {
    out += Bold(command) + " " + Slanted("VERB") + " [" + Slanted("options") + "]\n";
  } else {
    out += SynopsisOf(command, verb);
  }
  if (!verb.options.empty()) out += ".SH OPTIONS\n" + OptionsOf(verb);
  if (of_verbs) out += VerbsOf(program, manual);
  const std::string_view remarks = BeforeExample(verb.footer);
  if (!remarks.empty()) out += ".SH NOTES\n" + RoffText(remarks) + "\n";
  const std::string_view example = ExampleOf(verb.footer);
  if (!example.empty()) out += ".SH EXAMPLES\n" + Verbatim(example);
  if (!prose.empty()) out += ".SH MORE\n" + RoffOfMarkdown(prose);
  if (!verb_name.empty()) {
    out += ".SH EXIT STATUS\n" + RoffText(BeforeExample(program.whole.footer)) +
           "\n.SH SEE ALSO\n" + Bold(program.name) + "(" + std::to_string(manual.section) + ")\n";
  }
  return out;
}

int WriteManPages(const ProgramText& program, const Manual& manual, const std::string& directory,
                  const std::string& docs) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  std::vector<std::string> verbs{""};
  for (const VerbText& verb : program.verbs) {
    if (!verb.hidden && !manual.one_page) verbs.push_back(verb.name);
  }
  for (const std::string& verb : verbs) {
    const std::filesystem::path path =
        std::filesystem::path(directory) /
        (PageName(program, verb) + "." + std::to_string(manual.section));
    std::ofstream file(path, std::ios::binary);
    file << ManPage(program, manual, verb, ProseOf(docs, program.name, verb));
    if (!file.flush()) {
      PrintError("cannot write " + path.string());
      return kExitEnvironment;
    }
  }
  return kExitDone;
}

}  // namespace npf::tools
