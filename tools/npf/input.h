// The objects that a verb works on: the flags that name them, and loading them with every error and
// warning told on stderr.
//
//   InputFlags flags;
//   AddInputFlags(verb, flags);
//   ...
//   LoadedInput input = LoadInput(flags);
//   if (!input.snapshot.has_value()) return input.exit_status;
#ifndef NPF_TOOLS_NPF_INPUT_H_
#define NPF_TOOLS_NPF_INPUT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "npf/diagnostics.h"
#include "npf/exit_status.h"
#include "npf/load.h"
#include "npf/snapshot.h"

namespace npf::tools {

class Verb;

struct InputFlags {
  std::vector<std::string> paths;  // -f, repeatable
  bool git = false;                // a path with a colon is REV:PATH
  bool strict_cidr = false;
  bool lenient = false;
  bool last_wins = false;
  bool skip_invalid = false;
  std::string default_namespace = "default";  // -n: of objects that name none
  std::vector<std::string> pod_cidrs;
  std::vector<std::string> service_cidrs;
  std::vector<std::string> domains;  // files of resolved names
  std::string now;                   // by which they expire; empty: the present
  bool keep_positions = false;       // no flag: a verb that names fields sets it
  bool assume_addresses = false;     // no flag: a verb that analyses sets it
  bool new_pods = false;             // the same
};

enum class InputNeed : uint8_t { kRequired, kOptional };

// Adds -f, -n, --strict-cidr, --lenient, --last-wins, --skip-invalid, --pod-cidr, --service-cidr,
// --domains, --now, and, where -f is required, --git. A call without -f is bad usage where it is
// required.
void AddInputFlags(Verb& verb, InputFlags& flags, InputNeed need = InputNeed::kRequired);

// Adds --git. The appliance does not have it, because it may run no other program.
void AddGitFlag(Verb& verb, bool& git);

struct LoadedInput {
  std::optional<Snapshot> snapshot;  // absent where the input cannot be used
  int exit_status = kExitDone;       // what to return where it is absent
  LoadReport report;
  Diagnostics diagnostics;         // in input order
  std::vector<std::string> files;  // that Position::file indexes; [0] is empty
};

// Reads everything that `flags` names. Each error and warning is printed on stderr, one a line, as
// "npf: FILE:LINE:COL: OBJECT: FIELD: what is wrong", in input order.
LoadedInput LoadInput(const InputFlags& flags);

// As LoadInput, but silent, and with `text` after the paths, which messages call "request".
LoadedInput ReadInput(const InputFlags& flags, std::string_view text = {});

// Prints the diagnostics that way; beyond 50 errors and 50 warnings they are counted, not printed.
void PrintDiagnostics(const Diagnostics& diagnostics, const std::vector<std::string>& files);

// What diagnostics with errors mean to a script: a file could not be read, a limit was reached, or
// the input is wrong. kExitDone without errors.
int ExitStatusOf(const Diagnostics& diagnostics);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_INPUT_H_
