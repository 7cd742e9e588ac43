// The HTTP server, spoken to over a socket.
#include "observe/http_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace npf::observe {
namespace {

using Clock = std::chrono::steady_clock;

class Connection {
 public:
  explicit Connection(int port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{.sin_family = AF_INET, .sin_port = htons(static_cast<uint16_t>(port))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
  }
  ~Connection() { close(socket_); }
  Connection(const Connection&) = delete;
  bool Send(std::string_view text) const {
    return send(socket_, text.data(), text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size());
  }
  std::string ReadToEnd() const {
    std::string all;
    char buffer[4096];
    for (ssize_t got; (got = recv(socket_, buffer, sizeof(buffer), 0)) > 0;) {
      all.append(buffer, static_cast<size_t>(got));
    }
    return all;
  }

 private:
  int socket_;
};

struct State {
  std::atomic<bool> healthy = true, ready = true;
};

std::unique_ptr<HttpServer> Start(State& state, HttpLimits limits = {}) {
  const HttpHandlers handlers{
      .metrics = [] { return std::string("npf_ready 1\n"); },
      .unhealthy =
          [&] {
            return state.healthy ? std::vector<std::string>{}
                                 : std::vector<std::string>{"worker 0 stands still"};
          },
      .not_ready =
          [&] {
            return state.ready ? std::vector<std::string>{}
                               : std::vector<std::string>{"no policy", "port 1\nhas no link"};
          }};
  auto server = HttpServer::Start("127.0.0.1:0", handlers, limits);
  EXPECT_TRUE(server.ok()) << server.status();
  return std::move(*server);
}

std::string Get(int port, const std::string& path, const std::string& method = "GET") {
  const Connection connection(port);
  EXPECT_TRUE(connection.Send(method + " " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"));
  return connection.ReadToEnd();
}

TEST(ObserveHttp, MetricsAreServedAsText) {
  State state;
  const auto server = Start(state);
  const std::string answer = Get(server->port(), "/metrics");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
  EXPECT_NE(answer.find("Content-Type: text/plain; version=0.0.4"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\nnpf_ready 1\n")) << answer;
}

TEST(ObserveHttp, ProbesSayEveryReason) {
  State state;
  const auto server = Start(state);
  for (const char* path : {"/livez", "/healthz", "/readyz"}) {
    EXPECT_TRUE(Get(server->port(), path).starts_with("HTTP/1.1 200")) << path;
  }
  state.ready = false;
  std::string answer = Get(server->port(), "/readyz");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\nno policy\nport 1 has no link\n")) << answer;
  EXPECT_TRUE(Get(server->port(), "/healthz").starts_with("HTTP/1.1 200"));
  state.healthy = false;
  answer = Get(server->port(), "/healthz");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503")) << answer;
  EXPECT_TRUE(answer.ends_with("worker 0 stands still\n")) << answer;
  EXPECT_TRUE(Get(server->port(), "/livez").starts_with("HTTP/1.1 200"));
}

TEST(ObserveHttp, NothingElseIsThere) {
  State state;
  const auto server = Start(state);
  EXPECT_TRUE(Get(server->port(), "/").starts_with("HTTP/1.1 404"));
  EXPECT_TRUE(Get(server->port(), "/../etc/passwd").starts_with("HTTP/1.1 404"));
  EXPECT_EQ(Get(server->port(), "/metrics", "DELETE").find("200 OK"), std::string::npos);
}

TEST(ObserveHttp, ATakenAddressIsAnError) {
  State state;
  const auto server = Start(state);
  const std::string address = "127.0.0.1:" + std::to_string(server->port());
  const auto second = HttpServer::Start(address, {});
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.status().message().find(address), std::string::npos) << second.status();
  EXPECT_NE(second.status().message().find("in use"), std::string::npos) << second.status();
}

TEST(ObserveHttp, AnAddressThatIsNoneIsAnError) {
  for (const char* address : {"", "9080", "localhost:9080", "127.0.0.1", "127.0.0.1:", "::1:9080",
                              "127.0.0.1:65536", "127.0.0.1:-1", "[127.0.0.1]:9080"}) {
    const auto server = HttpServer::Start(address, {});
    EXPECT_EQ(server.status().code(), absl::StatusCode::kInvalidArgument) << address;
  }
}

TEST(ObserveHttp, AByteNowAndThenDoesNotHoldAThread) {
  State state;
  const auto server = Start(state, {.threads = 1, .connection_ms = 300});
  const Connection slow(server->port());
  const auto began = Clock::now();
  while (slow.Send("G") && Clock::now() - began < std::chrono::seconds(3)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_LT(Clock::now() - began, std::chrono::seconds(2));
  EXPECT_TRUE(Get(server->port(), "/livez").starts_with("HTTP/1.1 200"));
}

TEST(ObserveHttp, ARequestWithoutEndIsCutOff) {
  State state;
  const auto server = Start(state, {.request_bytes_max = 4096});
  const Connection endless(server->port());
  const auto began = Clock::now();
  EXPECT_TRUE(endless.Send("GET /metrics HTTP/1.1\r\n"));
  size_t lines = 0;
  while (lines < 100'000 && endless.Send("X-Header: " + std::string(100, 'x') + "\r\n")) ++lines;
  EXPECT_EQ(endless.ReadToEnd().find("200 OK"), std::string::npos);
  EXPECT_LT(Clock::now() - began, std::chrono::seconds(5))
      << "before the connection's time is over";
}

TEST(ObserveHttp, ConnectionsThatSayNothingDoNotKeepItFromEnding) {
  State state;
  auto server = Start(state, {.threads = 2, .waiting = 2});
  std::vector<std::unique_ptr<Connection>> silent;
  for (int i = 0; i < 8; ++i) silent.push_back(std::make_unique<Connection>(server->port()));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const auto began = Clock::now();
  server.reset();
  EXPECT_LT(Clock::now() - began, std::chrono::seconds(2));
}

}  // namespace
}  // namespace npf::observe
