#include "npf/command_line.h"

#include <utility>

#include <CLI/CLI.hpp>

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

CommandLine::CommandLine(const std::string& name, const std::string& description,
                         const std::string& version, const std::string& footer)
    : app_(std::make_unique<CLI::App>(description, name)) {
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
  try {
    app_->parse(argc, argv);
    return exit_status_;
  } catch (const CLI::Success& asked) {  // --help, --version
    return app_->exit(asked) == 0 ? kExitDone : kExitInternal;
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
