#include "npf/completion.h"

#include <algorithm>

namespace npf::tools {
namespace {

constexpr std::string_view kBashScript =
    R"(# bash completion for @PROGRAM@; made by `@PROGRAM@ completion bash`
_@FUNCTION@_complete() {
  local line=${COMP_LINE:0:COMP_POINT} word=${COMP_WORDS[COMP_CWORD]} candidate
  local -a words
  read -r -a words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  # bash puts the candidate where its own last word is, which = and : begin anew.
  [[ $word == [=:] ]] && word=
  local before=${words[-1]%"$word"}
  COMPREPLY=()
  while IFS= read -r candidate; do
    case $candidate in
      :0) compopt -o default; [[ ${#COMPREPLY[@]} -eq 0 ]] && compopt -o nospace ;;
      :*) ;;
      *) candidate=${candidate%%$'\t'*}; COMPREPLY+=("${candidate#"$before"}") ;;
    esac
  done < <("${words[0]}" __complete "${words[@]:1}" 2> /dev/null)
}
complete -F _@FUNCTION@_complete @PROGRAM@
)";

constexpr std::string_view kZshScript = R"(#compdef @PROGRAM@
# zsh completion for @PROGRAM@; made by `@PROGRAM@ completion zsh`
_@FUNCTION@() {
  local line
  local -a candidates
  local files=no
  for line in "${(@f)$(${words[1]} __complete "${(@)words[2,CURRENT]}" 2> /dev/null)}"; do
    case $line in
      :0) files=yes ;;
      :*) ;;
      *) candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
    esac
  done
  (( ${#candidates} )) && _describe '@PROGRAM@' candidates
  [[ $files == yes ]] && _files
}
if [[ $funcstack[1] == _@FUNCTION@ ]]; then _@FUNCTION@ "$@"; else compdef _@FUNCTION@ @PROGRAM@; fi
)";

constexpr std::string_view kFishScript =
    R"(# fish completion for @PROGRAM@; made by `@PROGRAM@ completion fish`
function __@FUNCTION@_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in ($words[1] __complete $words[2..-1] 2> /dev/null)
    switch $line
      case ':0'
        __fish_complete_path (commandline -ct)
      case ':*'
      case '*'
        echo $line
    end
  end
end
complete -c @PROGRAM@ -f -a '(__@FUNCTION@_complete)'
)";

class Candidates {
 public:
  explicit Candidates(std::string_view begun) : begun_(begun) {}
  void Add(std::string_view candidate, std::string_view help) {
    if (!candidate.starts_with(begun_)) return;
    text_ += std::string(candidate) + "\t" + std::string(help) + "\n";
  }
  void AddValues(const OptionText& option, const std::string& before) {
    for (const std::string& choice : option.choices) Add(before + choice, option.help);
    files_ = files_ || option.takes_file();
  }
  std::string Text() const { return text_ + (files_ ? ":0\n" : ":4\n"); }

 private:
  std::string_view begun_;
  std::string text_;
  bool files_ = false;
};

const OptionText* FindOption(const VerbText& verb, std::string_view name) {
  for (const OptionText& option : verb.options) {
    if (std::find(option.names.begin(), option.names.end(), name) != option.names.end()) {
      return &option;
    }
  }
  return nullptr;
}

bool IsOption(std::string_view word) { return word.size() > 1 && word[0] == '-'; }

void AddOptions(const VerbText& verb, Candidates& out) {
  for (const OptionText& option : verb.options) {
    for (const std::string& name : option.names) out.Add(name, option.help);
  }
}

// The option by its place that comes after `given` of them; the last may take several.
void AddPlaced(const VerbText& verb, size_t given, Candidates& out) {
  const OptionText* found = nullptr;
  size_t place = 0;
  for (const OptionText& option : verb.options) {
    if (option.place.empty()) continue;
    found = &option;
    if (place++ == given) break;
  }
  if (found != nullptr && (place > given || found->repeatable)) out.AddValues(*found, "");
}

// kubectl's plugins are called by two words, and have one.
std::string Filled(std::string_view script, std::string program) {
  std::replace(program.begin(), program.end(), ' ', '-');
  std::string function = program;
  std::replace(function.begin(), function.end(), '-', '_');
  std::string out(script);
  for (const auto& [mark, text] :
       {std::pair<std::string_view, std::string_view>{"@PROGRAM@", program},
        {"@FUNCTION@", function}}) {
    for (size_t at = out.find(mark); at != std::string::npos; at = out.find(mark, at)) {
      out.replace(at, mark.size(), text);
    }
  }
  return out;
}

}  // namespace

std::string Complete(const ProgramText& program, std::span<const std::string> words) {
  const std::string last = words.empty() ? "" : words.back();
  Candidates out(last);
  const VerbText* verb = &program.whole;
  const OptionText* waiting = nullptr;  // for its value
  size_t placed = 0;
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (waiting != nullptr) {
      waiting = nullptr;
    } else if (IsOption(word)) {
      waiting = FindOption(*verb, word);
      if (waiting != nullptr && waiting->is_flag()) waiting = nullptr;
    } else if (const VerbText* named = program.FindVerb(word);
               named != nullptr && verb == &program.whole) {
      verb = named;
    } else {
      ++placed;
    }
  }
  const size_t equals = last.find('=');
  if (waiting != nullptr) {
    out.AddValues(*waiting, "");
  } else if (last.starts_with("--") && equals != std::string::npos) {
    const OptionText* option = FindOption(*verb, last.substr(0, equals));
    if (option != nullptr) out.AddValues(*option, last.substr(0, equals + 1));
  } else if (last.starts_with('-')) {
    AddOptions(*verb, out);
  } else if (verb == &program.whole && placed == 0) {
    for (const VerbText& each : program.verbs) {
      if (!each.hidden) out.Add(each.name, each.description);
    }
  } else {
    AddPlaced(*verb, placed, out);
  }
  return out.Text();
}

std::string CompletionScript(std::string_view shell, std::string_view program) {
  if (shell == "zsh") return Filled(kZshScript, std::string(program));
  return Filled(shell == "fish" ? kFishScript : kBashScript, std::string(program));
}

}  // namespace npf::tools
