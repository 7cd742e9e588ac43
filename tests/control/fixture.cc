#include "control/fixture.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "npf/address.h"

namespace npf::control {

using std::chrono::milliseconds;

FlowKey TestKey() {
  return MakeFlowKey(*ParseIpAddress("10.0.0.1"), *ParseIpAddress("10.0.0.2"), 6, 81, 40000);
}

Status TestStatus() {
  Status status;
  status.version = "0.1.0";
  status.mode = "enforce";
  status.placement = "node-wire";
  status.generation = 7;
  status.policy_hash = "c0ffee";
  status.policy_source = "/etc/npf";
  status.policy_age_ns = 90'000'000'000;
  status.last_refusal = "line 1\nline 2";
  status.pods = 3;
  status.policies = 4;
  status.program_bytes = 4096;
  status.uptime_ns = 7200'000'000'000;
  status.ready = true;
  status.unconfirmed = Unconfirmed{.generation = 7, .left_ns = 5'000'000'000};
  status.workers = 2;
  status.busy = {0.25, 0.5};
  status.flows = 11;
  status.flows_max = 1000;
  status.openings = 1;
  status.received = 100;
  status.ports = {{"port0", true, 60, 6000, 1, 40, 4000, 2},
                  {"port1", false, 40, 4000, 0, 1, 2, 3}};
  status.reasons = {{"policy", true, 90}, {"no_rule", false, 10}};
  status.log_suppressed = 5;
  return status;
}

Connection TestConnection() {
  return {.key = TestKey(),
          .src_pod = "shop/web",
          .dst_pod = "shop/db",
          .state = "established",
          .generation = 7};
}

DeniedPacket TestDenied() {
  return {.time_ns = 1'700'000'000'000'000'000,
          .key = TestKey(),
          .reason = "no_rule",
          .port = "port0",
          .src_pod = "shop/web",
          .dst_pod = "evil\x1b[2J\nname",
          .why = "port 81, the rule has 80",
          .packets = 2,
          .suppressed = 3};
}

Status FakeHandler::GetStatus() {
  Status status = TestStatus();
  status.ready = ready;
  if (!ready) status.not_ready = {"no policy yet", "port1 is down"};
  return status;
}

std::vector<PolicyCount> FakeHandler::GetPolicyCounts() {
  return {{.policy = "shop/db", .tier = "NetworkPolicy", .allowed = true, .packets = 12}};
}

std::vector<PodVisibility> FakeHandler::GetVisibility() {
  return {{.pod = "shop/db", .enforced = "here", .why = "on this node"},
          {.pod = "shop/far", .enforced = "not visible", .why = "on another node"}};
}

absl::StatusOr<LoadResult> FakeHandler::Load(const LoadRequest& request) {
  loading_most = std::max<int>(loading_most, ++loading);
  while (hold) std::this_thread::sleep_for(milliseconds(5));
  --loading;
  const std::lock_guard lock(mutex_);
  loads_.push_back(request);
  if (request.text.find("wrong") != std::string::npos) return absl::InvalidArgumentError(refusal);
  return LoadResult{.generation = 8,
                    .policy_hash = "beef",
                    .pods = 1,
                    .policies = 2,
                    .compile_ns = 1'500'000'000,
                    .warnings = {"a warning"}};
}

absl::Status FakeHandler::Confirm(uint32_t generation) {
  if (generation == 8) return absl::OkStatus();
  return absl::FailedPreconditionError("that generation is not waiting");
}

absl::Status FakeHandler::WaitFor(uint32_t generation, uint64_t timeout_ns) {
  if (generation <= 8) return absl::OkStatus();
  std::this_thread::sleep_for(std::chrono::nanoseconds(timeout_ns));
  return absl::DeadlineExceededError("not yet");
}

absl::StatusOr<ExplainResult> FakeHandler::Explain(const FlowKey& key) {
  return ExplainResult{.allowed = key.dst_port == 80,
                       .generation = 7,
                       .text = "deny: because",
                       .json = R"({"egress":[]})"};
}

absl::StatusOr<std::vector<Connection>> FakeHandler::ListConnections(size_t limit) {
  return std::vector<Connection>(std::min<size_t>(limit, 3), TestConnection());
}

absl::StatusOr<std::vector<Connection>> FakeHandler::WouldCut(const LoadRequest&, size_t) {
  return std::vector<Connection>{TestConnection()};
}

void FakeHandler::WatchDenied(const std::function<bool(const DeniedPacket*)>& use) {
  ++watchers;
  const DeniedPacket denied = TestDenied();
  bool goes_on = use(&denied) && use(&denied) && use(&denied);
  while (goes_on) {
    std::this_thread::sleep_for(milliseconds(20));
    goes_on = use(nullptr);
  }
  --watchers;
}

std::vector<LoadRequest> FakeHandler::loads() {
  const std::lock_guard lock(mutex_);
  return loads_;
}

ControlTest::ControlTest() {
  std::string name = "/tmp/npf_control_XXXXXX";
  directory_ = mkdtemp(name.data());
  chmod(directory_.c_str(), 0755);
  options_.path = directory_ + "/run/npf.sock";
  options_.log = [this](std::string_view line) {
    const std::lock_guard lock(log_mutex_);
    log_ += std::string(line) + "\n";
  };
}

ControlTest::~ControlTest() {
  handler_.hold = false;
  server_.reset();
  std::filesystem::remove_all(directory_);
}

void ControlTest::Start() {
  auto server = ControlServer::Start(options_, handler_);
  ASSERT_TRUE(server.ok()) << server.status();
  server_ = *std::move(server);
}

std::unique_ptr<ControlClient> ControlTest::Client() {
  auto client = ControlClient::Connect(options_.path);
  EXPECT_TRUE(client.ok()) << client.status();
  return client.ok() ? *std::move(client) : nullptr;
}

int ControlTest::Raw() {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, options_.path.c_str(), sizeof(address.sun_path) - 1);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  return fd;
}

bool ControlTest::IsClosed(int fd) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  std::array<char, 4096> buffer;
  while (std::chrono::steady_clock::now() < until) {
    pollfd polled{.fd = fd, .events = POLLIN, .revents = 0};
    if (poll(&polled, 1, 50) > 0 && read(fd, buffer.data(), buffer.size()) <= 0) return true;
  }
  return false;
}

bool ControlTest::Answers() {
  const auto client = Client();
  return client != nullptr && client->GetStatus().ok();
}

std::string ControlTest::Log() {
  const std::lock_guard lock(log_mutex_);
  return log_;
}

std::string ControlTest::WriteFile(const std::string& name, const std::string& text) {
  const std::string path = directory_ + "/" + name;
  std::ofstream(path) << text;
  return path;
}

namespace {

std::string Drain(int fd) {
  std::string text;
  std::array<char, 4096> buffer;
  lseek(fd, 0, SEEK_SET);
  for (ssize_t got; (got = read(fd, buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<size_t>(got));
  }
  return text;
}

// Only what may be called between fork and exec of a process with threads.
[[noreturn]] void Execute(int command, int out, int err, char** argv, uid_t uid, gid_t gid) {
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  if (uid != 0 && (setgroups(0, nullptr) != 0 || setgid(gid) != 0 || setuid(uid) != 0)) _exit(99);
  fexecve(command, argv, environ);
  _exit(98);
}

}  // namespace

Outcome ControlTest::Npf(std::vector<std::string> arguments, uid_t uid, gid_t gid) {
  arguments.insert(arguments.begin(), "npf");
  arguments.emplace_back("--socket");
  arguments.push_back(options_.path);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  // Opened by us: the other user may not reach the folder it is built in.
  const int command = open(NPF_COMMAND, O_RDONLY | O_CLOEXEC);
  const int out = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  const int err = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  const pid_t child = fork();
  if (child == 0) Execute(command, out, err, argv.data(), uid, gid);
  int status = 0;
  waitpid(child, &status, 0);
  Outcome outcome{.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1,
                  .out = Drain(out),
                  .err = Drain(err)};
  for (const int fd : {command, out, err}) close(fd);
  return outcome;
}

}  // namespace npf::control
