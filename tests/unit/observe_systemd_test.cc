// What systemd is told, read at the other end.
#include "observe/systemd.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <set>
#include <string>

namespace npf::observe {
namespace {

class ObserveSystemd : public testing::Test {
 protected:
  ~ObserveSystemd() override {
    if (socket_ >= 0) close(socket_);
    if (!path_.empty()) unlink(path_.c_str());
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) unsetenv(name);
  }
  void Listen(bool is_abstract) {
    path_ = testing::TempDir() + "/observe_notify_" + std::to_string(getpid());
    sockaddr_un address{.sun_family = AF_UNIX};
    const std::string name = is_abstract ? std::string(1, '\0') + path_ : path_;
    std::memcpy(address.sun_path, name.data(), name.size());
    socket_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    ASSERT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    setenv("NOTIFY_SOCKET", (is_abstract ? "@" + path_ : path_).c_str(), 1);
  }
  std::string Told() {
    char text[4096];
    const ssize_t got = recv(socket_, text, sizeof(text), 0);
    return got < 0 ? "nothing" : std::string(text, static_cast<size_t>(got));
  }
  static Notifier Make() {
    auto notifier = Notifier::FromEnvironment();
    EXPECT_TRUE(notifier.ok()) << notifier.status();
    return std::move(*notifier);
  }

  int socket_ = -1;
  std::string path_;
};

TEST_F(ObserveSystemd, EachWordIsTold) {
  for (const bool is_abstract : {false, true}) {
    Listen(is_abstract);
    const Notifier notifier = Make();
    EXPECT_TRUE(notifier.Ready("generation 1\n2 ports"));
    EXPECT_EQ(Told(), "READY=1\nSTATUS=generation 1 2 ports");
    EXPECT_TRUE(notifier.Status("x"));
    EXPECT_EQ(Told(), "STATUS=x");
    EXPECT_TRUE(notifier.Alive());
    EXPECT_EQ(Told(), "WATCHDOG=1");
    EXPECT_TRUE(notifier.Reloading());
    EXPECT_TRUE(Told().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    EXPECT_TRUE(notifier.Stopping("bye"));
    EXPECT_EQ(Told(), "STOPPING=1\nSTATUS=bye");
    close(socket_);
    EXPECT_FALSE(notifier.Alive()) << "nobody listens";
    unlink(path_.c_str());
    socket_ = -1;
  }
}

TEST_F(ObserveSystemd, NobodyWhoReadsDoesNotMakeItWait) {
  Listen(false);
  const Notifier notifier = Make();
  size_t told = 0;
  while (told < 100'000 && notifier.Alive()) ++told;
  EXPECT_LT(told, 100'000u);
}

TEST_F(ObserveSystemd, WithoutSystemdNothingIsToldAndAWrongSocketIsAnError) {
  unsetenv("NOTIFY_SOCKET");
  EXPECT_TRUE(Make().Ready("x"));
  for (const std::string& path :
       {std::string("relative"), std::string("/nowhere/socket"), "/" + std::string(200, 'x')}) {
    setenv("NOTIFY_SOCKET", path.c_str(), 1);
    EXPECT_FALSE(Notifier::FromEnvironment().ok()) << path;
  }
}

TEST_F(ObserveSystemd, TheWatchdogIsHalfAndOfThisProcessOnly) {
  EXPECT_FALSE(Make().watchdog_ns().has_value());
  setenv("WATCHDOG_USEC", "5000000", 1);
  EXPECT_EQ(Make().watchdog_ns(), 2'500'000'000u);
  setenv("WATCHDOG_PID", "1", 1);
  EXPECT_FALSE(Make().watchdog_ns().has_value());
  setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
  EXPECT_TRUE(Make().watchdog_ns().has_value());
  setenv("WATCHDOG_USEC", "5s", 1);
  EXPECT_FALSE(Make().watchdog_ns().has_value());
}

TEST(ObserveUnitFile, SaysWhatTheAppliancePromises) {
  std::ifstream file(NPF_SOURCE_DIR "/dpdk_app/systemd/npf-dpdk.service");
  std::set<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.insert(line);
  for (const char* line : {"Type=notify", "WatchdogSec=5", "Restart=always", "RuntimeDirectory=npf",
                           "StateDirectory=npf", "NoNewPrivileges=yes", "ProtectSystem=strict"}) {
    EXPECT_TRUE(lines.contains(line)) << line;
  }
}

}  // namespace
}  // namespace npf::observe
