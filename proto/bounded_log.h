// Lines that a peer can cause at will: at most ten in ten seconds, then the count of the others.
#ifndef NPF_PROTO_BOUNDED_LOG_H_
#define NPF_PROTO_BOUNDED_LOG_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace npf::control {

class BoundedLog {
 public:
  using Sink = std::function<void(std::string_view line)>;

  explicit BoundedLog(Sink sink) : sink_(std::move(sink)) {}

  void Always(const std::string& line) {
    const std::lock_guard lock(mutex_);
    sink_(line);
  }

  void Bounded(const std::string& line) {
    const std::lock_guard lock(mutex_);
    const Clock::time_point now = Clock::now();
    if (now - window_ >= std::chrono::seconds(10)) {
      if (left_out_ > 0) sink_(std::to_string(left_out_) + " more lines like that were left out");
      window_ = now;
      said_ = 0;
      left_out_ = 0;
    }
    if (++said_ > 10) {
      ++left_out_;
    } else {
      sink_(line);
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::mutex mutex_;
  Sink sink_;
  Clock::time_point window_;
  int said_ = 0;
  uint64_t left_out_ = 0;
};

}  // namespace npf::control

#endif  // NPF_PROTO_BOUNDED_LOG_H_
