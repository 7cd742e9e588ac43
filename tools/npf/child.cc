#include "npf/child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace npf::tools {
namespace {

constexpr size_t kChunk = size_t{64} << 10;

class Handle {
 public:
  explicit Handle(int fd) : fd_(fd) {}
  ~Handle() { Close(); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  int get() const { return fd_; }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_;
};

absl::Status CannotRun(const std::string& program, int error) {
  return absl::UnavailableError(absl::StrCat("cannot run ", program, ": ", std::strerror(error)));
}

// Reads to the end, or to more than `bytes_max`. False where reading fails.
bool ReadAll(int fd, size_t bytes_max, std::string& out) {
  while (out.size() <= bytes_max) {
    const size_t had = out.size();
    out.resize(had + std::max(kChunk, out.capacity() - had));
    const ssize_t got = read(fd, out.data() + had, out.size() - had);
    out.resize(had + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return true;
    if (got < 0 && errno != EINTR) return false;
  }
  return true;
}

bool WriteWhole(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR) return false;
    text.remove_prefix(static_cast<size_t>(std::max<ssize_t>(written, 0)));
  }
  return lseek(fd, 0, SEEK_SET) == 0;
}

std::string FirstLine(int fd) {
  std::string text(512, '\0');
  const ssize_t got = pread(fd, text.data(), text.size(), 0);
  text.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
  return text.substr(0, text.find('\n'));
}

int WaitFor(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// 0, or an error of the system.
int Spawn(const std::vector<std::string>& arguments, int in, int out, int error, pid_t& child) {
  std::vector<char*> pointers;
  for (const std::string& argument : arguments) {
    pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, error, STDERR_FILENO);
  const int failed = posix_spawnp(&child, pointers[0], &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return failed;
}

}  // namespace

// What it reads and what it complains of are files in memory, so that only its output needs to be
// attended to while it runs.
absl::StatusOr<ChildOutput> RunChild(const std::vector<std::string>& arguments,
                                     std::string_view input, size_t out_bytes_max) {
  const Handle in(memfd_create("input", MFD_CLOEXEC));
  const Handle error(memfd_create("error", MFD_CLOEXEC));
  int ends[2] = {-1, -1};
  if (in.get() < 0 || error.get() < 0 || !WriteWhole(in.get(), input) ||
      pipe2(ends, O_CLOEXEC) != 0) {
    return CannotRun(arguments[0], errno);
  }
  const Handle out(ends[0]);
  Handle out_of_child(ends[1]);
  pid_t child = 0;
  if (const int failed = Spawn(arguments, in.get(), out_of_child.get(), error.get(), child);
      failed != 0) {
    return CannotRun(arguments[0], failed);
  }
  out_of_child.Close();
  ChildOutput output;
  const bool whole = ReadAll(out.get(), out_bytes_max, output.out);
  const bool too_long = output.out.size() > out_bytes_max;
  if (!whole || too_long) kill(child, SIGKILL);
  output.exit_status = WaitFor(child);
  if (!whole) return CannotRun(arguments[0], EIO);
  if (too_long) {
    return absl::ResourceExhaustedError(
        absl::StrCat(arguments[0], " gives more than ", out_bytes_max, " bytes"));
  }
  output.error = FirstLine(error.get());
  return output;
}

}  // namespace npf::tools
