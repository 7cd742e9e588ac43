// The socket's place, its peers, and what they cannot do to each other.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "control/fixture.h"

namespace npf::control {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class SocketTest : public ControlTest {
 protected:
  absl::Status Try() { return ControlServer::Start(options_, handler_).status(); }
  void MakeDirectory(mode_t mode) {
    mkdir((directory_ + "/run").c_str(), mode);
    chmod((directory_ + "/run").c_str(), mode);
  }
  static mode_t ModeOf(const std::string& path) {
    struct stat status {};
    lstat(path.c_str(), &status);
    return status.st_mode & 07777;
  }
};

TEST_F(SocketTest, FileAndDirectoryAreForTheGroup) {
  Start();
  EXPECT_EQ(ModeOf(options_.path), 0660u);
  EXPECT_EQ(ModeOf(directory_ + "/run"), 0750u);
  server_->Stop(milliseconds(100));
  EXPECT_FALSE(std::filesystem::exists(options_.path));
}

TEST_F(SocketTest, B54SymlinkIsRefused) {
  MakeDirectory(0750);
  symlink("/nowhere", options_.path.c_str());
  EXPECT_EQ(Try().message(), options_.path + ": is a symbolic link");
}

TEST_F(SocketTest, B54FileIsRefused) {
  MakeDirectory(0750);
  WriteFile("run/npf.sock", "precious");
  EXPECT_EQ(Try().message(), options_.path + ": is there, and is not a socket");
  EXPECT_EQ(std::filesystem::file_size(options_.path), 8u);
}

TEST_F(SocketTest, B54ForeignFileIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "needs uid 0";
  MakeDirectory(0750);
  WriteFile("run/npf.sock", "");
  ASSERT_EQ(chown(options_.path.c_str(), 65534, 65534), 0);
  EXPECT_EQ(Try().message(), options_.path + ": belongs to uid 65534");
}

TEST_F(SocketTest, B54DirectoryOfOthersIsRefused) {
  MakeDirectory(0757);
  EXPECT_EQ(Try().code(), absl::StatusCode::kFailedPrecondition);
  chmod((directory_ + "/run").c_str(), 0770);
  EXPECT_EQ(Try().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SocketTest, B54LongPathIsRefused) {
  options_.path = directory_ + "/" + std::string(108, 'x');
  EXPECT_EQ(Try().code(), absl::StatusCode::kInvalidArgument);
  options_.path = "@abstract";
  EXPECT_EQ(Try().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(SocketTest, LiveSocketIsRefused) {
  Start();
  EXPECT_EQ(Try().message(), options_.path + ": another process listens on this socket");
  EXPECT_TRUE(Answers());
}

TEST_F(SocketTest, StaleSocketIsReplaced) {
  MakeDirectory(0750);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  options_.path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  close(fd);
  Start();
  EXPECT_TRUE(Answers());
}

// A file that took the socket's place stays.
TEST_F(SocketTest, StopRemovesOnlyItsOwn) {
  Start();
  std::filesystem::remove(options_.path);
  WriteFile("run/npf.sock", "another's");
  server_->Stop(milliseconds(100));
  EXPECT_TRUE(std::filesystem::exists(options_.path));
}

TEST_F(SocketTest, B50GarbageAndHalfAFrameAreClosed) {
  options_.idle = milliseconds(300);
  Start();
  const int garbage = Raw();
  ASSERT_EQ(write(garbage, "GET / HTTP/1.1\r\n\r\n", 18), 18);
  const int silent = Raw();
  const int half = Raw();
  const std::string preface("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x10\x04", 28);
  ASSERT_EQ(write(half, preface.data(), preface.size()), 28);
  // A frame that says it has 16 MiB, and ends.
  const int huge = Raw();
  const std::string frame("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\x00\x00\0\0\0\x01", 33);
  ASSERT_EQ(write(huge, frame.data(), frame.size()), 33);
  for (const int fd : {garbage, silent, half, huge}) {
    EXPECT_TRUE(Answers());
    EXPECT_TRUE(IsClosed(fd));
    close(fd);
  }
}

TEST_F(SocketTest, B50RequestOverTheLimit) {
  Start();
  const auto client = Client();
  LoadRequest request;
  request.text.assign((size_t{64} << 20) + 1, 'x');
  EXPECT_EQ(client->Load(request).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_TRUE(handler_.loads().empty());
  EXPECT_TRUE(client->GetStatus().ok());
}

TEST_F(SocketTest, B53ChangesAreOneAfterTheOther) {
  Start();
  handler_.hold = true;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([this] { EXPECT_TRUE(Client()->Load({.text = "a"}).ok()); });
  }
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_TRUE(Answers());
  handler_.hold = false;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(handler_.loading_most, 1);
  EXPECT_EQ(handler_.loads().size(), 3u);
}

TEST_F(SocketTest, B53ClientThatWentAwayBeforeItsTurn) {
  Start();
  handler_.hold = true;
  std::thread first([this] { EXPECT_TRUE(Client()->Load({.text = "a"}).ok()); });
  while (handler_.loading == 0) std::this_thread::sleep_for(milliseconds(1));
  const auto impatient = ControlClient::Connect(options_.path, milliseconds(1));
  EXPECT_FALSE((*impatient)->Load({.text = "b"}).ok());
  std::this_thread::sleep_for(milliseconds(50));
  handler_.hold = false;
  first.join();
  EXPECT_TRUE(Client()->Load({.text = "c"}).ok());
  EXPECT_EQ(handler_.loads().size(), 2u);
}

TEST_F(SocketTest, B54FortyConnectionsAtOnce) {
  Start();
  const auto first = Client();
  ASSERT_TRUE(first->GetStatus().ok());
  std::vector<int> raw;
  for (int i = 0; i < 40; ++i) raw.push_back(Raw());
  EXPECT_TRUE(IsClosed(raw.back()));
  EXPECT_TRUE(first->GetStatus().ok());
  for (const int fd : raw) close(fd);
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_TRUE(Answers());
  EXPECT_NE(Log().find("too many connections"), std::string::npos);
}

TEST_F(SocketTest, B55OneByteNowAndThenIsNotARequest) {
  options_.idle = milliseconds(400);
  Start();
  std::vector<int> slow;
  for (int i = 0; i < 20; ++i) slow.push_back(Raw());
  const std::string preface("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", 33);
  auto slowest = steady_clock::duration::zero();
  for (size_t i = 0; i < 8; ++i) {
    for (const int fd : slow) send(fd, preface.data() + i, 1, MSG_NOSIGNAL);
    const auto asked = steady_clock::now();
    EXPECT_TRUE(Answers());
    slowest = std::max(slowest, steady_clock::now() - asked);
    std::this_thread::sleep_for(milliseconds(100));
  }
  EXPECT_LT(slowest, std::chrono::seconds(1));
  for (const int fd : slow) {
    EXPECT_TRUE(IsClosed(fd));
    close(fd);
  }
}

// One that watches, and stops without a word: nothing but a ping can tell.
TEST_F(SocketTest, B55WatcherThatHangsIsEnded) {
  options_.keepalive = milliseconds(200);
  Start();
  const pid_t watcher = fork();
  if (watcher == 0) {
    dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
    execl(NPF_COMMAND, "npf", "watch", "--socket", options_.path.c_str(), nullptr);
    _exit(98);
  }
  while (handler_.watchers == 0) std::this_thread::sleep_for(milliseconds(1));
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_EQ(handler_.watchers, 1);
  kill(watcher, SIGSTOP);
  for (int i = 0; i < 200 && handler_.watchers != 0; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_EQ(handler_.watchers, 0);
  kill(watcher, SIGKILL);
  waitpid(watcher, nullptr, 0);
}

TEST_F(SocketTest, B56NoDescriptorIsLeft) {
  Start();
  const auto client = Client();
  ASSERT_TRUE(client->GetStatus().ok());
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const int waiting = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int next = open("/dev/null", O_RDONLY | O_CLOEXEC);
  close(next);
  const rlimit tight{.rlim_cur = static_cast<rlim_t>(next), .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &tight);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  options_.path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  EXPECT_EQ(connect(waiting, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_TRUE(client->GetStatus().ok());
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_NE(Log().find("accept: "), std::string::npos);
  close(waiting);
  EXPECT_TRUE(Answers());
}

TEST_F(SocketTest, B57NamesInTheLogAreEscaped) {
  Start();
  handler_.refusal = "evil\r\nload by uid 0: generation 9\x1b[2J";
  EXPECT_FALSE(Client()->Load({.text = "wrong"}).ok());
  const std::string log = Log();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 1);
  EXPECT_EQ(log.find('\x1b'), std::string::npos);
}

TEST_F(SocketTest, StopEndsWatchesAndWaits) {
  Start();
  const auto client = Client();
  std::thread watcher(
      [&] { client->WatchDenied([](const DeniedPacket&) { return true; }).IgnoreError(); });
  while (handler_.watchers == 0) std::this_thread::sleep_for(milliseconds(1));
  const auto begun = steady_clock::now();
  server_->Stop(milliseconds(500));
  EXPECT_LT(steady_clock::now() - begun, std::chrono::seconds(2));
  watcher.join();
  EXPECT_EQ(handler_.watchers, 0);
}

}  // namespace
}  // namespace npf::control
