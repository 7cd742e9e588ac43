// The control socket of an appliance: a unix socket on which a Handler answers.
//
//   absl::StatusOr<std::unique_ptr<ControlServer>> server = ControlServer::Start({}, handler);
//   if (!server.ok()) return server.status();
//   ...
//   (*server)->Stop(std::chrono::seconds(5));
//
// Peers with uid 0 or the process's own may do everything; whoever else can connect may read.
#ifndef NPF_PROTO_CONTROL_SERVER_H_
#define NPF_PROTO_CONTROL_SERVER_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "proto/control.h"
#include "proto/socket.h"

namespace npf::control {

struct ServerOptions {
  std::string path = "/run/npf/npf.sock";
  std::string group;  // of the socket, and of the directory where it is made; empty: the process's
  // One line, without its end. Empty: stderr. Not called by two threads at once.
  std::function<void(std::string_view line)> log;
  size_t connections_max = 32;
  size_t readers_max = 24;  // of these, peers that may only read
  // A connection without a request that is being answered is closed after this.
  std::chrono::milliseconds idle = std::chrono::seconds(30);
  // A peer that does not answer for this long, twice, is closed whatever it asked.
  std::chrono::milliseconds keepalive = std::chrono::seconds(10);
};

class ControlServer {
 public:
  // Listens and answers when it returns. kFailedPrecondition: the path, or its directory, is not
  // ours to use; kInvalidArgument, kPermissionDenied, kUnavailable.
  static absl::StatusOr<std::unique_ptr<ControlServer>> Start(const ServerOptions& options,
                                                              Handler& handler);
  // On a socket that is open already, maybe by somebody who has given up the right to open it.
  static absl::StatusOr<std::unique_ptr<ControlServer>> Start(const ServerOptions& options,
                                                              Handler& handler,
                                                              ListeningSocket socket);
  ~ControlServer();  // Stop, with a second
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  // Accepts nothing more, ends every watch and wait, and cancels what is not answered in `grace`. A
  // call of the Handler that has begun is waited for.
  void Stop(std::chrono::milliseconds grace);

 private:
  class Impl;
  explicit ControlServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace npf::control

#endif  // NPF_PROTO_CONTROL_SERVER_H_
