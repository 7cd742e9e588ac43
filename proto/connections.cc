#include "proto/connections.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace npf::control {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick(200);

Role RoleOf(const Peer& peer) {
  return peer.uid == 0 || peer.uid == geteuid() ? Role::kChange : Role::kRead;
}

}  // namespace

Connections::Connections(ListeningSocket socket, const ConnectionLimits& limits, BoundedLog& log,
                         Admit admit)
    : socket_(std::move(socket)), limits_(limits), log_(log), admit_(std::move(admit)) {}

Connections::~Connections() { Stop(); }

absl::Status Connections::Start() {
  wake_ = Descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_.ok()) {
    return absl::ResourceExhaustedError(
        absl::StrCat("eventfd: ", std::generic_category().message(errno)));
  }
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void Connections::Stop() {
  if (thread_.joinable()) {
    eventfd_write(wake_.get(), 1);
    thread_.join();
  }
  socket_.Close();
}

void Connections::Run() {
  for (;;) {
    std::vector<pollfd> polled;
    std::vector<int> owners;
    polled.push_back({.fd = wake_.get(), .events = POLLIN, .revents = 0});
    const bool accepts = Clock::now() >= accept_again_;
    polled.push_back({.fd = accepts ? socket_.fd() : -1, .events = POLLIN, .revents = 0});
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [fd, entry] : entries_) {
        polled.push_back({.fd = entry.duplicate.get(), .events = 0, .revents = 0});
        owners.push_back(fd);
      }
    }
    poll(polled.data(), polled.size(), static_cast<int>(kTick.count()));
    if ((polled[0].revents & POLLIN) != 0) return;
    std::vector<int> ended;
    for (size_t i = 0; i < owners.size(); ++i) {
      if (polled[i + 2].revents != 0) ended.push_back(owners[i]);
    }
    Forget(ended);
    EndIdle();
    if (polled[1].revents != 0) AcceptAll();
  }
}

void Connections::Forget(const std::vector<int>& ended) {
  const std::lock_guard lock(mutex_);
  for (const int fd : ended) entries_.erase(fd);
}

// Whatever it does instead of asking: nothing, or one byte of a request now and then.
void Connections::EndIdle() {
  const std::lock_guard lock(mutex_);
  const Clock::time_point now = Clock::now();
  for (const auto& [fd, entry] : entries_) {
    if (entry.calls == 0 && now - entry.quiet_since > limits_.idle) {
      shutdown(entry.duplicate.get(), SHUT_RDWR);
    }
  }
}

void Connections::AcceptAll() {
  for (;;) {
    Descriptor connection(accept4(socket_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (connection.ok()) {
      Take(std::move(connection));
      continue;
    }
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    log_.Bounded(absl::StrCat("accept: ", std::generic_category().message(errno)));
    accept_again_ = Clock::now() + kTick;
    return;
  }
}

bool Connections::HasRoom(Role role) const {
  if (entries_.size() >= limits_.connections_max) return false;
  if (role == Role::kChange) return true;
  const auto readers = std::count_if(entries_.begin(), entries_.end(), [](const auto& entry) {
    return entry.second.role == Role::kRead;
  });
  return static_cast<size_t>(readers) < limits_.readers_max;
}

void Connections::Take(Descriptor connection) {
  const absl::StatusOr<Peer> peer = control::PeerOf(connection.get());
  if (!peer.ok()) {
    log_.Bounded(absl::StrCat("a connection is refused: ", peer.status().message()));
    return;
  }
  const Role role = RoleOf(*peer);
  Descriptor duplicate(fcntl(connection.get(), F_DUPFD_CLOEXEC, 0));
  {
    const std::lock_guard lock(mutex_);
    const bool has_room = HasRoom(role);
    if (!has_room || !duplicate.ok()) {
      log_.Bounded(
          absl::StrCat("a connection of uid ", peer->uid, ", pid ", peer->pid,
                       " is refused: ", has_room ? "no descriptor left" : "too many connections"));
      return;
    }
    peers_[connection.get()] = *peer;
    entries_[connection.get()] = Entry{
        .duplicate = std::move(duplicate), .role = role, .calls = 0, .quiet_since = Clock::now()};
  }
  admit_(connection.Release(), role);
}

void Connections::BeginCall(int fd) {
  const std::lock_guard lock(mutex_);
  if (const auto entry = entries_.find(fd); entry != entries_.end()) ++entry->second.calls;
}

void Connections::EndCall(int fd) {
  const std::lock_guard lock(mutex_);
  const auto entry = entries_.find(fd);
  if (entry == entries_.end()) return;
  if (entry->second.calls > 0) --entry->second.calls;
  entry->second.quiet_since = Clock::now();
}

std::optional<Peer> Connections::PeerOfCall(int fd) const {
  const std::lock_guard lock(mutex_);
  const auto peer = peers_.find(fd);
  if (peer == peers_.end()) return std::nullopt;
  return peer->second;
}

}  // namespace npf::control
