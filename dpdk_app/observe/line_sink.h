// Where lines go: a file, a pipe, a socket, a terminal. Writing never waits for a reader.
#ifndef NPF_DPDK_APP_OBSERVE_LINE_SINK_H_
#define NPF_DPDK_APP_OBSERVE_LINE_SINK_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace npf::observe {

class LineSink {
 public:
  LineSink() = default;  // takes no line
  // Appends to a file, which is made where there is none (0640); "-" is standard error.
  static absl::StatusOr<LineSink> Open(const std::string& path);
  // What `fd` is open for, through a descriptor of its own: flags that others see are not changed.
  static absl::StatusOr<LineSink> OfDescriptor(int fd);
  LineSink(LineSink&& other) noexcept;
  LineSink& operator=(LineSink&& other) noexcept;
  ~LineSink();

  // False where nothing of the line can be written now. Of a line of which a part could, the rest
  // comes before any other. A process that has a sink ignores SIGPIPE: a reader may go at any time.
  bool Write(std::string_view line);
  bool is_open() const { return fd_ >= 0; }

 private:
  LineSink(int fd, bool is_socket) : fd_(fd), is_socket_(is_socket) {}
  size_t WriteSome(std::string_view text) const;  // bytes, at most
  bool FinishPart();

  int fd_ = -1;
  bool is_socket_ = false;
  std::string part_;  // the rest of a line that was begun
};

}  // namespace npf::observe

#endif  // NPF_DPDK_APP_OBSERVE_LINE_SINK_H_
