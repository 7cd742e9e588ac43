// The allow-list of system calls: what a process needs that moves packets through open ports
// (af_packet, pcap, tap, vfio), serves gRPC and HTTP, reads policies and writes its state.
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>

#include "absl/strings/str_cat.h"
#include "observe/privileges.h"

namespace npf::observe {
namespace {

constexpr const char* kAllowed[] = {
    // Memory and threads. clone, mmap and mprotect are below.
    "brk", "munmap", "mremap", "madvise", "mlock", "mlock2", "munlock", "mlockall", "munlockall",
    "mincore", "msync", "membarrier", "mbind", "get_mempolicy", "set_mempolicy", "move_pages",
    "futex", "futex_waitv", "set_robust_list", "get_robust_list", "set_tid_address", "rseq",
    "sched_yield", "sched_getaffinity", "sched_setaffinity", "sched_getparam", "sched_setscheduler",
    "sched_getscheduler", "sched_get_priority_min", "sched_get_priority_max", "getpriority",
    "getcpu", "gettid", "getpid", "getppid", "getpgrp", "getpgid", "getsid", "exit", "exit_group",
    "restart_syscall", "arch_prctl", "prctl", "getrandom", "prlimit64", "getrlimit", "getrusage",
    "sysinfo", "uname",
    // Who it is; giving up more is always right.
    "getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups", "capget",
    "capset",
    // Signals: to its own threads, for kill is not there.
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigtimedwait",
    "rt_sigsuspend", "sigaltstack", "tgkill", "signalfd4", "pause",
    // Time.
    "clock_gettime", "clock_getres", "clock_nanosleep", "gettimeofday", "time", "nanosleep",
    "timerfd_create", "timerfd_settime", "timerfd_gettime", "timer_create", "timer_settime",
    "timer_gettime", "timer_getoverrun", "timer_delete", "getitimer", "setitimer", "alarm", "times",
    // Waiting.
    "poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1", "epoll_ctl",
    "epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd", "eventfd2", "pipe", "pipe2",
    "inotify_init", "inotify_init1", "inotify_add_watch", "inotify_rm_watch",
    // Files.
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2",
    "pwritev2", "open", "openat", "creat", "close", "close_range", "dup", "dup2", "dup3", "fcntl",
    "lseek", "stat", "fstat", "lstat", "newfstatat", "statx", "statfs", "fstatfs", "access",
    "faccessat", "faccessat2", "readlink", "readlinkat", "getdents64", "getcwd", "flock", "fsync",
    "fdatasync", "sync_file_range", "ftruncate", "fallocate", "fadvise64", "rename", "renameat",
    "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "rmdir", "link", "linkat", "symlinkat",
    "umask", "fchmod", "chmod", "fchmodat", "fchown", "chown", "fchownat", "utimensat", "sendfile",
    "splice", "copy_file_range", "memfd_create",
    // Sockets. socket and socketpair are below.
    "bind", "listen", "accept", "accept4", "connect", "shutdown", "sendto", "recvfrom", "sendmsg",
    "recvmsg", "sendmmsg", "recvmmsg", "getsockname", "getpeername", "getsockopt", "setsockopt"};

constexpr int kFamilies[] = {AF_UNIX, AF_INET, AF_INET6, AF_PACKET, AF_NETLINK};

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ERRNO(EPERM)), seccomp_release) {}

  bool is_valid() const { return context_ != nullptr; }
  void Allow(const char* name) { Rule(SCMP_ACT_ALLOW, name, 0, {}); }
  void Allow(const char* name, scmp_arg_cmp condition) { Rule(SCMP_ACT_ALLOW, name, 1, condition); }
  void Refuse(const char* name, int error) {
    Rule(SCMP_ACT_ERRNO(static_cast<uint32_t>(error)), name, 0, {});
  }
  void Set(scmp_filter_attr attribute, uint32_t value) {
    Note(seccomp_attr_set(context_.get(), attribute, value), "an attribute");
  }
  absl::Status Load() {
    if (fault_.ok()) Note(seccomp_load(context_.get()), "the filter");
    return fault_;
  }

 private:
  void Rule(uint32_t action, const char* name, unsigned count, scmp_arg_cmp condition) {
    const int number = seccomp_syscall_resolve_name(name);
    Note(number == __NR_SCMP_ERROR ? -ENOSYS : 0, name);
    // A call that this machine does not have has a number below zero: nobody can make it.
    if (number >= 0) {
      Note(seccomp_rule_add_array(context_.get(), action, number, count, &condition), name);
    }
  }
  void Note(int result, std::string_view what) {
    if (result >= 0 || !fault_.ok()) return;
    fault_ = absl::ErrnoToStatus(-result,
                                 absl::StrCat("cannot restrict system calls: ", std::string(what)));
  }

  std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
  absl::Status fault_;
};

void AllowInPart(Filter& filter) {
  // Threads, no processes. What clone3 is asked for cannot be seen, and glibc then takes clone.
  filter.Allow("clone", SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
  filter.Refuse("clone3", ENOSYS);
  filter.Allow("mmap", SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  filter.Allow("mprotect", SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  // Typing for the one who sits at the terminal.
  filter.Allow("ioctl", SCMP_A1(SCMP_CMP_NE, TIOCSTI));
  for (const int family : kFamilies) {
    const auto number = static_cast<scmp_datum_t>(family);
    filter.Allow("socket", SCMP_A0(SCMP_CMP_EQ, number));
    filter.Allow("socketpair", SCMP_A0(SCMP_CMP_EQ, number));
  }
}

}  // namespace

absl::Status InstallSyscallFilter() {
  Filter filter;
  if (!filter.is_valid()) return absl::ResourceExhaustedError("cannot restrict system calls");
  filter.Set(SCMP_FLTATR_CTL_NNP, 1);
  filter.Set(SCMP_FLTATR_CTL_TSYNC, 1);  // every thread
  filter.Set(SCMP_FLTATR_CTL_LOG, 1);
  filter.Set(SCMP_FLTATR_CTL_OPTIMIZE, 2);  // a binary tree: few steps for each call
  for (const char* name : kAllowed) filter.Allow(name);
  AllowInPart(filter);
  return filter.Load();
}

}  // namespace npf::observe
