// `npf validate`: every error and warning in the input.
#ifndef NPF_TOOLS_NPF_VALIDATE_H_
#define NPF_TOOLS_NPF_VALIDATE_H_

#include <string>

#include "npf/input.h"

namespace npf::tools {

struct ValidateFlags {
  InputFlags input;
  std::string output = "table";  // table, json or jsonl
};

// Diagnostics go to stderr, as with every verb; to stdout a table of what was read, or everything
// as JSON. Returns the exit status.
int RunValidate(const ValidateFlags& flags);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_VALIDATE_H_
