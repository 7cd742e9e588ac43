#include "proto/socket.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "npf/diagnostics.h"

namespace npf::control {
namespace {

constexpr mode_t kDirectoryMode = 0750;
constexpr mode_t kSocketMode = 0660;
constexpr int kBacklog = 64;

std::string Shown(const std::string& path) { return EscapeForMessage(path, kFileNameBytesMax); }

std::string ErrorText(int error) { return std::generic_category().message(error); }

absl::Status SystemFault(const std::string& path, const std::string& what, int error) {
  const std::string message = absl::StrCat(Shown(path), ": ", what, ": ", ErrorText(error));
  return error == EACCES || error == EPERM ? absl::PermissionDeniedError(message)
                                           : absl::UnavailableError(message);
}

absl::Status Refused(const std::string& path, const std::string& why) {
  return absl::FailedPreconditionError(absl::StrCat(Shown(path), ": ", why));
}

absl::StatusOr<sockaddr_un> AddressOf(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.find('\0') != std::string::npos || path.front() == '@') {
    return absl::InvalidArgumentError("a socket needs the path of a file");
  }
  if (path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(
        absl::StrCat(Shown(path), ": the path of a socket has at most ",
                     sizeof(address.sun_path) - 1, " bytes; this has ", path.size()));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

int Connect(int fd, const sockaddr_un& address) {
  int result = 0;
  do {
    result = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  } while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

Descriptor NewSocket(int flags) {
  return Descriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
}

// -1 ("leave it") for no name.
absl::StatusOr<gid_t> GroupOf(const std::string& name) {
  if (name.empty()) return static_cast<gid_t>(-1);
  std::array<char, 16384> buffer;
  group entry{};
  group* found = nullptr;
  getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) {
    return absl::InvalidArgumentError("no such group: \"" + EscapeForMessage(name) + "\"");
  }
  return found->gr_gid;
}

bool IsOurs(uid_t owner) { return owner == geteuid() || owner == 0; }

// Of the directory: nobody else may put something else in the socket's place.
absl::Status CheckDirectory(const std::string& path, int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return SystemFault(path, "cannot look at it", errno);
  if (!IsOurs(status.st_uid)) {
    return Refused(path, absl::StrCat("the directory belongs to uid ", status.st_uid));
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return Refused(path, "others can write into this directory");
  }
  return absl::OkStatus();
}

absl::StatusOr<Descriptor> OpenDirectory(const std::string& path, gid_t group) {
  const bool made = mkdir(path.c_str(), kDirectoryMode) == 0;
  if (!made && errno != EEXIST) return SystemFault(path, "cannot make the directory", errno);
  Descriptor directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory.ok()) {
    if (errno == ELOOP || errno == ENOTDIR) return Refused(path, "is not a directory");
    return SystemFault(path, "cannot open the directory", errno);
  }
  if (made && (fchown(directory.get(), static_cast<uid_t>(-1), group) != 0 ||
               fchmod(directory.get(), kDirectoryMode) != 0)) {
    return SystemFault(path, "cannot set the owner of the directory", errno);
  }
  absl::Status checked = CheckDirectory(path, directory.get());
  if (!checked.ok()) return checked;
  return directory;
}

// What stands at the path already goes only if it is a socket of ours that nobody listens on.
absl::Status MakeRoom(const std::string& path, int directory, const std::string& name,
                      const sockaddr_un& address) {
  struct stat status {};
  if (fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return errno == ENOENT ? absl::OkStatus() : SystemFault(path, "cannot look at it", errno);
  }
  if (S_ISLNK(status.st_mode)) return Refused(path, "is a symbolic link");
  if (status.st_uid != geteuid()) {
    return Refused(path, absl::StrCat("belongs to uid ", status.st_uid));
  }
  if (!S_ISSOCK(status.st_mode)) return Refused(path, "is there, and is not a socket");
  const Descriptor probe = NewSocket(SOCK_NONBLOCK);
  if (!probe.ok()) return SystemFault(path, "cannot make a socket", errno);
  if (const int error = Connect(probe.get(), address); error != ECONNREFUSED) {
    return Refused(path, "another process listens on this socket");
  }
  if (unlinkat(directory, name.c_str(), 0) != 0) {
    return SystemFault(path, "cannot remove the socket of an earlier run", errno);
  }
  return absl::OkStatus();
}

// Nobody can connect before listen(), so nobody meets the socket with other permissions.
absl::Status BindAndListen(const std::string& path, const sockaddr_un& address, int fd,
                           gid_t group) {
  if (fchmod(fd, S_IRUSR | S_IWUSR) != 0 ||
      bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return SystemFault(path, "cannot make the socket", errno);
  }
  if (chown(path.c_str(), static_cast<uid_t>(-1), group) != 0 ||
      chmod(path.c_str(), kSocketMode) != 0) {
    return SystemFault(path, "cannot set the owner of the socket", errno);
  }
  if (listen(fd, kBacklog) != 0) return SystemFault(path, "cannot listen", errno);
  return absl::OkStatus();
}

}  // namespace

void Descriptor::Close() {
  if (ok()) close(Release());
}

absl::StatusOr<ListeningSocket> ListeningSocket::Open(const std::string& path,
                                                      const std::string& group) {
  const absl::StatusOr<sockaddr_un> address = AddressOf(path);
  if (!address.ok()) return address.status();
  const absl::StatusOr<gid_t> gid = GroupOf(group);
  if (!gid.ok()) return gid.status();
  ListeningSocket opened;
  opened.path_ = path;
  const size_t slash = path.rfind('/');
  opened.name_ = slash == std::string::npos ? path : path.substr(slash + 1);
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  absl::StatusOr<Descriptor> directory =
      OpenDirectory(parent.size() > 1 && parent != "." ? parent.substr(0, slash) : parent, *gid);
  if (!directory.ok()) return directory.status();
  opened.directory_ = *std::move(directory);
  // Two that start at once: the second sees the first one listen.
  flock(opened.directory_.get(), LOCK_EX);
  absl::Status done = MakeRoom(path, opened.directory_.get(), opened.name_, *address);
  if (done.ok()) {
    opened.fd_ = NewSocket(SOCK_NONBLOCK);
    done = opened.fd_.ok() ? BindAndListen(path, *address, opened.fd_.get(), *gid)
                           : SystemFault(path, "cannot make a socket", errno);
  }
  struct stat status {};
  if (done.ok() && lstat(path.c_str(), &status) != 0) {
    done = SystemFault(path, "cannot look at it", errno);
  }
  flock(opened.directory_.get(), LOCK_UN);
  if (!done.ok()) return done;
  opened.device_ = status.st_dev;
  opened.inode_ = status.st_ino;
  return opened;
}

void ListeningSocket::Close() {
  if (!fd_.ok()) return;
  flock(directory_.get(), LOCK_EX);
  struct stat status {};
  if (fstatat(directory_.get(), name_.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
      status.st_dev == device_ && status.st_ino == inode_) {
    unlinkat(directory_.get(), name_.c_str(), 0);
  }
  fd_.Close();
  directory_.Close();  // and its lock
}

absl::StatusOr<Descriptor> ConnectTo(const std::string& path) {
  const absl::StatusOr<sockaddr_un> address = AddressOf(path);
  if (!address.ok()) return address.status();
  Descriptor connected = NewSocket(SOCK_NONBLOCK);
  const int error = connected.ok() ? Connect(connected.get(), *address) : errno;
  if (error == 0) return connected;
  const std::string head = "cannot connect to " + Shown(path) + ": ";
  switch (error) {
    case ENOENT:
      return absl::UnavailableError(head + "no such file; is npf-dpdk running?");
    case ECONNREFUSED:
    case ENOTSOCK:
      return absl::UnavailableError(head + "nobody listens there; is npf-dpdk running?");
    case EACCES:
      return absl::PermissionDeniedError(absl::StrCat(head, "permission denied to uid ", geteuid(),
                                                      "; the socket's group may connect"));
    case EAGAIN:
      return absl::UnavailableError(head + "too many others wait for it");
    default:
      return absl::UnavailableError(head + ErrorText(error));
  }
}

absl::StatusOr<Peer> PeerOf(int fd) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return absl::UnavailableError("SO_PEERCRED: " + ErrorText(errno));
  }
  return Peer{.uid = credentials.uid, .pid = credentials.pid};
}

}  // namespace npf::control
