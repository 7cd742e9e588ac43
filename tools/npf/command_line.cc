#include "npf/command_line.h"

#include <span>
#include <utility>

#include <CLI/CLI.hpp>

#include "npf/completion.h"
#include "npf/man.h"
#include "npf/output.h"

namespace npf::tools {

Option& Option::Required() {
  option_->required();
  return *this;
}

Option& Option::ShowDefault() {
  option_->capture_default_str();
  return *this;
}

Option& Option::Type(const std::string& name) {
  option_->type_name(name);
  return *this;
}

Option& Option::Check(OptionCheck check, const std::string& type) {
  option_->check(CLI::Validator(std::move(check), type));
  return *this;
}

Option& Option::SeveralAtOnce() {
  option_->allow_extra_args();
  return *this;
}

Option Verb::AddText(const std::string& names, std::string& value, const std::string& help) {
  return Option(app_->add_option(names, value, help));
}

Option Verb::AddTexts(const std::string& names, std::vector<std::string>& values,
                      const std::string& help) {
  return Option(app_->add_option(names, values, help)->allow_extra_args(false));
}

void Verb::AddChoice(const std::string& names, std::string& value,
                     const std::vector<std::string>& choices, const std::string& help) {
  app_->add_option(names, value, help)->check(CLI::IsMember(choices))->capture_default_str();
}

void Verb::AddNumber(const std::string& names, uint64_t& value, NumberRange range,
                     const std::string& help) {
  app_->add_option(names, value, help)
      ->check(CLI::Range(range.min, range.max))
      ->capture_default_str();
}

void Verb::AddPositiveNumber(const std::string& names, uint64_t& value, const std::string& help) {
  app_->add_option(names, value, help)->check(CLI::PositiveNumber)->capture_default_str();
}

void Verb::AddFlag(const std::string& names, bool& value, const std::string& help) {
  app_->add_flag(names, value, help);
}

std::vector<std::string> Verb::OptionNames() const {
  std::vector<std::string> names;
  for (const CLI::Option* option : app_->get_options()) {
    for (const std::string& name : option->get_lnames()) {
      if (name != "help") names.push_back(name);
    }
  }
  return names;
}

void Verb::SetFooter(const std::string& text) { app_->footer(text); }

void Verb::OnRun(std::function<int()> run) {
  app_->callback([run = std::move(run), exit_status = exit_status_] { *exit_status = run(); });
}

bool OptionText::takes_file() const {
  return choices.empty() && (type == "TEXT" || type.find("PATH") != std::string::npos ||
                             type.find("FILE") != std::string::npos);
}

const VerbText* ProgramText::FindVerb(std::string_view verb) const {
  for (const VerbText& each : verbs) {
    if (each.name == verb) return &each;
  }
  return nullptr;
}

namespace {

// "TEXT:{a,b}" has choices; "TEXT:CIDR" and "UINT:INT in [1 - 9]" a type that checks tell.
void SplitType(const std::string& all, OptionText& out) {
  const size_t colon = all.find(':');
  const std::string check = colon == std::string::npos ? "" : all.substr(colon + 1);
  out.type = check.empty() || all.starts_with("UINT") || all.starts_with("INT")
                 ? all.substr(0, colon)
                 : check;
  if (out.type.starts_with("UINT") || out.type.starts_with("INT")) out.type = "NUMBER";
  if (!check.starts_with('{') || !check.ends_with('}')) return;
  out.type = "TEXT";
  for (size_t at = 1; at < check.size();) {
    const size_t end = check.find_first_of(",}", at);
    out.choices.push_back(check.substr(at, end - at));
    at = end + 1;
  }
}

OptionText DescribeOption(const CLI::Option& option) {
  OptionText out;
  for (const std::string& name : option.get_snames()) out.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) out.names.push_back("--" + name);
  if (out.names.empty()) out.place = option.get_single_name();
  const bool is_flag = option.get_items_expected_max() == 0;
  if (!is_flag) SplitType(option.get_type_name(), out);
  out.help = option.get_description();
  if (!is_flag) out.standard = option.get_default_str();
  out.required = option.get_required();
  out.repeatable = option.get_items_expected_max() > 1;
  return out;
}

VerbText DescribeVerb(const CLI::App& app) {
  VerbText out;
  out.name = app.get_name();
  out.description = app.get_description();
  out.footer = app.get_footer();
  out.hidden = app.get_group().empty();
  for (const CLI::Option* option : app.get_options())
    out.options.push_back(DescribeOption(*option));
  return out;
}

}  // namespace

ProgramText Describe(const CLI::App& app, const std::string& version) {
  ProgramText out{.name = app.get_name(), .version = version, .whole = DescribeVerb(app)};
  for (const CLI::App* verb : app.get_subcommands(nullptr))
    out.verbs.push_back(DescribeVerb(*verb));
  return out;
}

void AddDescribingVerbs(CLI::App& app, const Describing& describing, int& exit_status) {
  struct Flags {
    std::string shell;
    std::string directory;
    std::string docs;
  };
  const auto flags = std::make_shared<Flags>();
  CLI::App* completion =
      app.add_subcommand("completion", "the completion script of a shell: bash, zsh or fish");
  completion->add_option("SHELL", flags->shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember(std::vector<std::string>(std::begin(kShells), std::end(kShells))));
  completion->footer("Example:\n  source <(" + app.get_name() + " completion bash)");
  completion->callback([&app, flags] { WriteOut(CompletionScript(flags->shell, app.get_name())); });
  CLI::App* man = app.add_subcommand("man", "write the man pages")->group("");
  man->add_option("DIRECTORY", flags->directory, "where to")->required();
  man->add_option("--docs", flags->docs, "the documentation, whose pages they quote");
  man->callback([&app, &describing, &exit_status, flags] {
    exit_status = WriteManPages(Describe(app, describing.version), describing.manual,
                                flags->directory, flags->docs);
  });
}

bool AnswerShell(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || std::string_view(argv[1]) != kCompleteWord) return false;
  const std::vector<std::string> words(argv + 2, argv + argc);
  WriteOut(Complete(Describe(app, ""), words));
  return true;
}

CommandLine::CommandLine(const std::string& name, const std::string& description,
                         const std::string& version, const std::string& footer)
    : app_(std::make_unique<CLI::App>(description, name)), describing_{.version = version} {
  app_->set_version_flag("--version", version);
  app_->require_subcommand(1);
  app_->fallthrough(false);
  app_->footer(footer);
}

CommandLine::~CommandLine() = default;

Verb CommandLine::AddVerb(const std::string& name, const std::string& description) {
  return Verb(app_->add_subcommand(name, description), &exit_status_);
}

int CommandLine::Run(int argc, char** argv) {
  AddDescribingVerbs(*app_, describing_, exit_status_);
  if (AnswerShell(*app_, argc, argv)) return kExitDone;
  try {
    app_->parse(argc, argv);
    return exit_status_;
  } catch (const CLI::Success& asked) {  // --help, --version
    return app_->exit(asked) == 0 ? kExitDone : kExitInternal;
  } catch (const CLI::RequiredError& error) {
    const std::string text = error.what();
    const bool lacks_input = !hint_of_input_.empty() && text.find("--file") != std::string::npos;
    return ReportUsage(lacks_input ? text + ": " + hint_of_input_ : text);
  } catch (const CLI::ParseError& error) {
    return ReportUsage(error.what());
  } catch (const BadUsage& error) {
    return ReportUsage(error.what());
  }
}

// One line, whatever CLI11 put into its message.
int CommandLine::ReportUsage(std::string text) const {
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  std::string command = app_->get_name();
  for (const CLI::App* verb : app_->get_subcommands()) command += " " + verb->get_name();
  PrintError(text + "; see " + command + " --help");
  return kExitUsage;
}

}  // namespace npf::tools
