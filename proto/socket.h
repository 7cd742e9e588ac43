// The unix socket: where it may stand, whose it is, and who is at its other end.
#ifndef NPF_PROTO_SOCKET_H_
#define NPF_PROTO_SOCKET_H_

#include <sys/types.h>

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace npf::control {

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(other.Release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = other.Release();
    }
    return *this;
  }
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Close();

 private:
  int fd_;
};

// A listening socket and its file.
class ListeningSocket {
 public:
  // Makes the directory (0750) where there is none, and the socket (0660), both of `group` where it
  // is not empty. Refuses a directory or a path that others can replace, and a socket that listens;
  // a socket of our own that does not is replaced.
  static absl::StatusOr<ListeningSocket> Open(const std::string& path, const std::string& group);
  ListeningSocket(ListeningSocket&&) = default;
  ListeningSocket& operator=(ListeningSocket&&) = default;

  int fd() const { return fd_.get(); }
  // Stops listening, and removes the file where it is still this one.
  void Close();

 private:
  ListeningSocket() = default;

  Descriptor fd_;
  Descriptor directory_;
  std::string path_;
  std::string name_;  // in the directory
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// A socket that is connected to the one at `path`. The message of a failure names the path and says
// why.
absl::StatusOr<Descriptor> ConnectTo(const std::string& path);

struct Peer {
  uid_t uid = 0;
  pid_t pid = 0;
};
absl::StatusOr<Peer> PeerOf(int fd);

}  // namespace npf::control

#endif  // NPF_PROTO_SOCKET_H_
