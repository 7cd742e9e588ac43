// Accepts connections, asks the kernel who each comes from, and gives it away; keeps their number
// within bounds, and ends those that ask nothing.
//
// Whoever is given a connection owns its descriptor. A duplicate stays here: it shows when the
// connection has ended, and shutting it down ends the connection, whoever else holds it.
#ifndef NPF_PROTO_CONNECTIONS_H_
#define NPF_PROTO_CONNECTIONS_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "absl/status/status.h"
#include "proto/bounded_log.h"
#include "proto/socket.h"

namespace npf::control {

enum class Role : uint8_t { kRead, kChange };

struct ConnectionLimits {
  size_t connections_max = 32;
  size_t readers_max = 24;          // of these; so readers cannot keep out who may change
  std::chrono::nanoseconds idle{};  // without a request that is being answered
};

class Connections {
 public:
  using Admit = std::function<void(int fd, Role role)>;  // takes the descriptor

  Connections(ListeningSocket socket, const ConnectionLimits& limits, BoundedLog& log, Admit admit);
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  absl::Status Start();
  void Stop();  // accepts no more; those that are there stay

  // A request of the connection that was given away as `fd` is being answered, until EndCall.
  void BeginCall(int fd);
  void EndCall(int fd);
  // Of a connection that has a request being answered.
  std::optional<Peer> PeerOfCall(int fd) const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    Descriptor duplicate;
    Role role = Role::kRead;
    size_t calls = 0;
    Clock::time_point quiet_since;
  };

  void Run();
  void AcceptAll();
  void Take(Descriptor connection);
  bool HasRoom(Role role) const;
  void EndIdle();
  void Forget(const std::vector<int>& ended);

  ListeningSocket socket_;
  const ConnectionLimits limits_;
  BoundedLog& log_;
  const Admit admit_;
  Descriptor wake_;
  std::thread thread_;
  Clock::time_point accept_again_;  // after the system had no descriptor left

  mutable std::mutex mutex_;
  std::map<int, Entry> entries_;  // by the descriptor that was given away
  std::map<int, Peer> peers_;     // the same, and those that have ended
};

}  // namespace npf::control

#endif  // NPF_PROTO_CONNECTIONS_H_
