#include "npf/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace npf::tools {

Progress::Progress(std::string what)
    : what_(std::move(what)),
      start_(std::chrono::steady_clock::now()),
      terminal_(isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  if (shown_) std::fprintf(stderr, "\r%*s\r", static_cast<int>(what_.size() + 6), "");
}

void Progress::Tell(uint64_t done, uint64_t all) {
  if (!terminal_ || std::chrono::steady_clock::now() - start_ < std::chrono::seconds(1)) return;
  shown_ = true;
  const uint64_t percent = std::min(done, all) * 100 / std::max<uint64_t>(all, 1);
  std::fprintf(stderr, "\r%s %3d %%", what_.c_str(), static_cast<int>(percent));
}

}  // namespace npf::tools
