// Another program, run to its end: no shell, its arguments as they are given.
#ifndef NPF_TOOLS_NPF_CHILD_H_
#define NPF_TOOLS_NPF_CHILD_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace npf::tools {

struct ChildOutput {
  int exit_status = 0;  // 128 and the signal's number where a signal ended it
  std::string out;
  std::string error;  // the first line of what it wrote to stderr
};

// Runs `arguments[0]`, found as a shell finds it, with `input` on its standard input. Fails with
// kUnavailable where it cannot be run, and with kResourceExhausted, having ended it, where it
// writes more than `out_bytes_max`. May be called by several threads.
absl::StatusOr<ChildOutput> RunChild(const std::vector<std::string>& arguments,
                                     std::string_view input, size_t out_bytes_max);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_CHILD_H_
