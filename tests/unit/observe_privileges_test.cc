// What a process has given up. Each test gives it up in a child, which tells what it found.
#include "observe/privileges.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

namespace npf::observe {
namespace {

// Gathers what is not as it should be.
class Report {
 public:
  void Check(bool good, const std::string& what) {
    if (!good) faults_ += what + ": " + std::strerror(errno) + "\n";
  }
  void Works(const char* what, long result) {
    Check(result >= 0, std::string(what) + " does not work");
  }
  void IsRefused(const char* what, long result) {
    Check(result < 0 && errno == EPERM, std::string(what) + " is not refused");
  }
  const std::string& faults() const { return faults_; }

 private:
  std::string faults_;
};

// What `child` reports, or how it ended.
std::string InChild(const std::function<void(Report&)>& child) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    Report report;
    child(report);
    const std::string text = report.faults();
    const ssize_t written = write(ends[1], text.data(), text.size());
    _exit(written == static_cast<ssize_t>(text.size()) ? 0 : 1);
  }
  close(ends[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = read(ends[0], buffer, sizeof(buffer))) > 0;) {
    text.append(buffer, static_cast<size_t>(got));
  }
  close(ends[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  if (status != 0) text += "ended with status " + std::to_string(status);
  return text;
}

std::string StatusField(const std::string& name, const std::string& path = "/proc/self/status") {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name + ":\t")) return line.substr(name.size() + 2);
  }
  return "";
}

void Filtered(Report& report) {
  const absl::Status status = InstallSyscallFilter();
  report.Check(status.ok(), std::string(status.message()));
}

TEST(ObservePrivileges, TheKernelSaysThatTheFilterIsThere) {
  EXPECT_EQ(InChild([](Report& report) {
              Filtered(report);
              report.Check(StatusField("Seccomp") == "2", "Seccomp " + StatusField("Seccomp"));
              report.Check(StatusField("NoNewPrivs") == "1", "NoNewPrivs");
            }),
            "");
}

TEST(ObservePrivileges, WhatAnIntruderNeedsIsRefused) {
  EXPECT_EQ(
      InChild([](Report& report) {
        Filtered(report);
        char* arguments[] = {nullptr};
        report.IsRefused("execve", execve("/bin/true", arguments, arguments));
        report.IsRefused("execveat",
                         syscall(SYS_execveat, AT_FDCWD, "/bin/true", arguments, arguments, 0));
        report.IsRefused("fork", syscall(SYS_fork));
        report.IsRefused("clone", syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
        report.IsRefused("ptrace", ptrace(PTRACE_TRACEME, 0, nullptr, nullptr));
        report.IsRefused("process_vm_readv",
                         syscall(SYS_process_vm_readv, getpid(), 0, 0, 0, 0, 0));
        report.IsRefused("mount", mount("none", "/mnt", "tmpfs", 0, nullptr));
        report.IsRefused("umount2", umount2("/mnt", 0));
        report.IsRefused("chroot", chroot("/"));
        report.IsRefused("unshare", syscall(SYS_unshare, 0));
        report.IsRefused("bpf", syscall(SYS_bpf, 0, nullptr, 0));
        report.IsRefused("keyctl", syscall(SYS_keyctl, 0, 0, 0, 0, 0));
        report.IsRefused("init_module", syscall(SYS_init_module, nullptr, 0, ""));
        report.IsRefused("finit_module", syscall(SYS_finit_module, 0, "", 0));
        report.IsRefused("perf_event_open", syscall(SYS_perf_event_open, nullptr, 0, 0, 0, 0));
        report.IsRefused("io_uring_setup", syscall(SYS_io_uring_setup, 1, nullptr));
        report.IsRefused("userfaultfd", syscall(SYS_userfaultfd, 0));
        report.IsRefused("kill", kill(getpid(), 0));
        report.IsRefused("setuid", syscall(SYS_setuid, 0));
        report.IsRefused("a call of tomorrow", syscall(4000));
        report.IsRefused("a socket of another family", socket(AF_ALG, SOCK_SEQPACKET, 0));
        report.IsRefused("executable memory",
                         reinterpret_cast<long>(mmap(nullptr, 4096, PROT_READ | PROT_EXEC,
                                                     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)));
      }),
      "");
}

void TryFiles(Report& report, const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  report.Works("open", file);
  report.Works("write", write(file, "x", 1));
  report.Works("fsync", fsync(file));
  report.Works("close", close(file));
  report.Works("rename", rename(path.c_str(), (path + ".new").c_str()));
  report.Works("unlink", unlink((path + ".new").c_str()));
}

void TryWaiting(Report& report) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  report.Works("epoll_create1", epoll);
  epoll_event event{};
  report.Works("epoll_wait", epoll_wait(epoll, &event, 1, 0));
  report.Works("inotify_add_watch", inotify_add_watch(inotify_init1(0), "/tmp", IN_CREATE));
  sigset_t signals;
  sigemptyset(&signals);
  report.Works("signalfd", signalfd(-1, &signals, 0));
  report.Works("timerfd", timerfd_create(CLOCK_MONOTONIC, 0));
  timespec pause{0, 1};
  report.Works("nanosleep", nanosleep(&pause, nullptr));
  report.Works("clock_gettime", syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &pause));
}

TEST(ObservePrivileges, WhatAnApplianceNeedsWorks) {
  const std::string path = testing::TempDir() + "/observe_privileges_" + std::to_string(getpid());
  EXPECT_EQ(InChild([&](Report& report) {
              Filtered(report);
              TryFiles(report, path);
              TryWaiting(report);
              report.Works("socket", socket(AF_INET, SOCK_STREAM, 0));
              report.Works("unix socket", socket(AF_UNIX, SOCK_STREAM, 0));
              void* memory = mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              report.Check(memory != MAP_FAILED, "mmap");
              report.Works("mprotect", mprotect(memory, 4096, PROT_READ | PROT_WRITE));
              report.Works("munmap", munmap(memory, 4096));
              bool ran = false;
              std::thread([&] { ran = true; }).join();
              report.Check(ran, "a thread");
            }),
            "");
}

TEST(ObservePrivileges, ThreadsThatAreThereAlreadyAreFilteredToo) {
  EXPECT_EQ(InChild([](Report& report) {
              std::atomic<bool> go = false;
              long result = 0;
              std::thread early([&] {
                while (!go) std::this_thread::yield();
                result = syscall(SYS_bpf, 0, nullptr, 0) < 0 && errno == EPERM;
              });
              Filtered(report);
              go = true;
              early.join();
              report.Check(result == 1, "bpf in an earlier thread");
            }),
            "");
}

TEST(ObservePrivileges, NoCoreAndNoNewPrivileges) {
  EXPECT_EQ(InChild([](Report& report) {
              report.Check(SetNotDumpable().ok(), "SetNotDumpable");
              report.Check(SetNoNewPrivileges().ok(), "SetNoNewPrivileges");
              report.Check(prctl(PR_GET_DUMPABLE) == 0, "dumpable");
              report.Check(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1, "no_new_privs");
            }),
            "");
}

TEST(ObservePrivileges, TheUserChangesAndOnlyWhatIsKeptIsKept) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_EQ(InChild([](Report& report) {
              const absl::Status status = DropPrivileges({.user = "nobody", .keep = {CAP_NET_RAW}});
              report.Check(status.ok(), std::string(status.message()));
              for (const char* set : {"CapPrm", "CapEff"}) {
                report.Check(StatusField(set) == "0000000000002000", set + StatusField(set));
              }
              report.Check((std::stoull(StatusField("CapBnd"), nullptr, 16) & ~0x2000ull) == 0,
                           "CapBnd");
              report.Check(StatusField("CapInh") == "0000000000000000", "CapInh");
              report.Check(StatusField("CapAmb") == "0000000000000000", "CapAmb");
              report.Check(StatusField("Uid").find("\t0") == std::string::npos &&
                               !StatusField("Uid").starts_with("0\t"),
                           "Uid " + StatusField("Uid"));
              report.Check(setuid(0) != 0, "root again");
            }),
            "");
}

TEST(ObservePrivileges, WithoutAnythingToKeepNothingIsLeft) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_EQ(InChild([](Report& report) {
              report.Check(DropPrivileges({.user = "nobody"}).ok(), "DropPrivileges");
              for (const char* set : {"CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb"}) {
                report.Check(StatusField(set) == "0000000000000000", set);
              }
            }),
            "");
}

TEST(ObservePrivileges, ANewFolderIsTheUsersAndOneOfOthersIsAnError) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  char root[] = "/tmp/npf-folder.XXXXXX";
  ASSERT_NE(mkdtemp(root), nullptr);
  const std::string mine = std::string(root) + "/mine";
  EXPECT_TRUE(MakeFolder(mine, 0700, "nobody").ok());
  struct stat info {};
  ASSERT_EQ(stat(mine.c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, UidOf("nobody"));
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  EXPECT_TRUE(MakeFolder(mine, 0700, "nobody").ok());
  EXPECT_TRUE(MakeFolder(root, 0700, "").ok());
  EXPECT_EQ(
      MakeFolder(root, 0700, "nobody").message(),
      std::string(root) + ": belongs to uid 0, and nobody is to write there: chown nobody " + root);
  EXPECT_FALSE(MakeFolder(mine + "/a/b", 0700, "").ok());
  std::filesystem::remove_all(root);
}

TEST(ObservePrivileges, AUserThatIsNotThereOrIsRootIsAnError) {
  EXPECT_EQ(InChild([](Report& report) {
              report.Check(!DropPrivileges({.user = "no-such-user"}).ok(), "no-such-user");
              report.Check(!DropPrivileges({.user = "root"}).ok(), "root");
              report.Check(!DropPrivileges({.keep = {64}}).ok(), "capability 64");
            }),
            "");
}

}  // namespace
}  // namespace npf::observe
