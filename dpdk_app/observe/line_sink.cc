#include "observe/line_sink.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace npf::observe {

absl::StatusOr<LineSink> LineSink::Open(const std::string& path) {
  if (path == "-") return OfDescriptor(STDERR_FILENO);
  const int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0640);
  if (fd < 0) return absl::ErrnoToStatus(errno, absl::StrCat(path, ": cannot be written"));
  return LineSink(fd, /*is_socket=*/false);
}

absl::StatusOr<LineSink> LineSink::OfDescriptor(int fd) {
  struct stat about;
  if (fstat(fd, &about) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("descriptor ", fd, " is not open"));
  }
  if (!S_ISSOCK(about.st_mode)) {
    const std::string path = absl::StrCat("/proc/self/fd/", fd);
    const int own = open(path.c_str(), O_WRONLY | O_APPEND | O_NONBLOCK | O_CLOEXEC);
    if (own >= 0) return LineSink(own, /*is_socket=*/false);
  }
  const int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (own < 0) return absl::ErrnoToStatus(errno, absl::StrCat("descriptor ", fd));
  return LineSink(own, S_ISSOCK(about.st_mode));
}

LineSink::LineSink(LineSink&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      is_socket_(other.is_socket_),
      part_(std::move(other.part_)) {}

LineSink& LineSink::operator=(LineSink&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(is_socket_, other.is_socket_);
  std::swap(part_, other.part_);
  return *this;
}

LineSink::~LineSink() {
  if (fd_ >= 0) close(fd_);
}

size_t LineSink::WriteSome(std::string_view text) const {
  ssize_t written;
  if (is_socket_) {
    written = send(fd_, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } else {
    // A descriptor that could not be opened anew may be one that waits; of a pipe that says it is
    // ready, PIPE_BUF bytes are. Where the reader is gone it says POLLERR too.
    pollfd ready{fd_, POLLOUT, 0};
    if (poll(&ready, 1, 0) <= 0 || ready.revents != POLLOUT) return 0;
    written = write(fd_, text.data(), text.size());
  }
  return written > 0 ? static_cast<size_t>(written) : 0;
}

bool LineSink::FinishPart() {
  if (part_.empty()) return true;
  part_.erase(0, WriteSome(part_));
  return part_.empty();
}

bool LineSink::Write(std::string_view line) {
  if (fd_ < 0 || !FinishPart()) return false;
  const size_t written = WriteSome(line);
  if (written == 0) return false;
  part_ = line.substr(written);
  return true;
}

}  // namespace npf::observe
