// "diff 34 %" on stderr, for work that takes longer than a second, where stderr is a terminal.
#ifndef NPF_TOOLS_NPF_PROGRESS_H_
#define NPF_TOOLS_NPF_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <string>

namespace npf::tools {

class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();  // wipes the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Tell(uint64_t done, uint64_t all);

 private:
  const std::string what_;
  const std::chrono::steady_clock::time_point start_;
  const bool terminal_;
  bool shown_ = false;
};

}  // namespace npf::tools

#endif  // NPF_TOOLS_NPF_PROGRESS_H_
