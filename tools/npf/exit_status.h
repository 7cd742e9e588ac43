// How a verb of npf ends; scripts rely on these numbers.
#ifndef NPF_TOOLS_NPF_EXIT_STATUS_H_
#define NPF_TOOLS_NPF_EXIT_STATUS_H_

namespace npf::tools {

enum ExitStatus : int {
  kExitDone = 0,
  kExitDenied = 1,       // denied, or differences or failed expectations were found
  kExitUsage = 2,        // bad flags
  kExitBadInput = 3,     // the input is wrong
  kExitEnvironment = 4,  // a file cannot be read, a permission is missing
  kExitLimit = 5,        // a stated limit was reached
  kExitInternal = 70,    // a fault of our own
};

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_EXIT_STATUS_H_
