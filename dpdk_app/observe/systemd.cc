#include "observe/systemd.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace npf::observe {
namespace {

std::string_view Variable(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? std::string_view() : text;
}

std::optional<uint64_t> Number(std::string_view text) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<uint64_t> WatchdogNs() {
  const std::string_view pid = Variable("WATCHDOG_PID");
  if (!pid.empty() && Number(pid) != static_cast<uint64_t>(getpid())) return std::nullopt;
  const std::optional<uint64_t> us = Number(Variable("WATCHDOG_USEC"));
  if (!us || *us == 0) return std::nullopt;
  return *us * 1'000 / 2;
}

std::string StatusLine(std::string_view status) {
  std::string line(status);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return "\nSTATUS=" + line;
}

}  // namespace

absl::StatusOr<Notifier> Notifier::FromEnvironment() {
  Notifier out;
  out.watchdog_ns_ = WatchdogNs();
  const std::string_view path = Variable("NOTIFY_SOCKET");
  if (path.empty()) return out;
  sockaddr_un address{.sun_family = AF_UNIX};
  if ((path[0] != '/' && path[0] != '@') || path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(
        absl::StrCat("NOTIFY_SOCKET is no path of a socket: ", std::string(path)));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';  // an abstract name
  out.socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  if (out.socket_ < 0 ||
      connect(out.socket_, reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot notify ", std::string(path)));
  }
  return out;
}

Notifier::Notifier(Notifier&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), watchdog_ns_(other.watchdog_ns_) {}

Notifier& Notifier::operator=(Notifier&& other) noexcept {
  std::swap(socket_, other.socket_);
  std::swap(watchdog_ns_, other.watchdog_ns_);
  return *this;
}

Notifier::~Notifier() {
  if (socket_ >= 0) close(socket_);
}

bool Notifier::Send(const std::string& text) const {
  if (socket_ < 0) return true;
  return send(socket_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

bool Notifier::Ready(std::string_view status) const { return Send("READY=1" + StatusLine(status)); }

bool Notifier::Status(std::string_view status) const { return Send(StatusLine(status).substr(1)); }

// The time is for services of Type=notify-reload.
bool Notifier::Reloading() const {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return Send(
      absl::StrCat("RELOADING=1\nMONOTONIC_USEC=", now.tv_sec * 1'000'000 + now.tv_nsec / 1'000));
}

bool Notifier::Stopping(std::string_view status) const {
  return Send("STOPPING=1" + StatusLine(status));
}

bool Notifier::Alive() const { return Send("WATCHDOG=1"); }

}  // namespace npf::observe
