#include "observe/privileges.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "absl/strings/str_cat.h"

namespace npf::observe {
namespace {

absl::Status Failed(std::string_view what) {
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot give up privileges: ", std::string(what)));
}

uint64_t Mask(const std::vector<int>& capabilities) {
  uint64_t mask = 0;
  for (const int capability : capabilities) mask |= uint64_t{1} << capability;
  return mask;
}

// Before the user changes: it needs CAP_SETPCAP, without which nothing can be got from the set.
absl::Status ShrinkBoundingSet(uint64_t keep) {
  for (unsigned long capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
       ++capability) {
    if ((keep >> capability & 1) != 0) continue;
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EPERM) {
      return Failed("the bounding set");
    }
  }
  return absl::OkStatus();
}

absl::Status ChangeUser(const std::string& name) {
  errno = 0;
  const passwd* user = getpwnam(name.c_str());
  if (user == nullptr) return absl::NotFoundError(absl::StrCat("no user is called ", name));
  const uid_t uid = user->pw_uid;
  const gid_t gid = user->pw_gid;
  if (uid == 0) return absl::InvalidArgumentError(absl::StrCat(name, " is root"));
  if (initgroups(name.c_str(), gid) != 0) return Failed("the groups");
  if (setresgid(gid, gid, gid) != 0) return Failed("the group");
  if (setresuid(uid, uid, uid) != 0) return Failed("the user");
  uid_t real, effective, saved;
  if (getresuid(&real, &effective, &saved) != 0 || real != uid || effective != uid ||
      saved != uid) {
    return absl::InternalError("the user did not change");
  }
  return absl::OkStatus();
}

absl::Status KeepOnly(uint64_t keep) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  if (syscall(SYS_capget, &header, sets) != 0) return Failed("capabilities");
  for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; ++i) {
    const uint32_t kept = sets[i].permitted & static_cast<uint32_t>(keep >> (32 * i));
    sets[i] = {.effective = kept, .permitted = kept, .inheritable = 0};
  }
  if (syscall(SYS_capset, &header, sets) != 0) return Failed("capabilities");
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
    return Failed("ambient capabilities");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status SetNotDumpable() {
  return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? absl::OkStatus() : Failed("dumpable");
}

absl::Status SetNoNewPrivileges() {
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? absl::OkStatus() : Failed("no_new_privs");
}

absl::Status DropPrivileges(const DropOptions& options) {
  for (const int capability : options.keep) {
    if (capability < 0 || capability > CAP_LAST_CAP) {
      return absl::InvalidArgumentError(absl::StrCat(capability, " is no capability"));
    }
  }
  const uint64_t keep = Mask(options.keep);
  if (absl::Status status = ShrinkBoundingSet(keep); !status.ok()) return status;
  if (!options.user.empty()) {
    // Else the change of the user takes all; the kept ones are made effective anew afterwards.
    if (prctl(PR_SET_KEEPCAPS, keep != 0 ? 1 : 0, 0, 0, 0) != 0) return Failed("keepcaps");
    if (absl::Status status = ChangeUser(options.user); !status.ok()) return status;
  }
  if (absl::Status status = KeepOnly(keep); !status.ok()) return status;
  if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) != 0) return Failed("keepcaps");
  if (!options.user.empty() && setuid(0) == 0) return absl::InternalError("root can be had again");
  return absl::OkStatus();
}

std::optional<uid_t> UidOf(const std::string& user) {
  const passwd* const entry = user.empty() ? nullptr : getpwnam(user.c_str());
  return entry == nullptr ? std::nullopt : std::optional(entry->pw_uid);
}

absl::Status MakeFolder(const std::string& path, mode_t mode, const std::string& user) {
  const std::optional<uid_t> uid = UidOf(user);
  if (mkdir(path.c_str(), mode) != 0) {
    struct stat info {};
    if (errno != EEXIST || stat(path.c_str(), &info) != 0) {
      return absl::ErrnoToStatus(errno, path);
    }
    if (!uid.has_value() || info.st_uid == *uid) return absl::OkStatus();
    return absl::PermissionDeniedError(absl::StrCat(path, ": belongs to uid ", info.st_uid,
                                                    ", and ", user, " is to write there: chown ",
                                                    user, " ", path));
  }
  if (uid.has_value() && lchown(path.c_str(), *uid, getpwuid(*uid)->pw_gid) != 0) {
    return absl::ErrnoToStatus(errno, path);
  }
  return absl::OkStatus();
}

}  // namespace npf::observe
