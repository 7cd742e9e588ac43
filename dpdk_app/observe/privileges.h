// What the process gives up once its ports are open. docs/hardening.md says why each.
//
//   SetNotDumpable(); SetNoNewPrivileges(); DropPrivileges({...}); InstallSyscallFilter();
#ifndef NPF_DPDK_APP_OBSERVE_PRIVILEGES_H_
#define NPF_DPDK_APP_OBSERVE_PRIVILEGES_H_

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace npf::observe {

// No core file, and no debugger of the same user: packets and policy stay inside.
absl::Status SetNotDumpable();
// No setuid program gives back what was given up. Of the calling thread and those that it begins;
// InstallSyscallFilter sets it for all.
absl::Status SetNoNewPrivileges();

struct DropOptions {
  std::string user;  // its groups and its uid; empty: stay who it is
  // Those of linux/capability.h that the calling thread keeps, where it has them. All others are
  // gone from every set, and cannot come back.
  std::vector<int> keep;
};

// The uid and the groups change in every thread. Threads other than the calling one lose all
// capabilities where the user changes from root, and keep theirs where it does not: so call it
// before there are others, or change the user. What could not be given up is an error, after which
// the process should end.
absl::Status DropPrivileges(const DropOptions& options);

// From now on every thread may only make the system calls that an appliance with open ports needs.
// Others fail with EPERM and are logged by the kernel's audit where it is on; no new process, no
// memory that can be executed, no socket but unix, IP, packet and netlink. Cannot be taken back.
absl::Status InstallSyscallFilter();

// Of the user of that name; none where there is none.
std::optional<uid_t> UidOf(const std::string& user);

// A new directory, of `user` where that is not empty. One that is there stays as it is, and is an
// error where it is of somebody else than `user`.
absl::Status MakeFolder(const std::string& path, mode_t mode, const std::string& user);

}  // namespace npf::observe

#endif  // NPF_DPDK_APP_OBSERVE_PRIVILEGES_H_
