#include "npf/guarded.h"

#include <csignal>
#include <new>

#include "npf/exit_status.h"
#include "npf/output.h"

namespace npf::tools {

int RunGuarded(const std::function<int()>& run) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run();
  } catch (const std::bad_alloc&) {
    PrintError("out of memory");
    return kExitLimit;
  } catch (...) {
    PrintError("internal fault");
    return kExitInternal;
  }
}

}  // namespace npf::tools
