// What a program's main() does beside its work.
#ifndef NPF_TOOLS_NPF_GUARDED_H_
#define NPF_TOOLS_NPF_GUARDED_H_

#include <functional>

namespace npf::tools {

// Gives what `run` gives, or the status of the exception that it let through, which is told on
// stderr. A reader of ours that goes away is an error of writing, not the end of the process.
int RunGuarded(const std::function<int()>& run);

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_GUARDED_H_
