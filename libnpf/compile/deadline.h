// A bound on the time that a compilation may take, asked between steps.
#ifndef NPF_COMPILE_DEADLINE_H_
#define NPF_COMPILE_DEADLINE_H_

#include <chrono>
#include <cstdint>

#include "absl/status/status.h"

namespace npf {

class Deadline {
 public:
  explicit Deadline(uint64_t time_ns_max)
      : start_(std::chrono::steady_clock::now()), time_ns_max_(time_ns_max) {}

  uint64_t elapsed_ns() const {
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                     std::chrono::steady_clock::now() - start_)
                                     .count());
  }
  absl::Status Check() const {
    if (time_ns_max_ == 0 || elapsed_ns() <= time_ns_max_) return absl::OkStatus();
    return absl::DeadlineExceededError("the compilation took longer than its limit allows");
  }

 private:
  std::chrono::steady_clock::time_point start_;
  uint64_t time_ns_max_;
};

}  // namespace npf

#endif  // NPF_COMPILE_DEADLINE_H_
